"""An array as accounting has it: the scheduler may have forgotten some of its tasks, or all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from headnode.snapshots import Snapshot
from resolvers import datasets
from resolvers.array import Family, JobArray
from resolvers.history import PastJob
from slurm import job_id, squeue
from slurm.column import Rows
from slurm.sacct import HistoryJob
from slurm.sacct_search import Search

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.job_detail import JobRow


def array_of_task(id: str) -> Search | None:
    """The search for all tasks of the array that the task of that id is in; None for the id of no task."""
    parsed = job_id.parse(id)
    return None if parsed.task is None else tasks_of(str(parsed.job))


def tasks_of(array: str) -> Search:
    """The search for all tasks of an array."""
    return Search(ids=(array,))


def array_of(cluster: Cluster, job: JobRow, array: str) -> JobArray:
    """The array that the job is a task of: as the scheduler lists it, or as accounting does where that knows the job.

    If accounting was asked, the tasks that the scheduler has forgotten count, too.
    """
    accounted = _accounted(cluster, array)
    if accounted and isinstance(job, PastJob):
        return JobArray(cluster, array, accounted, is_complete=True)
    family = cluster.family(job, "array_job_id", array)
    return JobArray(cluster, array, family, accounted is not None or remembers_all(cluster, family), accounted)


def remembers_all(cluster: Cluster, tasks: Family) -> bool:
    """Whether the scheduler certainly lists all tasks of an array, if these are the tasks that it lists.

    It forgets a task MinJobAge after its end at the soonest, so it knows all of an array that was submitted later than
    that. A task that was requeued has the time of that as its submission.
    """
    rows, configuration = tasks.snapshot.value, cluster.configuration_if_known
    if rows.record is not squeue.Job or configuration is None or configuration.min_job_age_seconds is None:
        return False
    if configuration.min_job_age_seconds == 0:  # it never forgets a job
        return True
    since = tasks.snapshot.as_of - timedelta(seconds=configuration.min_job_age_seconds)
    submitted = rows.some(squeue.Job.submit_time, tasks.indexes)
    restarts = rows.some(squeue.Job.restart_count, tasks.indexes)
    return all(time is not None and time > since for time in submitted) and not any(restarts)


def _accounted(cluster: Cluster, array: str) -> Family | None:
    """The tasks by accounting, if it was asked for them."""
    search = tasks_of(array)
    for dataset in (datasets.history(search, steps=False), datasets.accounted(array)):
        answer = cluster.answers.get(dataset)
        if isinstance(answer, Snapshot):
            return _family(cluster, array, Snapshot(answer.value.jobs, answer.as_of), search)
    return None


def _family(cluster: Cluster, array: str, jobs: Snapshot[Rows[HistoryJob]], search: Search) -> Family:
    rows = jobs.value
    tasks = [index for index, of in enumerate(rows.values(HistoryJob.array_job_id)) if of == array]
    return Family(jobs, tasks, lambda index: PastJob(cluster, rows, index, None, search))
