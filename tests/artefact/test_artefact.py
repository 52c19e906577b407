"""The built artefact as Lambda runs it: AWS's runtime client, no other library, dated 1980, on real Slurm."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from artefact import archive, bytecode
from artefact.__main__ import build
from artefact.target import Target
from conftest import event
from local.runtime import Sandbox, SandboxError, link_client
from local.stack import Stack

HERE = Target.here()
A_1980_DAY = 315_576_000
# What `python -v` prints for a module that it compiled. For a .pyc it prints the file's name in quotes.
COMPILED = re.compile(r"(?m)^# code object from ([^'\n]+\.py)$")


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artefact")
    build(folder / "built", HERE)
    return folder / "built.zip"


@pytest.fixture(scope="module")
def task(zipped: Path) -> Path:
    """The artefact as Lambda unpacks it."""
    folder = zipped.with_name("task")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    for path in folder.rglob("*"):
        os.utime(path, (A_1980_DAY, A_1980_DAY))
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with AWS's runtime client and nothing else, as /var/runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    link_client(folder)
    return folder


def sandbox(task: Path, runtime: Path, stack: Stack, *options: str, **variables: str) -> Sandbox:
    """A sandbox that finds only the artefact's libraries; its output is in `said(task)`."""
    return Sandbox(task, runtime, {**stack.environment, **variables}, task.with_name("said"), options)


def said(task: Path) -> str:
    return task.with_name("said").read_text(errors="replace")


def ask(running: Sandbox, document: str, **variables: Any) -> Any:
    response = running.invoke(event(json.dumps({"query": document, "variables": variables})))
    answer = json.loads(response["body"])
    assert "errors" not in answer, answer
    return answer["data"]


def compiled(task: Path) -> list[str]:
    """The artefact's modules that the process compiled."""
    return [path for path in COMPILED.findall(said(task)) if path.startswith(f"{task}/")]


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


SUBMIT = """mutation($script: String!) {
    submitJob(input: {script: {text: $script}, name: "packed"}) { job { id } errors { message } }
}"""
FIND = """query($id: ID!) {
    jobs(filter: {ids: [$id]}) { nodes { name queue { name } } }
    cluster { head { instanceId } }
}"""
CANCEL = "mutation($id: ID!) { cancelJobs(input: {jobs: {ids: [$id]}}) { errors { message } } }"


def test_the_artefact_serves_requests_and_compiles_nothing(task: Path, runtime: Path, stack: Stack) -> None:
    before = files(task)
    with sandbox(task, runtime, stack, "-v") as running:
        # Too large for SSM even when compressed: it goes through the bucket, by presigned URLs.
        script = f"#!/bin/bash\nsleep 60\n# {secrets.token_hex(100_000)}\n"
        submitted = ask(running, SUBMIT, script=script)["submitJob"]
        assert submitted["errors"] == []
        found = ask(running, FIND, id=submitted["job"]["id"])
        assert [job["name"] for job in found["jobs"]["nodes"]] == ["packed"]
        assert found["cluster"]["head"]["instanceId"].startswith("i-")
        assert ask(running, CANCEL, id=submitted["job"]["id"])["cancelJobs"]["errors"] == []
    assert f"code object from '{task}/__pycache__/handler." in said(task), "this would not see what is compiled"
    assert compiled(task) == []
    assert files(task) == before


@pytest.mark.timeout(900)  # it starts two clusters and runs dozens of tests, each with a limit of its own
def test_the_end_to_end_tests_pass_with_the_artefact(task: Path) -> None:
    modules = [
        f"tests/end_to_end/test_{name}.py" for name in ("one_command", "submitting", "job_output", "large_answers")
    ]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules]
    environment = {**os.environ, "SLURMQL_ARTEFACT": str(task)}
    result = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-5000:]


def test_a_module_without_bytecode_would_be_noticed(task: Path, runtime: Path, stack: Stack, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(task, tmp_path / "task"))
    (made,) = (copy / "slurm" / "__pycache__").glob("squeue.*.pyc")
    made.unlink()
    with sandbox(copy, runtime, stack, "-v") as running:
        ask(running, "{ __typename }")
    assert compiled(copy) == [f"{copy}/slurm/squeue.py"]


def test_graphiql_is_in_the_artefact(task: Path) -> None:
    page = (task / "web" / "dist" / "index.html").read_text()
    assert all((task / "web" / "dist" / name).is_file() for name in re.findall(r'="graphiql/([^"]+)"', page))


def test_a_handler_that_cannot_start_says_why(task: Path, runtime: Path, stack: Stack) -> None:
    with (
        sandbox(task, runtime, stack, SLURMQL_CLUSTERS="{") as running,
        pytest.raises(SandboxError, match="SLURMQL_CLUSTERS must be JSON"),
    ):
        running.invoke(event("{}"))


def test_the_same_content_makes_the_same_bytes(zipped: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(zipped.with_suffix(""), tmp_path / "elsewhere"))
    for bytecode_file in again.rglob("*.pyc"):
        bytecode_file.unlink()
    python = HERE.interpreter()
    assert python
    bytecode.compile_all(again, python)
    archive.pack(again, tmp_path / "elsewhere.zip")
    assert (tmp_path / "elsewhere.zip").read_bytes() == zipped.read_bytes()
