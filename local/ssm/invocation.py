"""A command on one node, and its state as the service reports it.

Source: the API page GetCommandInvocation, and answers captured from AWS.
"""

import time
from dataclasses import dataclass, field

from . import streams
from .agent import Reply, StepReply
from .bucket import Bucket
from .documents import Step
from .protocol import ApiError, Json, elapsed, iso_milliseconds
from .script import Interrupt

NO_CLOUDWATCH: Json = {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False}


@dataclass(frozen=True)
class State:
    """A Status, its StatusDetails and a ResponseCode, which is -1 if there is none."""

    status: str
    details: str
    code: int = -1

    @property
    def terminal(self) -> bool:
        """Whether it is final."""
        return self.status not in ("Pending", "InProgress", "Delayed")


@dataclass
class Invocation:
    """One command on one instance. Its state follows from what has happened and when (seconds since 1970).

    expires       when the service gives up waiting for a reply
    delivered     the agent has it
    turned_away   the agent's queue was full
    withdrawn     it was cancelled before it was delivered
    reply         the agent's reply, which nobody sees before `visible`
    fate          the end that a fault gives it; if it was delivered, only after the reply
    """

    command_id: str
    instance_id: str
    document: str
    document_version: str
    comment: str
    steps: tuple[Step, ...]
    bucket: Bucket
    region: str
    requested: float
    expires: float
    interrupt: Interrupt
    delivered: bool = False
    turned_away: bool = False
    withdrawn: bool = False
    reply: Reply | None = field(default=None)
    fate: State | None = None
    visible: float = 0.0

    def state(self) -> State:
        """Return its current state."""
        reply = self.visible_reply()
        if self.fate and (reply or not self.delivered):
            return self.fate
        if reply:
            details = "ExecutionTimedOut" if reply.status == "TimedOut" else reply.status
            return State(reply.status, details, _code(reply))
        if self.withdrawn:
            return State("Cancelled", "Cancelled")
        if time.time() >= self.expires:
            return State("TimedOut", "DeliveryTimedOut")
        if self.delivered:
            return State("InProgress", "InProgress")
        if self.turned_away:
            return State("Delayed", "Delayed")
        return State("Pending", "Pending")

    def visible_reply(self) -> Reply | None:
        """Return the agent's reply if it is visible by now; a reply after the expiry never becomes visible."""
        if self.reply and self.visible <= min(time.time(), self.expires):
            return self.reply
        return None

    def plugin(self, wanted: str | None) -> Step:
        """Return the step with that name or, without a name, the only step. Raises InvalidPluginName."""
        chosen = [step for step in self.steps if wanted in (step.name, None)]
        if len(chosen) != 1:
            raise ApiError(
                "InvalidPluginName",
                f"Plugin {wanted} not found for invocation with command id {self.command_id} "
                f"and instance id {self.instance_id}",
            )
        return chosen[0]

    def as_result(self, plugin_name: str | None) -> Json:
        """Return GetCommandInvocation's answer. Output and URLs are empty until the state is final."""
        step = self.plugin(plugin_name)
        state = self.state()
        answer: Json = {
            "CommandId": self.command_id,
            "InstanceId": self.instance_id,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "PluginName": step.name,
            "ResponseCode": state.code,
            "ExecutionEndDateTime": "",
            "Status": state.status,
            "StatusDetails": state.details,
            "StandardOutputContent": "",
            "StandardOutputUrl": "",
            "StandardErrorContent": "",
            "StandardErrorUrl": "",
            "CloudWatchOutputConfig": NO_CLOUDWATCH,
        }
        said = self._step_reply(step)
        if said:
            answer |= _result(said) | self._urls(step)
            if self.fate:
                answer |= {"Status": state.status, "StatusDetails": state.details, "ResponseCode": state.code}
                answer |= {"StandardOutputContent": "", "StandardErrorContent": ""}
        return answer

    def _step_reply(self, step: Step) -> StepReply | None:
        reply = self.visible_reply()
        return next((said for said in reply.steps if said.name == step.name), None) if reply else None

    def _urls(self, step: Step) -> Json:
        def url(stream: str) -> str:
            key = self.bucket.key(self.command_id, self.instance_id, step.folder, stream)
            return self.bucket.url(self.region, key)

        return {"StandardOutputUrl": url("stdout"), "StandardErrorUrl": url("stderr")}


def _code(reply: Reply) -> int:
    return next(step.code for step in reply.steps if step.status == reply.status)


def _step_state(said: StepReply) -> Json:
    details = "ExecutionTimedOut" if said.status == "TimedOut" else said.status
    return {"Status": said.status, "StatusDetails": details, "ResponseCode": said.code}


def _result(said: StepReply) -> Json:
    lasted = said.finished - said.started
    return _step_state(said) | {
        "ExecutionStartDateTime": iso_milliseconds(said.started),
        "ExecutionElapsedTime": elapsed(lasted),
        # AWS shows the start plus whole seconds here, not the end that follows from the elapsed time.
        "ExecutionEndDateTime": iso_milliseconds(said.started + int(lasted)),
        "StandardOutputContent": streams.text(said.stdout)[: streams.STDOUT_CHARACTERS],
        "StandardErrorContent": streams.text(said.stderr)[: streams.STDERR_CHARACTERS],
    }
