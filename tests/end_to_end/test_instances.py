"""Nodes joined with EC2's instances, and the head node as AWS knows it."""

from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

NODE = "queue1-dy-large-4"


def launch(stack: Stack, address: str, **options: Any) -> str:
    tags = [{"Key": "parallelcluster:cluster-name", "Value": "lab"}]
    answer = stack.aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        InstanceType="c5.large",
        PrivateIpAddress=address,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        **options,
    )
    instance: str = answer["Instances"][0]["InstanceId"]
    return instance


@pytest.fixture
def instance(stack: Stack, lab: Cluster) -> Any:
    """An instance with the address that slurmctld has for a node, as ParallelCluster sets it at boot."""
    id = launch(stack, "10.1.2.3")
    lab.run("scontrol", "update", f"NodeName={NODE}", "NodeAddr=10.1.2.3")
    yield id
    lab.run("scontrol", "update", f"NodeName={NODE}", "NodeAddr=127.0.0.1")
    stack.aws.client("ec2").terminate_instances(InstanceIds=[id])


def test_a_node_has_the_instance_with_its_address(api: Api, instance: str) -> None:
    query = f'{{ node(name: "{NODE}") {{ address instance {{ id type state zone spot privateAddress launchTime }} }} }}'
    node = api.data(query)["node"]
    told = node["instance"]
    assert node["address"] == "10.1.2.3"
    assert (told["id"], told["type"], told["state"]) == (instance, "c5.large", "running")
    assert (told["privateAddress"], told["spot"]) == ("10.1.2.3", False)
    assert told["zone"].startswith("eu-west-1")


def test_a_node_without_one_has_null(api: Api) -> None:
    assert api.data('{ node(name: "queue1-dy-large-3") { instance { id } } }')["node"]["instance"] is None


def test_instances_cost_no_extra_ssm_command(api: Api, instance: str) -> None:
    before = api.commands()
    api.data("{ nodes { nodes { name instance { id } } } cluster { head { instanceId agent { pingStatus } } } }")
    assert api.commands() == before + 1


def test_the_head_node_is_as_aws_knows_it(api: Api, stack: Stack) -> None:
    before = api.commands()
    head = api.data("{ cluster { head { instanceId agent { pingStatus version } instance { id state } } } }")
    head = head["cluster"]["head"]
    (id, *_) = [each.id for each in stack.ssm.instances]
    assert head["instanceId"] == head["instance"]["id"] == id
    assert head["agent"]["pingStatus"] == "Online"
    assert api.commands() == before
