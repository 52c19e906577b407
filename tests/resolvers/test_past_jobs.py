"""Past jobs where accounting was switched off a moment ago: by the scheduler if it was asked for all of them."""

from datetime import UTC, datetime
from typing import cast

import pytest

from access.caller import Caller
from headnode.deadline import Deadline
from headnode.snapshots import Snapshot, Snapshots
from resolvers import datasets
from resolvers.cluster import Cluster
from resolvers.cluster_request import ClusterRequest
from resolvers.errors import RequestError
from resolvers.history import JobHistory
from resolvers.job import JobSource
from slurm import squeue
from slurm.column import Rows
from slurm.command import AccountingDisabledError

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
HISTORY = JobHistory(where=None, since=None, until=None, order_by=None, first=None, after=None)


def switched_off(columns: list[str]) -> Cluster:
    """A cluster whose scheduler showed those columns of one job, and whose accounting is off."""
    made = Cluster(
        "lab", cast(Snapshots, None), ClusterRequest(Deadline.after(10), "test", 1000, Caller("ada", "ada", None))
    )
    told = {"JobArrayID": "7", "JobID": "7", "State": "PENDING", "SubmitTime": "1795370400", "EligibleTime": "N/A"}
    rows = Rows(squeue.Job, {column: [told.get(column, "")] for column in columns})
    made.answers[datasets.JOBS] = Snapshot(rows, NOW)
    made.answers[datasets.history(HISTORY.search("lab"), False)] = AccountingDisabledError("off")
    return made


def test_without_accounting_they_are_the_jobs_that_the_scheduler_lists() -> None:
    found = HISTORY.answer(switched_off(squeue.Job.sources()))
    assert ([job.job_id for job in found.nodes], found.source) == (["7"], JobSource.SCHEDULER_MEMORY)


def test_jobs_in_brief_lack_the_time_when_they_became_eligible() -> None:
    with pytest.raises(RequestError) as caught:
        HISTORY.answer(switched_off([*squeue.IN_BRIEF]))
    assert caught.value.extensions["code"] == "ACCOUNTING_DISABLED"
