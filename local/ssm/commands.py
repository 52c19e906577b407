"""Run Command: what SendCommand accepts, how it gets to the agents, and what became of it.

Source: the API pages SendCommand, CancelCommand, ListCommands, ListCommandInvocations, and answers captured
from AWS.
"""

import re
import shutil
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from . import parameters
from .agent import Agent, Reply, Work
from .bucket import Bucket
from .documents import Library, Version
from .faults import NOT_DELIVERED, Faults
from .invocation import NO_CLOUDWATCH, NO_NOTIFICATION, Invocation, State
from .protocol import ApiError, Json, check_between, check_command_id, check_instance_id, page, violation
from .script import KILLED, Interrupt
from .spoiling import spoiled

_DEFAULT_SECONDS = 3600
_REMEMBERED = 500  # commands, each with up to 32 kB of output
_PARAMETER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Send:
    """A SendCommand that was accepted. `requested` is in seconds since 1970."""

    command_id: str
    document: str
    instance_ids: tuple[str, ...]
    parameters: Mapping[str, list[str]]
    comment: str
    requested: float

    def as_json(self) -> Json:
        """Return it without its parameters."""
        return {
            "commandId": self.command_id,
            "document": self.document,
            "instanceIds": list(self.instance_ids),
            "comment": self.comment,
            "requested": self.requested,
        }


@dataclass
class Command:
    """A SendCommand and its invocations. `expires_after` is what AWS would say, whatever the local pace."""

    sent: Send
    document_version: str
    timeout: int
    expires_after: float
    bucket: Bucket
    region: str
    limits: tuple[str, str]
    invocations: tuple[Invocation, ...]
    cancelling: bool = False

    def state(self) -> State:
        """Return the state of the whole: an execution timeout of a node is a failure of the command."""
        states = [invocation.state() for invocation in self.invocations]
        if all(state.terminal for state in states):
            return _worst(states)
        if self.cancelling:
            return State("Cancelling", "Cancelling")
        if all(state.status == "Pending" for state in states):
            return State("Pending", "Pending")
        return State("InProgress", "InProgress")

    def as_json(self, state: State | None = None) -> Json:
        """Return the API's Command."""
        state = state or self.state()
        states = [invocation.state() for invocation in self.invocations]
        return {
            "CommandId": self.sent.command_id,
            "DocumentName": self.sent.document,
            "DocumentVersion": self.document_version,
            "Comment": self.sent.comment,
            "ExpiresAfter": self.expires_after,
            "Parameters": dict(self.sent.parameters),
            "InstanceIds": list(self.sent.instance_ids),
            "Targets": [],
            "RequestedDateTime": self.sent.requested,
            "Status": state.status,
            "StatusDetails": state.details,
            "OutputS3Region": self.region,
            "OutputS3BucketName": self.bucket.name,
            "OutputS3KeyPrefix": self.bucket.prefix,
            "MaxConcurrency": self.limits[0],
            "MaxErrors": self.limits[1],
            "TargetCount": len(states),
            "CompletedCount": sum(state.terminal for state in states),
            "ErrorCount": sum(_is_error(state) for state in states),
            "DeliveryTimedOutCount": sum(state.details == "DeliveryTimedOut" for state in states),
            "ServiceRole": "",
            "NotificationConfig": NO_NOTIFICATION,
            "CloudWatchOutputConfig": NO_CLOUDWATCH,
            "TimeoutSeconds": self.timeout,
            "AlarmConfiguration": {"IgnorePollAlarmFailure": False, "Alarms": []},
            "TriggeredAlarms": [],
        }


class Commands:
    """The account's commands. `pace` is how long one second of SSM's own time limits lasts, in seconds."""

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
        """Deliver nothing more and end what runs."""
        self._stopped.set()
        for agent in self._agents.values():
            agent.stop()

    def send(self, request: Json) -> Json:
        """SendCommand: refuse it with AWS's words, or start it and answer Pending."""
        timeout = check_between(request, "TimeoutSeconds", 30, 2_592_000, _DEFAULT_SECONDS)
        comment = str(request.get("Comment", ""))
        if len(comment) > 100:
            raise violation(comment, "comment", "have length less than or equal to 100")
        instance_ids = self._instances(request)
        document = self._library.find(request["DocumentName"], message="")
        version = document.version(request.get("DocumentVersion"))
        if request.get("DocumentHashType", "Sha256") == "Sha256" and request.get("DocumentHash"):
            _check_hash(version, request["DocumentHash"])
        given = request.get("Parameters") or {}
        values = parameters.accept(version, given)
        parameters.check_payload(version, given)

        requested = time.time()
        sent = Send(str(uuid.uuid4()), document.name, instance_ids, given, comment, requested)
        seconds = timeout + _execution_seconds(version, given)
        bucket = Bucket(request.get("OutputS3BucketName", ""), request.get("OutputS3KeyPrefix", ""))
        shown_version = request.get("DocumentVersion") or "$DEFAULT"
        command = Command(
            sent=sent,
            document_version=shown_version,
            timeout=timeout,
            expires_after=requested + seconds,
            bucket=bucket,
            region=self._region,
            limits=(request.get("MaxConcurrency", "50"), request.get("MaxErrors", "0")),
            invocations=tuple(
                Invocation(
                    command_id=sent.command_id,
                    instance_id=instance_id,
                    document=document.name,
                    document_version=shown_version,
                    comment=comment,
                    steps=version.steps(),
                    bucket=bucket,
                    region=self._region,
                    requested=requested,
                    expires=requested + seconds * self._pace,
                    interrupt=Interrupt(),
                )
                for instance_id in instance_ids
            ),
        )
        answer = {"Command": command.as_json(State("Pending", "Pending"))}
        self._remember(command)
        for invocation in command.invocations:
            self._dispatch(invocation, version, values)
        return answer

    def cancel(self, request: Json) -> Json:
        """CancelCommand: answers at once; what runs is killed once the agent has heard of it."""
        command_id = check_command_id(request["CommandId"])
        command = self._commands.get(command_id)
        if command is None:
            raise ApiError("InvalidCommandId", f"Command id {command_id} does not exist.")
        wanted = request.get("InstanceIds") or command.sent.instance_ids
        if not set(wanted) <= set(command.sent.instance_ids):
            raise _invalid_instance()
        for invocation in command.invocations:
            if invocation.instance_id in wanted and not invocation.state().terminal:
                command.cancelling = True
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

    def list_commands(self, request: Json) -> Json:
        """ListCommands, the newest first. An unknown id gives an empty list, not an error."""
        found = [command for command in self._newest_first(request) if _passes(command, request)]
        shown, more = page(found, lambda command: command.sent.command_id, request)
        return {"Commands": [command.as_json() for command in shown], **more}

    def list_invocations(self, request: Json) -> Json:
        """ListCommandInvocations, the newest first."""
        found = [
            invocation
            for command in self._newest_first(request)
            if _passes(command, request)
            for invocation in command.invocations
            if request.get("InstanceId") in (None, invocation.instance_id) and not self._missing(invocation)
        ]
        shown, more = page(found, lambda each: f"{each.command_id} {each.instance_id}", request)
        details = bool(request.get("Details"))
        return {"CommandInvocations": [invocation.as_listed(details) for invocation in shown], **more}

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

    def _dispatch(self, invocation: Invocation, version: Version, values: dict[str, parameters.Value]) -> None:
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
        work = Work(invocation.command_id, version, values, invocation.bucket, invocation.interrupt, hear)
        # The usual case costs no second thread; the agent's worker is the only one.
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

    def _newest_first(self, request: Json) -> list[Command]:
        if request.get("CommandId"):
            command = self._commands.get(check_command_id(request["CommandId"]))
            return [command] if command else []
        with self._lock:
            return list(reversed(self._commands.values()))

    def _remember(self, command: Command) -> None:
        """Keep the command; forget the oldest and its files (AWS: after 30 days, the agent: after 14).

        Of what was forgotten, `sends` keeps that it was sent, without the request.
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


def _check_hash(version: Version, wanted: Any) -> None:
    if wanted != version.sha256:
        raise ApiError("InvalidDocument", "The document hash does not match.")


def _execution_seconds(version: Version, given: Mapping[str, list[str]]) -> int:
    """Return the run time that ExpiresAfter allows for, in seconds.

    Fixed time limits of steps are summed. One that comes from a parameter counts with the value given; when
    none is given it counts 3600, even where the document's own default differs.
    """
    return sum(_seconds(step.inputs.get("timeoutSeconds"), given) for step in version.steps())


def _seconds(limit: Any, given: Mapping[str, list[str]]) -> int:
    reference = _PARAMETER.fullmatch(str(limit).strip())
    if reference:
        limit = next(iter(given.get(reference[1], [])), None)
    try:
        return int(limit)
    except (TypeError, ValueError):
        return _DEFAULT_SECONDS


def _worst(states: list[State]) -> State:
    if any(_is_error(state) for state in states):
        return State("Failed", "Failed")
    if any(state.status == "Cancelled" for state in states):
        return State("Cancelled", "Cancelled")
    if any(state.status == "TimedOut" for state in states):
        return State("TimedOut", "DeliveryTimedOut")
    return State("Success", "Success")


def _is_error(state: State) -> bool:
    return state.status == "Failed" or state.details == "ExecutionTimedOut"


def _passes(command: Command, request: Json) -> bool:
    if request.get("InstanceId") not in (None, *command.sent.instance_ids):
        return False
    return all(_has(command, each["key"], each["value"]) for each in request.get("Filters") or [])


def _has(command: Command, key: str, value: str) -> bool:
    match key:
        case "Status":
            return command.state().status == value
        case "DocumentName":
            return command.sent.document == value
        case "InvokedAfter":
            return command.sent.requested > datetime.fromisoformat(value).timestamp()
        case "InvokedBefore":
            return command.sent.requested < datetime.fromisoformat(value).timestamp()
        case _:
            raise ApiError("InvalidFilterKey", f"The local endpoint has no filter {key}.")
