"""Lists of commands, invocations and nodes, and their pages."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint, Instance

from .conftest import NODE, OTHER_NODE, Run


def test_commands_are_listed_newest_first_in_pages(ssm: SSMClient, run: Run) -> None:
    ids = [run("true")["CommandId"] for _ in range(5)]
    first = ssm.list_commands(MaxResults=3)
    run("true")
    second = ssm.list_commands(MaxResults=3, NextToken=first["NextToken"])
    listed = [each["CommandId"] for page in (first, second) for each in page["Commands"]]
    assert listed == ids[::-1]
    assert "NextToken" not in second


def test_the_pages_of_invocations_are_what_boto3s_paginator_expects(ssm: SSMClient, run: Run) -> None:
    ids = [run("true")["CommandId"] for _ in range(5)]
    pages = ssm.get_paginator("list_command_invocations").paginate(PaginationConfig={"PageSize": 2})
    assert [each["CommandId"] for page in pages for each in page["CommandInvocations"]] == ids[::-1]


def test_a_token_that_was_never_given_is_refused(ssm: SSMClient) -> None:
    with pytest.raises(ClientError, match="InvalidNextToken"):
        ssm.list_commands(NextToken="made up")


def test_an_unknown_command_is_an_empty_list(ssm: SSMClient) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert ssm.list_commands(CommandId=unknown)["Commands"] == []
    assert ssm.list_command_invocations(CommandId=unknown)["CommandInvocations"] == []


def test_commands_are_filtered_by_state_document_instance_and_time(ssm: SSMClient, run: Run) -> None:
    good, bad = run("true")["CommandId"], run("false")["CommandId"]

    def ids(key: Any, value: str) -> list[str]:
        found = ssm.list_commands(Filters=[{"key": key, "value": value}])["Commands"]
        return [each["CommandId"] for each in found]

    assert ids("Status", "Success") == [good]
    assert ids("Status", "Failed") == [bad]
    assert ids("DocumentName", "AWS-RunShellScript") == [bad, good]
    assert ids("DocumentName", "Another") == []
    assert ids("InvokedAfter", "2020-01-01T00:00:00Z") == [bad, good]
    assert ids("InvokedBefore", "2020-01-01T00:00:00Z") == []
    assert ssm.list_commands(InstanceId=OTHER_NODE)["Commands"] == []
    with pytest.raises(ClientError, match="InvalidFilterKey"):
        ids("ExecutionStage", "Executing")


def test_without_details_no_plugins_are_listed(ssm: SSMClient, run: Run) -> None:
    command_id = run("echo hi")["CommandId"]
    (listed,) = ssm.list_command_invocations(CommandId=command_id)["CommandInvocations"]
    assert (listed["Status"], listed["CommandPlugins"]) == ("Success", [])


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


def test_an_instance_needs_an_id_that_is_one() -> None:
    with pytest.raises(ValueError, match="head-node"):
        Instance("head-node")
