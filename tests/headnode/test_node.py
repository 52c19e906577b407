"""Commands to a head node whose answer is not what it should be."""

import base64
import gzip
import json
import re
import secrets
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ResponseTooLargeError,
)
from headnode.node import Bundle, HeadNode
from headnode.settings import ClusterSettings, Settings
from local.aws import CREDENTIALS, REGION
from local.ssm import Endpoint, Instance
from local.stack import Stack
from slurm.command import Command
from slurm.job_action import HOLD
from slurm.sbatch import SBATCH
from slurm.squeue import SQUEUE

NODE = "i-0123456789abcdef0"


@pytest.fixture
def head_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], HeadNode]]:
    """A head node whose document prints what the test wants."""
    with Endpoint([Instance(NODE, tmp_path / "node")], directory=tmp_path) as endpoint:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_SSM": endpoint.url}.items():
            monkeypatch.setenv(name, value)

        def that_prints(text: str) -> HeadNode:
            step = {
                "action": "aws:runShellScript",
                "name": "x",
                "inputs": {"runCommand": [f"echo {shlex.quote(text)}"]},
            }
            parameters = {"request": {"type": "String", "description": "unread"}}
            content = {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": [step]}
            Clients().ssm.create_document(Name="broken", Content=json.dumps(content), DocumentType="Command")
            cluster = ClusterSettings("lab", "lab", NODE)
            settings = Settings({"lab": cluster}, "lab", "broken", first_look=0.01, look_interval=0.02)
            return HeadNode(Clients(), cluster, settings)

        yield that_prints


def packed(answer: dict[str, Any]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(answer).encode(), mtime=0)).decode()


@pytest.mark.parametrize(
    ("printed", "error"),
    [
        ("", ClusterUnreachableError),
        ("hello", ClusterUnreachableError),
        ("aGVsbG8=", ClusterUnreachableError),
        ("Traceback (most recent call last): é", ClusterUnreachableError),
        (packed({"replies": []})[:20], ClusterUnreachableError),
        (packed({"replies": []})[:16] + "AAAA" * 8, ClusterUnreachableError),
        (packed({"error": "the answer of 99999 bytes needs a bucket, and none is configured"}), ResponseTooLargeError),
    ],
)
def test_an_answer_that_is_lost_on_the_way_fails_a_read_and_leaves_a_change_unknown(
    printed: str, error: type[HeadNodeError], head_node: Callable[[str], HeadNode]
) -> None:
    """The command ran; whatever it changed is changed."""
    node = head_node(printed)
    with pytest.raises(error):
        node.run(Bundle([[Command(SQUEUE)]]), Deadline.after(60), "test")
    with pytest.raises(OutcomeUnknownError):
        node.run(Bundle([[Command(HOLD, arguments=("1",))]], changes=True), Deadline.after(60), "test")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": "the request cannot be read: it has no steps", "unread": True}, ClusterUnreachableError),
        ({"error": "the request came too late", "expired": True}, DeadlineError),
    ],
)
@pytest.mark.parametrize("changes", [False, True])
def test_a_request_that_the_head_node_refuses_is_reported_with_its_reason(
    answer: dict[str, Any],
    error: type[HeadNodeError],
    changes: bool,
    head_node: Callable[[str], HeadNode],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing ran, so the change was certainly not made."""
    monkeypatch.setattr("headnode.node._LATE", 60.0)  # our clock calls the request late too
    with pytest.raises(error) as caught:
        head_node(packed(answer)).run(Bundle([[Command(SQUEUE)]], changes=changes), Deadline.after(60), "test")
    assert str(caught.value) == f"The head node: {answer['error']}."


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize(
    ("answer", "ahead", "by"),
    [
        ({"error": "the request came too late", "expired": True}, None, ""),
        ({"error": "the request came too late", "expired": True}, 3600, r" by 3[56]\d\d s"),
        ({"error": "the request is valid for too long", "unread": True}, -3600, r" by 36\d\d s"),
    ],
)
def test_a_wrong_clock_is_named_as_the_cause(
    answer: dict[str, Any], ahead: int | None, by: str, changes: bool, head_node: Callable[[str], HeadNode]
) -> None:
    """A request that is too old to the head node as soon as it arrives met another clock than ours."""
    if ahead is not None:
        answer = {**answer, "started": time.time() + ahead}
    with pytest.raises(ClusterUnreachableError) as caught:
        head_node(packed(answer)).run(Bundle([[Command(SQUEUE)]], changes=changes), Deadline.after(60), "test")
    assert re.match(f"The clocks of the head node and of the API differ{by}: ", str(caught.value))


@pytest.mark.parametrize(
    "replies",
    [
        None,
        {},
        [],
        [{"exit_code": 0}, {"exit_code": 0}],
        ["done"],
        [{}],
        [{"exit_code": "0"}],
        [{"exit_code": 0, "stdout": ["1"]}],
        [{"exit_code": 0, "stdout": None}],
        [{"exit_code": 0, "stderr": {}}],
        [{"exit_code": 0, "seconds": "1"}],
        [{"refusal": 1, "code": 2}],
    ],
)
def test_an_answer_that_lacks_a_reply_is_refused(replies: Any, head_node: Callable[[str], HeadNode]) -> None:
    node = head_node(packed({"started": 1.0, "replies": replies}))
    with pytest.raises(ClusterUnreachableError):
        node.run(Bundle([[Command(SQUEUE)]]), Deadline.after(60), "test")
    with pytest.raises(OutcomeUnknownError):
        node.run(Bundle([[Command(SBATCH)]], changes=True), Deadline.after(60), "test")


def test_a_large_request_for_an_instance_that_is_not_found_leaves_nothing_in_the_bucket(stack: Stack) -> None:
    bucket = stack.aws.client("s3")
    bucket.create_bucket(Bucket="requests", CreateBucketConfiguration={"LocationConstraint": REGION})
    cluster = ClusterSettings("gone", "gone")
    node = HeadNode(Clients(), cluster, Settings({"gone": cluster}, "gone", "slurmql", bucket="requests"))
    script = Command(SBATCH, stdin=secrets.token_hex(200_000))
    with pytest.raises(ClusterUnreachableError, match="no running head node"):
        node.run(Bundle([[script]], changes=True), Deadline.after(60), "test")
    assert bucket.list_objects_v2(Bucket="requests")["KeyCount"] == 0


def test_a_valid_answer_becomes_replies(head_node: Callable[[str], HeadNode]) -> None:
    node = head_node(packed({"replies": [{"exit_code": 0, "stdout": "a\nb", "stderr": "", "seconds": 0.1}]}))
    (reply,) = node.run(Bundle([[Command(SQUEUE)]]), Deadline.after(60), "test")
    assert (reply.exit_code, reply.stdout, reply.refusal) == (0, "a\nb", None)
