"""An array as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headnode.snapshots import Dataset, Snapshot
from resolvers import arguments
from resolvers.counts import StateCount
from resolvers.filters import JobFilter
from resolvers.job import Job, JobConnection
from resolvers.order import JobOrder, order_name
from resolvers.reads import Parts, reads_by
from slurm import squeue
from slurm.column import Rows
from slurm.states import JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


@dataclass(frozen=True)
class Family:
    """Jobs that belong together: the indexes of their rows in a snapshot, and the function from an index to a job."""

    snapshot: Snapshot[Rows[Any]]
    indexes: Sequence[int]
    job: Callable[[int], Job]


def _tasks(
    cluster: Cluster,
    below: Parts,
    filter: JobFilter | None,
    order_by: Sequence[JobOrder] | None,
    first: int | None,
    after: str | None,
) -> list[Dataset[Any]]:
    """No more datasets. Raises BadInputError for wrong arguments, so that nothing is sent."""
    cluster.check_jobs(filter, order_name(order_by or ()), first, after)
    return []


@dataclass(frozen=True)
class JobArray:
    """An array: its id and its tasks."""

    cluster: Cluster
    job_id: str
    family: Family

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.job_id}"

    @property
    def task_count(self) -> int:
        """How many tasks the scheduler remembers."""
        return self._counts().total()

    @property
    def counts_by_state(self) -> list[StateCount[JobState]]:
        """How many tasks are in each state; each task in a row of waiting tasks counts."""
        return [StateCount(state, count) for state, count in self._counts().most_common()]

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

    def _counts(self) -> Counter[JobState]:
        rows = self.family.snapshot.value
        states, ids = rows.values(rows.record.state), rows.values(rows.record.job_id)
        counts: Counter[JobState] = Counter()
        for index in self.family.indexes:
            counts[states[index]] += squeue.task_count(ids[index])
        return counts
