"""The clients in this folder: generated, compiled strictly, and run against a real Slurm whose scheduler forgets soon.

`make test-clients` runs this; it needs the packages of npm and PyPI that the Makefile installs here.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_recipes import printed

from local import packages
from local.cluster import Cluster
from local.gateway import Gateway
from local.stack import Stack

HERE = Path(__file__).parent
SCHEMA = HERE.parent / "schema" / "schema.graphql"
FORGETS_AFTER = 150.0
"""Seconds after its end by which slurmctld has forgotten a job: MinJobAge, and its purge once a minute."""


@dataclass(frozen=True)
class World:
    """The API over `lab`, and `annex`, which keeps no accounts."""

    stack: Stack
    url: str

    @property
    def user(self) -> str:
        return self.stack.demo_user

    def cluster(self, name: str) -> Cluster:
        return self.stack.clusters[name]

    @property
    def variables(self) -> dict[str, str]:
        return {"SLURMQL_URL": self.url, "SLURMQL_USER": self.user}


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    packages.install(print, packages.ACCOUNTING)
    directory = Path(tempfile.mkdtemp(prefix="slurmql-", dir="/tmp"))
    directory.chmod(0o755)
    # Long enough for a client to follow a job's output to its end: Slurm 22.05's accounting does not know the file.
    forgetful = {"MinJobAge": "30"}
    try:
        clusters = [
            Cluster(directory / "lab", "lab", accounting=True, settings=forgetful),
            Cluster(directory / "annex", "annex", settings=forgetful),
        ]
        with Stack(directory, clusters) as stack, pytest.MonkeyPatch.context() as patch:
            for name, value in stack.environment.items():
                patch.setenv(name, value)
            from handler import handler

            with Gateway(handler, stack.demo_user) as gateway:
                yield World(stack, f"{gateway.url}/graphql")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(folder: Path, *argv: str, variables: Mapping[str, str] | None = None, fails: bool = False) -> str:
    """What the program prints; the test fails unless it ends as expected."""
    path = f"{folder}/node_modules/.bin:{folder}/.venv/bin:{os.environ['PATH']}:{HERE.parent}/.venv/bin"
    ended = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, "PATH": path, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (ended.returncode != 0) == fails, ended.stdout
    return ended.stdout


@dataclass(frozen=True)
class Client:
    """How to generate, compile and run one."""

    folder: Path
    generate: tuple[str, ...]
    compile: tuple[str, ...]
    test: Callable[[str], tuple[str, ...]]

    def run(self, suite: str, variables: Mapping[str, str]) -> None:
        """Run the tests of that name."""
        printed = run(self.folder, *self.test(suite), variables=variables)
        assert re.search(r"^(Ran|# pass) [1-9]", printed, re.MULTILINE), printed

    def copy(self, into: Path) -> "Client":
        """The same client in another folder, beside a copy of the documents and of the schema."""
        folder = into / "clients" / self.folder.name
        shutil.copytree(
            self.folder, folder, ignore=shutil.ignore_patterns("node_modules", ".venv", "build", "generated")
        )
        for installed in ("node_modules", ".venv"):
            if (self.folder / installed).exists():
                (folder / installed).symlink_to(self.folder / installed)
        shutil.copytree(HERE / "documents", into / "clients" / "documents")
        (into / "schema").mkdir()
        shutil.copy(SCHEMA, into / "schema")
        return Client(folder, self.generate, self.compile, self.test)


CLIENTS = {
    "typescript": Client(
        HERE / "typescript",
        ("graphql-codegen",),
        ("tsc",),
        lambda suite: (
            "node",
            "--test",
            "--test-reporter=tap",
            "--test-name-pattern",
            suite,
            "build/test/client.test.js",
        ),
    ),
    "python": Client(
        HERE / "python",
        ("python", "-m", "ariadne_codegen"),
        ("mypy",),
        lambda suite: ("python", "-m", "unittest", "-v", "-k", suite, "test_client"),
    ),
}


@pytest.fixture(scope="session", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """A client, generated from the schema of this tree and compiled."""
    client = CLIENTS[request.param]
    run(client.folder, *client.generate)
    run(client.folder, *client.compile)
    return client


@pytest.mark.timeout(600)
def test_each_document_does_what_it_says(client: Client, world: World) -> None:
    client.run("Documents", world.variables)


@pytest.mark.timeout(600)
def test_a_submission_whose_answer_is_lost_makes_one_job(client: Client, world: World) -> None:
    name = f"lost-{client.folder.name}"
    world.stack.ssm.faults.lose_response = 1
    before = len(world.stack.ssm.sends)
    client.run("lost", {**world.variables, "SLURMQL_JOB_NAME": name})
    assert world.stack.ssm.faults.lose_response == 0, "no answer was lost"
    assert len(world.stack.ssm.sends) >= before + 2, "the client did not submit again"
    jobs = world.cluster("lab").run("squeue", "--noheader", "--format=%i", f"--name={name}").stdout.split()
    assert len(jobs) == 1


@pytest.fixture(scope="session")
def forgotten(world: World) -> str:
    """The ids of jobs that ended with exit code 3 and that slurmctld has forgotten, one in each cluster."""
    ids = {}
    for name in ("lab", "annex"):
        argv = ["sbatch", "--parsable", "--constraint=static", "--output=/dev/null"]
        ids[name] = world.cluster(name).run(*argv, user=world.user, input="#!/bin/sh\nexit 3\n").stdout.strip()
    give_up = time.monotonic() + FORGETS_AFTER
    for name, id in ids.items():
        while world.cluster(name).run("squeue", "--noheader", "--states=all", f"--jobs={id}", check=False).stdout:
            assert time.monotonic() < give_up
            time.sleep(2)
    return " ".join(f"{name}:{id}" for name, id in ids.items())


@pytest.mark.timeout(600)
def test_waiting_for_a_job_that_the_scheduler_has_forgotten_ends(client: Client, world: World, forgotten: str) -> None:
    client.run("forgotten", {**world.variables, "SLURMQL_FORGOTTEN": forgotten})


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.timeout(600)
def test_a_field_that_is_renamed_in_the_schema_is_found(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name].copy(tmp_path)
    rename(tmp_path / "schema" / "schema.graphql")
    assert "exitCode" in run(client.folder, *client.generate, fails=True)
    for document in (tmp_path / "clients" / "documents").glob("*.graphql"):
        rename(document)
    run(client.folder, *client.generate)
    assert re.search("exit_?code", run(client.folder, *client.compile, fails=True), re.IGNORECASE)


@pytest.mark.parametrize(
    ("words", "program"), [('-H "Authorization: Bearer', ["bash", "-c"]), ("HTTPX", ["python", "-c"])]
)
def test_the_commands_for_a_token_work(words: str, program: list[str], world: World) -> None:
    path = f"{HERE}/python/.venv/bin:{os.environ['PATH']}"
    environment = {"PATH": path, "ENDPOINT": world.url, "TOKEN": world.user}
    ended = subprocess.run([*program, printed(words)], cwd=HERE.parent, env=environment, capture_output=True, text=True)
    assert re.search(r'"data":\{"job|\{\'jobs\': \{\'totalCount\'', ended.stdout), ended


CACHES = HERE / "caches"
COMPILERS = [
    ("relay-compiler",),
    ("gql.tada", "generate-output"),
    ("gql.tada", "check", "--tsconfig", "tsconfig.tada.json"),
]


@pytest.mark.timeout(900)
def test_relay_urql_apollo_and_gql_tada_work(world: World) -> None:
    for compiler in (*COMPILERS, ("tsc",)):
        run(CACHES, *compiler)
    run(CACHES, "babel", "build", "--out-dir", "build", "--plugins", "relay,@babel/plugin-transform-modules-commonjs")
    lab = world.cluster("lab")
    argv = ["sbatch", "--parsable", "--output=/dev/null", "--hold"]
    for options in ([], [], ["--array=1-3"], ["--dependency=singleton"]):
        lab.run(*argv, *options, user=world.user, input="#!/bin/sh\n")
    printed = run(
        CACHES,
        "node",
        "--conditions=development",
        "--test",
        "--test-reporter=tap",
        "build/test/caches.test.js",
        variables=world.variables,
    )
    assert re.search(r"^# pass 6$", printed, re.MULTILINE), printed


@pytest.mark.parametrize(("compiler"), COMPILERS[::2], ids=["Relay", "gql.tada"])
def test_relay_and_gql_tada_find_a_field_that_is_renamed(compiler: tuple[str, ...], tmp_path: Path) -> None:
    folder = Client(CACHES, (), (), lambda suite: ()).copy(tmp_path).folder
    rename(tmp_path / "schema" / "schema.graphql")
    if compiler[0] == "gql.tada":
        run(folder, *COMPILERS[1])
    assert "exitCode" in run(folder, *compiler, fails=True)


def rename(file: Path) -> None:
    file.write_text(file.read_text().replace("exitCode", "exitStatus"))
