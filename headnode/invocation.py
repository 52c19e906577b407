"""One SSM command: send it, wait for it, read its output (SSM API: SendCommand, GetCommandInvocation)."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headnode import sent_commands
from headnode.deadline import Deadline
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ThrottledError,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef

_log = logging.getLogger(__name__)

_UNDER_WAY = ("Pending", "InProgress", "Delayed", "Cancelling")
_THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded")
_TRACEBACK = "Traceback (most recent call last)"
_DELIVERY_TIMEOUT = 30  # seconds, the least SSM accepts
_MISSING_FOR = 10.0  # seconds during which GetCommandInvocation may not know a command yet (boto3#2701)
_BRISK_FOR = 3.0  # seconds of polling at short intervals
_SLOWEST = 2.0  # seconds between two polls, at most


@dataclass(frozen=True)
class Pace:
    """When to poll for the result: `first` seconds after sending, then every `interval` seconds, later more slowly."""

    first: float = 0.25
    interval: float = 0.2


@dataclass(frozen=True)
class Invocation:
    """What to run: a document with one parameter, on one instance. `changes` says that it is not just a read."""

    document: str
    instance: str
    parameter: str
    text: str
    comment: str
    changes: bool


def invoke(ssm: SSMClient, invocation: Invocation, deadline: Deadline, pace: Pace) -> str:
    """Run the document and return its stdout.

    Raises ClusterUnreachableError or ThrottledError. At the deadline a read is cancelled and raises DeadlineError; a
    change may be half done, so it is not cancelled and raises OutcomeUnknownError.
    """
    command = _send(ssm, invocation, deadline)
    return _wait(ssm, invocation, command, deadline, pace)


def _send(ssm: SSMClient, invocation: Invocation, deadline: Deadline) -> str:
    pause = 0.2
    while True:
        try:
            answer = ssm.send_command(
                DocumentName=invocation.document,
                InstanceIds=[invocation.instance],
                Parameters={invocation.parameter: [invocation.text]},
                TimeoutSeconds=_DELIVERY_TIMEOUT,
                Comment=invocation.comment[:100],
            )
            command = answer["Command"]["CommandId"]
            sent_commands.note(command)
            return command
        except ClientError as error:
            if _code(error) not in _THROTTLED:
                raise _refused(error, invocation) from error
            if deadline.remaining <= pause:
                raise ThrottledError(
                    "AWS Systems Manager accepts no more commands at the moment; try again shortly."
                ) from error
        except BotoCoreError as error:
            if invocation.changes:  # the request may have arrived: sending it again could make the change twice
                raise OutcomeUnknownError("The connection to AWS Systems Manager broke while sending.") from error
            if deadline.remaining <= pause:
                raise ClusterUnreachableError("AWS Systems Manager cannot be reached.") from error
        deadline.sleep(_jittered(pause))
        pause = min(2 * pause, _SLOWEST)


def _refused(error: ClientError, invocation: Invocation) -> HeadNodeError:
    advice = {
        "InvalidInstanceId": f"{invocation.instance} is stopped, or Systems Manager does not manage it: does the head "
        "node have the policy AmazonSSMManagedInstanceCore, and is its agent running?",
        "InvalidDocument": f"There is no SSM document {invocation.document}: deploy the stack again.",
        "AccessDeniedException": f"slurmql may not send {invocation.document} to {invocation.instance}: "
        "does the instance have the tags that the stack's policy asks for?",
    }
    return ClusterUnreachableError(
        advice.get(_code(error), f"AWS Systems Manager refused the command: {_code(error)}.")
    )


def _wait(ssm: SSMClient, invocation: Invocation, command: str, deadline: Deadline, pace: Pace) -> str:
    sent = time.monotonic()
    pause, interval, checked = pace.first, pace.interval, False
    while not deadline.passed:
        deadline.sleep(_jittered(pause))
        waited = time.monotonic() - sent
        interval = interval if waited < _BRISK_FOR else min(1.5 * interval, _SLOWEST)
        last, pause = pause, interval
        try:
            result = ssm.get_command_invocation(CommandId=command, InstanceId=invocation.instance)
        except ClientError as error:
            if _code(error) in _THROTTLED:
                pause = min(2 * last, _SLOWEST)  # one poll that succeeds restores the usual interval
            elif _code(error) != "InvocationDoesNotExist" or waited > _MISSING_FOR:
                raise _lost(invocation, "The result of the command was lost.") from error
            continue
        except BotoCoreError:
            continue  # one poll may fail; the next may succeed
        if result["Status"] not in _UNDER_WAY:
            return _output(result, invocation)
        if waited > _BRISK_FOR and result["Status"] == "Pending" and not checked:
            checked = True
            _require_agent(ssm, invocation, command)
    raise _late(ssm, invocation, command)


def _output(result: GetCommandInvocationResultTypeDef, invocation: Invocation) -> str:
    if result["Status"] == "Success":
        return result["StandardOutputContent"]
    said = result["StandardErrorContent"].strip()
    if _TRACEBACK in said:
        _log.error("the head node's program failed on %s: %s", invocation.instance, said)
        detail = f"The head node's program failed on {invocation.instance}; the API's log has the traceback."
    else:
        first = f": {said.splitlines()[0][:200]}" if said else ""
        detail = f"The command on {invocation.instance} ended with the status {result['StatusDetails']}{first}."
    raise _lost(invocation, detail)


def _require_agent(ssm: SSMClient, invocation: Invocation, command: str) -> None:
    """Fail if the agent is not connected: SSM queues commands for a dead one for minutes (GetConnectionStatus)."""
    try:
        connected = ssm.get_connection_status(Target=invocation.instance)["Status"] == "connected"
    except (ClientError, BotoCoreError):
        return  # this check only saves time; the deadline still applies
    if not connected:
        detail = f"The SSM agent of {invocation.instance} is not connected: is the head node up?"
        if not _cancel(ssm, command):
            raise _lost(invocation, detail)  # the agent may come back and run it
        raise ClusterUnreachableError(detail)


def _late(ssm: SSMClient, invocation: Invocation, command: str) -> HeadNodeError:
    if invocation.changes:
        return OutcomeUnknownError("The head node did not say in time whether the change was made.")
    _cancel(ssm, command)
    return DeadlineError("The head node did not answer in time; try again, or ask for less.")


def _lost(invocation: Invocation, detail: str) -> HeadNodeError:
    if invocation.changes:
        return OutcomeUnknownError(f"It is not known whether the change was made. {detail}")
    return ClusterUnreachableError(detail)


def _cancel(ssm: SSMClient, command: str) -> bool:
    """Whether Systems Manager accepted the cancellation. Without it the program's own time limits end the command."""
    try:
        ssm.cancel_command(CommandId=command)
    except (ClientError, BotoCoreError):
        return False
    return True


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the polls; nothing secret
