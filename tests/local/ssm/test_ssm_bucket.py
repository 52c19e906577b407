"""Output in S3: uploaded by the agent, and only when a bucket was named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client

from local.ssm import Endpoint, Instance

from .conftest import NODE, client_of, settled


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Client]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket="outputs")
    yield client
    server.stop()


def test_the_whole_output_is_uploaded_by_the_layout_of_aws(s3: S3Client, tmp_path: Path) -> None:
    with Endpoint([Instance(NODE)], s3_endpoint=s3.meta.endpoint_url, directory=tmp_path) as endpoint:
        ssm = client_of(endpoint)
        for bucket in ("outputs", "", "missing-bucket"):
            where: dict[str, Any] = {"OutputS3BucketName": bucket, "OutputS3KeyPrefix": "runs"} if bucket else {}
            sent = ssm.send_command(
                InstanceIds=[NODE],
                DocumentName="AWS-RunShellScript",
                Parameters={"commands": ["head -c 30000 /dev/zero | tr '\\0' x"]},
                **where,
            )
            result = settled(ssm, sent["Command"]["CommandId"])
            assert result["Status"] == "Success", "a failing upload is only logged"
            if bucket == "outputs":
                key = f"runs/{result['CommandId']}/{NODE}/awsrunShellScript/0.awsrunShellScript/stdout"
                assert result["StandardOutputUrl"] == f"https://s3.eu-west-1.amazonaws.com/outputs/{key}"
                uploaded = s3.get_object(Bucket="outputs", Key=key)
                assert uploaded["Body"].read() == b"x" * 30_000
                assert uploaded["ContentType"] == "text/plain"
            if not bucket:
                assert result["StandardOutputUrl"] == ""
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="outputs")["Contents"]] == [key], "stderr was empty"
