"""What somebody could do who holds the Lambda's role: any request to the document, past the API, on a real cluster."""

import base64
import gzip
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import BUCKET, SCRIPTS
from local.cluster import Cluster
from local.stack import DOCUMENT, Stack

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

SCRIPT = "#!/bin/sh\ntrue\n"
Send = Callable[..., dict[str, Any]]


def packed(request: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode())).decode()


@pytest.fixture
def send(stack: Stack) -> Send:
    """Send a text as the document's parameter to the head node of `lab`: the answer of the program."""
    import handler

    client = stack.ssm_client()
    instance = handler.clusters["lab"].node.instance()

    def send(text: str) -> dict[str, Any]:
        command = client.send_command(DocumentName=DOCUMENT, InstanceIds=[instance], Parameters={"request": [text]})[
            "Command"
        ]["CommandId"]
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            time.sleep(0.05)
            told = client.get_command_invocation(CommandId=command, InstanceId=instance)
            if told["Status"] not in ("Pending", "InProgress", "Delayed"):
                break
        assert (told["Status"], told["StandardErrorContent"]) == ("Success", "")
        answer: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(told["StandardOutputContent"])))
        return answer

    return send


def ask(send: Send, *operations: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    whole = {"expires": time.time() + 60, "user": "ada", "put": None, "steps": [list(operations)], **request}
    replies: list[dict[str, Any]] = send(packed(whole))["replies"]
    return replies


@pytest.fixture
def name(lab: Cluster) -> Iterator[str]:
    """A name for jobs that should not be."""
    name = f"stolen-{secrets.token_hex(4)}"
    yield name
    lab.run("scancel", f"--name={name}")


def jobs_named(cluster: Cluster, name: str) -> list[str]:
    """Their users."""
    return cluster.run("squeue", "-h", "-a", "-t", "all", "-n", name, "-o", "%u").stdout.split()


def submission(name: str, **parts: Any) -> dict[str, Any]:
    return {"operation": "sbatch", "stdin": SCRIPT, "options": {"job-name": name, "hold": ""}, **parts}


@pytest.mark.parametrize("administer", [False, True])
def test_jobs_run_only_as_ordinary_users(send: Send, lab: Cluster, name: str, administer: bool) -> None:
    for user in ("root", "slurm", "munge", "nobody", "daemon", "ADA", "ada\0", "../ada", "0", None):
        replies = ask(send, submission(name), submission(name, key="k"), user=user, administer=administer)
        assert [reply["code"] for reply in replies] == ["forbidden"] * 2, user
    assert jobs_named(lab, name) == []
    ask(send, submission(name), user="grace")
    assert jobs_named(lab, name) == ["grace"]


def test_no_option_makes_a_job_another_users(send: Send, lab: Cluster, name: str) -> None:
    for options in ({"uid": "0"}, {"gid": "0"}, {"get-user-env": ""}, {"wrap": "id"}, {"job-name": name, "uid": "0"}):
        (reply,) = ask(send, submission(name, options=options))
        assert reply["code"] == "invalid", options
    for variable in ("SBATCH_UID", "SLURM_CONF", "SLURM_UID", "LD_PRELOAD"):
        (reply,) = ask(send, submission(name, environment={variable: "0"}))
        assert reply["code"] == "invalid", variable
    assert jobs_named(lab, name) == []


def test_another_users_job_is_not_changed(send: Send, lab: Cluster, name: str) -> None:
    job = lab.run("sbatch", "--parsable", "--hold", f"--job-name={name}", user="grace", input=SCRIPT).stdout.strip()
    shown = lab.run("scontrol", "show", "job", job).stdout
    asked: list[dict[str, Any]] = [
        {"operation": "scancel", "arguments": [job]},
        {"operation": "scontrol release", "arguments": [job]},
        {"operation": "scontrol update job", "options": {"JobId": job, "Comment": "x"}},
        {"operation": "scontrol write batch_script", "arguments": [job]},
        {"operation": "scontrol suspend", "arguments": [job]},
    ]
    for reply in ask(send, *asked):
        assert reply.get("code") == "forbidden" or "denied" in reply["stderr"] or "Invalid user id" in reply["stderr"]
    assert lab.run("scontrol", "show", "job", job).stdout == shown


def read(send: Send, path: str | Path, **request: Any) -> dict[str, Any]:
    """What the program reports of a file, and what it read."""
    (reply,) = ask(send, {"operation": "read", "options": {"path": str(path), "limit": "100"}}, **request)
    if "refusal" in reply:
        return reply
    about, _, data = reply["stdout"].partition("\n")
    return {**json.loads(about), "data": base64.b64decode(data)}


def test_no_file_is_read_with_more_than_the_users_rights(send: Send, stack: Stack, lab: Cluster, name: str) -> None:
    ask(send, submission(name, key=name), user="grace")
    claims = stack.directory / "state" / str(lab.user("grace").uid)
    folder = lab.user("ada").workspace / f"reading-{secrets.token_hex(4)}"
    folder.mkdir()
    os.chown(folder, lab.user("ada").uid, lab.user("ada").gid)
    secret = lab.user("grace").workspace / f"secret-{secrets.token_hex(4)}"
    secret.write_text("secret")
    secret.chmod(0o600)
    for number, path in enumerate((Path("/etc/shadow"), secret, claims)):
        (folder / str(number)).symlink_to(path)
        for way in (path, folder / str(number), f"{folder}/../{folder.name}/{number}"):
            assert read(send, way)["error"] in ("forbidden", "folder"), way
            assert "data" not in read(send, way, administer=True, user="slurm")
    os.mkfifo(folder / "pipe", 0o666)
    for special in (
        folder / "pipe",
        "/dev/zero",
        "/dev/random",
        "/proc/self/environ",
        "/proc/1/environ",
        "/proc/self/mem",
    ):
        assert read(send, special) == {"error": "special", "data": b""}, special
    assert read(send, "/etc/hostname")["data"]


def test_the_head_node_uses_no_other_address(send: Send, stack: Stack, name: str, lab: Cluster) -> None:
    lie = gzip.compress(
        json.dumps({"expires": time.time() + 60, "user": "ada", "steps": [[submission(name)]]}).encode()
    )
    digest = hashlib.sha256(lie).hexdigest()
    s3 = stack.aws.client("s3")
    s3.put_object(Bucket=SCRIPTS, Key="lie", Body=lie)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": SCRIPTS, "Key": "lie"})
    for address in (url, "http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "file:///etc/shadow"):
        answer = send(packed({"get": address, "sha256": digest}))
        assert "not in the bucket that the head node's document names" in answer["error"]
    assert jobs_named(lab, name) == []
    s3.put_object(Bucket=BUCKET, Key="requests/mine", Body=lie)
    own = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "requests/mine"})
    assert "replies" in send(packed({"get": own, "sha256": digest}))
    assert jobs_named(lab, name) == ["ada"]


def test_an_old_request_is_not_carried_out_again(send: Send, lab: Cluster, name: str) -> None:
    old = {"expires": time.time() - 1, "user": "ada", "put": None, "steps": [[submission(name)]]}
    answer = send(packed(old))
    assert abs(answer.pop("started") - time.time()) < 60
    assert answer == {"error": "the request came too late", "expired": True}
    assert "valid for too long" in send(packed(old | {"expires": time.time() + 86400}))["error"]
    assert jobs_named(lab, name) == []


@pytest.mark.parametrize(
    "text",
    ["$(id)", "`id`", "a;id", "a\nid", "a\nEND OF REQUEST\nid", "{{ssm:x}}", "{{ request }}", "'", "é", "\0", "a b"],
)
def test_shell_syntax_does_not_reach_the_node(send: Send, text: str) -> None:
    with pytest.raises(ClientError) as refused:
        send(text)
    assert refused.value.response["Error"]["Code"] == "InvalidParameters"


@pytest.mark.parametrize("text", ["END_OF_REQUEST", "AAAA", "=", "-", "--help", "_" * 60_000])
def test_an_invalid_request_gets_an_answer(send: Send, text: str) -> None:
    assert send(text)["error"].startswith("the request cannot be read: ")
