"""Job history and the use of running steps, on a real Slurm with accounting, against what Slurm says by other ways."""

import base64
import gzip
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from headnode import document
from headnode.joining import joined
from headnode.replies import reply, unpack
from local.cluster import Cluster
from local.stack import Stack
from local.suite import Chroot
from slurm import squeue
from slurm.column import Rows
from slurm.command import AccountingDisabledError, Question, Reply, SchedulerUnavailableError
from slurm.efficiency import efficiency
from slurm.sacct import History, HistoryJob, allocations, history
from slurm.sacct_search import Search
from slurm.sstat import NotPermittedError, RunningStep, running_steps
from slurm.states import JobState

T = TypeVar("T")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users' jobs need root")

# Three seconds of CPU time, however busy the machine is, with 60 MiB.
BUSY = "import time; x = bytearray(60 << 20)\nwhile time.process_time() < 3: pass"
STEPS = f"""srun --ntasks=2 true
srun --ntasks=1 --job-name=second sh -c 'exit 7'
srun --ntasks=1 python3 -c '{BUSY}'
exit 0"""
RUNNING = f"srun --ntasks=1 python3 -c '{BUSY}\ntime.sleep(600)'"
HOSTILE = 'a|b\tc\nd,e;"f"\x1f~g é'


@dataclass(frozen=True)
class Books:
    """A cluster with accounting, asked as the head node's program asks it."""

    cluster: Cluster
    jobs: dict[str, str]

    def ask(self, question: Question[T], user: str | None = None, administer: bool = False) -> T:
        """What the program on the head node says to the question."""
        steps = [[command.as_data() for command in question.commands]]
        request = {"expires": time.time() + 60, "user": user, "administer": administer, "put": None, "steps": steps}
        packed = base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode())).decode()
        argv = ["/usr/bin/python3", "-c", joined(), document.operations()]
        chroot = self.cluster.programs.chroot
        result = subprocess.run(
            chroot.command(argv) if chroot else argv,
            input=packed,
            env={**self.cluster.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        answer = unpack(base64.b64decode(result.stdout))
        return question.read([reply(told) for told in answer["replies"]])

    def history(self, **search: Any) -> History:
        return self.ask(history(Search(**search)))

    def job(self, name: str) -> HistoryJob:
        (job,) = self.history(ids=[self.jobs[name]]).jobs
        return job

    def names(self, **search: Any) -> set[str]:
        """The names of this module's jobs that sacct finds for a search."""
        own = {id: name for name, id in self.jobs.items()}
        found = self.history(**search).jobs
        return {own[job.job_id.partition("_")[0]] for job in found if job.job_id.partition("_")[0] in own}

    def says(self, id: str, *fields: str) -> list[str]:
        """What sacct says of one job, each field by a question of its own."""
        return [
            self.cluster.run("sacct", "-X", "-n", "-P", "-j", id, "-o", field).stdout.removesuffix("\n")
            for field in fields
        ]


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def submit(cluster: Cluster, user: str, script: str, *options: str) -> str:
    return cluster.run(
        "sbatch", "--parsable", "--output=/dev/null", *options, user=user, input=f"#!/bin/sh\n{script}\n"
    ).stdout.strip()


@pytest.fixture(scope="module")
def books(chroot: Chroot | None) -> Iterator[Books]:
    """A cluster with accounting on which one job of each kind has ended, waits or runs."""
    directory = Path(tempfile.mkdtemp(prefix="books-", dir="/tmp"))
    directory.chmod(0o755)
    settings = {"SelectTypeParameters": "CR_CPU_Memory", "AccountingStorageTRES": "gres/gpu"}
    try:
        with ExitStack() as held:
            if chroot:
                held.enter_context(chroot.shown(directory))
            cluster = held.enter_context(Cluster(directory, "books", accounting=True, settings=settings, chroot=chroot))
            jobs = _submitted(cluster)
            _await_ends(cluster, jobs)
            yield Books(cluster, jobs)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _submitted(cluster: Cluster) -> dict[str, str]:
    static = "--nodelist=queue1-st-small-1"
    small = ("--mem=50", static)
    jobs = {
        "steps": submit(cluster, "ada", STEPS, "--ntasks=2", "--mem=200", "--time=10", static),
        "three": submit(cluster, "ada", "exit 3", *small, "--account=genomics"),
        "255": submit(cluster, "ada", "exit 255", *small),
        "killed": submit(cluster, "ada", "kill -9 $$", *small),
        "hostile": submit(cluster, "grace", "true", *small, f"--job-name={HOSTILE}"),
        "array": submit(cluster, "grace", "exit $SLURM_ARRAY_TASK_ID", *small, "--array=0-2"),
        "cancelled": submit(cluster, "grace", "sleep 300", *small),
        "requeued": submit(cluster, "ada", "sleep 300", *small, "--requeue"),
        "held": submit(cluster, "ada", "true", "--hold", "--partition=gpu", "--gpus=2", "--time=400-0"),
        "running": submit(cluster, "ada", RUNNING, "--mem=100", static),
        "tasks": submit(cluster, "grace", "sleep 600", *small, "--array=1-2", "--nodelist=queue1-st-small-2"),
    }
    for name in ("cancelled", "requeued"):
        until(lambda name=name: _state(cluster, jobs[name]) == "RUNNING", name)  # type: ignore[misc] # mypy cannot infer it
    cluster.run("scancel", jobs["cancelled"], user="grace")
    cluster.run("scontrol", "requeuehold", jobs["requeued"])
    return jobs


def _state(cluster: Cluster, id: str) -> str:
    return cluster.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%T").stdout.strip()


def _await_ends(cluster: Cluster, jobs: dict[str, str]) -> None:
    """Until accounting has them as they are: slurmdbd hears of a job's end a moment later than slurmctld."""

    def states(name: str) -> list[str]:
        return cluster.run("sacct", "-X", "-n", "-P", "-j", jobs[name], "-o", "State").stdout.splitlines()

    for name in ("steps", "three", "255", "killed", "hostile", "cancelled"):
        until(lambda name=name: states(name) not in ([], ["PENDING"], ["RUNNING"]), name)  # type: ignore[misc] # as above
    until(lambda: sorted(states("array")) == ["COMPLETED", "FAILED", "FAILED"], "the array's end")
    until(lambda: states("requeued") == ["PENDING"], "the second run of the requeued job")
    until(lambda: states("tasks") == ["RUNNING", "RUNNING"], "the tasks that run")
    until(lambda: states("running") == ["RUNNING"], "the job that runs")


def test_a_job_agrees_with_sacct(books: Books) -> None:
    job, id = books.job("steps"), books.jobs["steps"]
    says = dict(zip(["state", "exit"], books.says(id, "State", "ExitCode"), strict=True))
    assert (job.state.value, f"{job.exit_code}:{job.exit_signal or 0}") == (says["state"], says["exit"])
    expected = books.says(id, "User", "Partition", "NodeList", "ElapsedRaw", "CPUTimeRAW", "TimelimitRaw")
    assert [
        job.user,
        job.queue_name,
        ",".join(job.node_names),
        str(job.elapsed_seconds),
        f"{job.cpu_time_reserved_seconds:.0f}",
        str((job.time_limit_seconds or 0) // 60),
    ] == expected
    assert (job.cpu_count, job.memory_mib) == (2, 200)


def test_times_are_those_that_sacct_prints_in_another_form(books: Books) -> None:
    job, id = books.job("steps"), books.jobs["steps"]
    printed = books.says(id, "Submit", "Start", "End")
    local = [datetime.fromisoformat(text).astimezone(UTC) for text in printed]
    assert [job.submit_time, job.start_time, job.end_time] == local


def test_steps_show_cpu_time_and_memory(books: Books) -> None:
    found = books.history(ids=[books.jobs["steps"]])
    (job,) = found.jobs
    steps = {step.step_id.partition(".")[2]: step for step in found.steps_of(job)}
    assert {"batch", "0", "1", "2"} <= steps.keys()
    assert (steps["1"].name, steps["1"].state, steps["1"].exit_code) == ("second", JobState.FAILED, 7)
    assert steps["0"].task_count == 2
    assert (steps["2"].cpu_time_seconds or 0) >= 2
    assert 60 <= (steps["2"].max_rss_mib or 0) < 200  # it held 60 MiB
    assert job.max_rss_mib == steps["2"].max_rss_mib
    assert (job.cpu_time_seconds or 0) >= 2


def test_efficiency_of_a_job_that_was_busy_on_one_of_two_cpus(books: Books) -> None:
    found = books.history(ids=[books.jobs["steps"]])
    (job,) = found.jobs
    share = efficiency(job, found.steps_of(job), job.cpu_time_seconds)
    assert share.cpu is not None and 0 < share.cpu <= 0.5
    assert share.memory is not None and 60 / 200 <= share.memory < 1


def test_without_steps_there_are_the_same_jobs_without_usage(books: Books) -> None:
    found = books.ask(allocations(Search(ids=[books.jobs["steps"]])))
    (job,) = found.jobs
    assert (job.state, job.cpu_time_seconds, job.max_rss_mib, len(found.steps)) == (JobState.COMPLETED, None, None, 0)


def test_exit_codes_and_signals(books: Books) -> None:
    ends = {name: (books.job(name).exit_code, books.job(name).exit_signal) for name in ("three", "killed")}
    assert ends == {"three": (3, None), "killed": (None, 9)}


def test_sacct_takes_128_off_up_to_25_05(books: Books) -> None:
    version = tuple(map(int, books.cluster.run("sacct", "--version").stdout.split()[1].split(".")[:2]))
    assert books.job("255").exit_code == (127 if version <= (25, 5) else 255)


def test_a_hostile_name_is_one_job_with_backticks_for_quotes(books: Books) -> None:
    job = books.job("hostile")
    assert job.name in (HOSTILE, HOSTILE.replace('"', "`"))
    assert (job.user, job.state) == ("grace", JobState.COMPLETED)


def test_an_array_is_its_tasks_and_the_last_keeps_the_arrays_number(books: Books) -> None:
    id = books.jobs["array"]
    tasks = sorted(books.history(ids=[id]).jobs, key=lambda job: job.order)
    assert [(job.job_id, job.array_job_id, job.array_task_id, job.exit_code) for job in tasks] == [
        (f"{id}_{task}", id, task, task) for task in range(3)
    ]
    assert id in {job.raw_id for job in tasks}
    # The search for tasks that ended while they waited may find the array's other tasks, too.
    found = books.history(ids=[f"{id}_1"]).jobs
    assert [job.exit_code for job in found if job.job_id == f"{id}_1"] == [1]
    assert {job.array_job_id for job in found} == {id}


def test_cancelled_by_uid(books: Books) -> None:
    job = books.job("cancelled")
    grace = books.cluster.user("grace").uid
    assert (job.state, job.raw_state) == (JobState.CANCELLED, f"CANCELLED by {grace}")


def test_requeued_jobs_are_one_row_that_counts_its_runs(books: Books) -> None:
    job = books.job("requeued")
    printed = books.cluster.run("sacct", "-X", "-n", "-P", "-D", "-j", books.jobs["requeued"], "-o", "State").stdout
    assert "REQUEUED" in printed.splitlines()
    assert (job.state, job.restart_count) == (JobState.PENDING, 1)


def test_a_waiting_job_shows_what_it_asks_for(books: Books) -> None:
    job = books.job("held")
    assert (job.state, job.start_time, job.node_names, job.gpu_count) == (JobState.PENDING, None, [], 2)
    assert job.time_limit_seconds == 400 * 86400  # squeue prints INVALID


def test_a_running_job_has_no_end_and_no_usage_yet(books: Books) -> None:
    job = books.job("running")
    assert (job.state, job.end_time, job.cpu_time_seconds, job.exit_code) == (JobState.RUNNING, None, None, None)


def test_accounting_and_slurmctld_agree_on_what_both_know(books: Books) -> None:
    rows: Rows[squeue.Job] = books.ask(squeue.jobs())
    known = {job.job_id: job for job in books.history(ids=list(books.jobs.values())).jobs}
    compared = 0
    for job in rows:
        if job.job_id not in known or job.raw_state == "COMPLETING":
            continue
        other, compared = known[job.job_id], compared + 1
        for name in ("user", "queue_name", "node_names", "cpu_count", "memory_mib", "submit_time", "array_job_id"):
            assert getattr(job, name) == getattr(other, name), (job.job_id, name)
        assert job.state in (other.state, JobState.SPECIAL_EXIT, JobState.REQUEUE_HOLD)
    assert compared >= 10


def test_each_condition_is_met_by_sacct_itself(books: Books) -> None:
    ada = {"steps", "three", "255", "killed", "requeued", "running"}
    start = books.job("steps").submit_time
    assert start is not None
    since = start - timedelta(minutes=1)
    if books.cluster.programs.slurm_version() < (21, 8):
        ada -= {"requeued"}  # it waits again, and 20.11's sacct leaves it out where a time is given
    assert books.names(users=["ada"], since=since) >= ada
    assert not books.names(users=["ada"], since=since) & {"hostile", "array", "cancelled"}
    assert books.names(users=["ada", "grace", "nosuch"], since=since) >= ada | {"hostile", "array", "cancelled"}
    assert books.names(users=["nosuch"]) == set()
    assert books.names(account="genomics", since=since) == {"three"}
    assert "held" in books.names(queue="gpu", ids=[books.jobs["held"], books.jobs["three"]])
    assert not books.names(queue="gpu", since=since) & {"steps", "three", "killed", "running"}
    assert books.names(node_name="queue1-st-small-2", since=since) == {"tasks"}
    assert books.names(states=[JobState.CANCELLED], since=since) >= {"cancelled"}
    assert not books.names(states=[JobState.CANCELLED], since=since) & {"steps", "three", "running"}
    assert "running" in books.names(states=[JobState.RUNNING], since=since)
    assert books.names(name="sbatch", node_name="queue1-st-small-2", since=since) == {"tasks"}
    assert books.names(until=since) == set()
    assert books.names(since=datetime.now(UTC) + timedelta(days=1)) == set()


def test_unknown_ids_find_no_jobs(books: Books) -> None:
    assert [job.job_id for job in books.history(ids=["999999", books.jobs["three"]]).jobs] == [books.jobs["three"]]


def test_what_a_running_step_uses(books: Books) -> None:
    id = books.jobs["running"]

    def steps() -> dict[str, RunningStep]:
        return {step.step_id: step for step in books.ask(running_steps([id]), user="ada")}

    until(lambda: f"{id}.0" in steps() and (steps()[f"{id}.0"].cpu_time_seconds or 0) >= 1, "a busy step")
    step = steps()[f"{id}.0"]
    assert (step.raw_id, step.task_count, step.node_names) == (id, 1, ["queue1-st-small-1"])
    assert (step.max_rss_mib or 0) >= 60


def test_only_the_user_and_operators_see_what_running_steps_use(books: Books) -> None:
    question = running_steps([books.jobs["running"]])
    with pytest.raises(NotPermittedError):
        books.ask(question, user="grace")
    assert len(books.ask(question, user="grace", administer=True)) >= 1


def test_sstat_of_an_arrays_tasks_shows_each_step_once(books: Books) -> None:
    raw = [job.raw_id for job in books.history(ids=[books.jobs["tasks"]]).jobs]
    steps = [step.step_id for step in books.ask(running_steps(raw), user="grace")]
    assert sorted(steps) == sorted({f"{id}.batch" for id in raw})


def test_jobs_that_have_ended_have_no_running_steps(books: Books) -> None:
    assert len(books.ask(running_steps([books.jobs["three"], "999999"]), user="ada")) == 0


def test_a_cluster_without_accounting_says_so(stack: Stack) -> None:
    with pytest.raises(AccountingDisabledError):
        Books(stack.clusters["annex"], {}).history()


def test_a_slurmdbd_that_is_down_is_named(books: Books, tmp_path: Path) -> None:
    """The client gets the address of a port where nothing listens."""
    folder = Path(books.cluster.environment["SLURM_CONF"]).parent
    text = (folder / "slurm.conf").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("AccountingStoragePort")]
    (folder / "no-slurmdbd.conf").write_text("\n".join([*lines, "AccountingStoragePort=1", ""]))
    argv = ["sacct", "--noheader", "--allusers"]
    chroot = books.cluster.programs.chroot
    result = subprocess.run(
        chroot.command(argv) if chroot else argv,
        env={"SLURM_CONF": str(folder / "no-slurmdbd.conf"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    with pytest.raises(SchedulerUnavailableError):
        history(Search()).read([Reply(result.returncode, result.stdout, result.stderr)])
