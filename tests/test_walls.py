"""The walls between the folders: who may import whom. The contracts stand in pyproject.toml, for import-linter."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]
PACKAGES = ("access", "artefact", "bench", "headnode", "local", "resolvers", "schema", "slurm", "transport")
LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))


def broken_contracts(tree: Path) -> list[str]:
    """The names of the contracts that import-linter finds broken."""
    # It wraps its lines to the terminal's width.
    command = [LINT_IMPORTS, "--no-cache", "--no-logo"]
    result = subprocess.run(
        command, cwd=tree, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False
    )
    verdicts = re.findall(r"(?m)^(.+) (KEPT|BROKEN)(?: \(.*\))?$", result.stdout)
    assert len(verdicts) == len(WALLS), result.stdout + result.stderr
    broken = [name for name, verdict in verdicts if verdict == "BROKEN"]
    assert (result.returncode != 0) == bool(broken)
    return broken


WALLS = {
    "A request walks one way": ("headnode/deadline.py", "from access import role"),
    "What runs in the Lambda knows nothing of local/": ("resolvers/plan.py", "from local import packages"),
    "schema/ does no I/O": ("schema/page.py", "import headnode.settings"),
    "Only headnode/ and local/ import boto3": ("resolvers/plan.py", "import boto3"),
    "headnode/ and access/ know no": ("headnode/settings.py", "from graphql import GraphQLError"),
    "resolvers/ know graphql-core": ("resolvers/errors.py", "import strawberry"),
    "slurm/ builds and parses text": ("slurm/text.py", "import subprocess"),
}
"""The beginning of each contract's name, and one import that it forbids: a file, a line."""


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(TREE / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_wall_stands() -> None:
    assert broken_contracts(TREE) == []


@pytest.mark.parametrize("wall", WALLS)
def test_a_forbidden_import_is_caught(wall: str, copied_tree: Path) -> None:
    file, line = WALLS[wall]
    with (copied_tree / file).open("a") as module:
        module.write(f"\n{line}\n")
    (broken,) = broken_contracts(copied_tree)
    assert broken.startswith(wall)


def test_the_handler_imports_downward_only() -> None:
    imported = imports((TREE / "handler.py").read_text())
    assert {"schema", "resolvers", "headnode", "access", "transport"} >= imported & {*PACKAGES, "tests"}
    assert not imported & {"boto3", "botocore"}


def imports(source: str) -> set[str]:
    """The top-level packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
