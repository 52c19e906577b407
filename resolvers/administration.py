"""Operators' changes of nodes, queues and reservations: one SSM command each, as Slurm's administrator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from resolvers import datasets
from resolvers.change import Change, ChangeInput, change_field, read_or_error, refused
from resolvers.described import Id, described, required
from resolvers.errors import RequestError
from resolvers.facts import RESERVATIONS, Reservation, reservation_named
from resolvers.node import Node
from resolvers.queue import Queue
from slurm import argument, node_update, partition_update, reservation
from slurm.argument import LEFT, Updated
from slurm.node_update import NodeAction
from slurm.partition_update import QueueAction
from slurm.refusal import Refusal, RefusalCode
from slurm.reservation import NewReservation, ReservationUpdate

NAMES_LIMIT = 200
"""How many nodes one change may name: each is a command on the head node."""


@dataclass(kw_only=True)
class UpdateNode(ChangeInput):
    """Which nodes, and what to do with them."""

    names: Sequence[str] = required(f"The nodes, 1 to {NAMES_LIMIT}, by name. scontrol update: NodeName.")
    action: NodeAction = required("What to do with them. scontrol update: State.")
    reason: Updated[str] = described(
        "The reason, for others to read. DRAIN and DOWN need it. Null, for none, only with RESUME. "
        "scontrol update: Reason.",
        LEFT,
        argument.line,
    )


@dataclass(kw_only=True)
class UpdateQueue(ChangeInput):
    """Which queue, and what to do with it."""

    name: str = required("The queue. scontrol update: PartitionName.", argument.word)
    action: QueueAction = required(
        "What to do with it; this lasts until slurmctld reads its configuration again. scontrol update: State."
    )


@dataclass(kw_only=True)
class CreateReservation(NewReservation, ChangeInput):
    """The reservation to make."""


@dataclass(kw_only=True)
class UpdateReservation(ReservationUpdate, ChangeInput):
    """Which reservation, and what to change of it. What is left out stays as it is; null clears it."""


@dataclass(kw_only=True)
class DeleteReservation(ChangeInput):
    """Which reservation."""

    name: str = required("The reservation's name. scontrol delete: ReservationName.", argument.word)


@dataclass(frozen=True, kw_only=True)
class UpdateNodePayload:
    """The nodes that were changed, and why others were not."""

    ids: Sequence[Id] = described("The ids of the nodes that were changed, even if they could not be read.", ())
    nodes: Sequence[Node] = described("The nodes that were changed, as they are now.", ())
    errors: Sequence[Refusal] = described("One for each node that was not changed, with its id in `targetId`.", ())
    warnings: Sequence[str] = described("What else there is to know, such as why the nodes could not be read.", ())


@dataclass(frozen=True, kw_only=True)
class UpdateQueuePayload:
    """The changed queue, or why it was not changed."""

    id: Id | None = described("The queue's id; null if it was not changed.")
    queue: Queue | None = described("The queue as it is now; null if it was not changed.")
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@dataclass(frozen=True, kw_only=True)
class CreateReservationPayload:
    """The new reservation, or why there is none."""

    id: Id | None = described("The reservation's id; null if it was refused.")
    reservation: Reservation | None = described("The reservation; null if it was refused.")
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@dataclass(frozen=True, kw_only=True)
class UpdateReservationPayload:
    """The changed reservation, or why it was not changed."""

    id: Id | None = described("The reservation's id; null if it was not changed.")
    reservation: Reservation | None = described("The reservation as it is now; null if it was not changed.")
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@dataclass(frozen=True, kw_only=True)
class DeleteReservationPayload:
    """The deleted reservation, or why it was not deleted."""

    id: Id | None = described("The id that the reservation had, for caches to forget; null if it was refused.")
    name: str | None = described("The name of the deleted reservation; null if it was refused.")
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@change_field(
    UpdateNodePayload,
    "Take nodes out of service or back, start or stop their instances. Operators only. scontrol update NodeName.",
)
async def update_node(change: Change, input: UpdateNode) -> UpdateNodePayload:
    """Take nodes out of service or back, start or stop their instances."""
    names = list(dict.fromkeys(map(change.local, input.names)))
    if not 1 <= len(names) <= NAMES_LIMIT:
        raise refused(RefusalCode.INVALID_INPUT, f"Name 1 to {NAMES_LIMIT} nodes.", ["input", "names"])
    outcomes = await change.send(node_update.update(names, input.action, input.reason), datasets.NODES)
    done = [name for name, refusal in zip(names, outcomes, strict=True) if refusal is None]
    refusals = [change.global_id(refusal) for refusal in outcomes if refusal is not None]
    payload = UpdateNodePayload(ids=[f"{change.view.name}:{name}" for name in done], errors=refusals)
    try:
        return replace(payload, nodes=[node for node in map(change.view.node, done) if node is not None])
    except RequestError as error:
        return replace(payload, warnings=[f"The nodes could not be read: {error}"])


@change_field(UpdateQueuePayload, "Open or close a queue. Operators only. scontrol update PartitionName.")
async def update_queue(change: Change, input: UpdateQueue) -> UpdateQueuePayload:
    """Open or close a queue."""
    name = change.local(input.name)
    refusal = await change.send(partition_update.update(name, input.action), datasets.QUEUES)
    if refusal is not None:
        return UpdateQueuePayload(errors=[replace(change.global_id(refusal), field=["input", "name"])])
    view = change.view
    return UpdateQueuePayload(id=f"{view.name}:{name}", queue=read_or_error(lambda: view.queue(name)))


@change_field(
    CreateReservationPayload,
    "Reserve nodes or licenses for some users or accounts. Operators only. scontrol create reservation.",
)
async def create_reservation(change: Change, input: CreateReservation) -> CreateReservationPayload:
    """Reserve nodes or licenses for some users or accounts."""
    outcome = await change.send(reservation.create(input), RESERVATIONS)
    if isinstance(outcome, Refusal):
        return CreateReservationPayload(errors=[outcome])
    view = change.view
    return CreateReservationPayload(
        id=f"{view.name}:{outcome}", reservation=read_or_error(lambda: reservation_named(view, outcome))
    )


@change_field(UpdateReservationPayload, "Change a reservation. Operators only. scontrol update ReservationName.")
async def update_reservation(change: Change, input: UpdateReservation) -> UpdateReservationPayload:
    """Change a reservation."""
    changes = replace(input, name=change.local(input.name))
    refusal = await change.send(reservation.update(changes), RESERVATIONS)
    view = change.view
    known = read_or_error(lambda: reservation_named(view, changes.name))
    if refusal is None:
        return UpdateReservationPayload(id=f"{view.name}:{changes.name}", reservation=known)
    if isinstance(known, Reservation):
        refusal = reservation.of_known(refusal, changes)
    return UpdateReservationPayload(errors=[change.global_id(refusal)])


@change_field(DeleteReservationPayload, "Delete a reservation. Operators only. scontrol delete ReservationName.")
async def delete_reservation(change: Change, input: DeleteReservation) -> DeleteReservationPayload:
    """Delete a reservation."""
    own = change.local(input.name)
    refusal = await change.send(reservation.delete(own))
    if refusal is not None:
        return DeleteReservationPayload(errors=[replace(change.global_id(refusal), field=["input", "name"])])
    return DeleteReservationPayload(id=f"{change.view.name}:{own}", name=own)


CHANGES = (update_node, update_queue, create_reservation, update_reservation, delete_reservation)
