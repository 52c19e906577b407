"""What is read of a cluster is cut down to what the caller may see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from access.caller import Caller
from access.role import JobVisibility
from headnode.errors import DeadlineError
from headnode.snapshots import Snapshot
from resolvers.visibility import visible
from slurm import accounted_step, association, fair_share, sacct, sinfo, squeue
from slurm.column import Record, Rows
from slurm.sacct import History

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OWN = JobVisibility.OWN
ADA = Caller("ada", "ada", None, OWN)


def rows(record: type[Any], *users: str) -> Rows[Any]:
    """Rows of these users; every other text is the row's number."""
    (source,) = record.user.sources
    numbers = [str(number) for number in range(len(users))]
    return Rows(record, {**dict.fromkeys(record.sources(), numbers), source: list(users)})


def seen(caller: Caller, value: Any) -> Any:
    answer = visible(caller, Snapshot(value, NOW))
    assert isinstance(answer, Snapshot) and answer.as_of == NOW
    return answer.value


@pytest.mark.parametrize("record", [squeue.Job, sacct.HistoryJob])
def test_a_user_keeps_only_own_jobs(record: type[Any]) -> None:
    jobs = rows(record, "ada", "grace", "ada", "Ada", "")
    assert seen(ADA, jobs).values(record.user) == ["ada", "ada"]
    assert seen(ADA, jobs).texts[record.raw_id.sources[0]] == ["0", "2"]
    assert len(jobs) == 5


@pytest.mark.parametrize("record", [squeue.Job, sacct.HistoryJob])
def test_without_an_account_no_job_is_left(record: type[Any]) -> None:
    for nobody in (Caller("Ada Lovelace", None, None, OWN), Caller("", None, None, OWN)):
        assert len(seen(nobody, rows(record, "ada", "", "(null)"))) == 0


def test_a_user_keeps_only_own_past_jobs() -> None:
    history = History(rows(sacct.HistoryJob, "grace", "ada"), Rows(accounted_step.Step, {"JobID": []}))
    assert seen(ADA, history).jobs.values(sacct.HistoryJob.user) == ["ada"]


@pytest.mark.parametrize("record", [association.Association, fair_share.FairShare])
def test_a_user_keeps_accounts_and_own_shares_and_associations(record: type[Any]) -> None:
    lines = rows(record, "", "ada", "grace")
    assert seen(ADA, lines).values(record.user) == [None, "ada"]
    assert seen(Caller("x", None, None, OWN), lines).values(record.user) == [None]


def test_a_caller_who_sees_all_jobs_gets_the_same_answer_object() -> None:
    answer = Snapshot(rows(squeue.Job, "ada", "grace"), NOW)
    assert visible(Caller("ada", "ada", None), answer) is answer


@pytest.mark.parametrize("value", [rows(squeue.Job), Rows(sinfo.Node, {}), "22.05", None, Record])
def test_data_of_no_user_is_visible_to_everyone(value: Any) -> None:
    kept = seen(ADA, value)
    assert kept is value or len(kept) == 0


def test_a_fault_stays_a_fault() -> None:
    fault = DeadlineError("The head node did not answer in time; try again.")
    assert visible(ADA, fault) is fault
