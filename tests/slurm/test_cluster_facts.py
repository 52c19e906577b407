"""What a real Slurm tells of itself, with accounting and without."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asked_slurm import AskedSlurm, asked_slurm, until, values

from local.suite import Chroot
from slurm import accounting, association, configuration, fair_share, license, ping, qos, statistics
from slurm.command import AccountingDisabledError, Question, Reply, SchedulerUnavailableError
from slurm.errors import ParseError
from slurm.fair_share import FairShareDisabledError
from slurm.ping import Controller


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="facts-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def plain(room: Path, chroot: Chroot | None) -> Iterator[AskedSlurm]:
    """A cluster as ParallelCluster makes it without a database."""
    with asked_slurm(room / "plain", chroot) as plain:
        yield plain


@pytest.fixture(scope="module")
def books(room: Path, chroot: Chroot | None) -> Iterator[AskedSlurm]:
    """A cluster with accounting that ranks jobs by fair share and enforces its limits."""
    with asked_slurm(
        room / "books",
        chroot,
        accounting=True,
        Licenses="matlab:10,ansys:4",
        PriorityType="priority/multifactor",
        AccountingStorageEnforce="associations,limits,qos",
        AccountingStorageTRES="gres/gpu",
    ) as books:
        yield books


# --- accounts -------------------------------------------------------------------------------------------------------


def test_limits_of_a_qos_are_as_sacctmgr_set_them(books: AskedSlurm) -> None:
    books.slurm(
        "sacctmgr", "-iQ", "add", "qos", "limited", "Priority=5", "GraceTime=120", "Preempt=normal",
        "PreemptMode=requeue", "Flags=DenyOnLimit,NoDecay", "UsageFactor=2", "GrpTRES=cpu=100,gres/gpu=4,mem=100G",
        "GrpTRESMins=cpu=1000", "GrpTRESRunMins=cpu=50", "GrpJobs=11", "GrpSubmitJobs=12", "GrpWall=10-00:00:00",
        "MaxTRES=node=3", "MaxTRESPerNode=cpu=2", "MaxWall=400-00:00:00", "MaxTRESPerUser=cpu=8", "MaxJobsPerUser=13",
        "MaxSubmitJobsPerUser=14", "MaxTRESPerAccount=cpu=9", "MaxJobsPerAccount=15", "MaxSubmitJobsPerAccount=16",
        "MinTRESPerJob=cpu=1",
    )  # fmt: skip
    (limited,) = (row for row in books.ask(qos.qos()) if row.name == "limited")
    got = values(limited)
    assert isinstance(got.pop("id_number"), int)
    assert got == {
        "name": "limited",
        "priority": 5,
        "flags": ["DenyOnLimit", "NoDecay"],
        "preempts": ["normal"],
        "preempt_mode": "requeue",
        "grace_time_seconds": 120,
        "usage_factor": 2.0,
        "usage_threshold": None,
        "max_tres": ["cpu=100", "gres/gpu=4", "mem=100G"],
        "max_tres_minutes": ["cpu=1000"],
        "max_tres_run_minutes": ["cpu=50"],
        "max_jobs": 11,
        "max_submitted_jobs": 12,
        "max_wall_seconds": 10 * 86400,
        "max_tres_per_job": ["node=3"],
        "max_tres_per_node": ["cpu=2"],
        "max_time_seconds": 400 * 86400,
        "max_tres_per_user": ["cpu=8"],
        "max_jobs_per_user": 13,
        "max_submitted_jobs_per_user": 14,
        "max_tres_per_account": ["cpu=9"],
        "max_jobs_per_account": 15,
        "max_submitted_jobs_per_account": 16,
        "min_tres_per_job": ["cpu=1"],
        "running_job_count": 0,
        "submitted_job_count": 0,
        "used_tres": [],
        "used_tres_minutes": [],
        "used_wall_seconds": 0,
        "raw_usage": 0,
    }


def test_limits_of_an_account_and_who_may_charge_it(books: AskedSlurm) -> None:
    books.slurm(
        "sacctmgr", "-iQ", "add", "account", "limited", "Cluster=lab", "parent=climate", "FairShare=parent",
        "GrpTRES=cpu=5,mem=200M", "GrpTRESMins=cpu=6", "GrpTRESRunMins=cpu=7", "GrpJobs=8", "GrpSubmitJobs=9",
        "GrpWall=90", "MaxJobs=10", "MaxSubmitJobs=11", "MaxTRESPerJob=node=3", "MaxTRESPerNode=cpu=2",
        "MaxTRESMinsPerJob=cpu=60", "MaxWall=2-00:00:00", "Priority=7", "DefaultQOS=urgent", "QOS=normal,urgent",
    )  # fmt: skip
    books.slurm("sacctmgr", "-iQ", "add", "user", "ada", "account=limited", "partition=gpu", "FairShare=3")
    account, user = (row for row in books.ask(association.associations("lab")) if row.account == "limited")
    got = values(account)
    assert isinstance(got.pop("id_number"), int)
    assert got == {
        "cluster_name": "lab",
        "account": "limited",
        "user": None,
        "queue_name": None,
        "parent_account": "climate",
        "shares": None,
        "priority": 7,
        "default_qos": "urgent",
        "qos": ["normal", "urgent"],
        "max_tres": ["cpu=5", "mem=200M"],
        "max_tres_minutes": ["cpu=6"],
        "max_tres_run_minutes": ["cpu=7"],
        "max_jobs": 8,
        "max_submitted_jobs": 9,
        "max_wall_seconds": 5400,
        "max_jobs_per_user": 10,
        "max_submitted_jobs_per_user": 11,
        "max_tres_per_job": ["node=3"],
        "max_tres_per_node": ["cpu=2"],
        "max_tres_minutes_per_job": ["cpu=60"],
        "max_time_seconds": 2 * 86400,
        "running_job_count": 0,
        "submitted_job_count": 0,
        "used_tres": [],
        "used_tres_minutes": [],
        "used_wall_seconds": 0,
        "raw_usage": 0,
    }
    assert (user.user, user.queue_name, user.shares, user.parent_account) == ("ada", "gpu", 3, None)


def test_what_running_jobs_hold_counts_against_limits(books: AskedSlurm) -> None:
    running = books.submit("--account=genomics", "--qos=urgent", "--cpus-per-task=2", user="grace")
    waiting = books.submit("--account=genomics", "--qos=urgent", "--hold", user="grace")
    until(lambda: books.job(running, "State") == "RUNNING")
    rows = books.ask(association.associations())
    (hers,) = (row for row in rows if (row.account, row.user) == ("genomics", "grace"))
    (whole,) = (row for row in rows if (row.account, row.user) == ("genomics", None))
    (urgent,) = (row for row in books.ask(qos.qos()) if row.name == "urgent")
    for row in (hers, whole, urgent):
        assert (row.running_job_count, row.submitted_job_count) == (1, 2)
        assert {"cpu=2", "node=1", "billing=2"} <= set(row.used_tres or ())
    assert whole.max_tres == ["cpu=64"]
    books.slurm("scancel", running, waiting)


def test_accounts_and_what_administrators_say_of_them(books: AskedSlurm) -> None:
    books.slurm("sacctmgr", "-iQ", "add", "account", "piped", "Description=cpu|gpu", "Organization=physics")
    described = {row.name: (row.organization, row.description) for row in books.ask(association.accounts())}
    assert described["genomics"] == ("biology", "sequencing runs")
    assert described["piped"] == ("physics", "cpu|gpu")
    assert described["root"] == ("root", "default root account")
    books.slurm("sacctmgr", "-iQ", "delete", "account", "name=piped")


def test_a_bar_in_a_name_does_not_shift_columns(books: AskedSlurm) -> None:
    before = {row.name: row.priority for row in books.ask(qos.qos())}
    books.slurm("sacctmgr", "-iQ", "add", "qos", "fast|slow", "Priority=77")  # Slurm does not refuse it (22.05)
    try:
        rows = books.ask(qos.qos())
        assert rows.unreadable == ()
        assert {row.name: row.priority for row in rows} == {**before, "fast|slow": 77}
    finally:
        books.slurm("sacctmgr", "-iQ", "delete", "qos", "fast|slow")


def test_shares_and_use_as_they_count_for_priorities(books: AskedSlurm) -> None:
    rows = {(row.account, row.user): row for row in books.ask(fair_share.fair_shares())}
    assert rows["root", None].shares is None
    genomics, ada = rows["genomics", None], rows["genomics", "ada"]
    assert (genomics.shares, ada.shares, ada.normalized_shares) == (40, 1, 0.5)
    assert genomics.normalized_shares is not None
    assert 0.5 < genomics.normalized_shares < 1
    assert genomics.fair_share is None
    assert ada.fair_share is not None
    assert 0 <= ada.fair_share <= 1


@pytest.mark.parametrize("question", [qos.qos(), association.associations("lab"), association.accounts()])
def test_without_accounting_the_error_says_what_to_switch_on(plain: AskedSlurm, question: Question[Any]) -> None:
    with pytest.raises(AccountingDisabledError, match="AccountingStorageType=accounting_storage/slurmdbd"):
        plain.ask(question)


def test_without_fair_share_the_error_says_what_to_switch_on(plain: AskedSlurm) -> None:
    with pytest.raises(FairShareDisabledError, match="PriorityType=priority/multifactor"):
        plain.ask(fair_share.fair_shares())


# --- licenses, statistics, configuration, signs of life -------------------------------------------------------------


def test_licenses_and_how_many_are_free(books: AskedSlurm) -> None:
    job = books.submit("--licenses=matlab:3")
    until(lambda: books.job(job, "State") == "RUNNING")
    assert [values(row) for row in books.ask(license.licenses())] == [
        {"name": "ansys", "total_count": 4, "used_count": 0, "free_count": 4, "reserved_count": 0, "is_remote": False},
        {
            "name": "matlab",
            "total_count": 10,
            "used_count": 3,
            "free_count": 7,
            "reserved_count": 0,
            "is_remote": False,
        },
    ]
    books.slurm("scancel", job)


def test_no_license_is_an_empty_table(plain: AskedSlurm) -> None:
    rows = plain.ask(license.licenses())
    assert len(rows) == 0


def test_statistics_count_jobs_and_passes_of_the_scheduler(plain: AskedSlurm) -> None:
    before = plain.ask(statistics.statistics())
    job = plain.submit()
    until(lambda: plain.job(job, "State") == "RUNNING")
    plain.slurm("scancel", job)
    after = plain.ask(statistics.statistics())
    assert before.jobs_submitted is not None
    assert (after.jobs_submitted, after.jobs_started) == (before.jobs_submitted + 1, before.jobs_submitted + 1)
    assert before.since in (None, after.since)  # None until slurmctld counted its first time
    assert after.as_of is not None
    assert abs(after.as_of - datetime.now(UTC)) < timedelta(minutes=1)
    assert after.cycles is not None
    assert after.cycles > 0
    assert after.last_cycle_microseconds is not None
    assert after.max_cycle_microseconds is not None
    assert 0 < after.last_cycle_microseconds <= after.max_cycle_microseconds
    assert after.accounting_queue_size == 0
    assert after.backfilled_jobs == 0


def test_figures_of_the_same_name_differ_by_their_section() -> None:
    printed = (
        "sdiag output at Sun Nov 22 18:06:33 2026 (1795370793)\n"
        "Data since      Sun Nov 22 18:06:05 2026 (1795370765)\n"
        "Jobs submitted: 5\n\n"
        "Main schedule statistics (microseconds):\n\tLast cycle:   13\n\tLast queue length: 1\n\n"
        "Main scheduler exit:\n\tEnd of job queue:24\n\n"
        "Backfilling stats (WARNING: data obtained in the middle of backfilling execution.)\n"
        "\tTotal backfilled jobs (since last slurm start): 9\n"
        "\tTotal backfilled jobs (since last stats cycle start): 2\n"
        "\tLast cycle when: Sun Nov 22 18:06:30 2026 (1795370790)\n\tLast cycle: 77\n\tLast queue length: 4\n\n"
        "Remote Procedure Call statistics by message type\n\tLast cycle: 99\n"
    )
    read = statistics.read([Reply(0, printed)])
    assert (read.last_cycle_microseconds, read.backfill_last_cycle_microseconds) == (13, 77)
    assert (read.queue_length, read.backfill_queue_length) == (1, 4)
    assert read.backfilled_jobs == 2
    assert read.backfill_last_time == datetime(2026, 11, 22, 18, 6, 30, tzinfo=UTC)
    assert read.since == datetime(2026, 11, 22, 18, 6, 5, tzinfo=UTC)
    assert read.cycles_per_minute is None


def test_invalid_output_of_sdiag_is_an_error() -> None:
    with pytest.raises(ParseError, match="sdiag output"):
        statistics.read([Reply(0, "No data available. Probably slurmctld is not working\n")])


def test_the_configuration_is_as_scontrol_shows_it(plain: AskedSlurm, books: AskedSlurm) -> None:
    without, with_books = plain.ask(configuration.configuration()), books.ask(configuration.configuration())
    assert without.slurm_version == plain.slurm("sinfo", "--version").removeprefix("slurm-wlm ").removeprefix("slurm ")
    assert (without.cluster_name, without.min_job_age_seconds, without.max_job_count) == ("lab", 300, 10_000)
    assert (without.max_array_size, without.max_job_id) == (1001, 67043328)
    assert (without.select_type, without.select_type_parameters) == ("cons_tres", ["CR_CPU"])
    assert (without.scheduler_type, without.gres_types) == ("backfill", ["gpu"])
    assert without.private_data in (["cloud"], [])  # 23.02 did away with it
    assert (without.preempt_type, without.preempt_mode, without.job_requeue) == (None, ["OFF"], True)
    assert (without.suspend_time_seconds, without.resume_timeout_seconds) == (60, 60)
    assert (without.accounting_enabled, without.accounting_enforce, without.accounting_host) == (False, [], None)
    assert (with_books.accounting_enabled, with_books.accounting_host) == (True, "127.0.0.1")
    assert {"associations", "limits", "qos"} <= set(with_books.accounting_enforce)
    assert "gres/gpu" in with_books.accounting_tres
    assert (without.priority_type, with_books.priority_type) == ("basic", "multifactor")
    assert without.boot_time is not None
    assert timedelta() <= datetime.now(UTC) - without.boot_time < timedelta(hours=1)


def test_signs_of_life(plain: AskedSlurm, books: AskedSlurm) -> None:
    without, with_books = plain.ask(ping.ping()), books.ask(ping.ping())
    (controller,) = without.controllers
    assert (controller.role, controller.is_up) == ("primary", True)
    assert controller.host in plain.slurm("scontrol", "ping")
    assert (without.accounting_is_up, without.accounting_message) == (None, None)
    assert (with_books.accounting_is_up, with_books.accounting_message) == (True, None)


def test_a_scheduler_that_is_down_is_an_answer(books: AskedSlurm) -> None:
    books.cluster.stop_controller()
    try:
        answer = books.ask(ping.ping())
        assert [controller.is_up for controller in answer.controllers] == [False]
        assert answer.accounting_is_up is True
        with pytest.raises(SchedulerUnavailableError):
            books.ask(configuration.configuration())
    finally:
        books.cluster.start_controller()


def test_a_ping_that_was_ended_because_slurmctld_hangs_says_nothing_of_slurmdbd() -> None:
    ended = Reply(None, refusal="slurmctld did not answer a ping within 5 s", refusal_code="unavailable")
    answer = ping.read([ended, Reply(0, "lab\n")])
    assert (answer.controllers, answer.accounting_is_up) == ([], True)


def test_two_controllers_are_distinguished() -> None:
    printed = "Slurmctld(primary) at head1 is DOWN\nSlurmctld(backup) at head2 is UP\n"
    answer = ping.read([Reply(0, printed), Reply(0, "lab\n")])
    assert answer.controllers == [Controller("primary", "head1", False), Controller("backup", "head2", True)]


@pytest.mark.parametrize(
    "function", ["slurm_persist_conn_open_without_init", "slurm_persist_conn_open", "_open_persist_conn"]
)
def test_accounting_that_does_not_answer_is_reported(function: str) -> None:
    said = f"sacctmgr: error: {function}: failed to open persistent connection to host:x\n"
    answer = ping.read([Reply(0, "Slurmctld(primary) at head1 is UP\n"), Reply(1, stderr=said)])
    assert answer.accounting_is_up is False
    assert "persistent connection" in (answer.accounting_message or "")
    with pytest.raises(SchedulerUnavailableError, match="slurmdbd does not answer"):
        accounting.require(Reply(1, stderr=said))


@pytest.mark.parametrize("read", [ping.read, qos.read, association.read])
def test_half_an_answer_is_an_error(read: Callable[[list[Reply]], object]) -> None:
    with pytest.raises(ParseError):
        read([Reply(0, "what|is|this\n"), Reply(0, "")])
