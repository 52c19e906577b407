"""Priority factors: of a real Slurm that has them, and of one that has none."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cluster import Cluster
from local.suite import Chroot
from slurm.column import Rows
from slurm.command import Question, Reply, SchedulerUnavailableError
from slurm.errors import ParseError
from slurm.sprio import NoPriorityFactors, PriorityFactors, TresPriority, priority_factors, read

S = "~0123abCD"
LINE = S.join(["17", "gpu", "449", "1", "2", "3", "39", "400", "5", "-2", "cpu=10,mem=7", "-7", ""]) + "\n"


def rows(printed: str) -> Rows[PriorityFactors]:
    found = read([Reply(0, stdout=printed)], S)
    assert isinstance(found, Rows)
    return found


def test_each_queue_of_a_waiting_job_is_a_row_of_points() -> None:
    (factors,) = rows(LINE)
    assert (factors.raw_id, factors.queue_name, factors.priority) == ("17", "gpu", 449)
    assert (factors.age, factors.association, factors.fair_share) == (1, 2, 3)
    assert (factors.job_size, factors.queue, factors.qos) == (39, 400, 5)
    assert (factors.site, factors.nice) == (-2, -7)
    assert factors.tres == [TresPriority("cpu", 10), TresPriority("mem", 7)]


def test_no_waiting_job_is_no_row() -> None:
    assert len(rows("")) == 0


def test_a_cluster_without_weights_for_resources_prints_nothing_for_them() -> None:
    (factors,) = rows(LINE.replace("cpu=10,mem=7", ""))
    assert factors.tres == []


def test_a_cluster_without_factors_says_why() -> None:
    said = "You are not running a supported priority plugin\n(priority/basic).\n"
    found = read([Reply(1, stderr=said)], S)
    assert isinstance(found, NoPriorityFactors)
    assert "priority/basic" in found.reason


def test_a_scheduler_that_is_away_is_a_fault() -> None:
    with pytest.raises(SchedulerUnavailableError):
        read([Reply(1, stderr="Couldn't get priority factors from controller: Connection refused")], S)


def test_a_line_that_is_not_whole_is_an_error() -> None:
    with pytest.raises(ParseError):
        rows(LINE.replace(S, "", 1))
    with pytest.raises(ParseError, match="points"):
        _ = rows(LINE.replace("449", "high"))[0].priority


MULTIFACTOR = {
    "PriorityType": "priority/multifactor",
    "PriorityWeightJobSize": "300",
    "PriorityWeightPartition": "400",
    "PriorityWeightTRES": "CPU=1000,Mem=2000",
}


@pytest.fixture(scope="module")
def ranked(chroot: Chroot | None) -> Iterator[Cluster]:
    """A cluster that ranks its jobs, with a job that waits in two queues, one that is held, and an array."""
    with tempfile.TemporaryDirectory(prefix="slurmql-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with Cluster(directory / "ranked", "ranked", settings=MULTIFACTOR, chroot=chroot) as cluster:
            yield cluster


def ask(cluster: Cluster, question: Question[Rows[PriorityFactors] | NoPriorityFactors]) -> object:
    """Run sprio as the program on the head node would."""
    (command,) = question.commands
    program = cluster.programs.path("sprio")
    argv = [f"{name}={value}" for name, value in command.environment.items()]
    result = cluster.run("env", *argv, program, "--noheader", check=False)
    return question.read([Reply(result.returncode, result.stdout, result.stderr)])


def submit(cluster: Cluster, *options: str, sleep: int = 0) -> str:
    argv = ["sbatch", "--parsable", "-o", "/dev/null", *options]
    return cluster.run(*argv, user=cluster.users[0].name, input=f"#!/bin/bash\nsleep {sleep}\n").stdout.strip()


def test_a_real_slurms_points_add_up_to_the_priority_that_squeue_shows(ranked: Cluster) -> None:
    whole = ["-N2", "--exclusive", "-C", "static"]
    submit(ranked, *whole, sleep=600)
    both = submit(ranked, *whole, "-p", "queue1,gpu", "--nice=7")
    array = submit(ranked, *whole, "--array=1-3")
    held = submit(ranked, *whole, "--hold")
    # slurmctld reckons the factors of a new job with its next round.
    give_up = time.monotonic() + 30
    while True:
        found = ask(ranked, priority_factors())
        assert isinstance(found, Rows)
        known = {(row.raw_id, row.queue_name): row for row in found}
        if known.keys() >= {(both, "queue1"), (both, "gpu"), (array, "queue1")}:
            break
        assert time.monotonic() < give_up, list(known)
        time.sleep(0.2)
    assert held not in {row.raw_id for row in found}
    for row in found:
        parts = [row.age, row.association, row.fair_share, row.job_size, row.queue, row.qos, row.site]
        total = sum(parts) + sum(one.points for one in row.tres) - row.nice
        assert abs(total - row.priority) <= len(parts) + len(row.tres)  # each is rounded
        assert row.queue == 400
    assert {row.nice for row in found if row.raw_id == both} == {7}
    listed = ranked.run("squeue", "-h", "-j", array, "-O", "PriorityLong").stdout.split()
    assert listed == [str(known[(array, "queue1")].priority)]


def test_a_real_slurm_without_factors_says_so(lab: Cluster) -> None:
    assert isinstance(ask(lab, priority_factors()), NoPriorityFactors)
