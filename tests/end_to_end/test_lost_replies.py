"""Slurm's reply to sbatch is lost, or sbatch is: there is one job, and a retry with the key gives that job."""

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from head_node_program import Program, kill, kill_all_of, wait_until

from local.cluster import Cluster
from local.cluster.relay import Loss, Relay

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

LOST = [Loss.RESET, Loss.EMPTY, Loss.HALF]


@pytest.fixture
def program(lab: Cluster) -> Iterator[Program]:
    name = f"lost-{secrets.token_hex(4)}"
    yield Program(lab, name)
    lab.run("scancel", f"--name={name}")


@pytest.fixture
def relay(lab: Cluster, program: Program) -> Iterator[Relay]:
    """A relay between the program's commands and slurmctld."""
    conf = Path(lab.environment["SLURM_CONF"])
    with Relay(conf, conf.with_name(f"relayed-{program.name}.conf")) as relay:
        program.slurm_conf = relay.slurm_conf
        yield relay


@pytest.mark.parametrize("loss", LOST)
@pytest.mark.parametrize("key", ["the key", None])
def test_the_reply_to_sbatch_is_lost_and_the_job_is_found(
    program: Program, relay: Relay, loss: Loss, key: str | None
) -> None:
    relay.loss = loss
    reply = program.submit(key)
    assert relay.lost >= 1
    assert [reply["stdout"]] == program.jobs()
    if key:
        assert program.submit(key)["stdout"] == reply["stdout"]
        assert [reply["stdout"]] == program.jobs()


@pytest.mark.parametrize("loss", LOST)
@pytest.mark.parametrize("key", ["the key", None])
def test_all_replies_are_lost_and_the_outcome_is_unknown_until_slurm_answers_again(
    program: Program, relay: Relay, loss: Loss, key: str | None
) -> None:
    program.command(
        "scontrol",
        f"export SLURM_CONF={program.cluster.environment['SLURM_CONF']}",
        'exec "$real" "$@"',
    )
    relay.loss, relay.only = loss, frozenset()
    assert program.submit(key)["code"] == "unknown"
    relay.mend()
    (job,) = program.jobs()
    if key:
        assert program.submit(key)["stdout"] == job
        assert program.jobs() == [job]


def test_sbatch_died_of_a_signal_behind_a_warning_and_the_job_is_found(program: Program) -> None:
    program.sbatch("echo 'sbatch: error: a plugin is old' >&2", '"$real" "$@" >/dev/null', "kill -KILL $$")
    assert [program.submit()["stdout"]] == program.jobs()
    assert [program.submit()["stdout"]] == program.jobs()


def test_sbatch_died_of_a_signal_behind_a_warning_before_it_asked(program: Program) -> None:
    program.sbatch("echo 'sbatch: error: a plugin is old' >&2", "kill -KILL $$")
    assert program.submit()["code"] == "unknown"
    assert [program.run()["stdout"]] == program.jobs()


def test_the_shell_in_sbatchs_place_reports_its_death(program: Program) -> None:
    program.sbatch("(echo 'sbatch: error: a plugin is old' >&2; kill -KILL $(exec sh -c 'echo $PPID'))", "exit 137")
    assert program.submit()["code"] == "unknown"


@pytest.mark.parametrize("key", ["the key", None])
def test_sbatch_succeeded_and_what_it_printed_is_lost(program: Program, key: str | None) -> None:
    program.sbatch('"$real" "$@" >/dev/null')
    assert [program.submit(key)["stdout"]] == program.jobs()
    if key:
        assert [program.submit(key)["stdout"]] == program.jobs()


@pytest.mark.parametrize("key", ["the key", None])
def test_a_number_that_something_else_prints_is_not_the_job(program: Program, key: str | None) -> None:
    program.sbatch("echo 42", '"$real" "$@"')
    reply = program.submit(key)
    assert [reply["stdout"]] == program.jobs()
    assert reply["stderr"] == "42"
    program.sbatch('"$real" "$@"', "echo 42")
    reply = program.submit(key and "another key")
    assert reply["stdout"] == program.jobs()[-1]


def test_a_number_that_something_else_prints_is_not_the_job_of_a_refused_submission(program: Program) -> None:
    program.sbatch("echo 42", '"$real" --partition=nonesuch "$@"')
    reply = program.submit()
    assert reply["exit_code"] == 1
    assert "Invalid partition" in reply["stderr"]
    assert [program.run()["stdout"]] == program.jobs()


def test_sbatchs_remarks_on_a_submitted_job_are_kept_with_the_key(program: Program) -> None:
    program.options = {"hold": "", "nodes": "3", "ntasks": "1"}
    first = program.submit()
    assert first["exit_code"] == 0
    assert "can't run 1 processes on 3 nodes" in first["stderr"]
    assert program.submit()["stderr"] == first["stderr"]


def test_an_error_of_sbatch_itself_frees_the_key(program: Program) -> None:
    script, program.script = program.script, "#!/bin/sh\n#SBATCH --time=nonsense\n"
    reply = program.submit()
    assert reply["exit_code"] != 0
    assert "time" in reply["stderr"]
    program.script = script
    assert [program.submit()["stdout"]] == program.jobs()


def test_a_connection_that_sbatch_could_not_make_frees_the_key(program: Program) -> None:
    failure = "Batch job submission failed: Unable to contact slurm controller (connect failure)"
    program.sbatch(f"echo 'sbatch: error: {failure}' >&2", "exit 1")
    assert failure in program.submit()["stderr"]
    script, program.script = program.script, program.script + "# more\n"
    assert [program.run()["stdout"]] == program.jobs(), script


def test_an_error_without_a_reason_is_a_refusal_if_slurm_has_no_job(program: Program) -> None:
    """A job_submit plugin's slurm.ERROR."""
    failed = "echo 'sbatch: error: Batch job submission failed: Unspecified error' >&2; exit 1"
    program.sbatch(failed)
    assert "Unspecified error" in program.submit()["stderr"]
    program.sbatch('"$real" "$@" >/dev/null', failed)
    assert [program.submit()["stdout"]] == program.jobs()


def test_the_program_is_killed_at_any_moment_and_each_key_has_one_job(program: Program) -> None:
    keys = [f"key {number}" for number in range(8)]
    for number, key in enumerate(keys):
        lost = program.start(key)
        time.sleep(0.04 * number)
        (kill if number % 2 else kill_all_of)(lost)
    jobs = [program.submit(key)["stdout"] for key in keys]
    assert sorted(jobs, key=int) == program.jobs()
    assert len(set(jobs)) == len(keys)
    assert jobs == [program.submit(key)["stdout"] for key in keys]


def test_the_program_is_killed_and_a_retry_waits_for_the_sbatch_that_still_runs(program: Program) -> None:
    program.sbatch(f"until [ -e {program.ready} ]; do sleep 0.05; done", 'exec "$real" "$@"')
    lost = program.start()
    wait_until(program.started.exists)
    kill(lost)
    retry = program.start()
    time.sleep(0.5)
    assert retry.poll() is None
    program.ready.touch()
    job = program.finish(retry)["stdout"]
    assert program.jobs() == [job]


def test_nothing_that_sbatch_starts_can_write_to_the_claim(program: Program) -> None:
    """A plugin of the user's has sbatch's descriptors."""
    program.sbatch("ls -l /proc/self/fd >&2", "echo 4711 >&3 2>/dev/null", 'exec "$real" "$@"')
    reply = program.submit()
    assert str(program.state) not in reply["stderr"]
    assert [reply["stdout"]] == program.jobs()
