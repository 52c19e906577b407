"""The SSM document: what it lets through, and that its script finds a Python and runs the program."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from headnode import document
from headnode.joining import joined
from slurm.operations import OPERATIONS

PATTERN = document.content()["parameters"]["request"]["allowedPattern"]
SETTINGS = {"reader": "nobody", "path": "/usr/bin:/bin"}


def packed(request: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode(), mtime=0)).decode()


def run(request: str, path: str, settings: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the document's script as the agent does, the parameter put in its place."""
    script = "\n".join(document.content(settings)["mainSteps"][0]["inputs"]["runCommand"])
    filled = script.replace("{{ request }}", request)
    return subprocess.run(
        ["/bin/sh", "-c", filled], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60
    )


def answer(printed: str) -> dict[str, Any]:
    unpacked: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(printed)))
    return unpacked


NOTHING: dict[str, Any] = {"expires": time.time() + 3600, "user": None, "administer": False, "put": None, "steps": []}


def test_ssm_accepts_the_document() -> None:
    content = document.content()
    assert content["schemaVersion"] == "2.2"
    assert list(content["parameters"]) == [document.PARAMETER]
    assert len(json.dumps(content)) < 64 * 1024  # SSM's limit for a document's content
    # ... and for the document with its parameters.
    assert len(json.dumps(content)) + document.REQUEST_LIMIT < 100_000


@pytest.mark.parametrize(
    "text", ["a;id", "$(id)", "`id`", "a b", "a\nEND_OF_REQUEST\nid", "a\n", "", "é", "'", '"', "a/b+c"]
)
def test_the_parameters_pattern_lets_no_shell_syntax_through(text: str) -> None:
    assert re.match(PATTERN.replace("$", r"\Z"), text) is None


def test_every_request_gets_through() -> None:
    body = packed(NOTHING | {"put": "".join(map(chr, range(0x250)))})
    assert re.match(PATTERN, body)


def test_the_document_carries_the_program_and_its_operations_as_they_stand_in_the_tree() -> None:
    script = "\n".join(document.content()["mainSteps"][0]["inputs"]["runCommand"])
    program, table = [zlib.decompress(base64.b64decode(word)) for word in script.split() if len(word) > 2000]
    assert program.decode() == joined()
    assert json.loads(table) == {operation.name: operation.as_data() for operation in OPERATIONS}


def test_the_script_runs_the_program() -> None:
    started = time.time()
    result = run(packed(NOTHING), path=os.environ["PATH"])
    assert (result.returncode, result.stderr) == (0, "")
    assert answer(result.stdout)["replies"] == []
    assert answer(result.stdout)["started"] >= started


def test_the_program_gets_the_deployments_settings() -> None:
    request = NOTHING | {"user": "daemon", "steps": [[{"operation": "account", "arguments": ["daemon"]}]]}
    denied = answer(run(packed(request), os.environ["PATH"]).stdout)["replies"]
    allowed = answer(run(packed(request), os.environ["PATH"], {"lowest_uid": 2000}).stdout)["replies"]
    assert denied == [{"refusal": "slurmql does not act as the account 'daemon'", "code": "forbidden"}]
    assert allowed == denied
    named = answer(run(packed(request), os.environ["PATH"], {"lowest_uid": 1, "denied": []}).stdout)["replies"]
    assert named == [{"refusal": "the account 'daemon' may not log in", "code": "forbidden"}]


def test_a_settings_text_with_quotes_stays_one_word(tmp_path: Path) -> None:
    result = run(packed(NOTHING), os.environ["PATH"], {"state": f'it\'s $(touch {tmp_path}/run) "here"'})
    assert (result.returncode, answer(result.stdout)["replies"]) == (0, [])
    assert not (tmp_path / "run").exists()


def test_the_first_python_on_the_path_is_taken(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    assert answer(run(packed(NOTHING), str(tmp_path)).stdout)["replies"] == []


def test_the_environment_and_the_users_site_do_not_reach_the_program(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)\n")
    script = "\n".join(document.content()["mainSteps"][0]["inputs"]["runCommand"])
    filled = script.replace("{{ request }}", packed(NOTHING))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "json.py")}
    result = subprocess.run(
        ["/bin/sh", "-c", filled], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(
    Path("/usr/libexec/platform-python").exists() or Path("/opt/parallelcluster").exists(),
    reason="this machine has a Python off the PATH",
)
def test_a_node_without_python_says_so(tmp_path: Path) -> None:
    result = run(packed(NOTHING), str(tmp_path))
    assert result.returncode == 127
    assert result.stderr == "slurmql: nothing was run: the head node has no Python 3\n"


@pytest.mark.parametrize("request_text", ["AAAA", packed({"get": "http://example.invalid/x", "sha256": "0"})])
def test_an_unreadable_request_gets_an_answer(request_text: str) -> None:
    result = run(request_text, os.environ["PATH"])
    assert result.returncode == 0
    assert answer(result.stdout)["error"].startswith("the request cannot be read: ")


def test_a_request_that_comes_too_late_is_not_run() -> None:
    result = run(packed(NOTHING | {"expires": time.time() - 1}), os.environ["PATH"])
    found = answer(result.stdout)
    assert abs(found.pop("started") - time.time()) < 60
    assert found == {"error": "the request came too late", "expired": True}
