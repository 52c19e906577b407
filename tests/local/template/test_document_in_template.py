"""The SSM document in template.yaml: the tree's own, with settings that the deployment chooses."""

import base64
import json
import re
import shlex
import zlib
from pathlib import Path
from typing import Any

import pytest

from headnode import document
from headnode.program.settings import SETTINGS
from local.template import TEMPLATE, Deployment, read
from local.template.document import MarkerError, embedded, write

HOST = "https://slurmql.s3.eu-west-1.amazonaws.com/"
"""What the function presigns begins so: tests/headnode/test_storage.py."""


def deployed_content(**parameters: str) -> dict[str, Any]:
    names = {"Bucket": "slurmql", "AWS::Region": "eu-west-1", "AWS::URLSuffix": "amazonaws.com"}
    document_resource = Deployment(read(), {"ClusterNames": "lab", **parameters}, names, {}).resource("Document")
    assert document_resource is not None
    content: dict[str, Any] = document_resource["Content"]
    return content


def unpacked(content: dict[str, Any]) -> str:
    """The content with the program and its operations in plain text: zlib packs differently in each build."""

    def plain(match: re.Match[str]) -> str:
        return zlib.decompress(base64.b64decode(match[0])).decode()

    return re.sub(r"[A-Za-z0-9+/=]{2000,}", plain, json.dumps(content))


def settings(content: dict[str, Any]) -> dict[str, Any]:
    """The program's settings, found as the shell on the head node finds them."""
    script = "\n".join(content["mainSteps"][0]["inputs"]["runCommand"])
    command = script[script.index("exec ") :].partition(" <<")[0]
    told: dict[str, Any] = json.loads(shlex.split(command)[-1])
    return told


def test_the_template_carries_the_document_of_the_tree() -> None:
    denied = [*SETTINGS["denied"], "admin", "centos", "ec2-user", "rocky", "ubuntu"]
    of_the_tree = document.content({"reader": "nobody", "denied": denied, "bucket": [HOST]})
    assert unpacked(deployed_content()) == unpacked(of_the_tree), (
        "headnode/program/, document.py or an operation of slurm/ has changed: run `make template`"
    )


def test_a_deployment_chooses_the_reader_and_further_denied_accounts() -> None:
    told = settings(deployed_content(Reader="slurm", DeniedAccounts="guest,kiosk"))
    assert told == {"reader": "slurm", "denied": [*SETTINGS["denied"], "guest", "kiosk"], "bucket": [HOST]}


def test_more_denied_accounts_keep_the_programs_own() -> None:
    told = settings(deployed_content(DeniedAccounts=""))
    assert [account for account in told["denied"] if account] == SETTINGS["denied"]


def test_a_changed_document_is_written_once(tmp_path: Path) -> None:
    copy = tmp_path / "template.yaml"
    text = embedded(TEMPLATE.read_text())
    copy.write_text(text.replace('schemaVersion: "2.2"', 'schemaVersion: "2.0"'))
    assert (write(copy), write(copy)) == (True, False)
    assert copy.read_text() == text


@pytest.mark.parametrize("text", ["", "# begin of the document\n", "# end of the document\n# end of the document\n"])
def test_a_template_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(MarkerError):
        embedded(text)
