"""The list of nodes and their connections."""

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint, Instance

from .conftest import NODE, OTHER_NODE


def test_the_nodes_are_listed_with_their_connection(ssm: SSMClient, endpoint: Endpoint) -> None:
    endpoint.instances[1].online = False
    listed = ssm.describe_instance_information()["InstanceInformationList"]
    assert {each["InstanceId"]: each["PingStatus"] for each in listed} == {
        NODE: "Online",
        OTHER_NODE: "ConnectionLost",
    }
    online = ssm.describe_instance_information(Filters=[{"Key": "PingStatus", "Values": ["Online"]}])
    assert [each["InstanceId"] for each in online["InstanceInformationList"]] == [NODE]
    with pytest.raises(ClientError, match="InvalidFilterKey"):
        ssm.describe_instance_information(Filters=[{"Key": "tag:x", "Values": ["y"]}])
    assert ssm.get_connection_status(Target=NODE)["Status"] == "connected"
    assert ssm.get_connection_status(Target=OTHER_NODE)["Status"] == "notconnected"


def test_an_instance_needs_a_valid_id() -> None:
    with pytest.raises(ValueError, match="head-node"):
        Instance("head-node")
