"""What SendCommand accepts, what it answers, and what it refuses in which words."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint, Faults, commands
from local.ssm.documents import RUN_SHELL_SCRIPT

from .conftest import NODE, OTHER_NODE, Run, settled


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def shell(ssm: SSMClient, **more: Any) -> dict[str, Any]:
    """A valid request to send `true`, with some members changed."""
    request = {
        "InstanceIds": [NODE],
        "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["true"]},
    }
    return {**request, **more}


def test_a_script_runs_and_its_output_comes_back(run: Run) -> None:
    result = run("echo to stdout; echo to stderr >&2")
    assert (result["Status"], result["StatusDetails"], result["ResponseCode"]) == ("Success", "Success", 0)
    assert result["StandardOutputContent"] == "to stdout\n"
    assert result["StandardErrorContent"] == "to stderr\n"


def test_several_commands_are_the_lines_of_one_script(ssm: SSMClient) -> None:
    lines = ["x=1", "", "echo $x", "echo $x$x"]
    sent = ssm.send_command(**shell(ssm, Parameters={"commands": lines}))
    assert settled(ssm, sent["Command"]["CommandId"])["StandardOutputContent"] == "1\n11\n"


def test_the_answer_is_pending_and_complete(ssm: SSMClient) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    command = ssm.send_command(**shell(ssm, Comment="hello", TimeoutSeconds=60))["Command"]
    assert command["Status"] == command["StatusDetails"] == "Pending"
    assert (command["TargetCount"], command["CompletedCount"], command["ErrorCount"]) == (1, 0, 0)
    assert command["DocumentVersion"] == "$DEFAULT"
    assert command["OutputS3Region"] == "eu-west-1"
    assert command["Comment"] == "hello"
    assert before <= command["RequestedDateTime"] <= datetime.now(UTC)
    assert command["AlarmConfiguration"] == {"IgnorePollAlarmFailure": False, "Alarms": []}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 60 + 3600), ({"executionTimeout": ["100"]}, 60 + 100), ({"executionTimeout": ["2"]}, 60 + 2)],
)
def test_a_command_expires_after_delivery_and_execution_time(
    ssm: SSMClient, given: dict[str, list[str]], seconds: int
) -> None:
    request = shell(ssm, Parameters={"commands": ["true"], **given}, TimeoutSeconds=60)
    command = ssm.send_command(**request)["Command"]
    assert command["ExpiresAfter"] - command["RequestedDateTime"] == timedelta(seconds=seconds)


def test_a_document_of_two_steps_expires_after_the_sum_of_their_limits(ssm: SSMClient) -> None:
    step = {"action": "aws:runShellScript", "inputs": {"runCommand": ["true"], "timeoutSeconds": 20}}
    content = {"schemaVersion": "2.2", "mainSteps": [{"name": "a", **step}, {"name": "b", **step}]}
    ssm.create_document(Name="two-steps", Content=json.dumps(content), DocumentType="Command")
    command = ssm.send_command(InstanceIds=[NODE], DocumentName="two-steps", TimeoutSeconds=30)["Command"]
    assert command["ExpiresAfter"] - command["RequestedDateTime"] == timedelta(seconds=70)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"TimeoutSeconds": 1},
            "ValidationException",
            "1 validation error detected: Value '1' at 'timeoutSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 30",
        ),
        (
            {"TimeoutSeconds": 2_592_001},
            "ValidationException",
            "1 validation error detected: Value '2592001' at 'timeoutSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 2592000",
        ),
        (
            {"Comment": "c" * 101},
            "ValidationException",
            f"1 validation error detected: Value '{'c' * 101}' at 'comment' failed to satisfy constraint: "
            "Member must have length less than or equal to 100",
        ),
        ({"DocumentName": "No-Such-Document"}, "InvalidDocument", ""),
        ({"DocumentVersion": "7"}, "InvalidDocumentVersion", ""),
        (
            {"InstanceIds": ["i-00000000000000000"]},
            "InvalidInstanceId",
            "Instances not in a valid state for account",
        ),
        ({"InstanceIds": [NODE, NODE]}, "DuplicateInstanceId", ""),
    ],
)
def test_a_bad_request_is_refused_in_the_words_of_aws(
    ssm: SSMClient, endpoint: Endpoint, change: dict[str, Any], code: str, message: str
) -> None:
    assert refusal(ssm.send_command, **shell(ssm, **change)) == (code, message)
    assert endpoint.sends == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"commands": ["true"], "unknown": ["x"]},
        {"commands": []},
        {},
        {"commands": ["true"], "executionTimeout": ["soon"]},
        {"commands": ["true"], "executionTimeout": ["10", "20"]},
        {"commands": ["true"], "workingDirectory": ["d" * 4097]},
    ],
)
def test_a_parameter_that_the_document_does_not_allow_is_refused(
    ssm: SSMClient, parameters: dict[str, list[str]]
) -> None:
    assert refusal(ssm.send_command, **shell(ssm, Parameters=parameters)) == (
        "InvalidParameters",
        "Parameters provided in document are invalid or not supported.",
    )


def test_a_stopped_instance_is_refused(ssm: SSMClient, endpoint: Endpoint, run: Run) -> None:
    node = endpoint.instances[0]
    node.stopped = True
    assert refusal(ssm.send_command, **shell(ssm))[0] == "InvalidInstanceId"
    node.stopped = False
    assert run("true")["Status"] == "Success"


def test_a_malformed_instance_id_is_a_validation_error(ssm: SSMClient) -> None:
    code, message = refusal(ssm.send_command, **shell(ssm, InstanceIds=["head-node"]))
    assert code == "ValidationException"
    assert "'head-node' at 'instanceIds'" in message


def test_targets_by_tag_are_refused_clearly_and_by_id_accepted(ssm: SSMClient) -> None:
    by_tag = shell(ssm, InstanceIds=[], Targets=[{"Key": "tag:Name", "Values": ["HeadNode"]}])
    assert refusal(ssm.send_command, **by_tag) == (
        "ValidationException",
        "The local endpoint has no tags: Targets tag:Name.",
    )
    by_id = shell(ssm, InstanceIds=[], Targets=[{"Key": "InstanceIds", "Values": [NODE]}])
    assert settled(ssm, ssm.send_command(**by_id)["Command"]["CommandId"])["Status"] == "Success"
    assert refusal(ssm.send_command, **shell(ssm, InstanceIds=[]))[0] == "ValidationException"


@pytest.mark.parametrize(
    ("commands", "accepted"),
    [
        ([":" + " " * 98_882], True),
        ([":" + " " * 98_883], False),
        ([""] * 32_962, True),
        ([""] * 32_963, False),
        (["#" + "€" * 16_479], True),
        (["#" + "€" * 16_481], False),
        (["#" + "<" * 16_479], True),
        (["#" + "<" * 16_481], False),
    ],
    ids=["text", "text+1", "items", "items+1", "euros", "euros+", "html", "html+"],
)
def test_at_most_100_000_bytes_go_to_the_agent(ssm: SSMClient, commands: list[str], accepted: bool) -> None:
    request = shell(ssm, Parameters={"commands": commands})
    if accepted:
        assert settled(ssm, ssm.send_command(**request)["Command"]["CommandId"])["Status"] == "Success"
    else:
        code, message = refusal(ssm.send_command, **request)
        assert code == "MaxDocumentSizeExceeded"
        assert "97KB" in message


def test_a_document_hash_that_does_not_match_is_refused(ssm: SSMClient) -> None:
    right = hashlib.sha256(json.dumps(RUN_SHELL_SCRIPT).encode()).hexdigest()
    answer = ssm.send_command(**shell(ssm, DocumentHash=right, DocumentHashType="Sha256"))
    assert settled(ssm, answer["Command"]["CommandId"])["Status"] == "Success"
    assert refusal(ssm.send_command, **shell(ssm, DocumentHash="0" * 64))[0] == "InvalidDocument"


def test_a_command_to_two_nodes_has_an_invocation_on_each(ssm: SSMClient) -> None:
    request = shell(ssm, InstanceIds=[NODE, OTHER_NODE])
    request["Parameters"] = {"commands": ["echo $AWS_SSM_INSTANCE_ID"]}
    command = ssm.send_command(**request)["Command"]
    assert command["TargetCount"] == 2
    for node in (NODE, OTHER_NODE):
        assert settled(ssm, command["CommandId"], node)["StandardOutputContent"] == f"{node}\n"


def test_accepted_sends_are_recorded(endpoint: Endpoint, run: Run) -> None:
    result = run("true", Comment="counted")
    (sent,) = endpoint.sends
    assert sent.command_id == result["CommandId"]
    assert (sent.document, sent.instance_ids, sent.comment) == ("AWS-RunShellScript", (NODE,), "counted")
    assert sent.parameters["commands"] == ["true"]


def test_an_unknown_command_or_the_wrong_instance_has_no_invocation(ssm: SSMClient, run: Run) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    known = run("true")["CommandId"]
    for command_id, node in ((unknown, NODE), (known, OTHER_NODE)):
        assert refusal(ssm.get_command_invocation, CommandId=command_id, InstanceId=node) == (
            "InvocationDoesNotExist",
            f"Invocation not found for {command_id}, {node}",
        )


def test_a_malformed_command_id_is_a_validation_error(ssm: SSMClient) -> None:
    code, message = refusal(ssm.get_command_invocation, CommandId="short", InstanceId=NODE)
    assert code == "ValidationException"
    assert "'short' at 'commandId'" in message


def test_the_plugin_is_named_after_the_document(ssm: SSMClient, run: Run) -> None:
    command_id = run("true")["CommandId"]
    result = settled(ssm, command_id, PluginName="aws:runShellScript")
    assert result["PluginName"] == "aws:runShellScript"
    wrong = {"CommandId": command_id, "InstanceId": NODE, "PluginName": "another"}
    assert refusal(ssm.get_command_invocation, **wrong) == (
        "InvalidPluginName",
        f"Plugin another not found for invocation with command id {command_id} and instance id {NODE}",
    )


def test_a_missing_member_is_a_validation_error(ssm: SSMClient) -> None:
    assert refusal(ssm.get_command_invocation, InstanceId=NODE) == (
        "ValidationException",
        "1 validation error detected: Value null at 'commandId' failed to satisfy constraint: Member must not be null",
    )


def test_an_unknown_operation_is_refused(ssm: SSMClient) -> None:
    assert refusal(ssm.describe_patch_groups)[0] == "UnknownOperationException"


def test_a_round_trip_is_quick(run: Run, endpoint: Endpoint) -> None:
    assert endpoint.faults == Faults()
    quickest = min(_seconds(run) for _ in range(10))
    assert quickest < 0.1


def _seconds(run: Run) -> float:
    before = datetime.now(UTC)
    run("echo hi")
    return (datetime.now(UTC) - before).total_seconds()


def test_old_commands_are_counted_but_not_kept(
    endpoint: Endpoint, run: Run, ssm: SSMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `make run` would grow with every request."""
    monkeypatch.setattr(commands, "_REMEMBERED", 2)
    ids = [run(f"echo {number}")["CommandId"] for number in range(4)]
    assert [bool(sent.parameters) for sent in endpoint.sends] == [False, False, True, True]
    for forgotten in ids[:2]:
        refused = refusal(ssm.get_command_invocation, CommandId=forgotten, InstanceId=NODE)
        assert refused[0] == "InvocationDoesNotExist"
    assert ssm.get_command_invocation(CommandId=ids[2], InstanceId=NODE)["Status"] == "Success"
