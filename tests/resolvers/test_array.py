"""An array that is missing from the snapshot of all jobs is made from the rows that have its job."""

from datetime import UTC, datetime
from typing import cast

from access.caller import Caller
from headnode.deadline import Deadline
from headnode.snapshots import Snapshot, Snapshots
from resolvers import datasets
from resolvers.cluster import Cluster
from resolvers.cluster_request import ClusterRequest
from resolvers.history import PastJob
from resolvers.job import Job
from slurm import sacct, sacct_search, squeue
from slurm.column import Record, Rows

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


def rows(table: type[Record], *records: dict[str, str]) -> Rows[Record]:
    """Rows that have nothing but these columns."""
    return Rows(table, {source: [record.get(source, "") for record in records] for source in table.sources()})


def cluster(*listed: dict[str, str]) -> Cluster:
    """A cluster of whose jobs these rows of squeue were fetched."""
    made = Cluster(
        "lab", cast(Snapshots, None), ClusterRequest(Deadline.after(10), "test", 1000, Caller("ada", "ada", None))
    )
    made.answers[datasets.JOBS] = Snapshot(rows(squeue.Job, *listed), NOW)
    return made


def task(id: str, raw: str, state: str) -> dict[str, str]:
    return {"JobArrayID": id, "JobID": raw, "State": state}


def test_a_newer_array_is_made_from_the_job_s_own_rows() -> None:
    own = rows(squeue.Job, task("7_1", "8", "RUNNING"), task("7_[2-5]", "7", "PENDING"))
    array = Job(cluster(task("9", "9", "RUNNING")), own, 0).array
    assert array is not None
    assert array.task_count == 5
    assert [(count.state.name, count.count) for count in array.counts_by_state] == [("PENDING", 4), ("RUNNING", 1)]
    assert [job.job_id for job in array.tasks(None, None, 10, None).nodes] == ["7_1", "7_[2-5]"]


def test_a_forgotten_array_comes_from_accounting() -> None:
    past = {"JobID": "7_1", "JobIDRaw": "8", "State": "COMPLETED"}, {"JobID": "7_2", "JobIDRaw": "7", "State": "FAILED"}
    array = PastJob(cluster(), rows(sacct.HistoryJob, *past), 1, None, sacct_search.Search(ids=("7",))).array
    assert array is not None
    tasks = array.tasks(None, None, 10, None)
    assert [(type(job), job.job_id, job.state.name) for job in tasks.nodes] == [
        (PastJob, "7_1", "COMPLETED"),
        (PastJob, "7_2", "FAILED"),
    ]
