"""A job and what it is linked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolvers import datasets
from resolvers import steps as job_steps
from resolvers.counts import StateCount, count_states
from resolvers.job_detail import JobDetail
from resolvers.link import Link
from resolvers.pages import Connection
from resolvers.reads import JobPart, reads
from resolvers.steps import Accounted, JobStep
from resolvers.viewer import can_do_to_job
from slurm import output_path, sacct_search, squeue
from slurm.column import Rows
from slurm.efficiency import Efficiency
from slurm.states import DescribedEnum, JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.node import Node
    from resolvers.queue import Queue


class JobSource(DescribedEnum):
    """Where jobs come from."""

    ACCOUNTING = "ACCOUNTING", "Accounting: all jobs since the cluster began to keep accounts. sacct."
    SCHEDULER_MEMORY = (
        "SCHEDULER_MEMORY",
        "The scheduler's memory: waiting and running jobs, and jobs that ended minutes ago (MinJobAge). squeue.",
    )


def _id(cluster: Cluster, job_id: str) -> str:
    """Unique over all clusters."""
    return f"{cluster.name}:{job_id}"


@reads(datasets.QUEUES)
def _queues(cluster: Cluster, queue_name: str) -> list[Queue]:
    """The queues that it may run in, if the cluster still has them."""
    known = cluster.queues_by_name
    return [known[name] for name in queue_name.split(",") if name in known]


@reads(datasets.QUEUES)
def _queue(cluster: Cluster, queue_name: str) -> Queue | None:
    """The first of them."""
    return next(iter(_queues(cluster, queue_name)), None)


@reads(datasets.NODES)
def _nodes(cluster: Cluster, node_names: Sequence[str]) -> list[Node]:
    """The nodes allocated to it, if the cluster still has them."""
    known = cluster.nodes_by_name
    return [known[name] for name in node_names if name in known]


class Job(JobDetail, squeue.Job):
    """A job and what it is linked to."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: Cluster, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    id = Link(_id, squeue.Job.job_id, lasting=True)
    queues = Link(_queues, squeue.Job.queue_name)
    queue = Link(_queue, squeue.Job.queue_name)
    nodes = Link(_nodes, squeue.Job.node_names)
    viewer_can = Link(can_do_to_job, squeue.Job.state, squeue.Job.user, squeue.Job.hold)

    @reads(columns=[squeue.Job.job_id], parts=[JobPart.ACCOUNTING])
    async def accounted(self) -> Accounted:
        """What accounting knows of it and its steps. Raises RequestError."""
        history = await self.cluster.load(datasets.accounted(sacct_search.lookup_id(self.job_id)))
        return Accounted.of(history, history.find(self.job_id))

    @reads(
        columns=[squeue.Job.job_id, squeue.Job.raw_id, squeue.Job.state, squeue.Job.node_names, squeue.Job.user],
        parts=[JobPart.ACCOUNTING, JobPart.RUNNING_STEPS],
    )
    async def steps(self) -> list[JobStep]:
        """Its steps. Raises RequestError."""
        return await job_steps.steps(self)

    @reads(
        columns=[
            squeue.Job.job_id,
            squeue.Job.raw_id,
            squeue.Job.state,
            squeue.Job.node_names,
            squeue.Job.user,
            squeue.Job.elapsed_seconds,
            squeue.Job.cpu_count,
            squeue.Job.memory_mib,
        ],
        parts=[JobPart.ACCOUNTING, JobPart.RUNNING_STEPS],
    )
    async def efficiency(self) -> Efficiency:
        """How well it uses what it was given. Raises RequestError."""
        return await job_steps.efficiency_of(self)

    # These are not columns: releases fill in the patterns differently, and squeue does not print its release.
    @property
    @reads(datasets.CONFIGURATION, parts=[JobPart.FILES])
    def stdout_path(self) -> str | None:
        """The file that the job writes its output to."""
        return output_path.stdout_path(*self.output_columns, release=self.cluster.release)

    @property
    @reads(datasets.CONFIGURATION, parts=[JobPart.FILES])
    def stderr_path(self) -> str | None:
        """The file that the job writes its errors to."""
        stdout, stderr, *row = self.output_columns
        return output_path.stderr_path(stderr, stdout, *row, release=self.cluster.release)


@dataclass(frozen=True, kw_only=True)
class JobConnection(Connection[Job]):
    """A page of jobs, and counts of all jobs that match the filter: the rows `chosen`."""

    rows: Rows[Any]
    chosen: Sequence[int]
    source: JobSource = JobSource.SCHEDULER_MEMORY

    @property
    def counts_by_state(self) -> list[StateCount[JobState]]:
        """How many are in each state, on all pages."""
        return count_states(self.rows.some(self.rows.record.state, self.chosen))
