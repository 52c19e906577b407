"""Filters of jobs and nodes, over the columns of a snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from resolvers.described import Id, described
from resolvers.errors import BadInputError
from slurm import job_id, sacct, sinfo, squeue
from slurm.argument import LIST_LIMIT, camel_case
from slurm.column import Column, Rows
from slurm.errors import ParseError
from slurm.reason import ReasonCode, reason_code
from slurm.states import JobPhase, JobState, NodeFlag, NodeState
from slurm.text import BigInt

T = TypeVar("T")

IDS_LIMIT = 200
"""How many jobs one request may name: in a change, each is a command on the head node."""

Test = Callable[[Any], bool]
_LIMIT: Final = "limit"

JobRows = Rows[squeue.Job] | Rows[sacct.HistoryJob]
"""Jobs from squeue or from sacct: the columns that a filter reads have the same names."""


def _some(about: str, limit: int = LIST_LIMIT) -> Any:
    """A condition that is a list; the check and the description have its limit."""
    return field(default=None, metadata={"about": f"{about} At most {limit}.", _LIMIT: limit})


@dataclass(kw_only=True)
class IntRange:
    """Whole numbers from `atLeast` to `atMost`, both included. A bound that is left out does not limit."""

    at_least: int | None = described("The smallest number, such as 2.")
    at_most: int | None = described("The largest number, such as 8; not below `atLeast`.")


@dataclass(kw_only=True)
class BigIntRange(IntRange):
    """Whole numbers from `atLeast` to `atMost`, both included. A bound that is left out does not limit."""

    at_least: BigInt | None = described("The smallest number, such as 3600.")
    at_most: BigInt | None = described("The largest number, such as 7200; not below `atLeast`.")


@dataclass(kw_only=True)
class JobFilter:
    """Jobs that meet every condition given."""

    ids: Sequence[Id] | None = _some("Jobs with these ids; an array's id means all of its tasks.", IDS_LIMIT)
    user: str | None = described("Jobs of this user.")
    users: Sequence[str] | None = _some("Jobs of any of these users.")
    account: str | None = described("Jobs charged to this account.")
    queue: str | None = described("Jobs in this queue, and jobs that wait for it, possibly among other queues.")
    phases: Sequence[JobPhase] | None = _some("Jobs in any of these phases.")
    states: Sequence[JobState] | None = _some("Jobs in any of these states.")
    succeeded: bool | None = described(
        "Ended jobs that succeeded, or with false those that did not. Jobs whose `succeeded` is null match neither."
    )
    reason_codes: Sequence[ReasonCode] | None = _some(
        "Jobs with any of these reason codes. In accounting an ended job has the last reason why it waited."
    )
    node_name: str | None = described("Jobs that have this node.")
    names: Sequence[str] | None = _some(
        'Jobs that have one of these names exactly. Accounting stores `"` in a name as a backtick.'
    )
    name_contains: str | None = described("Jobs whose name contains this text, in upper or lower case.")
    comment: str | None = described(
        "Jobs with exactly this comment. `jobHistory` refuses this: accounting is not asked for comments."
    )
    submitted_after: datetime | None = described("Jobs submitted at this time or later.")
    submitted_before: datetime | None = described("Jobs submitted before this time.")
    ended_after: datetime | None = described("Jobs that ended at this time or later.")
    updated_after: datetime | None = described(
        "Jobs whose `updateTime` is this time or later: they were submitted, requeued, started or ended since then. "
        "Slurm does not date other changes, such as holding, changing or suspending a job. A job ends up to some "
        "minutes before it is in the phase ENDED, so ask with an overlap."
    )
    elapsed_seconds: BigIntRange | None = described("Jobs whose run time in seconds is in this range.")
    node_count: IntRange | None = described("Jobs whose number of nodes, had or asked for, is in this range.")
    cpu_count: IntRange | None = described("Jobs whose number of CPUs, had or asked for, is in this range.")
    gpu_count: IntRange | None = described(
        "Jobs whose number of GPUs, had or asked for, is in this range; 0 is no GPU. Accounting knows of GPUs only "
        "where AccountingStorageTRES names gres/gpu."
    )


@dataclass(kw_only=True)
class NodeFilter:
    """Nodes that meet every condition given."""

    names: Sequence[str] | None = _some("Nodes with these names.")
    states: Sequence[NodeState] | None = _some("Nodes in any of these base states.")
    flags: Sequence[NodeFlag] | None = _some("Nodes with all of these flags.")
    queue: str | None = described("Nodes of this queue.")


class _Chosen:
    """The rows of a snapshot that pass all conditions so far; at first all rows."""

    def __init__(self, rows: Rows[Any]) -> None:
        self._rows = rows
        self.indexes: Sequence[int] = range(len(rows))

    def keep(self, column: Column[T], test: Callable[[T], bool]) -> None:
        """Keep only the rows whose value in that column passes the test."""
        values = self._rows.values(column)
        self.indexes = [index for index in self.indexes if test(values[index])]


def _same(wanted: object) -> Test:
    return lambda value: bool(value == wanted)


def _among(wanted: Sequence[Any]) -> Test:
    return set(wanted).__contains__


def _containing(wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda text: folded in text.casefold()


def _from(time: datetime) -> Test:
    return lambda value: value is not None and value >= time


def _before(time: datetime) -> Test:
    return lambda value: value is not None and value < time


def _within(wanted: IntRange) -> Test:
    low, high = wanted.at_least, wanted.at_most
    return lambda value: value is not None and (low is None or value >= low) and (high is None or value <= high)


def _within_or_none(wanted: IntRange) -> Test:
    within = _within(wanted)
    return lambda value: within(value or 0)


def _with_code(wanted: Sequence[ReasonCode]) -> Test:
    codes, of = set(wanted), cache(reason_code)
    return lambda reason: of(reason or "") in codes


Step = tuple[Column[Any], Callable[[Any], Test]]
"""A column that a condition looks at, and from what the caller gave to the test of its values."""

_CONDITIONS: Mapping[str, Sequence[Step]] = {
    "user": [(squeue.Job.user, _same)],
    "users": [(squeue.Job.user, _among)],
    "account": [(squeue.Job.account, _same)],
    "queue": [(squeue.Job.queue_name, lambda wanted: lambda names: wanted in names.split(","))],
    "phases": [(squeue.Job.phase, _among)],
    "states": [(squeue.Job.state, _among)],
    "succeeded": [(squeue.Job.succeeded, _same)],
    "reason_codes": [(squeue.Job.reason, _with_code)],
    "node_name": [(squeue.Job.node_names, lambda wanted: lambda names: wanted in names)],
    "names": [(squeue.Job.name, _among)],
    "name_contains": [(squeue.Job.name, _containing)],
    "comment": [(squeue.Job.comment, _same)],
    "submitted_after": [(squeue.Job.submit_time, _from)],
    "submitted_before": [(squeue.Job.submit_time, _before)],
    "ended_after": [(squeue.Job.phase, lambda _: _same(JobPhase.ENDED)), (squeue.Job.end_time, _from)],
    "updated_after": [(squeue.Job.update_time, _from)],
    "elapsed_seconds": [(squeue.Job.elapsed_seconds, _within)],
    "node_count": [(squeue.Job.node_count, _within)],
    "cpu_count": [(squeue.Job.cpu_count, _within)],
    "gpu_count": [(squeue.Job.gpu_count, _within_or_none)],
}
"""The conditions of a JobFilter, except for `ids`. Tables of jobs have columns of the same names."""


def matching_jobs(rows: JobRows, cluster: str, where: JobFilter | None) -> Sequence[int]:
    """The rows that match the filter, in the order of the snapshot. Raises BadInputError for a wrong condition."""
    chosen = _Chosen(rows)
    if where is None:
        return chosen.indexes
    ids, conditions = _checked(where, cluster)
    if ids is not None:
        chosen.indexes = rows_with_ids(rows, ids)
    for name, given in conditions.items():
        for column, test in _CONDITIONS[name]:
            chosen.keep(getattr(rows.record, column.name), test(given))
    return chosen.indexes


def check_job_filter(where: JobFilter, cluster: str) -> None:
    """Raise BadInputError if an id, a time or a range in the filter is wrong."""
    _checked(where, cluster)


def looks_at_detail(where: JobFilter | None) -> bool:
    """Whether the filter looks at columns that jobs in brief lack."""
    given = [steps for name, steps in _CONDITIONS.items() if where and getattr(where, name) is not None]
    return not all(squeue.in_brief(column) for steps in given for column, _ in steps)


def check_lists(where: JobFilter | NodeFilter | None) -> None:
    """Raise BadInputError if a list in the filter is too long."""
    for line in fields(where) if where is not None else ():
        given, limit = getattr(where, line.name), line.metadata.get(_LIMIT)
        if limit is not None and given is not None and len(given) > limit:
            name = camel_case(line.name)
            raise BadInputError(f"{name} may have at most {limit} entries; it has {len(given)}.", argument=name)


def _checked(where: JobFilter, cluster: str) -> tuple[list[str] | None, dict[str, Any]]:
    """The ids in Slurm's spelling, if any are given, and the other conditions that are given, times in UTC."""
    check_lists(where)
    ids = None if where.ids is None else [local_id(id, cluster, "ids") for id in where.ids]
    conditions: dict[str, Any] = {}
    for name in _CONDITIONS:
        given = getattr(where, name)
        if given is not None:
            conditions[name] = _checked_value(camel_case(name), given)
    return ids, conditions


def _checked_value(argument: str, given: Any) -> Any:
    if isinstance(given, datetime):
        return aware(given, argument)
    if isinstance(given, IntRange):
        low, high = given.at_least, given.at_most
        if low is not None and high is not None and low > high:
            raise BadInputError(f"{argument}: atLeast is {low}, more than atMost, {high}.", argument=argument)
    return given


def matching_nodes(rows: Rows[sinfo.Node], where: NodeFilter | None) -> Sequence[int]:
    """The rows that match the filter, in the order of the snapshot. Raises BadInputError for too long a list."""
    check_lists(where)
    table = sinfo.Node
    chosen = _Chosen(rows)
    if where is None:
        return chosen.indexes
    if where.names is not None:
        chosen.keep(table.name, set(where.names).__contains__)
    if where.states is not None:
        chosen.keep(table.state, set(where.states).__contains__)
    if where.flags is not None:
        chosen.keep(table.flags, set(where.flags).issubset)
    if where.queue is not None:
        chosen.keep(table.queue_names, lambda names: where.queue in names)
    return chosen.indexes


def find_job(rows: JobRows, id: str) -> int | None:
    """The row of the job with that id, in Slurm's spelling.

    A number alone means the job, or the first component of a heterogeneous job, or the row of an array's waiting tasks,
    or else the array's first task. A waiting task is found in the row of its array's waiting tasks.
    """
    found = rows_with_ids(rows, [id])
    ids = rows.values(rows.record.job_id)
    exact = [index for index in found if ids[index] == id]
    orders = rows.values(rows.record.order)
    waiting = [index for index in found if "[" in ids[index]]
    return next(iter(exact or waiting or sorted(found, key=lambda index: orders[index])), None)


def find_jobs(rows: JobRows, id: str) -> list[int]:
    """The row of the job with that id; of an array or some of its tasks, `123_[5-9]`, all rows, and of a het job.

    When the last waiting tasks are cancelled, slurmctld keeps one row for them all, `123`.
    """
    parsed = job_id.parse(id)
    index = find_job(rows, id)
    if index is None and parsed.task_numbers:
        index = _exact(rows, str(parsed.job))
    if index is None:
        return []
    if parsed.tasks is None:
        return list(dict.fromkeys([index, *rows_with_ids(rows, [id])]))
    return [index] if _exact(rows, id) is not None else rows_with_ids(rows, [id]) or [index]


def _exact(rows: JobRows, id: str) -> int | None:
    ids = rows.values(rows.record.job_id)
    return next((index for index in range(len(rows)) if ids[index] == id), None)


def named_tasks(id: str, ids: Sequence[str]) -> list[str]:
    """The tasks of a row of waiting tasks, `4_[5,7,9]`, that `ids` name; [] for any other row, or if `ids` mean all."""
    row = job_id.parse(id)
    if row.tasks is None or id in ids or str(row.job) in ids:
        return []
    shared = (row.common(job_id.parse(other)) for other in ids)
    return [str(tasks) for tasks in shared if tasks is not None]


def local_id(id: str, cluster: str, argument: str = "id") -> str:
    """Slurm's spelling of a job id, which may begin with the cluster's name. Raises BadInputError for the argument."""
    name, colon, own = id.partition(":") if id[:1].isalpha() else ("", "", id)
    if colon and name != cluster:
        raise BadInputError(f"The id {id[:100]!r} does not belong to the cluster {cluster}.", argument=argument)
    try:
        return str(job_id.parse(own))
    except ParseError as error:
        raise BadInputError(
            f"{id[:100]!r} is not a job id: write 123, 123_4 (array task), 123_[5-9] or 123+0, or {cluster}:123.",
            argument=argument,
        ) from error


def rows_with_ids(rows: JobRows, ids: Sequence[str]) -> list[int]:
    """Rows whose id is one of `ids`, or whose array or heterogeneous job is, or that hold a task that is.

    The number of a task or a component counts as well: the job itself sees it as SLURM_JOB_ID.
    """
    wanted = set(ids)
    tasks = _by_array(ids)
    own = rows.values(rows.record.job_id)
    arrays = rows.values(rows.record.array_job_id)
    hets = rows.values(rows.record.het_job_id)
    raw = rows.values(rows.record.raw_id)
    return [
        index
        for index in range(len(rows))
        if own[index] in wanted
        or raw[index] in wanted
        or (arrays[index] or hets[index]) in wanted
        or (arrays[index] in tasks and _shares_tasks(own[index], tasks[arrays[index]]))
    ]


def _by_array(ids: Sequence[str]) -> dict[str | None, list[job_id.JobId]]:
    """The ids that name tasks, by the id of their array."""
    found: dict[str | None, list[job_id.JobId]] = {}
    for parsed in map(job_id.parse, ids):
        if parsed.task_numbers:
            found.setdefault(str(parsed.job), []).append(parsed)
    return found


def _shares_tasks(own: str, wanted: Sequence[job_id.JobId]) -> bool:
    parsed = job_id.parse(own)
    return any(parsed.common(other) is not None for other in wanted)


def aware(time: datetime, argument: str) -> datetime:
    """The time in UTC. Raises BadInputError if it has no time zone or is out of range."""
    if time.tzinfo is None:
        raise BadInputError(f"{argument} needs a time zone, for example 2026-11-22T10:00:00Z.", argument=argument)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise BadInputError(f"{argument} is out of range.", argument=argument) from error
