"""An array whose tasks the scheduler has forgotten, all or some: as accounting has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headnode.snapshots import Snapshot
from resolvers import datasets
from resolvers.array import Family
from resolvers.history import PastJob
from slurm import job_id
from slurm.sacct import HistoryJob
from slurm.sacct_search import Search

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.job_detail import JobRow


def array_of_task(id: str) -> Search | None:
    """The search for all tasks of the array that the task of that id is in; None for the id of no task."""
    parsed = job_id.parse(id)
    return None if parsed.task is None else _tasks(str(parsed.job))


def past_array(cluster: Cluster, job: JobRow) -> Family | None:
    """The tasks of a past job's array, if they were asked for; None for a job that the scheduler still lists."""
    if job.array_job_id is None or not isinstance(job, PastJob):
        return None
    search = _tasks(job.array_job_id)
    answer = cluster.answers.get(datasets.history(search, steps=False))
    if not isinstance(answer, Snapshot):
        return None
    rows = answer.value.jobs
    tasks = [index for index, array in enumerate(rows.values(HistoryJob.array_job_id)) if array == job.array_job_id]
    return Family(Snapshot(rows, answer.as_of), tasks, lambda index: PastJob(cluster, rows, index, None, search))


def _tasks(array: str) -> Search:
    return Search(ids=(array,))
