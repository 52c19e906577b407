"""Run Command: which commands it accepts, how they reach the agents, and what results it returns.

Source: the API pages SendCommand and CancelCommand, and answers captured from AWS.
"""

import re
import shutil
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import parameters
from .agent import Agent, Reply, Work
from .bucket import Bucket
from .documents import Document, Library
from .faults import NOT_DELIVERED, Faults
from .invocation import NO_CLOUDWATCH, Invocation, State
from .protocol import ApiError, Json, check_between, check_command_id, check_instance_id, violation
from .script import KILLED, Interrupt
from .spoiling import spoiled

_DEFAULT_SECONDS = 3600
_REMEMBERED = 500  # commands, each with up to 32 kB of output
_PARAMETER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Send:
    """An accepted SendCommand. `requested` is in seconds since 1970."""

    command_id: str
    document: str
    instance_ids: tuple[str, ...]
    parameters: Mapping[str, list[str]]
    comment: str
    requested: float

    def as_json(self) -> Json:
        """Return it as JSON, without its parameters."""
        return {
            "commandId": self.command_id,
            "document": self.document,
            "instanceIds": list(self.instance_ids),
            "comment": self.comment,
            "requested": self.requested,
        }


@dataclass(frozen=True)
class Command:
    """A SendCommand and its invocations, one for each node."""

    sent: Send
    invocations: tuple[Invocation, ...]


class Commands:
    """The account's commands. One second of SSM's own time limits lasts `pace` seconds."""

    def __init__(self, library: Library, agents: Mapping[str, Agent], faults: Faults, region: str, pace: float) -> None:
        self.sends: list[Send] = []
        self._library = library
        self._agents = agents
        self._faults = faults
        self._region = region
        self._pace = pace
        self._commands: dict[str, Command] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Deliver no more commands and end those that run."""
        self._stopped.set()
        for agent in self._agents.values():
            agent.stop()

    def send(self, request: Json) -> Json:
        """SendCommand: refuse it in AWS's words, or start it and answer Pending."""
        timeout = check_between(request, "TimeoutSeconds", 30, 2_592_000, _DEFAULT_SECONDS)
        comment = str(request.get("Comment", ""))
        if len(comment) > 100:
            raise violation(comment, "comment", "have length less than or equal to 100")
        instance_ids = self._instances(request)
        document = self._library.find(request["DocumentName"])
        document.check_version(request.get("DocumentVersion"))
        if request.get("DocumentHashType", "Sha256") == "Sha256" and request.get("DocumentHash"):
            _check_hash(document, request["DocumentHash"])
        given = request.get("Parameters") or {}
        values = parameters.accept(document, given)
        parameters.check_payload(document, given)

        requested = time.time()
        sent = Send(str(uuid.uuid4()), document.name, instance_ids, given, comment, requested)
        seconds = timeout + _execution_seconds(document, given)
        bucket = Bucket(request.get("OutputS3BucketName", ""), request.get("OutputS3KeyPrefix", ""))
        shown_version = request.get("DocumentVersion") or "$DEFAULT"
        invocations = tuple(
            Invocation(
                command_id=sent.command_id,
                instance_id=instance_id,
                document=document.name,
                document_version=shown_version,
                comment=comment,
                steps=document.steps(),
                bucket=bucket,
                region=self._region,
                requested=requested,
                expires=requested + seconds * self._pace,
                interrupt=Interrupt(),
            )
            for instance_id in instance_ids
        )
        self._remember(Command(sent, invocations))
        for invocation in invocations:
            self._dispatch(invocation, document, values)
        return {
            "Command": {
                "CommandId": sent.command_id,
                "DocumentName": sent.document,
                "DocumentVersion": shown_version,
                "Comment": sent.comment,
                "ExpiresAfter": requested + seconds,  # as on AWS, whatever the local pace is
                "Parameters": dict(sent.parameters),
                "InstanceIds": list(sent.instance_ids),
                "Targets": [],
                "RequestedDateTime": requested,
                "Status": "Pending",
                "StatusDetails": "Pending",
                "OutputS3Region": self._region,
                "OutputS3BucketName": bucket.name,
                "OutputS3KeyPrefix": bucket.prefix,
                "MaxConcurrency": request.get("MaxConcurrency", "50"),
                "MaxErrors": request.get("MaxErrors", "0"),
                "TargetCount": len(invocations),
                "CompletedCount": 0,
                "ErrorCount": 0,
                "DeliveryTimedOutCount": 0,
                "ServiceRole": "",
                "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
                "CloudWatchOutputConfig": NO_CLOUDWATCH,
                "TimeoutSeconds": timeout,
                "AlarmConfiguration": {"IgnorePollAlarmFailure": False, "Alarms": []},
                "TriggeredAlarms": [],
            }
        }

    def cancel(self, request: Json) -> Json:
        """CancelCommand: answer at once; the script is killed when the request has reached the agent."""
        command_id = check_command_id(request["CommandId"])
        command = self._commands.get(command_id)
        if command is None:
            raise ApiError("InvalidCommandId", f"Command id {command_id} does not exist.")
        wanted = request.get("InstanceIds") or command.sent.instance_ids
        if not set(wanted) <= set(command.sent.instance_ids):
            raise _invalid_instance()
        for invocation in command.invocations:
            if invocation.instance_id in wanted and not invocation.state().terminal:
                self._cancel(invocation)
        return {}

    def result(self, request: Json) -> Json:
        """GetCommandInvocation."""
        command_id = check_command_id(request["CommandId"])
        instance_id = check_instance_id(request["InstanceId"], "instanceId")
        command = self._commands.get(command_id)
        for invocation in command.invocations if command else ():
            if invocation.instance_id == instance_id and not self._missing(invocation):
                return invocation.as_result(request.get("PluginName"))
        raise ApiError("InvocationDoesNotExist", f"Invocation not found for {command_id}, {instance_id}")

    def _instances(self, request: Json) -> tuple[str, ...]:
        wanted = list(request.get("InstanceIds") or [])
        for target in request.get("Targets") or []:
            if target.get("Key") != "InstanceIds":
                raise ApiError("ValidationException", f"The local endpoint has no tags: Targets {target.get('Key')}.")
            wanted += target.get("Values") or []
        if not wanted:
            raise ApiError("ValidationException", "InstanceIds or Targets must be given.")
        if len(wanted) > 50:
            raise violation(wanted, "instanceIds", "have length less than or equal to 50")
        for instance_id in wanted:
            check_instance_id(instance_id, "instanceIds")
        if len(set(wanted)) < len(wanted):
            raise ApiError("DuplicateInstanceId")
        agents = [self._agents.get(instance_id) for instance_id in wanted]
        if any(agent is None or agent.instance.stopped for agent in agents):
            raise _invalid_instance()
        return tuple(wanted)

    def _dispatch(self, invocation: Invocation, document: Document, values: dict[str, parameters.Value]) -> None:
        def hear(reply: Reply) -> None:
            if not self._faults.loses_reply():
                if way := self._faults.spoil:
                    reply = Reply(tuple(replace(step, stdout=spoiled(step.stdout, way)) for step in reply.steps))
                invocation.visible = time.time() + self._faults.visibility_lag
                invocation.reply = reply

        if self._faults.ending:
            invocation.fate = _fate(self._faults.ending)
            if self._faults.ending in NOT_DELIVERED:
                invocation.interrupt.close()
                return
        work = Work(invocation.command_id, document, values, invocation.bucket, invocation.interrupt, hear)
        # Usually the agent takes it at once, and no second thread is needed beside its worker's.
        if self._faults.delivery_delay or not self._offer(invocation, work):
            threading.Thread(target=self._deliver, args=(invocation, work), daemon=True).start()

    def _deliver(self, invocation: Invocation, work: Work) -> None:
        """Offer the command until the agent takes it, it expires, is cancelled, or the endpoint stops."""
        self._stopped.wait(self._faults.delivery_delay)
        while not self._stopped.is_set() and not invocation.state().terminal:
            if self._offer(invocation, work):
                return
            self._stopped.wait(self._faults.redelivery_delay or 0.01)
        invocation.interrupt.close()

    def _offer(self, invocation: Invocation, work: Work) -> bool:
        agent = self._agents[invocation.instance_id]
        if not agent.instance.online or agent.instance.stopped:
            return False
        with self._lock:
            if invocation.withdrawn:
                return False
            invocation.delivered = agent.accept(work)
            invocation.turned_away = not invocation.delivered
            return invocation.delivered

    def _cancel(self, invocation: Invocation) -> None:
        with self._lock:
            if not invocation.delivered:
                invocation.withdrawn = True
                return
        delay = self._faults.delivery_delay
        if delay:
            timer = threading.Timer(delay, invocation.interrupt.request)
            timer.daemon = True
            timer.start()
        else:
            invocation.interrupt.request()

    def _missing(self, invocation: Invocation) -> bool:
        return time.time() < invocation.requested + self._faults.invocation_missing

    def _remember(self, command: Command) -> None:
        """Remember the command; forget the oldest one and its files (AWS does after 30 days, the agent after 14).

        `sends` still lists a forgotten command, but without its parameters.
        """
        forgotten = None
        with self._lock:
            self.sends.append(command.sent)
            self._commands[command.sent.command_id] = command
            if len(self._commands) > _REMEMBERED:
                forgotten = self._commands.pop(next(iter(self._commands)))
                number = len(self.sends) - len(self._commands) - 1
                self.sends[number] = replace(self.sends[number], parameters={})
        for invocation in forgotten.invocations if forgotten else ():
            directory = self._agents[invocation.instance_id].directory
            shutil.rmtree(directory / invocation.command_id, ignore_errors=True)


def _invalid_instance() -> ApiError:
    return ApiError("InvalidInstanceId", "Instances not in a valid state for account")


def _fate(details: str) -> State:
    match details:
        case "DeliveryTimedOut":
            return State("TimedOut", details)
        case "ExecutionTimedOut":
            return State("TimedOut", details, KILLED)
        case "Cancelled":
            return State("Cancelled", details, KILLED)
    return State("Failed", details)


def _check_hash(document: Document, wanted: Any) -> None:
    if wanted != document.sha256:
        raise ApiError("InvalidDocument", "The document hash does not match.")


def _execution_seconds(document: Document, given: Mapping[str, list[str]]) -> int:
    """Return the run time that ExpiresAfter allows for, in seconds.

    It is the sum of the steps' time limits. If a limit comes from a parameter, the given value counts; without one
    3600 counts, even if the document's own default differs.
    """
    return sum(_seconds(step.inputs.get("timeoutSeconds"), given) for step in document.steps())


def _seconds(limit: Any, given: Mapping[str, list[str]]) -> int:
    reference = _PARAMETER.fullmatch(str(limit).strip())
    if reference:
        limit = next(iter(given.get(reference[1], [])), None)
    try:
        return int(limit)
    except (TypeError, ValueError):
        return _DEFAULT_SECONDS
