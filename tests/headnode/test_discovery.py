"""Head nodes found by the tags that ParallelCluster sets, in moto's EC2."""

from types import SimpleNamespace
from typing import Any

import pytest

from headnode.aws import Clients
from headnode.discovery import Discovery
from headnode.errors import ClusterUnreachableError
from headnode.settings import ClusterSettings
from local.stack import Stack


def discovery(tag: str, instance: str | None = None) -> Discovery:
    return Discovery(Clients(), ClusterSettings("name-in-the-api", tag, instance))


def stop(stack: Stack, instance: str) -> None:
    stack.aws.client("ec2").stop_instances(InstanceIds=[instance])


def test_the_running_instance_with_the_tags_is_the_head_node(stack: Stack) -> None:
    expected = stack.aws.head_node("found-by-tag")
    stack.aws.head_node("another")
    assert discovery("found-by-tag").instance() == expected


def test_what_another_thread_forgets_meanwhile_is_still_the_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = stack.aws.head_node("forgotten-meanwhile")
    found = discovery("forgotten-meanwhile")
    assert found.instance() == expected

    def forgotten() -> float:
        found.forget()
        return 0.0

    monkeypatch.setattr("headnode.discovery.time", SimpleNamespace(monotonic=forgotten))
    assert found.instance() == expected


def test_a_compute_node_of_the_cluster_is_not(stack: Stack) -> None:
    expected = stack.aws.head_node("with-compute")
    tags = {"parallelcluster:cluster-name": "with-compute", "parallelcluster:node-type": "Compute"}
    listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    stack.aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
    )
    assert discovery("with-compute").instance() == expected


def test_no_head_node_gives_a_clear_error(stack: Stack) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        discovery("nowhere").instance()
    assert str(caught.value) == (
        "EC2 has no running head node of the cluster nowhere "
        "(tags parallelcluster:cluster-name and parallelcluster:node-type=HeadNode)."
    )


def test_a_stopped_head_node_does_not_count(stack: Stack) -> None:
    stop(stack, stack.aws.head_node("stopped"))
    with pytest.raises(ClusterUnreachableError, match="EC2 has no running head node of the cluster stopped"):
        discovery("stopped").instance()


def test_two_head_nodes_are_an_error_and_none_is_chosen(stack: Stack) -> None:
    stack.aws.head_node("twice")
    stack.aws.head_node("twice")
    with pytest.raises(ClusterUnreachableError, match="EC2 has 2 running head nodes of the cluster twice"):
        discovery("twice").instance()


def test_a_head_node_is_remembered_until_it_is_forgotten(stack: Stack) -> None:
    old = stack.aws.head_node("replaced")
    found = discovery("replaced")
    assert found.instance() == old
    stop(stack, old)
    new = stack.aws.head_node("replaced")
    assert found.instance() == old
    found.forget()
    assert found.instance() == new


@pytest.mark.parametrize("instance", ["i-0123456789abcdef0", "mi-0123456789abcdef0"])
def test_a_fixed_instance_is_not_looked_up(instance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")  # nobody listens there
    assert discovery("anything", instance).instance() == instance


def test_an_unreachable_ec2_gives_a_clear_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ClusterUnreachableError) as caught:
        discovery("lab").instance()
    assert str(caught.value) == "The head node of lab cannot be looked up in EC2."
