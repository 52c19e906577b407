"""One SSM command: send it, wait for it, read its output (SSM API: SendCommand, GetCommandInvocation)."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from headnode import sent_commands
from headnode.aws_calls import THROTTLED, NoTimeLeftError, at_most, code, is_failure, until
from headnode.deadline import Deadline
from headnode.document import NOTHING_RAN
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ThrottledError,
    UnknownInstanceError,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef

_log = logging.getLogger(__name__)

_UNDER_WAY = ("Pending", "InProgress", "Delayed", "Cancelling")
_NOT_RUN = ("Undeliverable", "InvalidPlatform", "AccessDenied", "RateExceeded")
"""StatusDetails of a command that never reached the head node. DeliveryTimedOut is not one: that also ends a command
whose reply was lost."""
_NOT_SENT = (ConnectTimeoutError, EndpointConnectionError)
"""Errors before the request left: SSM did not get it."""
_KILLED = 137  # the response code of a script that was killed, by whomever (amazon-ssm-agent, runscript.go)
_NO_SCRIPT_FILE = "failed to create script file"  # the agent's words where its disk is full
_NO_REQUEST_FILE = "cannot create temp file for here"  # bash's words where /tmp is full; until 5.1 it always needs one
_TRACEBACK = "Traceback (most recent call last)"
_DELIVERY_TIMEOUT = 30  # seconds, the least SSM accepts
_MISSING_FOR = 10.0  # seconds during which GetCommandInvocation may not know a command yet (boto3#2701)
_BRISK_FOR = 3.0  # seconds of polling at short intervals
_SLOWEST = 2.0  # seconds between two polls, at most
_POLL_SECONDS = 3.0  # a poll that takes longer is given up: the next one may be answered
_READ_NEEDS, _CHANGE_NEEDS = 0.25, 1.0  # seconds that must be left: nobody could answer for what is sent later


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
    repeatable: bool = False
    """Whether a change may be sent twice, as the head node makes it once. A read always may."""

    @property
    def may_be_sent_again(self) -> bool:
        """Whether it may be sent again although it may have arrived."""
        return self.repeatable or not self.changes


def invoke(ssm: SSMClient, invocation: Invocation, deadline: Deadline, pace: Pace) -> str:
    """Run the document and return its stdout.

    Raises ClusterUnreachableError or ThrottledError. At the deadline a read is cancelled and raises DeadlineError; a
    change may be half done, so it is not cancelled and raises OutcomeUnknownError. With too little time left nothing is
    sent, and both raise DeadlineError.
    """
    with until(deadline):
        command = _send(ssm, invocation, deadline)
        return _wait(ssm, invocation, command, deadline, pace)


def leaves_time(deadline: Deadline, changes: bool, pause: float = 0.0) -> bool:
    """Whether a command that is sent after the pause can be answered for."""
    return deadline.remaining >= pause + (_CHANGE_NEEDS if changes else _READ_NEEDS)


def too_late() -> HeadNodeError:
    """The error where there is no such time."""
    return DeadlineError("There was too little time left to ask the head node: nothing was sent.")


def _send(ssm: SSMClient, invocation: Invocation, deadline: Deadline) -> str:
    """Send the command; repeat that if it certainly did not reach SSM, or if sending it twice is harmless.

    Once a change may have arrived, a later failure does not mean that it was not made.
    """
    pause, failure = 0.0, too_late()
    while True:
        if not leaves_time(deadline, invocation.changes, pause):
            raise failure
        deadline.sleep(_jittered(pause))
        pause = min(2 * pause, _SLOWEST) or 0.2
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
            failure = failure if isinstance(failure, OutcomeUnknownError) else _refused(error, invocation)
            if not (code(error) in THROTTLED or (is_failure(error) and invocation.may_be_sent_again)):
                raise failure from error
        except NoTimeLeftError:
            raise failure from None  # nothing was sent: what failed before is the reason
        except BotoCoreError as error:
            if isinstance(failure, OutcomeUnknownError):
                continue
            if isinstance(error, _NOT_SENT) or not invocation.changes:
                failure = ClusterUnreachableError("AWS Systems Manager cannot be reached.")
                continue
            failure = OutcomeUnknownError("The connection to AWS Systems Manager broke while sending.")
            if not invocation.may_be_sent_again:  # the request may have arrived
                raise failure from error


def _refused(error: ClientError, invocation: Invocation) -> HeadNodeError:
    """The meaning of an error that AWS returned for SendCommand."""
    name = code(error)
    if name in THROTTLED:
        return ThrottledError("AWS Systems Manager accepts no more commands at the moment; try again shortly.")
    if is_failure(error):
        if invocation.changes:
            return OutcomeUnknownError(f"AWS Systems Manager failed while it took the command: {name}.")
        return ClusterUnreachableError(f"AWS Systems Manager fails: {name}.")
    if name == "InvalidInstanceId":
        return UnknownInstanceError(
            f"{invocation.instance} is stopped, or Systems Manager does not manage it: does the head "
            "node have the policy AmazonSSMManagedInstanceCore, and is its agent running?"
        )
    advice = {
        "InvalidDocument": f"There is no SSM document {invocation.document}: deploy the stack again.",
        "AccessDeniedException": f"slurmql may not send {invocation.document} to {invocation.instance}: "
        "does the instance have the tags that the stack's policy asks for?",
    }
    return ClusterUnreachableError(advice.get(name, f"AWS Systems Manager refused the command: {name}."))


def _wait(ssm: SSMClient, invocation: Invocation, command: str, deadline: Deadline, pace: Pace) -> str:
    sent = time.monotonic()
    pause, interval, checked = pace.first, pace.interval, False
    while not deadline.passed:
        deadline.sleep(_jittered(pause))
        waited = time.monotonic() - sent
        interval = interval if waited < _BRISK_FOR else min(1.5 * interval, _SLOWEST)
        last, pause = pause, interval
        try:
            with at_most(_POLL_SECONDS):
                result = ssm.get_command_invocation(CommandId=command, InstanceId=invocation.instance)
        except ClientError as error:
            if code(error) in THROTTLED:
                pause = min(2 * last, _SLOWEST)  # one poll that succeeds restores the usual interval
            elif not _is_not_yet(error, waited):
                raise _lost(invocation, "The result of the command was lost.") from error
            continue
        except BotoCoreError:
            continue  # one poll may fail; the next may succeed
        if result["Status"] not in _UNDER_WAY:
            return _output(result, invocation)
        if waited > _BRISK_FOR and result["Status"] == "Pending" and not checked:
            checked = True
            _require_agent(ssm, invocation, command)
    raise _late(ssm, invocation, command, deadline)


def _is_not_yet(error: ClientError, waited: float) -> bool:
    """Whether the next look may find the result: AWS failed, or does not know the command yet."""
    return is_failure(error) or (code(error) == "InvocationDoesNotExist" and waited <= _MISSING_FOR)


def _output(result: GetCommandInvocationResultTypeDef, invocation: Invocation) -> str:
    if result["Status"] == "Success":
        return result["StandardOutputContent"]
    node, details, said = invocation.instance, result["StatusDetails"], result["StandardErrorContent"].strip()
    first = f": {said.splitlines()[0][:200]}" if said else ""
    if details in _NOT_RUN or said.startswith((NOTHING_RAN, _NO_SCRIPT_FILE)) or _NO_REQUEST_FILE in said:
        raise ClusterUnreachableError(f"{node} did not run the command, which ended with the status {details}{first}.")
    if details == "Cancelled":
        raise _lost(invocation, f"The command on {node} was cancelled by somebody else.")
    if result.get("ResponseCode") == _KILLED:
        # Our document allows more time than any request waits for: a time limit it was not.
        detail = f"The command on {node} was killed: was the head node out of memory, or its SSM agent restarted?"
        raise _lost(invocation, detail)
    if _TRACEBACK in said:
        _log.error("the head node's program failed on %s: %s", node, said)
        raise _lost(invocation, f"The head node's program failed on {node}; the API's log has the traceback.")
    raise _lost(invocation, f"The command on {node} ended with the status {details}{first}.")


def _require_agent(ssm: SSMClient, invocation: Invocation, command: str) -> None:
    """Fail if the agent is not connected: SSM queues commands for a dead one for minutes (GetConnectionStatus)."""
    try:
        with at_most(_POLL_SECONDS):
            connected = ssm.get_connection_status(Target=invocation.instance)["Status"] == "connected"
    except (ClientError, BotoCoreError):
        return  # this check only saves time; the deadline still applies
    if not connected:
        detail = f"The SSM agent of {invocation.instance} is not connected: is the head node up?"
        if not _cancel(ssm, command):
            raise _lost(invocation, detail)  # the agent may come back and run it
        raise ClusterUnreachableError(detail)


def _late(ssm: SSMClient, invocation: Invocation, command: str, deadline: Deadline) -> HeadNodeError:
    if invocation.changes:
        return OutcomeUnknownError("The head node did not say in time whether the change was made.")
    with until(deadline.closing):
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


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the polls; nothing secret
