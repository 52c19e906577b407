"""The script as a text, as an object in S3 or as a file on the cluster: exactly one of the three."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Api
from local.aws import BUCKET, SCRIPTS
from local.cluster import Cluster
from local.stack import Stack
from slurm.script import SCRIPT_LIMIT

SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) { job { jobId name command user } estimatedStartTime errors { code message field } }
}"""
SCRIPT = "#!/bin/sh\n#SBATCH --comment=of-the-script\n# é\ntrue\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def submit(api: Api, **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(SUBMIT, {"input": {"hold": True, **input}})["submitJob"]
    return payload


def refused(api: Api, **input: Any) -> tuple[str, list[str] | None]:
    payload = submit(api, **input)
    assert payload["job"] is None
    (error,) = payload["errors"]
    return error["code"], error["field"]


def refused_before(api: Api, **input: Any) -> tuple[str, list[str] | None]:
    """The errors of a request that is refused before anything is sent."""
    before = api.commands()
    answer = refused(api, **input)
    assert api.commands() == before
    return answer


def put(stack: Stack, key: str, body: bytes, bucket: str = SCRIPTS) -> str:
    stack.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def batch_script(cluster: Cluster, job: str) -> str:
    return cluster.run("scontrol", "write", "batch_script", job, "-").stdout.rstrip("\n") + "\n"


@pytest.fixture
def folder(lab: Cluster) -> Iterator[Path]:
    """A folder that ada may enter."""
    made = lab.user("ada").workspace / "scripts of ours"
    made.mkdir(exist_ok=True)
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def file(folder: Path, name: str, text: str = SCRIPT, mode: int = 0o644) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_an_object_in_s3_is_submitted_in_one_command(api: Api, stack: Stack, lab: Cluster) -> None:
    uri = put(stack, "team/a job's script.sh", SCRIPT.encode())
    before = api.commands()
    payload = submit(api, script={"uri": uri})
    assert api.commands() == before + 1
    assert payload["errors"] == []
    job = payload["job"]["jobId"]
    assert batch_script(lab, job) == SCRIPT
    assert "Comment=of-the-script" in lab.run("scontrol", "show", "job", job).stdout
    lab.run("scancel", job)


def test_a_large_object_arrives_whole(api: Api, stack: Stack, lab: Cluster) -> None:
    script = "#!/bin/sh\n" + "".join(f"# {os.urandom(40).hex()}\n" for _ in range(20_000))
    job = submit(api, script={"uri": put(stack, "large.sh", script.encode())})["job"]["jobId"]
    assert batch_script(lab, job) == script
    lab.run("scancel", job)


@pytest.mark.parametrize(
    "uri",
    [
        f"s3://{BUCKET}/x.sh",
        "s3://other-bucket/x.sh",
        f"s3://{SCRIPTS}-2/x.sh",
        f"s3://{SCRIPTS}.evil/x.sh",
    ],
)
def test_a_bucket_that_is_not_allowed_is_forbidden(api: Api, uri: str) -> None:
    assert refused_before(api, script={"uri": uri}) == ("FORBIDDEN", ["input", "script", "uri"])


def test_a_missing_object_is_forbidden_if_the_role_may_not_list_the_bucket(api: Api) -> None:
    """S3 reports a missing object only to those who may list its bucket, and the deployed role may not."""
    (error,) = submit(api, script={"uri": f"s3://{SCRIPTS}/nonesuch.sh"})["errors"]
    assert (error["code"], error["field"]) == ("FORBIDDEN", ["input", "script", "uri"])
    assert "or there is no such object" in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"#!/bin/sh\n\xff\xfe\n",
        b"no interpreter\n",
        b"#!/bin/sh\r\ntrue\r\n",
        b"#!/bin/sh\n\0",
        b"#!" + b"x" * SCRIPT_LIMIT,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_object_that_is_not_a_script_is_refused(api: Api, stack: Stack, body: bytes) -> None:
    assert refused_before(api, script={"uri": put(stack, "bad", body)}) == ("INVALID_INPUT", ["input", "script", "uri"])


@pytest.mark.parametrize(
    "uri", ["", "x.sh", "s3://", f"s3://{SCRIPTS}", f"s3://{SCRIPTS}/", "https://x/y", "s3://UP/x", "s3://a_b/x"]
)
def test_an_invalid_s3_uri_is_refused(api: Api, uri: str) -> None:
    assert refused_before(api, script={"uri": uri}) == ("INVALID_INPUT", ["input", "script", "uri"])


def test_a_file_on_the_cluster_is_submitted_and_is_the_jobs_command(api: Api, lab: Cluster, folder: Path) -> None:
    path = file(folder, "job.sh")
    payload = submit(api, script={"path": str(path)})
    assert payload["errors"] == []
    job = payload["job"]
    assert (job["command"], job["name"], job["user"]) == (str(path), "job.sh", "ada")
    assert lab.run("squeue", "-h", "-j", job["jobId"], "-o", "%o").stdout.strip() == str(path)
    assert batch_script(lab, job["jobId"]) == SCRIPT
    lab.run("scancel", job["jobId"])


@as_root
def test_a_file_that_the_user_may_not_read_is_not_submitted(api: Api, folder: Path) -> None:
    path = file(folder, "roots.sh", mode=0o600)
    assert refused(api, script={"path": str(path)}) == ("NOT_FOUND", ["input", "script", "path"])


@pytest.mark.parametrize("path", ["/nonesuch.sh", "/nonesuch/'; touch x'.sh", "/--uid=0"])
def test_a_missing_file_is_not_found(api: Api, path: str) -> None:
    assert refused(api, script={"path": path}) == ("NOT_FOUND", ["input", "script", "path"])


@pytest.mark.parametrize("text", ["", "no interpreter\n", "#!/bin/sh\r\ntrue\r\n"])
def test_a_file_that_is_not_a_script_is_refused(api: Api, folder: Path, text: str) -> None:
    code, field = refused(api, script={"path": str(file(folder, "bad.sh", text))})
    assert (code, field) == ("REJECTED_BY_SCHEDULER", ["input", "script", "path"])


@pytest.mark.parametrize("path", ["", "job.sh", "--wrap=id", "/a\0b", "/" + "x" * 4096])
def test_a_relative_path_is_refused(api: Api, path: str) -> None:
    assert refused_before(api, script={"path": path}) == ("INVALID_INPUT", ["input", "script", "path"])


def test_a_key_belongs_to_one_script_wherever_the_script_is(api: Api, stack: Stack, lab: Cluster, folder: Path) -> None:
    one, other = (str(file(folder, name)) for name in ("one.sh", "other.sh"))
    uri = put(stack, "keyed.sh", SCRIPT.encode())
    for source, different in (
        ({"path": one}, {"path": other}),
        ({"uri": uri}, {"text": "#!/bin/sh\nfalse\n"}),
    ):
        key = f"key of {source}"
        first = submit(api, idempotencyKey=key, script=source)
        assert submit(api, idempotencyKey=key, script=source) == first
        assert refused(api, idempotencyKey=key, script=different) == ("CONFLICT", ["input", "idempotencyKey"])
        lab.run("scancel", first["job"]["jobId"])


def test_a_script_on_the_cluster_is_estimated_too(api: Api, folder: Path) -> None:
    payload = submit(api, script={"path": str(file(folder, "job.sh"))}, testOnly=True, hold=False)
    assert (payload["job"], payload["errors"]) == (None, [])
    assert payload["estimatedStartTime"] is not None


def test_a_script_that_asks_sbatch_to_wait_is_still_submitted(api: Api, lab: Cluster, folder: Path) -> None:
    path = file(folder, "waits.sh", "#!/bin/sh\n#SBATCH --wait\ntrue\n")
    payload = submit(api, script={"path": str(path)})
    assert payload["errors"] == []
    lab.run("scancel", payload["job"]["jobId"])
