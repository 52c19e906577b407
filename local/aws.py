"""The rest of AWS: moto's server for EC2 tags, S3 and DynamoDB, in a process of its own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import boto3

from local.iam import Policy

REGION = "eu-west-1"
BUCKET = "slurmql"
SCRIPTS = "slurmql-scripts"
"""The bucket from which batch scripts may be read."""
TABLE = "slurmql"
READY_WITHIN = 30.0

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}


class AwsError(Exception):
    """moto's server did not start."""


def head_node_tags(cluster: str) -> dict[str, str]:
    """The tags that ParallelCluster gives a cluster's head node."""
    return {"parallelcluster:cluster-name": cluster, "parallelcluster:node-type": "HeadNode", "Name": "HeadNode"}


class Aws:
    """moto's server with buckets and a table; a context manager. `url` serves EC2, S3 and DynamoDB.

    `policies` say what each access key may do; a key without a policy may do anything.
    """

    def __init__(self, log: Path, policies: Mapping[str, Policy] | None = None) -> None:
        self._log = log
        self._policies = policies or {}
        self.url = ""

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        policies = {caller: list(policy.statements) for caller, policy in self._policies.items()}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.iam.server", str(port), json.dumps(policies)],
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"},
                start_new_session=True,  # Ctrl-C must reach only us; we stop this process ourselves
            )
        try:
            self._wait(port)
            for bucket in (BUCKET, SCRIPTS):
                self.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.create_table(TABLE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def client(self, service: str):  # type: ignore[no-untyped-def]
        """A boto3 client of moto's server."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - not a secret: nothing checks it
        )

    def create_table(self, name: str) -> None:
        """Create a table like the stack's: its key is one string."""
        self.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def head_node(self, cluster: str) -> str:
        """Start an instance with the tags of a ParallelCluster head node and return its id."""
        answer = self.client("ec2").run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": key, "Value": value} for key, value in head_node_tags(cluster).items()],
                }
            ],
        )
        instance: str = answer["Instances"][0]["InstanceId"]
        return instance

    def _wait(self, port: int) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AwsError(f"moto's server did not start; its log is {self._log}")
