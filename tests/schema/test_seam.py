"""A slip between schema/ and resolvers/ fails in `make lint`: by mypy, or by `python -m schema --check`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
PACKAGES = ("access", "headnode", "resolvers", "schema", "slurm")
RESERVED = "\n    @reads(datasets.NODES)\n    def reserved_nodes(self) -> list[str]:\n        return []\n"


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    shutil.copytree(TREE / "docs", tmp_path / "docs")
    for package in PACKAGES:
        shutil.copytree(TREE / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def plant(tree: Path, file: str, right: str, wrong: str) -> None:
    text = (tree / file).read_text()
    assert text.count(right) == 1, f"{file} has {right!r} {text.count(right)} times"
    (tree / file).write_text(text.replace(right, wrong))


def run(tree: Path, *command: str) -> tuple[int, str]:
    """A command in the tree; its exit code and what it printed."""
    ended = subprocess.run([sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_mypy_finds_a_missing_attribute_and_a_payload_that_was_renamed_on_one_side(
    copied_tree: Path,
) -> None:
    plant(copied_tree, "resolvers/cluster.py", "for queue in self.queues()", "for queue in self.queuess()")
    plant(copied_tree, "schema/step.py", "await job.accounted()", "await job.accountedd()")
    plant(copied_tree, "resolvers/administration.py", "    queue: Queue | None", "    queues: Queue | None")
    code, said = run(copied_tree, "mypy", "--follow-imports=silent", "resolvers", "schema/step.py")
    assert code == 1
    assert '"Cluster" has no attribute "queuess"' in said
    assert '"Job" has no attribute "accountedd"' in said
    assert 'Unexpected keyword argument "queue" for "UpdateQueuePayload"' in said


PLANTED = {
    "a line of the schema that no resolver answers": (
        "schema/cluster.py",
        "    queues: list[Queue]",
        "    queuess: list[Queue]",
        "resolvers.cluster.Cluster has no queuess",
    ),
    "a resolver that was renamed": (
        "resolvers/cluster.py",
        "    def queues(self)",
        "    def queuess(self)",
        "resolvers.cluster.Cluster has no queues",
    ),
    "a payload's field that was renamed": (
        "resolvers/administration.py",
        "    nodes: Sequence[Node] = described",
        "    changed: Sequence[Node] = described",
        "schema.graphql is stale",
    ),
    "a need for a field that does not exist": (
        "resolvers/node.py",
        "\n        return self.cluster.jobs_by_node.get(self.name, [])\n",
        "\n        return self.cluster.jobs_by_node.get(self.name, [])\n" + RESERVED,
        "resolvers.node.Node.reserved_nodes declares what it reads, but no field of the schema is made from it.",
    ),
    "a field that cannot be null, and is": (
        "schema/cluster.py",
        "    queue: Queue | None",
        "    queue: Queue",
        "Cluster.queue is Queue! in the schema, but resolvers.cluster.Cluster.queue returns Queue | None.",
    ),
    "a field of another type": (
        "schema/node.py",
        "    queues: list[QueueLink]",
        "    queues: list[ClusterLink]",
        "Node.queues is [Cluster!]! in the schema, but resolvers.node.Node.queues returns list[Queue].",
    ),
    "a description": ("slurm/squeue.py", "about=\"The job's name", 'about="The name', "reference.md is stale"),
    "an error code's sentence": ("headnode/error_codes.py", '"Sign in."', '"Log in."', "errors.md is stale"),
}


@pytest.mark.parametrize(("file", "right", "wrong", "said"), PLANTED.values(), ids=PLANTED)
def test_the_check_finds_what_does_not_fit(copied_tree: Path, file: str, right: str, wrong: str, said: str) -> None:
    plant(copied_tree, file, right, wrong)
    code, printed = run(copied_tree, "schema", "--check")
    assert code == 1
    assert said in printed


def test_the_check_is_content_with_what_is_there_and_runs_in_make_lint(copied_tree: Path) -> None:
    assert run(copied_tree, "schema", "--check") == (0, "")
    (lint,) = [part for part in (TREE / "Makefile").read_text().split("\n\n") if part.startswith("lint:")]
    assert "$(BIN)/python -m schema --check" in lint
