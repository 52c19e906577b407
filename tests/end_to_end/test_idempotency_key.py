"""A retried submission with the same key gives the first job, whatever died in between, and never a second job."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from head_node_program import Program, kill_all_of, wait_until

from conftest import Api
from local.cluster import Cluster

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) { job { jobId name } errors { code message field } }
}"""
SCRIPT = "#!/bin/sh\nsleep 1\n"


@pytest.fixture
def name(lab: Cluster) -> Iterator[str]:
    """A name for this test's jobs, which are cancelled in the end."""
    name = f"once-{secrets.token_hex(4)}"
    yield name
    lab.run("scancel", f"--name={name}")


def submit(api: Api, name: str, key: str, user: str = "ada", **input: Any) -> dict[str, Any]:
    input = {"script": {"text": SCRIPT}, "hold": True, "name": name, "idempotencyKey": key, **input}
    payload: dict[str, Any] = api.data(SUBMIT, {"input": input}, user=user)["submitJob"]
    return payload


def jobs_named(cluster: Cluster, name: str) -> list[str]:
    return sorted(cluster.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i").stdout.split(), key=int)


def test_the_same_key_and_input_give_the_same_job(api: Api, lab: Cluster, name: str) -> None:
    first, second = submit(api, name, name), submit(api, name, name)
    assert first["errors"] == []
    assert second == first
    assert jobs_named(lab, name) == [first["job"]["jobId"]]


def test_ten_at_once_give_one_job(api: Api, lab: Cluster, name: str) -> None:
    def submit_once(_: int) -> str:
        asyncio.set_event_loop(asyncio.new_event_loop())  # Lambda has one; here each thread has
        try:
            id: str = submit(api, name, name)["job"]["jobId"]
        finally:
            asyncio.get_event_loop().close()
        return id

    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(submit_once, range(10)))
    assert jobs_named(lab, name) == sorted(ids)
    assert len(ids) == 1


def test_without_a_key_each_submission_is_a_job(api: Api, lab: Cluster, name: str) -> None:
    for _ in range(2):
        api.data(SUBMIT, {"input": {"script": {"text": SCRIPT}, "hold": True, "name": name}})
    assert len(jobs_named(lab, name)) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"script": {"text": SCRIPT + "# more\n"}},
        {"comment": "more"},
        {"environment": [{"name": "MORE", "value": "1"}]},
        {"hold": False, "beginTime": "2033-05-18T03:33:20Z"},
    ],
)
def test_the_same_key_with_other_input_is_a_conflict(api: Api, lab: Cluster, name: str, other: dict[str, Any]) -> None:
    first = submit(api, name, name)
    second = submit(api, name, name, **other)
    assert second["job"] is None
    assert [(error["code"], error["field"]) for error in second["errors"]] == [
        ("CONFLICT", ["input", "idempotencyKey"])
    ]
    assert jobs_named(lab, name) == [first["job"]["jobId"]]


def test_keys_are_the_users_own(api: Api, lab: Cluster, name: str) -> None:
    mine, theirs = submit(api, name, name), submit(api, name, name, user="grace")
    assert jobs_named(lab, name) == sorted([mine["job"]["jobId"], theirs["job"]["jobId"]], key=int)
    assert mine != theirs


def test_a_refused_submission_frees_its_key(api: Api, lab: Cluster, name: str) -> None:
    refused = submit(api, name, name, queue="nonesuch")
    assert [error["code"] for error in refused["errors"]] == ["REJECTED_BY_SCHEDULER"]
    second = submit(api, name, name)
    assert second["errors"] == []
    assert jobs_named(lab, name) == [second["job"]["jobId"]]


@pytest.mark.parametrize("key", ["../../../etc/passwd", "a/b", "\n", "'; touch /tmp/x", "é" * 120, "-"])
def test_a_key_may_be_any_text(api: Api, lab: Cluster, name: str, key: str) -> None:
    key += name[-4:]
    assert submit(api, name, key) == submit(api, name, key)
    assert len(jobs_named(lab, name)) == 1


@pytest.fixture
def program(lab: Cluster, name: str) -> Program:
    return Program(lab, name)


def test_killed_before_sbatch_asked_a_retry_submits(lab: Cluster, program: Program, name: str) -> None:
    program.sbatch("sleep 60", 'exec "$real" "$@"')
    lost = program.start()
    wait_until(program.started.exists)
    kill_all_of(lost)
    assert jobs_named(lab, name) == []
    job = program.run()["stdout"].strip()
    assert program.run()["stdout"].strip() == job
    assert jobs_named(lab, name) == [job]


def test_killed_after_sbatch_answered_a_retry_gives_its_job(lab: Cluster, program: Program, name: str) -> None:
    program.sbatch('"$real" "$@"', f"touch {program.ready}", "sleep 60")
    lost = program.start()
    wait_until(program.ready.exists)
    kill_all_of(lost)
    (job,) = jobs_named(lab, name)
    assert program.run()["stdout"] == job
    assert jobs_named(lab, name) == [job]


def test_killed_when_slurm_had_the_job_and_nobody_else_knew_a_retry_gives_it(
    lab: Cluster, program: Program, name: str
) -> None:
    program.sbatch('"$real" "$@" >/dev/null', f"touch {program.ready}", "sleep 60")
    lost = program.start()
    wait_until(program.ready.exists)
    kill_all_of(lost)
    (job,) = jobs_named(lab, name)
    assert program.run()["stdout"] == job
    assert jobs_named(lab, name) == [job]


def test_only_sbatch_killed_the_job_it_submitted_is_found(lab: Cluster, program: Program, name: str) -> None:
    program.sbatch('"$real" "$@" >/dev/null', "kill -KILL $$")
    answer = program.finish(program.start())
    assert jobs_named(lab, name) == [answer["stdout"]]


def test_only_sbatch_killed_before_it_asked_the_outcome_is_unknown(lab: Cluster, program: Program, name: str) -> None:
    program.sbatch("kill -KILL $$")
    assert program.finish(program.start())["code"] == "unknown"
    job = program.run()["stdout"].strip()
    assert jobs_named(lab, name) == [job]


def test_only_the_program_killed_a_retry_waits_for_the_sbatch_that_still_runs(
    lab: Cluster, program: Program, name: str
) -> None:
    program.sbatch(f"until [ -e {program.ready} ]; do sleep 0.05; done", 'exec "$real" "$@"')
    lost = program.start()
    wait_until(program.started.exists)
    os.kill(lost.pid, signal.SIGKILL)
    lost.communicate()
    retry = program.start()
    assert jobs_named(lab, name) == []
    program.ready.touch()
    job = program.finish(retry)["stdout"]
    assert jobs_named(lab, name) == [job]


def test_a_job_of_the_same_script_that_was_there_before_is_not_taken_for_the_lost_one(
    lab: Cluster, program: Program, name: str
) -> None:
    lab.run("sbatch", "--hold", f"--job-name={name}", user="ada", input=program.script)
    (other,) = jobs_named(lab, name)
    time.sleep(1.1)  # slurmctld's submit times are whole seconds
    program.sbatch("sleep 60")
    lost = program.start()
    wait_until(program.started.exists)
    kill_all_of(lost)
    job = program.run()["stdout"].strip()
    assert jobs_named(lab, name) == [other, job]


def test_an_answer_that_slurmctld_did_not_give_is_found_out(lab: Cluster, program: Program, name: str) -> None:
    lost = ['"$real" "$@" >/dev/null', "echo 'sbatch: error: Socket timed out on send/recv operation' >&2", "exit 1"]
    program.sbatch(*lost)
    reply = program.finish(program.start())
    (job,) = jobs_named(lab, name)
    assert reply["stdout"] == job


def test_a_question_that_slurmctld_never_took_is_unknown_and_a_retry_submits(
    lab: Cluster, program: Program, name: str
) -> None:
    program.sbatch("echo 'sbatch: error: Socket timed out on send/recv operation' >&2", "exit 1")
    reply = program.finish(program.start())
    assert reply["code"] == "unknown"
    assert "retry with the same key" in reply["refusal"]
    job = program.run()["stdout"].strip()
    assert jobs_named(lab, name) == [job]


def test_claims_are_closed_to_everyone_but_root(lab: Cluster, program: Program) -> None:
    program.run()
    (folder,) = program.state.iterdir()
    (claim,) = folder.iterdir()
    for path in (folder, claim):
        assert path.stat().st_uid == 0
        assert path.stat().st_mode & 0o077 == 0
