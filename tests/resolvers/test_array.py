"""An array that is missing from the snapshot of all jobs is made from the rows that have its job."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from access.caller import Caller
from headnode.deadline import Deadline
from headnode.snapshots import Snapshot, Snapshots
from resolvers import datasets
from resolvers.array import JobArray
from resolvers.cluster import Cluster
from resolvers.cluster_request import ClusterRequest
from resolvers.history import PastJob
from resolvers.job import Job
from slurm import sacct, sacct_search, squeue
from slurm.accounted_step import Step
from slurm.column import Record, Rows
from slurm.configuration import Configuration
from slurm.states import JobPhase

R = TypeVar("R", bound=Record)
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


def rows(table: type[R], *records: dict[str, str]) -> Rows[R]:
    """Rows that have nothing but these columns."""
    return Rows(table, {source: [record.get(source, "") for record in records] for source in table.sources()})


def cluster(*listed: dict[str, str]) -> Cluster:
    """A cluster of whose jobs these rows of squeue were fetched."""
    made = Cluster(
        "lab",
        cast(Snapshots, SimpleNamespace(kept=lambda dataset: None)),
        ClusterRequest(Deadline.after(10), "test", 1000, Caller("ada", "ada", None)),
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


def whole(listed: list[tuple[str, str]], accounted: list[tuple[str, str]]) -> JobArray:
    """Array 7 by the scheduler and by accounting, each a list of ids and states."""
    made = cluster(*(task(id, str(raw), state) for raw, (id, state) in enumerate(listed)))
    past = ({"JobID": id, "State": state, "ExitCode": "0:0", "NodeList": "q-1"} for id, state in accounted)
    search = sacct_search.Search(ids=("7",))
    history = sacct.History(rows(sacct.HistoryJob, *past), rows(Step))
    made.answers[datasets.history(search, steps=False)] = Snapshot(history, NOW)
    array = Job(made, made.read(datasets.JOBS).value, 0).array
    assert array is not None
    return array


def counted(array: JobArray) -> dict[str, int]:
    return {count.state.name: count.count for count in array.counts_by_state}


def test_tasks_that_the_scheduler_has_forgotten_count_where_accounting_was_asked() -> None:
    listed = [("7_5", "RUNNING"), ("7_[6-9%2]", "PENDING")]
    accounted = [("7_1", "COMPLETED"), ("7_[2-4]", "CANCELLED"), ("7_5", "RUNNING"), ("7_[6-9%2]", "PENDING")]
    array = whole(listed, accounted)
    assert counted(array) == {"PENDING": 4, "CANCELLED": 3, "RUNNING": 1, "COMPLETED": 1}
    assert (array.task_count, array.phase, array.succeeded) == (9, JobPhase.ACTIVE, None)


def test_a_row_of_accounting_that_the_scheduler_has_split_counts_once() -> None:
    """Accounting learns a moment later that tasks have begun."""
    array = whole([("7_0", "RUNNING"), ("7_[3,5-9:2]", "PENDING")], [("7_[0-9]", "PENDING")])
    assert counted(array) == {"PENDING": 9, "RUNNING": 1}


@pytest.mark.parametrize(
    ("states", "phase", "succeeded"),
    [
        (["PENDING", "PENDING"], JobPhase.WAITING, None),
        (["PENDING", "RUNNING"], JobPhase.ACTIVE, None),
        (["PENDING", "FAILED"], JobPhase.ACTIVE, None),
        (["COMPLETING", "COMPLETED"], JobPhase.ACTIVE, None),
        (["COMPLETED", "COMPLETED"], JobPhase.ENDED, True),
        (["COMPLETED", "FAILED", "REVOKED"], JobPhase.ENDED, False),
        (["COMPLETED", "REVOKED"], JobPhase.ENDED, None),
    ],
)
def test_an_array_waits_until_a_task_begins_and_ends_with_the_last(
    states: list[str], phase: JobPhase, succeeded: bool | None
) -> None:
    array = of_states(states)
    assert (array.phase, array.succeeded, array.is_complete) == (phase, succeeded, True)


def of_states(states: list[str], seconds: int = 299, restarts: int = 0, min_job_age: str = "300 sec") -> JobArray:
    """An array that was submitted that long ago, with one task in each state."""
    submitted = {"SubmitTime": str(int(NOW.timestamp()) - seconds), "RestartCnt": str(restarts)}
    made = cluster(
        *(
            task(f"7_{number}", str(number), state) | {"exit_code": "0", "NodeList": "q-1", **submitted}
            for number, state in enumerate(states)
        )
    )
    (configuration,) = rows(Configuration, {"MinJobAge": min_job_age})
    made.answers[datasets.CONFIGURATION] = Snapshot(configuration, NOW)
    array = Job(made, made.read(datasets.JOBS).value, 0).array
    assert array is not None
    return array


@pytest.mark.parametrize(
    "given", [{"seconds": 300}, {"restarts": 1}, {"min_job_age": "60 sec"}, {"min_job_age": "(null)"}]
)
def test_tasks_may_have_been_forgotten_from_min_job_age_on(given: dict[str, Any]) -> None:
    array = of_states(["COMPLETED", "COMPLETED"], **given)
    assert (array.phase, array.succeeded, array.is_complete) == (JobPhase.ENDED, None, False)
    assert of_states(["COMPLETED", "FAILED"], **given).succeeded is False


def test_where_slurm_never_forgets_an_array_stays_complete() -> None:
    assert of_states(["COMPLETED"], seconds=10**6, min_job_age="0 sec").succeeded is True


def test_an_array_that_has_begun_does_not_wait_again() -> None:
    """Its first tasks have ended and are forgotten, the others wait."""
    array = whole([("7_[1-9]", "PENDING")], [("7_0", "COMPLETED"), ("7_[1-9]", "PENDING")])
    assert (array.phase, array.task_count) == (JobPhase.ACTIVE, 10)


def test_all_tasks_of_an_answer_lead_to_one_object() -> None:
    """Which counts the tasks once: 10,000 tasks in a list would count 10,000 tasks each."""
    made = cluster(task("7_1", "8", "RUNNING"), task("7_[2-5]", "7", "PENDING"))
    jobs = made.read(datasets.JOBS).value
    assert Job(made, jobs, 0).array is Job(made, jobs, 1).array
