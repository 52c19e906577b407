"""The program's modules become one text that Python 3.6 can run."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from headnode.joining import PACKAGE, JoinError, joined

MODULES = sorted(path for path in PACKAGE.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_imports_alone_and_is_in_the_text(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    importlib.import_module(f"headnode.program.{path.stem}")
    assert joined().count(f"# headnode/program/{path.name}") == 1


def test_joining_twice_gives_the_same_text() -> None:
    again = "from headnode.joining import joined; print(joined(), end='')"
    for seed in ("0", "1"):
        result = subprocess.run(
            [sys.executable, "-c", again],
            env={"PYTHONHASHSEED": seed},
            cwd=PACKAGE.parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout == joined()


def compiled_later(text: str) -> str:
    """The modules that are in the text as a string."""
    (value,) = [each.value for each in ast.parse(text).body if isinstance(each, ast.Assign) and is_later(each)]
    (later,) = ast.literal_eval(value)
    return str(later)


def is_later(statement: ast.stmt) -> bool:
    """Whether the joining itself made the statement."""
    return (isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "LATER") or (
        isinstance(statement, ast.FunctionDef) and statement.name == "later"
    )


class ImportsLater(ast.NodeTransformer):
    """Puts what joining puts in the place of the imports inside functions."""

    def visit_ImportFrom(self, statement: ast.ImportFrom) -> ast.stmt:
        is_ours = (statement.module or "").startswith("headnode.program.")
        return ast.parse("later()").body[0] if is_ours else statement


def code(text: str) -> list[str]:
    """The statements of a text but its imports, without docstrings, in an order of their own."""
    tree = ast.parse(text)
    tree.body = [each for each in tree.body if not isinstance(each, ast.Import | ast.ImportFrom) and not is_later(each)]
    for part in ast.walk(tree):
        if isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part) is not None:
            del part.body[0]
    return sorted(ast.dump(ImportsLater().visit(each)) for each in tree.body)


def test_the_text_has_the_code_of_all_modules_and_nothing_else() -> None:
    text = joined()
    both = sorted(code(text) + code(compiled_later(text)))
    assert both == sorted(statement for path in MODULES for statement in code(path.read_text()))


def test_only_a_request_that_needs_it_compiles_how_jobs_are_submitted_and_files_are_read() -> None:
    """Compiling is a good part of the program's start, and nearly all requests only look at the cluster."""
    text = joined()
    assert "def submit_once(" in compiled_later(text)
    assert "class Reading(" in compiled_later(text)
    assert len(compiled_later(text)) > 0.4 * len(text)


def package(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(f'"""About {name}."""\n\n{text}')
    return folder


def run(text: str) -> str:
    return subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True, check=True).stdout


def test_what_is_imported_stands_before_what_imports_it(tmp_path: Path) -> None:
    text = joined(
        package(
            tmp_path,
            main="import os\n\nfrom headnode.program.two import (\n    TWO,\n)\n\nprint(TWO, os.sep)\n",
            two="import json\nimport os\n\nfrom headnode.program.one import ONE\n\nTWO = json.dumps([ONE, os.sep])\n",
            one='from typing import Dict\n\nONE: "Dict[str, int]" = {}\n',
        )
    )
    assert text.splitlines() == [
        "import json",
        "import os",
        "# headnode/program/one.py",
        'ONE: "Dict[str, int]" = {}',
        "# headnode/program/two.py",
        "TWO = json.dumps([ONE, os.sep])",
        "# headnode/program/main.py",
        "print(TWO, os.sep)",
    ]
    assert run(text) == '[{}, "/"] /\n'


def test_what_is_imported_in_functions_is_compiled_once_when_it_is_needed(tmp_path: Path) -> None:
    in_function = "    from headnode.program.{0} import {1}\n\n    return {1}\n"
    text = joined(
        package(
            tmp_path,
            main="from headnode.program.one import ONE\n\n"
            f"def two() -> int:\n{in_function.format('two', 'TWO')}\n"
            f"def three() -> int:\n{in_function.format('three', 'THREE')}\n"
            'print("main")\nprint(ONE, two(), three(), two())\n',
            one="ONE = 1\n",
            two='from headnode.program.one import ONE\n\nprint("later")\nTWO = ONE + 1\n',
            three=f"def two_again() -> int:\n{in_function.format('two', 'TWO')}\nTHREE = two_again() + 1\n",
        )
    )
    assert "TWO =" in compiled_later(text)
    assert run(text) == "main\nlater\n1 2 3 2\n"


@pytest.mark.parametrize(
    ("main", "words"),
    [
        ("from os import path\n", "import the module instead"),
        ("from headnode import deadline\n", "import the module instead"),
        ("import os as system\n", "as another name"),
        ("from headnode.program.one import ONE as other\n", "as another name"),
        ("def main() -> None:\n    from headnode.program.one import ONE as other\n", "as another name"),
        ("from headnode.program.one import ONE\n\ndef helped() -> None: ...\n", "more than one module has helped"),
        ("from headnode.program.one import ONE\n\nTABLE: dict[str, int] = {}\n", "more than one module has TABLE"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, main: str, words: str) -> None:
    with pytest.raises(JoinError, match=words):
        joined(package(tmp_path, main=main, one="ONE = 1\nTABLE: list[int] = []\n\ndef helped() -> None: ...\n"))
