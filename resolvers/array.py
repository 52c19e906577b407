"""An array as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headnode.snapshots import Dataset, Snapshot
from resolvers import arguments
from resolvers.counts import StateCount
from resolvers.filters import JobFilter
from resolvers.job import Job, JobConnection
from resolvers.order import JobOrder, order_name
from resolvers.reads import Parts, all_jobs, reads_by
from slurm import job_id, squeue
from slurm.column import Rows
from slurm.states import JobPhase, JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


@dataclass(frozen=True)
class Family:
    """Jobs that belong together: the indexes of their rows in a snapshot, and the function from an index to a job."""

    snapshot: Snapshot[Rows[Any]]
    indexes: Sequence[int]
    job: Callable[[int], Job]

    @property
    def ids(self) -> list[str]:
        """The ids of the rows, in Slurm's spelling."""
        rows = self.snapshot.value
        return rows.some(rows.record.job_id, self.indexes)


def _tasks(
    cluster: Cluster,
    below: Parts,
    filter: JobFilter | None,
    order_by: Sequence[JobOrder] | None,
    first: int | None,
    after: str | None,
) -> list[Dataset[Any]]:
    """All jobs, in full if the filter needs that. Raises BadInputError for wrong arguments, so that nothing is sent."""
    cluster.check_jobs(filter, order_name(order_by or ()), first, after)
    return [all_jobs(below, filter)]


@dataclass(frozen=True)
class JobArray:
    """An array: its id and its tasks. `accounted` has them by accounting, too, if that was asked.

    `is_complete` says whether no task is missing.
    """

    cluster: Cluster
    job_id: str
    family: Family
    is_complete: bool
    accounted: Family | None = None

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.job_id}"

    @property
    def task_count(self) -> int:
        """How many tasks are known."""
        return sum(task.count for task in self._known)

    @property
    def counts_by_state(self) -> list[StateCount[JobState]]:
        """How many tasks are in each state; each task in a row of waiting tasks counts."""
        counts: Counter[JobState] = Counter()
        for task in self._known:
            counts[task.state] += task.count
        return [StateCount(state, count) for state, count in counts.most_common()]

    @property
    def phase(self) -> JobPhase:
        """WAITING if no task has begun, ENDED if all have ended."""
        phases = {task.phase for task in self._known}
        return phases.pop() if len(phases) == 1 else JobPhase.ACTIVE

    @property
    def succeeded(self) -> bool | None:
        """Whether all tasks succeeded; None until all have ended, and if one is missing or its end is not known."""
        ends = {task.succeeded for task in self._known}
        if self.phase is not JobPhase.ENDED:
            return None
        return False if False in ends else None if None in ends or not self.is_complete else True

    @reads_by(_tasks)
    def tasks(
        self,
        filter: arguments.Jobs = None,
        order_by: arguments.Order = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> JobConnection:
        """A page of the tasks; the waiting tasks share a row."""
        return self.cluster.page_of_jobs(self.family, filter, order_by, first, after)

    @cached_property
    def _known(self) -> Sequence[_Tasks]:
        """All tasks: as the family has them, and those that only accounting still knows."""
        listed = Listed(self.family.ids)
        forgotten = _rows(self.accounted, listed.others) if self.accounted else ()
        return [*_rows(self.family, squeue.task_count), *forgotten]


@dataclass(frozen=True)
class _Tasks:
    """What one row says of its tasks, and how many they are."""

    state: JobState
    phase: JobPhase
    succeeded: bool | None
    count: int


def _rows(family: Family, count: Callable[[str], int]) -> Iterator[_Tasks]:
    """The rows of a family of which `count` counts tasks, by their ids."""
    rows, table = family.snapshot.value, family.snapshot.value.record
    columns = (rows.some(column, family.indexes) for column in (table.state, table.phase, table.succeeded))
    for id, state, phase, succeeded in zip(family.ids, *columns, strict=True):
        if tasks := count(id):
            yield _Tasks(state, phase, succeeded, tasks)


class Listed:
    """The tasks that rows with these ids have."""

    def __init__(self, ids: Sequence[str]) -> None:
        parsed = list(map(job_id.parse, ids))
        self._alone = {id.task for id in parsed if id.task is not None}
        self._together = [id for id in parsed if id.tasks is not None]

    def others(self, id: str) -> int:
        """How many tasks the job or the row of that id has besides."""
        row = job_id.parse(id)
        if row.task is not None and row.task in self._alone:
            return 0
        known = sum(any(task in numbers for numbers in row.task_numbers) for task in self._alone if row.tasks)
        known += sum(squeue.task_count(str(both)) for other in self._together if (both := row.common(other)))
        return squeue.task_count(id) - known
