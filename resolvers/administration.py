"""Operators' changes of nodes, queues and reservations: one SSM command each, as Slurm's administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from resolvers import change, datasets, plan
from resolvers.change import RefusedError, with_cluster
from resolvers.cluster import Cluster
from resolvers.facts import Reservation, reservation_named
from resolvers.graph import Graph
from resolvers.node import Node
from resolvers.queue import Queue
from slurm import node_update, partition_update, reservation
from slurm.node_update import NodeAction
from slurm.partition_update import QueueAction
from slurm.refusal import InvalidInputError, Refusal, RefusalCode
from slurm.reservation import NewReservation

NAMES_LIMIT = 200
"""Nodes that one change may name: each is a command on the head node."""


@dataclass(kw_only=True)
class UpdateNode:
    """Which nodes, and what to do with them."""

    names: Sequence[str] = field(
        metadata={"about": f"The nodes, at most {NAMES_LIMIT}, by name. scontrol update: NodeName."}
    )
    action: NodeAction = field(metadata={"about": "What to do with them. scontrol update: State."})
    reason: str | None = field(
        default=None,
        metadata={"about": "Why, for others to read: one line. DRAIN and DOWN need it. scontrol update: Reason."},
    )


@dataclass(kw_only=True)
class UpdateQueue:
    """Which queue, and what it is to do."""

    name: str = field(metadata={"about": "The queue. scontrol update: PartitionName."})
    action: QueueAction = field(
        metadata={"about": "What it is to do, until slurmctld reads its configuration again. scontrol update: State."}
    )


@dataclass(frozen=True)
class UpdateNodePayload:
    """The nodes that were changed, as they are now, and why others were not."""

    nodes: Sequence[Node]
    errors: Sequence[Refusal]


@dataclass(frozen=True)
class UpdateQueuePayload:
    """The queue as it is now, or why it was not changed."""

    queue: Queue | None
    errors: Sequence[Refusal]


@dataclass(frozen=True)
class CreateReservationPayload:
    """The reservation, or why there is none."""

    reservation: Reservation | None
    errors: Sequence[Refusal]


@dataclass(frozen=True)
class DeleteReservationPayload:
    """The name of the reservation that is no more, or why it was not deleted."""

    name: str | None
    errors: Sequence[Refusal]


async def update_nodes(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, request: UpdateNode
) -> UpdateNodePayload:
    """Take nodes out of service or back, start or stop their instances."""
    try:
        view = change.view(graph, info, cluster)
        names = list(dict.fromkeys(_local(view, name) for name in request.names))
        if not 1 <= len(names) <= NAMES_LIMIT:
            message = f"Name 1 to {NAMES_LIMIT} nodes."
            raise RefusedError(Refusal(RefusalCode.INVALID_INPUT, message, ["input", "names"]))
        question = node_update.update(names, request.action, request.reason)
    except (RefusedError, InvalidInputError) as error:
        return UpdateNodePayload([], error.refusals)
    refusals = await asyncio.to_thread(change.make, graph, info, view, question, datasets.NODES)
    done = [name for name, refusal in zip(names, refusals, strict=True) if refusal is None]
    changed = [node for node in map(view.node, done) if node is not None] if done else []
    return UpdateNodePayload(changed, [with_cluster(refusal, view) for refusal in refusals if refusal is not None])


async def update_queue(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, request: UpdateQueue
) -> UpdateQueuePayload:
    """Open or close a queue."""
    try:
        view = change.view(graph, info, cluster)
        name = _local(view, request.name)
        question = partition_update.update(name, request.action)
    except (RefusedError, InvalidInputError) as error:
        return UpdateQueuePayload(None, error.refusals)
    refusal = await asyncio.to_thread(change.make, graph, info, view, question, datasets.QUEUES)
    if refusal is not None:
        return UpdateQueuePayload(None, [replace(with_cluster(refusal, view), field=["input", "name"])])
    return UpdateQueuePayload(view.queue(name), [])


async def create_reservation(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, request: NewReservation
) -> CreateReservationPayload:
    """Keep nodes or licenses for some users or accounts."""
    try:
        view = change.view(graph, info, cluster)
        question = reservation.create(request)
    except (RefusedError, InvalidInputError) as error:
        return CreateReservationPayload(None, error.refusals)
    outcome = await asyncio.to_thread(change.make, graph, info, view, question, datasets.RESERVATIONS)
    if isinstance(outcome, Refusal):
        return CreateReservationPayload(None, [outcome])
    return CreateReservationPayload(reservation_named(view, outcome), [])


async def delete_reservation(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, name: str
) -> DeleteReservationPayload:
    """Delete a reservation."""
    try:
        view = change.view(graph, info, cluster)
        own = _local(view, name)
        question = reservation.delete(own)
    except (RefusedError, InvalidInputError) as error:
        return DeleteReservationPayload(None, error.refusals)
    refusal = await asyncio.to_thread(change.make, graph, info, view, question)
    if refusal is not None:
        return DeleteReservationPayload(None, [replace(with_cluster(refusal, view), field=["name"])])
    return DeleteReservationPayload(own, [])


def _local(view: Cluster, name: str) -> str:
    """A name that may carry the cluster's, as ids do."""
    return name.removeprefix(f"{view.name}:")
