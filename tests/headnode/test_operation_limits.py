"""What no list of operations can allow: the program refuses it whatever the document says.

Each test plants a list that allows too much.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from program_node import PRINT_ARGV, SCRIPT, Node, argv, packed

from slurm.operations import OPERATIONS
from slurm.squeue import SQUEUE

pytest_plugins = ["program_node"]

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
ANYTHING = r"(?s:.*)"
OPTIONS = ["uid", "gid", "name", "job-name", "-x", "", "a b", "chdir", "path", "offset", "limit", "test-only", "User"]


def allow(node: Node, name: str, *words: str, **parts: Any) -> None:
    """Plant one operation that takes anything. One of ours keeps its task."""
    anything = {
        "task": next((each.task.value for each in OPERATIONS if each.name == name), "run"),
        "options": dict.fromkeys(OPTIONS, ANYTHING),
        "environment": {ANYTHING: ANYTHING},
        "argument": ANYTHING,
        "argument_is_optional": True,
    }
    node.operations = json.dumps({name: {"words": words, **anything, **parts}})


@pytest.fixture
def marker(node: Node) -> Path:
    """A file that every command leaves behind."""
    path = node.folder / "users" / node.user / "was-run"
    for name in ("squeue", "sinfo", "sbatch", "scancel", "scontrol", "sh", "id"):
        node.command(name, f'[ "$*" = ping ] || touch {path}')
    return path


def refused(node: Node, **asked: Any) -> str:
    """The code of a refusal."""
    (reply,) = node.ask(asked, administer=True)
    assert "exit_code" not in reply, reply
    code: str = reply["code"]
    return code


def test_a_list_that_allows_much_is_followed(node: Node) -> None:
    allow(node, "look", "squeue")
    (reply,) = node.ask({"operation": "look", "options": {"name": "-x;\n"}, "arguments": ["anything"]})
    assert argv(reply) == ["--name=-x;\n", "anything"]


@pytest.mark.parametrize("argument", ["--uid=0", "-u", "-", "--", "a\0b", "\0"])
@pytest.mark.parametrize("name", ["look", "sbatch"])
def test_no_argument_is_an_option_or_holds_a_nul(node: Node, marker: Path, name: str, argument: str) -> None:
    allow(node, name, "sbatch" if name == "sbatch" else "squeue", runs_as="caller")
    assert refused(node, operation=name, arguments=[argument]) == "invalid"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("name", "a\0b"), ("uid", "0"), ("gid", "0"), ("-x", "1"), ("", "1"), ("a b", "1")]
)
@pytest.mark.parametrize("assigns", [True, False])
def test_no_option_is_another_or_holds_a_nul(node: Node, marker: Path, name: str, value: str, assigns: bool) -> None:
    for operation, command in (("look", "squeue"), ("sbatch", "sbatch")):
        allow(node, operation, command, assigns=assigns, runs_as="caller")
        script = SCRIPT if operation == "sbatch" else None
        assert refused(node, operation=operation, options={name: value}, stdin=script) == "invalid"
    assert not marker.exists()


@pytest.mark.parametrize(
    "variable", ["LD_PRELOAD", "LD_AUDIT", "SLURM_CONF", "SBATCH_UID", "SLURM_", "BASH_FUNC_x%%", "A=B", "", "A\0"]
)
def test_no_variable_is_an_option_of_sbatch_or_puts_code_into_it(node: Node, marker: Path, variable: str) -> None:
    allow(node, "sbatch", "sbatch", runs_as="caller")
    assert refused(node, operation="sbatch", stdin=SCRIPT, environment={variable: "x"}) == "invalid"
    assert refused(node, operation="sbatch", stdin=SCRIPT, environment={"A": "a\0b"}) == "invalid"
    assert not marker.exists()


@pytest.mark.parametrize("runs_as", ["reader", "caller", "administrator"])
@pytest.mark.parametrize(
    "variable",
    [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "SLURM_CONF",
        "SLURM_FORMAT",
        "SBATCH_FORMAT",
        "SQUEUE_USERS",
        "PATH",
        "IFS",
        "A",
    ],
)
def test_a_variable_of_all_other_commands_chooses_columns(
    node: Node, marker: Path, runs_as: str, variable: str
) -> None:
    allow(node, "look", "squeue", runs_as=runs_as)
    assert refused(node, operation="look", environment={variable: "x"}) == "invalid"
    assert not marker.exists()


@pytest.mark.parametrize("command", ["sh", "id", "/bin/sh", "../bin/sh", "sudo", "sbatch", "srun", "squeue\0", ""])
@pytest.mark.parametrize("runs_as", ["reader", "caller", "administrator"])
def test_only_slurms_commands_are_run(node: Node, marker: Path, command: str, runs_as: str) -> None:
    allow(node, "look", command, runs_as=runs_as)
    assert refused(node, operation="look") == "invalid"
    assert not marker.exists()


def test_only_sbatch_submits_and_only_as_the_caller(node: Node, marker: Path) -> None:
    for words in (["sh"], ["scontrol", "shutdown"], []):
        allow(node, "sbatch", *words)
        assert refused(node, operation="sbatch", stdin=SCRIPT) == "invalid"
    for runs_as in ("reader", "administrator"):
        allow(node, "sbatch", "sbatch", runs_as=runs_as)
        for user in (None, "root", "slurm", "nobody"):
            (reply,) = node.ask({"operation": "sbatch", "stdin": SCRIPT}, user=user, administer=True)
            assert reply["code"] == "forbidden"
    assert not marker.exists()


@pytest.mark.parametrize("runs_as", ["root", "slurm", "", None, 0])
def test_no_command_runs_as_another_account(node: Node, marker: Path, runs_as: Any) -> None:
    allow(node, "look", "squeue", runs_as=runs_as)
    assert refused(node, operation="look") == "invalid"
    assert not marker.exists()


@only_root
def test_a_read_runs_as_the_reader_and_a_change_never_as_a_denied_account(node: Node) -> None:
    node.command("squeue", "id -un")
    allow(node, "look", "squeue")
    assert node.ask({"operation": "look"}, user="root", administer=True)[0]["stdout"] == "nobody\n"
    allow(node, "look", "squeue", runs_as="caller")
    for user in ("root", "slurm", "nobody", "daemon"):
        assert node.ask({"operation": "look"}, user=user)[0]["code"] == "forbidden"


def test_administrative_operations_need_the_role(node: Node, marker: Path) -> None:
    allow(node, "look", "squeue", runs_as="administrator")
    for request in ({}, {"administer": False}):
        assert node.ask({"operation": "look"}, **request)[0]["code"] == "forbidden"
    assert not marker.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"limit": "1"},
        {"path": "relative", "limit": "1"},
        {"path": "/etc/hostname\0", "limit": "1"},
        {"path": "/etc/hostname", "limit": "-1"},
        {"path": "/etc/hostname", "limit": "1_0"},
        {"path": "/etc/hostname", "limit": "1" * 5000},
        {"path": "/etc/hostname", "limit": "1", "offset": "x"},
    ],
)
def test_a_file_is_read_by_its_whole_path_and_numbers(node: Node, options: dict[str, str]) -> None:
    allow(node, "read")
    assert refused(node, operation="read", options=options) == "invalid"


def test_a_file_is_not_read_by_the_number_of_a_job(node: Node) -> None:
    node.command("sbatch", "echo 17")
    reading = {"operation": "read", "options": {"path": "/etc/hostname", "limit": {"job_of": 0}}}
    steps = [[{"operation": "sbatch", "stdin": SCRIPT}], [reading]]
    replies = node.answer(packed({**node.request(), "steps": steps}))["replies"]
    assert (replies[0]["stdout"], replies[1]["code"]) == ("17", "invalid")


def test_a_read_takes_at_most_a_mebibyte(node: Node) -> None:
    large = node.folder / "users" / node.user / "large"
    large.write_bytes(bytes(3 << 20))
    allow(node, "read")
    (reply,) = node.ask({"operation": "read", "options": {"path": str(large), "limit": "9999999"}})
    assert len(re.sub(r"\s", "", reply["stdout"].partition("\n")[2])) == ((1 << 20) + 2) // 3 * 4


def test_a_request_cannot_bring_its_own_list(node: Node, marker: Path) -> None:
    table = {"shell": {"words": ["sh", "-c"], "argument": ANYTHING}}
    asked = {"operation": "shell", "arguments": ["id"], "words": ["sh"], "runs_as": "caller"}
    (reply,) = node.ask(asked, operations=table, settings={"denied": []}, OPERATIONS=table)
    assert reply == {"refusal": "unknown operation 'shell'", "code": "invalid"}
    assert not marker.exists()
    node.command("squeue", PRINT_ARGV)
    (reply,) = node.ask({"operation": "squeue", "words": ["sh"], "last_words": ["x"], "options": {}})
    assert argv(reply) == list(SQUEUE.words[1:])
