"""A cluster's EC2 instances, and its head node's SSM agent (EC2 DescribeInstances, SSM DescribeInstanceInformation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.aws_calls import repeated
from headnode.errors import ClusterUnreachableError

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef


_SECONDS = 10.0  # that EC2 or SSM may take


@dataclass(frozen=True)
class Instance:
    """An EC2 instance. `spot` is False for on demand and reserved ones; `state` is EC2's word (running ...)."""

    id: str
    type: str
    state: str
    launch_time: datetime
    zone: str | None
    spot: bool
    private_address: str | None


@dataclass(frozen=True)
class Agent:
    """The SSM agent of the head node. `ping_status` is SSM's word: Online, ConnectionLost, Inactive."""

    ping_status: str
    version: str | None
    last_ping: datetime | None
    platform: str | None


def instances_by_address(clients: Clients, tag: str) -> Mapping[str, Instance]:
    """The cluster's instances that are not terminated, by private address, which slurmctld has as NodeAddr.

    Raises ClusterUnreachableError if EC2 does not answer.
    """
    filters = [
        {"Name": "tag:parallelcluster:cluster-name", "Values": [tag]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped", "shutting-down"]},
    ]

    def described() -> list[Instance]:
        pages = clients.ec2.get_paginator("describe_instances").paginate(Filters=filters)  # type: ignore[arg-type]
        return [
            _instance(each) for page in pages for group in page["Reservations"] for each in group.get("Instances", [])
        ]

    try:
        found = repeated(described, _SECONDS)
    except (BotoCoreError, ClientError) as error:
        raise ClusterUnreachableError(f"EC2 did not list the instances of {tag}.") from error
    return {instance.private_address: instance for instance in found if instance.private_address}


def agent(clients: Clients, instance: str) -> Agent:
    """The agent of an instance. Raises ClusterUnreachableError if SSM does not manage the instance."""
    filters = [{"Key": "InstanceIds", "Values": [instance]}]
    try:
        answer = repeated(
            lambda: clients.ssm.describe_instance_information(Filters=filters),  # type: ignore[arg-type]
            _SECONDS,
        )
    except (BotoCoreError, ClientError) as error:
        raise ClusterUnreachableError("Systems Manager did not describe the head node's agent.") from error
    if not answer["InstanceInformationList"]:
        raise ClusterUnreachableError(f"Systems Manager does not manage {instance}: is its agent running?")
    (described, *_) = answer["InstanceInformationList"]
    return Agent(
        ping_status=described.get("PingStatus", "Inactive"),
        version=described.get("AgentVersion"),
        last_ping=described.get("LastPingDateTime"),
        platform=" ".join(filter(None, (described.get("PlatformName"), described.get("PlatformVersion")))) or None,
    )


def _instance(described: InstanceTypeDef) -> Instance:
    return Instance(
        id=described["InstanceId"],
        type=described["InstanceType"],
        state=described["State"]["Name"],
        launch_time=described["LaunchTime"],
        zone=described.get("Placement", {}).get("AvailabilityZone"),
        spot=described.get("InstanceLifecycle") == "spot",
        private_address=described.get("PrivateIpAddress"),
    )
