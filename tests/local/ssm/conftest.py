"""A running endpoint with one node, and a boto3 client for it that retries nothing."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint, Instance

NODE = "i-0123456789abcdef0"
OTHER_NODE = "i-0fedcba9876543210"

T = TypeVar("T")
Run = Callable[..., Any]


def client_of(endpoint: Endpoint) -> SSMClient:
    """What is out of range is for the endpoint to refuse, so botocore's own check is off."""
    client: SSMClient = boto3.client(
        "ssm",
        endpoint_url=endpoint.url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, max_pool_connections=20),
    )
    return client


def wait_until(condition: Callable[[], T], seconds: float = 8.0) -> T:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return value


def settled(ssm: SSMClient, command_id: str, node: str = NODE, **more: Any) -> Any:
    """The answer of GetCommandInvocation once the state is terminal."""

    def ended() -> Any:
        answer = ssm.get_command_invocation(CommandId=command_id, InstanceId=node, **more)
        return answer if answer["Status"] not in ("Pending", "InProgress", "Delayed") else None

    return wait_until(ended)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """One second of SSM's time limits lasts 10 ms here, so that 35 s are over in 0.35 s."""
    nodes = [Instance(NODE, tmp_path / "node", {"SLURM_CONF": "/etc/slurm/slurm.conf"}), Instance(OTHER_NODE)]
    with Endpoint(nodes, directory=tmp_path, pace=0.01) as running:
        yield running


@pytest.fixture
def ssm(endpoint: Endpoint) -> SSMClient:
    return client_of(endpoint)


@pytest.fixture
def send(ssm: SSMClient) -> Callable[..., str]:
    """Send a shell script to the node; returns the command's id."""

    def send_one(script: str, seconds: int = 3000, **more: Any) -> str:
        answer = ssm.send_command(
            InstanceIds=[NODE],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": [script], "executionTimeout": [str(seconds)]},
            **more,
        )
        return answer["Command"]["CommandId"]

    return send_one


@pytest.fixture
def run(ssm: SSMClient, send: Callable[..., str]) -> Run:
    """Send a shell script and wait for its end; returns the answer of GetCommandInvocation."""
    return lambda script, seconds=3000, **more: settled(ssm, send(script, seconds, **more))
