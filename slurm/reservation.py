"""Reservations: `scontrol show reservation`, create, update and delete (scontrol(1), RESERVATIONS)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from slurm import argument
from slurm.argument import OneOf, Updated, assignment, choice, cleared, kept
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.duration import seconds
from slurm.hostlist import expand
from slurm.instant import instant
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, refusal
from slurm.scontrol_record import RecordKind, columns
from slurm.states import DescribedEnum
from slurm.text import BigInt, entries, integer, text_or_none, verbatim


class ReservationState(DescribedEnum):
    """Whether a reservation holds now."""

    ACTIVE = "ACTIVE", "It holds now."
    INACTIVE = "INACTIVE", "It has not begun, or is over."
    UNKNOWN = "UNKNOWN", "A state this release of the API has no value for."


class ReservationFlag(DescribedEnum):
    """What a reservation can be made with (scontrol(1), Flags)."""

    MAINT = "MAINT", "For maintenance: it may overlap others, and its idle time is booked as planned down time."
    IGNORE_JOBS = "IGNORE_JOBS", "Make it whatever jobs run there now."
    OVERLAP = "OVERLAP", "It may share nodes with other reservations."
    FLEX = "FLEX", "Its jobs may use other nodes too, and start before it or end after it."
    MAGNETIC = "MAGNETIC", "Jobs that fit run in it without asking for it."
    REPLACE = "REPLACE", "Nodes that its jobs take are replaced by idle ones."
    REPLACE_DOWN = "REPLACE_DOWN", "Nodes that go down are replaced."
    NO_HOLD_JOBS_AFTER_END = "NO_HOLD_JOBS_AFTER_END", "When it is over, its waiting jobs are not held."
    ANY_NODES = "ANY_NODES", "It counts licenses alone, whatever the nodes."
    STATIC_ALLOC = "STATIC_ALLOC", "Its nodes stay the same, also if they go down."
    PURGE_COMP = "PURGE_COMP", "It is deleted once it has had no jobs for five minutes."
    TIME_FLOAT = "TIME_FLOAT", "Its start stays as far ahead of the present time as it is now."
    USER_DELETE = "USER_DELETE", "Anyone who may use it may also delete it. Since Slurm 24.05."
    FORCE_START = "FORCE_START", "One that comes back may have begun in the past. Since Slurm 25.05."
    HOURLY = "HOURLY", "It comes back every hour. Since Slurm 22.05."
    DAILY = "DAILY", "It comes back every day."
    WEEKLY = "WEEKLY", "It comes back every week."
    WEEKDAY = "WEEKDAY", "It comes back every working day."
    WEEKEND = "WEEKEND", "It comes back every Saturday and Sunday."


def _state(value: str) -> ReservationState:
    return next((state for state in ReservationState if state.value == value), ReservationState.UNKNOWN)


class Reservation(Record):
    """Nodes, licenses or both that are kept for some users or accounts for some time."""

    name = Column(verbatim, "ReservationName", about="The reservation's name. scontrol: ReservationName.")
    state = Column(_state, "State", about="Whether it holds now. scontrol: State.")
    raw_state = Column(
        verbatim, "State", about="The scheduler's own word, also where `state` is UNKNOWN. scontrol: State."
    )
    start_time = Column(
        instant,
        "StartTime",
        about="When it begins, or began; of one that comes back, the next or present time. scontrol: StartTime.",
    )
    end_time = Column(instant, "EndTime", about="When it ends. scontrol: EndTime.")
    duration_seconds = Column(seconds, "Duration", about="How long it holds, in seconds. scontrol: Duration.")
    node_names = Column(expand, "Nodes", about="The names of its nodes; empty for none. scontrol: Nodes.")
    node_count = Column(integer, "NodeCnt", about="How many nodes. scontrol: NodeCnt.")
    core_count = Column(integer, "CoreCnt", about="How many cores. scontrol: CoreCnt.")
    queue_name = Column(
        text_or_none,
        "PartitionName",
        about="The queue that its nodes are of; null where none is named. scontrol: PartitionName.",
    )
    features = Column(
        text_or_none, "Features", about="The features that its nodes must have; null for none. scontrol: Features."
    )
    users = Column(
        entries,
        "Users",
        about="Who may use it; a name with `-` before it may not, and all others may. Empty if accounts or groups "
        "decide alone. scontrol: Users.",
    )
    groups = Column(
        entries, "Groups", about="The groups whose members may use it. scontrol: Groups (Slurm 20.11: none)."
    )
    accounts = Column(
        entries, "Accounts", about="The accounts whose jobs may use it, or, with `-`, may not. scontrol: Accounts."
    )
    licenses = Column(entries, "Licenses", about="The licenses it keeps, as `matlab:2`. scontrol: Licenses.")
    tres = Column(entries, "TRES", about="What it keeps, as `cpu=4`. scontrol: TRES.")
    flags = Column(
        entries, "Flags", about="What it was made with, in Slurm's words, as MAINT or SPEC_NODES. scontrol: Flags."
    )
    max_start_delay_seconds = Column(
        seconds,
        "MaxStartDelay",
        about="How long jobs that fit may start in its nodes before it is used, in seconds; null for never. "
        "scontrol: MaxStartDelay.",
    )
    comment = Column(
        text_or_none, "Comment", about="Its comment; null without one, and before Slurm 24.11. scontrol: Comment."
    )


SHOW = Operation(
    "scontrol show reservation",
    words=("scontrol", "--local", "--oneliner", "--all", "show", "reservation"),
    runs_as=RunsAs.READER,
)


def reservations() -> Question[Rows[Reservation]]:
    """All reservations, in slurmctld's order."""
    return Question((Command(SHOW),), read)


_NONE = "No reservations in the system"
_RESERVATION = RecordKind(
    "reservation",
    "ReservationName",
    keys=[*Reservation.sources(), "BurstBuffer", "Watts", "AllowedPartitions", "QOS"],
    written=("ReservationName", "PartitionName", "Features", "Users", "Groups", "Accounts", "AllowedPartitions", "QOS"),
    repeated=("NodeName", "CoreIDs"),  # of a core reservation once for each node
    last="Comment",
    needs=("State", "StartTime", "EndTime"),
)


def read(replies: Sequence[Reply]) -> Rows[Reservation]:
    """One line a reservation. Only operators make them, so their texts are taken to forge no keys."""
    (reply,) = replies
    printed = require_success(reply)
    records, lost = _RESERVATION.records("" if printed.startswith(_NONE) else printed)
    return Rows.readable(Reservation, columns(records, Reservation.sources()), lost)


_duration = argument.whole(60, 60 * argument.LARGEST, write=lambda seconds: str(-(-seconds // 60)))


NOTHING_TO_CHANGE = "Name at least one thing to change."
_features = argument.matching(
    r"[A-Za-z0-9_.&|-]{1,1024}",
    "must be features joined by & or |, as static or c5.large|c5.xlarge, of at most 1024 characters",
    "at most 1024 characters",
)
_flags = argument.or_nothing(argument.some_of(ReservationFlag))


@dataclass(kw_only=True)
class ReservationEnd(OneOf):
    """When a reservation ends: a time, or how long after its start."""

    time: datetime | None = assignment("EndTime", argument.moment, "When it ends.")
    duration_seconds: BigInt | None = assignment(
        "Duration", _duration, "How long it holds, in seconds, rounded up to minutes."
    )


@dataclass(kw_only=True)
class ReservationNodes(OneOf):
    """The nodes of a reservation: these, or a number that Slurm chooses."""

    names: Sequence[str] | None = assignment(
        "Nodes", argument.hosts, "These nodes, by name or as hostlists such as `queue1-dy-large-[1-4]`."
    )
    count: int | None = assignment("NodeCnt", argument.count, "So many nodes, which Slurm chooses.")


@dataclass(kw_only=True)
class NewReservation:
    """The reservation to make."""

    name: str | None = assignment(
        "ReservationName",
        argument.word,
        "Its name; by default Slurm makes a name from the first user or account and a number.",
    )
    start_time: datetime | None = assignment("StartTime", argument.moment, "When it begins; by default now.")
    until: ReservationEnd = argument.required("When it ends.", parts=ReservationEnd)
    nodes: ReservationNodes | None = choice(
        ReservationNodes, "Its nodes. A reservation has nodes, licenses, or both of them."
    )
    queue: str | None = assignment(
        "PartitionName",
        argument.word,
        "The queue that its nodes are chosen from; by default the cluster's default queue.",
    )
    features: str | None = assignment(
        "Features", _features, "Features that the chosen nodes must have, as `static` or `c5.large|c5.xlarge`."
    )
    users: Sequence[str] | None = assignment("Users", argument.names, "Who may use it. Give users, accounts or both.")
    accounts: Sequence[str] | None = assignment("Accounts", argument.names, "The accounts whose jobs may use it.")
    licenses: str | None = assignment(
        "Licenses", argument.licenses, "Licenses to keep, as `matlab:2`; without nodes add the flag ANY_NODES."
    )
    flags: Sequence[ReservationFlag] | None = assignment("Flags", _flags, "Its other properties.")


@dataclass(kw_only=True)
class ReservationUpdate:
    """What to change of a reservation. What is left out stays as it is; null clears it."""

    name: str = argument.required("The reservation. scontrol: ReservationName.", argument.word, key="ReservationName")
    start_time: Updated[datetime] = kept(
        "StartTime",
        argument.moment,
        "When it begins, if it has not begun.",
        why="a reservation always has a start; give a time",
    )
    until: Updated[ReservationEnd] = choice(
        ReservationEnd, "When it ends. Not null.", "a reservation always has an end; give time or durationSeconds"
    )
    nodes: Updated[ReservationNodes] = choice(
        ReservationNodes,
        "Its nodes; of a count, Slurm chooses which to add or to remove. Not null.",
        "Slurm does not take all nodes from a reservation; delete it and create another",
    )
    queue: Updated[str] = cleared("PartitionName", argument.word, "The queue that its nodes are chosen from.")
    features: Updated[str] = cleared(
        "Features", _features, "Features that the chosen nodes must have. Slurm 20.11 to 26.05 only clears them."
    )
    users: Updated[Sequence[str]] = cleared(
        "Users", argument.names, "Who may use it from now on.", null="nobody; accounts then decide"
    )
    accounts: Updated[Sequence[str]] = cleared(
        "Accounts",
        argument.names,
        "The accounts whose jobs may use it from now on.",
        null="none; users then decide",
    )
    licenses: Updated[str] = cleared("Licenses", argument.licenses, "The licenses to keep from now on, as `matlab:2`.")
    flags: Updated[Sequence[ReservationFlag]] = kept(
        "Flags",
        _flags,
        "Flags to add.",
        why="Slurm does not take all flags from a reservation; delete it and create another",
    )


CREATE = Operation(
    "scontrol create reservation",
    words=("scontrol", "create", "reservation"),
    options={**argument.patterns(NewReservation), "StartTime": f"{argument.moment.pattern}|now"},
    runs_as=RunsAs.ADMINISTRATOR,
    assigns=True,
)
UPDATE = Operation(
    "scontrol update reservation",
    words=("scontrol", "update"),
    options=argument.patterns(ReservationUpdate),
    runs_as=RunsAs.ADMINISTRATOR,
    assigns=True,
    needs=("ReservationName",),
)
DELETE = Operation(
    "scontrol delete reservation",
    words=("scontrol", "delete"),
    options={"ReservationName": argument.word.pattern},
    runs_as=RunsAs.ADMINISTRATOR,
    assigns=True,
    needs=("ReservationName",),
)


def create(reservation: NewReservation) -> Question[str | Refusal]:
    """Make the reservation; the answer is its name, or why not. Slurm's operators only.

    Raises InvalidInputError, with everything that is wrong, before anything is sent.
    """
    options, refusals = argument.written(reservation)
    argument.require(*refusals, _wrong_place(reservation), _wrong_people(reservation))
    if not options.get("Flags"):
        options.pop("Flags", None)
    command = Command(CREATE, {"StartTime": "now", **options})
    return Question((command,), partial(read_created, reservation=reservation))


def read_created(replies: Sequence[Reply], reservation: NewReservation) -> str | Refusal:
    """The name from "Reservation created: NAME". Raises as `refusal` does."""
    (reply,) = replies
    if why := refusal(reply):
        return _about_field(why, reservation)
    match = re.search(r"(?m)^Reservation created: (.+)$", reply.stdout)
    if match is None:
        return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, f"scontrol named no reservation: {reply.stdout[:200]!r}")
    return match[1]


def update(changes: ReservationUpdate) -> Question[Refusal | None]:
    """Change the reservation; None, or why not. Slurm's operators only.

    Raises InvalidInputError, with everything that is wrong, before anything is sent.
    """
    options, refusals = argument.written(changes)
    if not options.get("Flags"):
        options.pop("Flags", None)
    argument.require(*refusals)
    argument.require(None if len(options) > 1 else Refusal(RefusalCode.INVALID_INPUT, NOTHING_TO_CHANGE, ["input"]))
    return Question((Command(UPDATE, options),), partial(read_updated, changes=changes))


def read_updated(replies: Sequence[Reply], changes: ReservationUpdate) -> Refusal | None:
    """None, or why it was not changed. Raises as `refusal` does."""
    (reply,) = replies
    why = refusal(reply)
    if why is None:
        return None
    if _INVALID in why.message:
        return Refusal(RefusalCode.NOT_FOUND, why.message, ["input", "name"], changes.name)
    return replace(_about_field(why, changes), id=changes.name)


def of_known(why: Refusal, changes: ReservationUpdate) -> Refusal:
    """The refusal to change a reservation that exists: 24.11 and 26.05 call it invalid if its new nodes are."""
    if why.code is RefusalCode.NOT_FOUND and isinstance(changes.nodes, ReservationNodes):
        return replace(why, code=RefusalCode.REJECTED_BY_SCHEDULER, field=["input", "nodes"])
    return why


def delete(name: str) -> Question[Refusal | None]:
    """Delete the reservation; None, or why not. Slurm's operators only.

    Raises InvalidInputError before anything is sent.
    """
    argument.require(argument.checked("name", argument.word, name))
    command = Command(DELETE, {"ReservationName": name})
    return Question((command,), partial(read_deleted, name=name))


def read_deleted(replies: Sequence[Reply], name: str) -> Refusal | None:
    """None, or why it was not deleted. Raises as `refusal` does."""
    (reply,) = replies
    # 20.11 says so with exit code 0.
    failed = reply.exit_code == 0 and "delete_reservation" in reply.stderr
    why = refusal(replace(reply, exit_code=1) if failed else reply)
    if why is None:
        return None
    code = RefusalCode.NOT_FOUND if _INVALID in why.message else why.code
    return Refusal(code, why.message, why.field, name)


_INVALID = "Requested reservation is invalid"
# Which input Slurm's words are about (slurm_strerror(3)).
_FIELDS = [
    (r"Invalid partition", "queue"),
    (r"Invalid node name", "nodes"),
    (r"Requested nodes are busy|overlaps with another|node configuration is not available", "nodes"),
    (r"Duplicate reservation name", "name"),
    (r"Invalid account", "accounts"),
    (r"[Ll]icense", "licenses"),
    (r"[Ff]eature", "features"),
    (r"start time|Start time|Invalid time specified|Reservation already started", "startTime"),
]


def _about_field(why: Refusal, reservation: NewReservation | ReservationUpdate) -> Refusal:
    # Slurm also says this to an administrator about an unknown user (up to 24.11; 26.05 says "Unspecified error").
    if "Invalid user id" in why.message and isinstance(reservation.users, Sequence):
        return Refusal(RefusalCode.INVALID_INPUT, why.message, ["input", "users"])
    name = next((name for text, name in _FIELDS if re.search(text, why.message)), None)
    if "operation not supported" in why.message and isinstance(reservation.features, str):
        name = "features"
    code = RefusalCode.CONFLICT if "overlaps with another" in why.message else why.code
    return Refusal(code, why.message, ["input", name] if name else None)


def _wrong_place(reservation: NewReservation) -> Refusal | None:
    if reservation.nodes is None and reservation.licenses is None:
        return argument.invalid("nodes", "are missing: give nodes, licenses or both")
    return None


def _wrong_people(reservation: NewReservation) -> Refusal | None:
    if reservation.users is None and reservation.accounts is None:
        return argument.invalid("users", "are missing: give users, accounts or both")
    return None
