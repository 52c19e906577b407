"""AWS that hangs, fails or breaks off: every call ends in time, and what may not be repeated is not."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from headnode.aws import Clients
from headnode.aws_calls import NoTimeLeftError, at_most, repeated, until
from headnode.deadline import Deadline
from headnode.discovery import Discovery
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ThrottledError,
)
from headnode.invocation import Invocation, Pace, invoke
from headnode.node import Bundle, HeadNode
from headnode.settings import ClusterSettings, Settings
from headnode.storage import Storage
from local.aws import BUCKET, CREDENTIALS, Aws
from local.line import Kind, Line
from local.ssm import Endpoint, Instance
from slurm.command import Command
from slurm.job_action import SCANCEL as CANCEL
from slurm.sbatch import SBATCH
from slurm.squeue import SQUEUE

NODE = "i-0123456789abcdef0"
QUICK = Pace(first=0.01, interval=0.02)
SEND, LOOK = "ssm:SendCommand", "ssm:GetCommandInvocation"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with Aws(tmp_path_factory.mktemp("aws") / "moto.log") as running:
        yield running


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with Endpoint([Instance(NODE, tmp_path / "node")], directory=tmp_path) as running:
        yield running


@pytest.fixture
def line(endpoint: Endpoint, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    with Line(endpoint.url, aws.url) as running:
        services = ("SSM", "EC2", "S3", "DYNAMODB")
        endpoints = {f"AWS_ENDPOINT_URL_{service}": running.url for service in services}
        for name, value in {**CREDENTIALS, **endpoints}.items():
            monkeypatch.setenv(name, value)
        yield running


def run(script: str = "echo hello", changes: bool = False, seconds: float = 20) -> str:
    invocation = Invocation("AWS-RunShellScript", NODE, "commands", script, "test", changes)
    return invoke(Clients().ssm, invocation, Deadline.after(seconds), QUICK)


@pytest.mark.parametrize("kind", [Kind.FAIL_BEFORE, Kind.FAIL_AFTER, Kind.CUT_BEFORE, Kind.CUT_AFTER])
def test_a_change_that_ssm_failed_to_take_may_have_been_made(kind: Kind, line: Line, endpoint: Endpoint) -> None:
    """And it is not sent again: a 5xx and a broken connection both come after the work as well as before it."""
    line.break_down(kind, SEND, times=1)
    with pytest.raises(OutcomeUnknownError):
        run(changes=True)
    assert len(endpoint.sends) == (kind in (Kind.FAIL_AFTER, Kind.CUT_AFTER))


def submission(seconds: float) -> str:
    """A change that may be sent twice: the head node makes it once for its key."""
    invocation = Invocation("AWS-RunShellScript", NODE, "commands", "echo job", "test", changes=True, repeatable=True)
    return invoke(Clients().ssm, invocation, Deadline.after(seconds), QUICK)


@pytest.mark.parametrize("kind", [Kind.FAIL_BEFORE, Kind.FAIL_AFTER, Kind.CUT_BEFORE, Kind.CUT_AFTER])
def test_a_submission_with_a_key_is_sent_again(kind: Kind, line: Line) -> None:
    line.break_down(kind, SEND, times=1)
    assert submission(20) == "job\n"


def test_once_a_submission_may_have_arrived_no_later_failure_denies_it(line: Line, endpoint: Endpoint) -> None:
    line.break_down(Kind.FAIL_AFTER, SEND, times=1)
    line.break_down(Kind.REFUSE, SEND)
    with pytest.raises(OutcomeUnknownError):
        submission(5)
    line.mend()
    line.break_down(Kind.CUT_AFTER, SEND, times=1)
    line.break_down(Kind.CUT_BEFORE, SEND)
    with pytest.raises(OutcomeUnknownError):
        submission(2)


def test_a_bundle_may_be_sent_twice_if_each_change_has_a_key() -> None:
    with_key, without = Command(SBATCH, key="a"), Command(SBATCH)
    assert Bundle([[with_key], [Command(SQUEUE)]], changes=True).repeatable
    assert not Bundle([[with_key, without]], changes=True).repeatable
    assert not Bundle([[Command(CANCEL)]], changes=True).repeatable
    assert Bundle([[Command(SQUEUE)]]).repeatable


@pytest.mark.parametrize("kind", [Kind.FAIL_BEFORE, Kind.FAIL_AFTER, Kind.CUT_BEFORE, Kind.CUT_AFTER])
def test_a_read_that_ssm_failed_to_take_is_sent_again(kind: Kind, line: Line) -> None:
    line.break_down(kind, SEND, times=2)
    assert run() == "hello\n"


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("kind", [Kind.FAIL_BEFORE, Kind.FAIL_AFTER, Kind.CUT_BEFORE, Kind.CUT_AFTER])
def test_a_look_that_fails_means_not_yet(kind: Kind, changes: bool, line: Line, endpoint: Endpoint) -> None:
    line.break_down(kind, LOOK, times=3)
    assert run(changes=changes) == "hello\n"
    assert len(endpoint.sends) == 1


@pytest.mark.parametrize("changes", [False, True])
def test_a_look_that_hangs_is_given_up_for_the_next(changes: bool, line: Line) -> None:
    line.break_down(Kind.HANG, LOOK, times=1)
    began = time.monotonic()
    assert run(changes=changes) == "hello\n"
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("changes", "error"), [(False, (ClusterUnreachableError, DeadlineError)), (True, OutcomeUnknownError)]
)
@pytest.mark.parametrize("operations", [(SEND,), ("ssm:*",), (LOOK, "ssm:CancelCommand")])
def test_when_ssm_hangs_there_is_an_answer_before_the_deadline(
    operations: tuple[str, ...], changes: bool, error: type[HeadNodeError], line: Line
) -> None:
    line.break_down(Kind.HANG, *operations)
    ssm, deadline = Clients().ssm, Deadline.after(2)
    with pytest.raises(error):
        invoke(ssm, Invocation("AWS-RunShellScript", NODE, "commands", "echo", "test", changes), deadline, QUICK)
    assert time.monotonic() < deadline.at + 1


@pytest.mark.parametrize(("changes", "seconds"), [(False, 0.1), (True, 0.1), (True, 0.3), (True, 0.9)])
def test_nothing_is_sent_without_time_to_wait_for_it(
    changes: bool, seconds: float, line: Line, endpoint: Endpoint
) -> None:
    with pytest.raises(DeadlineError, match="nothing was sent"):
        run(changes=changes, seconds=seconds)
    assert endpoint.sends == []


def test_a_change_that_never_reached_ssm_is_sent_again(
    line: Line, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection, no request."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
    with pytest.raises(ClusterUnreachableError):
        run(changes=True, seconds=1.5)


@pytest.mark.parametrize("ending", ["Undeliverable", "ExecutionTimedOut", "Cancelled", "Terminated"])
@pytest.mark.parametrize("changes", [False, True])
def test_the_end_of_a_command_is_reported_as_it_was(ending: str, changes: bool, endpoint: Endpoint, line: Line) -> None:
    """A time limit it cannot have met: nobody waits that long. What was not delivered did not run."""
    endpoint.faults.ending = ending
    not_run = ending == "Undeliverable"
    with pytest.raises(OutcomeUnknownError if changes and not not_run else ClusterUnreachableError) as caught:
        run(changes=changes)
    assert "TimedOut" not in str(caught.value)
    said = {"ExecutionTimedOut": "was killed", "Cancelled": "cancelled by somebody", "Undeliverable": "did not run"}
    assert said.get(ending, ending) in str(caught.value)


def discovery() -> Discovery:
    return Discovery(Clients(), ClusterSettings("lab", "lab"))


@pytest.mark.parametrize("kind", [Kind.HANG, Kind.FAIL_BEFORE, Kind.CUT_AFTER])
def test_while_ec2_fails_the_id_from_before_is_used(
    kind: Kind, line: Line, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("ec2").terminate_instances(InstanceIds=[aws.head_node("lab")])
    expected, found = aws.head_node("lab"), discovery()
    assert found.instance() == expected
    monkeypatch.setattr("headnode.discovery._REMEMBERED", 0.0)
    found._until = 0.0
    line.break_down(kind, "ec2:*")
    began = time.monotonic()
    assert found.instance() == expected
    assert time.monotonic() - began < 5
    aws.client("ec2").terminate_instances(InstanceIds=[expected])


def test_an_ec2_that_hangs_from_the_start_is_reported_in_time(line: Line) -> None:
    line.break_down(Kind.HANG, "ec2:*")
    found = discovery()
    assert found._clients.ec2
    began = time.monotonic()
    with until(Deadline.after(2)), pytest.raises(ClusterUnreachableError):
        found.instance()
    assert time.monotonic() - began < 3


def test_a_head_node_that_was_replaced_is_found_again(line: Line, endpoint: Endpoint, aws: Aws) -> None:
    """SSM does not know the old id, so nothing ran there: the same request goes to the new one, a change as well."""
    aws.client("ec2").terminate_instances(InstanceIds=[aws.head_node("lab")])
    gone = aws.head_node("lab")
    cluster = ClusterSettings("lab", "lab")
    node = HeadNode(Clients(), cluster, Settings({"lab": cluster}, "lab", "AWS-RunShellScript"))
    assert node.instance() == gone
    aws.client("ec2").terminate_instances(InstanceIds=[gone])
    new = aws.head_node("lab")
    sent: list[str] = []

    def refuse(params: dict[str, object], **_: object) -> None:
        sent.append(str(params["body"]))

    node._clients.ssm.meta.events.register("before-call.ssm.SendCommand", refuse)
    with pytest.raises(ClusterUnreachableError):
        node.run(Bundle([[Command(SQUEUE)]], changes=True), Deadline.after(20), "test")
    assert [gone in sent[0], new in sent[1]] == [True, True]
    aws.client("ec2").terminate_instances(InstanceIds=[new])


@pytest.mark.parametrize("operation", ["s3:PutObject", "s3:GetObject"])
def test_an_s3_that_hangs_is_reported_in_time(operation: str, line: Line) -> None:
    storage = Storage(Clients(), BUCKET)
    assert storage._clients.s3
    line.break_down(Kind.HANG, operation)
    began = time.monotonic()
    with until(Deadline.after(1)), pytest.raises(ClusterUnreachableError):
        if operation == "s3:PutObject":
            storage.put("answers/hangs", b"answer")
        else:
            storage.get("answers/hangs", "")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("kind", [Kind.FAIL_BEFORE, Kind.CUT_AFTER])
def test_calls_that_may_be_repeated_are_repeated(kind: Kind, line: Line) -> None:
    line.break_down(kind, "s3:PutObject", times=2)
    Storage(Clients(), BUCKET).put("answers/again", b"answer")
    assert line.passed.count("s3:PutObject") == (3 if kind is Kind.CUT_AFTER else 1)


def test_botocore_repeats_no_call(line: Line) -> None:
    line.break_down(Kind.FAIL_AFTER, "ec2:*", "s3:*", "dynamodb:*", "ssm:*")
    clients = Clients()
    for call in (
        lambda: clients.ec2.describe_instances(),
        lambda: clients.s3.put_object(Bucket=BUCKET, Key="once", Body=b""),
        lambda: clients.dynamodb.get_item(TableName="slurmql", Key={"key": {"S": "x"}}),
        lambda: clients.ssm.describe_instance_information(),
    ):
        with pytest.raises(clients.ec2.exceptions.ClientError):
            call()
    assert len(line.passed) == 4


def test_a_call_without_time_is_not_made(line: Line) -> None:
    clients = Clients()
    with until(Deadline.after(0.1)), pytest.raises(NoTimeLeftError):
        clients.ec2.describe_instances()
    assert line.passed == []


def test_no_time_to_look_up_the_head_node_is_a_timeout(line: Line) -> None:
    with until(Deadline.after(0.1)), pytest.raises(DeadlineError, match="nothing was sent"):
        discovery().instance()
    assert line.passed == []


def test_no_time_for_another_attempt_does_not_hide_why_the_first_failed() -> None:
    failure = ConnectTimeoutError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")
    outcomes = iter([failure, NoTimeLeftError()])

    def call() -> None:
        raise next(outcomes)

    with pytest.raises(ConnectTimeoutError) as caught:
        repeated(call, 5)
    assert caught.value is failure


@pytest.mark.parametrize("changes", [False, True])
def test_no_time_for_another_send_does_not_hide_that_the_first_was_throttled(changes: bool) -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "SendCommand")
    outcomes = iter([throttled, NoTimeLeftError()])

    def send_command(**_: object) -> None:
        raise next(outcomes)

    ssm: Any = SimpleNamespace(send_command=send_command)
    invocation = Invocation("AWS-RunShellScript", NODE, "commands", "true", "test", changes)
    with pytest.raises(ThrottledError):
        invoke(ssm, invocation, Deadline.after(20), QUICK)


def test_an_inner_limit_never_outlasts_the_deadline() -> None:
    with until(Deadline.after(1)), at_most(60) as limit:
        assert limit.remaining <= 1
    with at_most(1) as limit, at_most(60) as inner:
        assert inner.at == limit.at


def test_a_failure_that_does_not_pass_is_not_met_twice(line: Line) -> None:
    line.break_down(Kind.REFUSE, "ec2:*")
    calls: list[int] = []

    def call() -> object:
        calls.append(1)
        return Clients().ec2.describe_instances()

    with pytest.raises(boto3.client("ec2").exceptions.ClientError):
        repeated(call, 5)
    assert len(calls) == 1
