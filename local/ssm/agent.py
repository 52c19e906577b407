"""One node's agent: it runs five commands at a time, queues a few more, and replies.

Source: amazon-ssm-agent (runscript.go, run_plugin.go, the worker pool, the control channel's size limit).
"""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import bucket, parameters, script, streams
from .documents import Document, Step
from .faults import Faults
from .instance import Instance

WORKERS = 5
BUFFER = 5
"""The agent's defaults of CommandWorkersLimit and CommandWorkerBufferLimit."""

_REPLY_BYTES = 120_000
# Roughly what the real agent adds to the output: names, times, counts, a description of itself.
_REPLY_ENVELOPE_BYTES = 600

_NO_TIMEOUT_GIVEN = 3600
_EXIT_SUCCESS, _EXIT_FAILURE, _REBOOT = 168, 169, 194


@dataclass(frozen=True)
class Work:
    """One command for one node: what to run, how to end it early, and who receives the reply."""

    command_id: str
    document: Document
    values: Mapping[str, parameters.Value]
    bucket: bucket.Bucket
    interrupt: script.Interrupt
    reply: Callable[["Reply"], None]


@dataclass(frozen=True)
class StepReply:
    """How one step ended: Success, Failed, TimedOut or Cancelled, and the streams as the agent cuts them."""

    name: str
    status: str
    code: int
    stdout: bytes
    stderr: bytes
    started: float
    finished: float

    @property
    def output(self) -> bytes:
        """Both streams, cut to 2,500 bytes together."""
        return streams.combined(self.stdout, self.stderr)

    @property
    def json_length(self) -> int:
        """How many bytes its streams take in the agent's JSON."""
        return sum(map(streams.go_json_length, (self.stdout, self.stderr, self.output)))


@dataclass(frozen=True)
class Reply:
    """How a command ended on one node, step by step."""

    steps: tuple[StepReply, ...]

    @property
    def status(self) -> str:
        """The worst of the steps' statuses."""
        ended = {step.status for step in self.steps}
        return next(status for status in ("Cancelled", "TimedOut", "Failed", "Success") if status in ended)

    @property
    def too_large(self) -> bool:
        """Whether the agent would drop it as "too large to send over control channel"."""
        return sum(step.json_length for step in self.steps) + _REPLY_ENVELOPE_BYTES > _REPLY_BYTES


@dataclass
class Agent:
    """The agent of one instance. One second of a script's time limit lasts `pace` seconds."""

    instance: Instance
    directory: Path
    region: str
    faults: Faults
    s3_endpoint: str | None = None
    pace: float = 1.0
    reboots: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._running: list[Work] = []
        self._buffer: deque[Work] = deque()
        self._stopped = False

    def accept(self, work: Work) -> bool:
        """Accept a command and run it when a worker is free; return False if the queue is full."""
        with self._changed:
            if self._stopped:
                return False
            if len(self._running) < WORKERS:
                self._running.append(work)
                threading.Thread(target=self._work, args=(work,), daemon=True).start()
                return True
            if len(self._buffer) < BUFFER:
                self._buffer.append(work)
                return True
            return False

    def stop(self, seconds: float = 10.0) -> None:
        """Kill every script's process group and wait until they have ended, at most `seconds`."""
        with self._changed:
            self._stopped = True
            for work in (*self._running, *self._buffer):
                work.interrupt.request()
            self._changed.wait_for(lambda: not self._running, seconds)

    def _work(self, first: Work) -> None:
        work: Work | None = first
        while work is not None:
            try:
                self._carry_out(work)
            finally:
                work.interrupt.close()
                work = self._next_after(work)

    def _next_after(self, done: Work) -> Work | None:
        with self._changed:
            self._running.remove(done)
            following = self._buffer.popleft() if self._buffer else None
            if following is not None:
                self._running.append(following)
            self._changed.notify_all()
            return following

    def _carry_out(self, work: Work) -> None:
        replies: list[StepReply] = []
        for step in work.document.steps():
            if not step.for_linux:
                continue
            replies.append(self._run(work, step))
            if replies[-1].code in (_EXIT_SUCCESS, _EXIT_FAILURE):
                break
        if not replies:
            replies.append(_without_script(work.document.steps()[0], "Success", 0, b""))
        reply = Reply(tuple(replies))
        if not reply.too_large:
            work.reply(reply)

    def _run(self, work: Work, step: Step) -> StepReply:
        if work.interrupt.requested:
            return _without_script(step, "Cancelled", 1, b"")
        try:
            inputs = parameters.fill(step, work.values)
            lines = _lines(inputs.get("runCommand"))
        except ValueError as refusal:
            return _without_script(step, "Failed", 1, str(refusal).encode())
        folder = self.directory / work.command_id / step.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            script.write_script(folder / "_script.sh", lines)
        except OSError as failure:
            return _without_script(step, "Failed", 1, f"failed to create script file. {failure}".encode())
        ending = script.run(
            folder / "_script.sh",
            self._working_directory(work, str(inputs.get("workingDirectory") or "")),
            self._environment(work),
            _time_limit(inputs.get("timeoutSeconds")) * self.pace,
            work.interrupt,
            self.instance.chroot,
        )
        if ending.code == _REBOOT:
            self.reboots.append(work.command_id)
        _append_error(folder, ending, work.interrupt.requested)
        self._upload(work, step, folder)
        return _judge(step, ending, _read(folder / "stdout"), _read(folder / "stderr"), work.interrupt.requested)

    def _working_directory(self, work: Work, wanted: str) -> str:
        if Path(wanted).is_absolute():
            return wanted
        downloaded = self.directory / work.command_id / "downloads" / wanted
        return str(downloaded) if downloaded.exists() else "/usr/bin"

    def _environment(self, work: Work) -> dict[str, str]:
        """Return the environment that systemd and the agent give a script, without HOME, USER, SHELL or TERM."""
        variables = {} if self.faults.old_agent else parameters.exported(work.document, work.values)
        return {
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
            "INVOCATION_ID": uuid.uuid5(uuid.NAMESPACE_OID, self.instance.id).hex,
            "JOURNAL_STREAM": "8:21087",
            **self.instance.environment,
            "AWS_SSM_INSTANCE_ID": self.instance.id,
            "AWS_SSM_REGION_NAME": self.region,
            "AWS_SSM_PLATFORM_NAME": "Amazon Linux",
            "AWS_SSM_PLATFORM_VERSION": "2023",
            "SSM_COMMAND_ID": work.command_id,
            **variables,
        }

    def _upload(self, work: Work, step: Step, folder: Path) -> None:
        if work.bucket.name:
            for stream in ("stdout", "stderr"):
                key = work.bucket.key(work.command_id, self.instance.id, step.folder, stream)
                bucket.upload(self.s3_endpoint, work.bucket, key, folder / stream)


def _lines(commands: Any) -> list[str]:
    if not isinstance(commands, list) or not all(isinstance(line, str) for line in commands):
        raise ValueError("Invalid format in plugin properties")
    return commands


def _time_limit(wanted: Any) -> int:
    """Return how many seconds a script may run: what is wanted if it is 5 to 172,800, otherwise an hour."""
    try:
        seconds = int(wanted)
    except (TypeError, ValueError):
        return _NO_TIMEOUT_GIVEN
    return seconds if 5 <= seconds <= 172_800 else _NO_TIMEOUT_GIVEN


def _append_error(folder: Path, ending: script.Ending, cancelled: bool) -> None:
    """Append the agent's own line to stderr, without a newline before it; it counts towards the limit."""
    if ending.error and _status(ending, cancelled) == "Failed":
        with (folder / "stderr").open("ab") as file:
            file.write(f"failed to run commands: {ending.error}".encode())


def _status(ending: script.Ending, cancelled: bool) -> str:
    if ending.code == script.KILLED:
        # The agent cannot distinguish its own kill from a script that exits with 137.
        return "Cancelled" if cancelled else "TimedOut"
    return "Success" if ending.code in (0, _REBOOT) else "Failed"


def _judge(step: Step, ending: script.Ending, stdout: bytes, stderr: bytes, cancelled: bool) -> StepReply:
    status = _status(ending, cancelled)
    if ending.code == _EXIT_SUCCESS:
        status, stderr = "Success", b""
        stdout += _skipping(168, "succeeded")
    elif ending.code == _EXIT_FAILURE:
        stdout += _skipping(169, "Failed")
        stderr += _skipping(169, "Failed")
    return StepReply(step.name, status, ending.code, stdout, stderr, ending.started, ending.finished)


def _skipping(code: int, outcome: str) -> bytes:
    return (
        f"\nStep exited with code {code}. Therefore, marking step as {outcome}. Further document steps will be skipped."
    ).encode()


def _without_script(step: Step, status: str, code: int, stderr: bytes) -> StepReply:
    now = time.time()
    return StepReply(step.name, status, code, b"", stderr, now, now)


def _read(stream: Path) -> bytes:
    """Return the part of a stream that the agent keeps, without reading more."""
    try:
        with stream.open("rb") as file:
            return streams.keep(file.read(streams.STDOUT_CHARACTERS))
    except FileNotFoundError:
        return b""
