"""slurmctld no longer knows a key's job: the job ended and was purged, or slurmctld was killed and lost it.

A key never gives another job, and never runs a job twice.
"""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from another_cluster import conf, purging
from head_node_program import Program, kill_all_of, wait_until

from conftest import Api
from local.cluster import Cluster
from local.cluster.relay import Loss, Relay
from local.stack import Stack

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def name() -> str:
    return f"gone-{secrets.token_hex(4)}"


@pytest.fixture
def annex(stack: Stack, name: str) -> Iterator[Cluster]:
    """A cluster without accounting."""
    annex = stack.clusters["annex"]
    yield annex
    annex.run("scancel", f"--name={name}")


@pytest.fixture
def program(annex: Cluster, name: str) -> Program:
    return Program(annex, name)


@contextmanager
def losing_state(cluster: Cluster) -> Iterator[None]:
    """slurmctld is killed (SIGKILL) before it saves what happens here, and started again."""
    found = re.search(r"(?m)^StateSaveLocation=(.+)$", conf(cluster).read_text())
    assert found
    state = Path(found[1])
    time.sleep(6)  # slurmctld saves its state within five seconds
    saved = state.with_name(f"{state.name}-{secrets.token_hex(4)}")
    subprocess.run(["cp", "-a", state, saved], check=True)
    yield
    cluster.kill_controller()
    shutil.rmtree(state)
    saved.rename(state)
    cluster.start_controller()


def is_forgotten(program: Program, job: str) -> bool:
    return program.cluster.run("squeue", "-h", "-t", "all", "-j", job, check=False).stdout == ""


def runs(program: Program) -> int:
    """How often the job ran."""
    return len(program.folder.joinpath("runs").read_text().split())


def short(program: Program) -> None:
    """Let the program submit a job that ends at once, and says so."""
    program.options = {}
    program.script = f"#!/bin/sh\necho ran >> {program.folder}/runs\n"


def test_an_id_that_slurm_used_again_is_not_the_keys_job(program: Program) -> None:
    with losing_state(program.cluster):
        lost = program.submit("first")["stdout"]
    other = program.submit("second")["stdout"]
    assert other == lost
    again = program.submit("first")["stdout"]
    assert again != other
    assert program.jobs() == sorted([other, again], key=int)
    assert program.submit("first")["stdout"] == again
    assert program.submit("second")["stdout"] == other


def test_a_job_that_slurm_lost_is_submitted_again(program: Program) -> None:
    with losing_state(program.cluster):
        program.submit()
    assert program.jobs() == []
    job = program.submit()["stdout"]
    assert program.jobs() == [job]
    assert program.submit()["stdout"] == job


def test_a_purged_job_is_still_the_keys_job(program: Program) -> None:
    short(program)
    with purging(program.cluster):
        first = program.submit()
        wait_until(lambda: is_forgotten(program, first["stdout"]))
        retry = program.submit()
        assert (retry["exit_code"], retry["stdout"], retry["forgotten"]) == (0, first["stdout"], True)
        assert program.submit()["stdout"] == first["stdout"]
    assert runs(program) == 1


def test_a_purged_job_that_nobody_knows_the_id_of_does_not_run_twice(program: Program) -> None:
    short(program)
    with purging(program.cluster):
        submit_and_lose_everything(program)
        wait_until(lambda: program.jobs() == [])
        assert program.submit()["code"] == "unknown"
    assert runs(program) == 1


def test_accounting_knows_a_purged_job_that_nobody_else_knows_the_id_of(lab: Cluster, name: str) -> None:
    program = Program(lab, name)
    short(program)
    with purging(lab):
        submit_and_lose_everything(program)
        (job,) = program.jobs()
        wait_until(lambda: program.jobs() == [])
        retry = program.submit()
        if lab.programs.slurm_version() < (21, 8):  # accounting has no SubmitLine, which has the key
            assert retry["code"] == "unknown"
        else:
            assert (retry["exit_code"], retry["stdout"], retry["forgotten"]) == (0, job, True)
    assert runs(program) == 1


def test_a_job_that_ended_before_slurm_lost_it_does_not_run_twice_where_accounting_knows_it(
    lab: Cluster, name: str
) -> None:
    program = Program(lab, name)
    short(program)
    with losing_state(lab):
        job = program.submit()["stdout"]
        wait_until(lambda: lab.run("sacct", "-n", "-X", "-P", "-j", job, "-o", "State").stdout == "COMPLETED\n")
    assert program.jobs() == []
    assert program.submit()["stdout"] == job
    assert runs(program) == 1


def submit_and_lose_everything(program: Program) -> None:
    """The job runs, and both the program and sbatch die before they have its id."""
    with Relay(conf(program.cluster), conf(program.cluster).with_name(f"relayed-{program.name}.conf")) as relay:
        program.slurm_conf = relay.slurm_conf
        relay.loss = Loss.SILENT
        process = program.start()
        wait_until(lambda: relay.lost == 1)
        wait_until((program.folder / "runs").exists)
        kill_all_of(process)
    program.slurm_conf = None


def test_the_payload_of_a_purged_job_has_its_id(api: Api, annex: Cluster, name: str) -> None:
    document = """mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
      id job { id } idempotencyKey warnings errors { code } } }"""
    input = {"cluster": "annex", "script": {"text": "#!/bin/sh\ntrue\n"}, "name": name, "idempotencyKey": name}
    with purging(annex):
        first = api.data(document, {"input": input})["submitJob"]
        job = first["id"].removeprefix("annex:")
        wait_until(lambda: annex.run("squeue", "-h", "-t", "all", "-j", job, check=False).stdout == "")
        retry = api.data(document, {"input": input})["submitJob"]
    assert (retry["id"], retry["job"], retry["errors"]) == (first["id"], None, [])
    assert retry["idempotencyKey"] == name
    assert "no longer lists the job" in retry["warnings"][-1]
