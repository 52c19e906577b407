"""A sandbox of the Lambda: a process of its own with the handler in it, which is asked line by line.

stdin:  {"query": ..., "variables": ..., "seconds": Lambda's remaining time}
stdout: {"status": HTTP status, "body": GraphQL's answer}
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TextIO

TESTS = Path(__file__).parents[1]
PATH = {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
CLOCK = "SLURMQL_TEST_CLOCK"
"""Seconds by which the sandbox's clock is ahead."""
REMEMBERED = "SLURMQL_TEST_REMEMBERED"
"""Seconds for which it remembers the head node's id, in place of 60."""
PATIENCE = 90.0
"""Seconds until an answer is given up."""


class SandboxGoneError(Exception):
    """The sandbox ended, or did not answer at all."""


@dataclass(frozen=True)
class Answered:
    """An answer, and how long it took, in seconds."""

    status: int
    body: Mapping[str, Any]
    seconds: float

    @property
    def codes(self) -> list[str]:
        """The codes of its errors, of a payload's refusals too."""
        errors = [error["extensions"]["code"] for error in self.body.get("errors", [])]
        payloads = [value for value in (self.body.get("data") or {}).values() if isinstance(value, dict)]
        return errors + [error["code"] for payload in payloads for error in payload.get("errors", [])]

    @property
    def said(self) -> str:
        """The sentences of its errors."""
        errors = list(self.body.get("errors", []))
        payloads = [value for value in (self.body.get("data") or {}).values() if isinstance(value, dict)]
        return "; ".join(
            error["message"] for each in ({"errors": errors}, *payloads) for error in each.get("errors", [])
        )


class Sandbox:
    """Such a process; a context manager. One request at a time, as Lambda has it."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._lock = threading.Lock()
        with log.open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                env={**os.environ, **environment, **PATH},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                bufsize=1,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def ask(self, query: str, seconds: float = 30.0, user: str | None = None, **variables: Any) -> Answered:
        """The answer to a document by a Lambda that has so many seconds left. Raises SandboxGoneError."""
        asked = {"query": query, "variables": variables, "seconds": seconds, "user": user}
        with self._lock:
            began = time.monotonic()
            try:
                assert self._process.stdin
                self._process.stdin.write(json.dumps(asked) + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise SandboxGoneError("it ended") from error
            line = self._line(began + PATIENCE)
            answer = json.loads(line)
            return Answered(answer["status"], answer["body"], time.monotonic() - began)

    def kill_process(self) -> None:
        """End the process, whatever it does; who waits for its answer learns that."""
        self._process.kill()

    def kill(self) -> None:
        """End it and forget it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):  # unwritten output is no longer needed
                    stream.close()

    def _line(self, give_up: float) -> str:
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(give_up - time.monotonic()):
                raise SandboxGoneError("it does not answer")
        try:
            line = self._process.stdout.readline()
        except OSError as error:  # a fork's connection is reset if it was killed before it read all
            raise SandboxGoneError("it ended") from error
        if not line:
            raise SandboxGoneError("it ended")
        return line


class _Context:
    """Lambda's context of an invocation."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def _shift_clock(seconds: float) -> None:
    """Set this process's clock: what headnode/ and botocore ask for the time of day."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)


def main() -> None:
    """Answer until the input ends."""
    _shift_clock(float(os.environ.get(CLOCK, "0")))
    from conftest import event
    from faults import nursery
    from handler import handler
    from headnode import discovery

    if seconds := os.environ.get(REMEMBERED):
        discovery._REMEMBERED = float(seconds)

    if len(sys.argv) > 1:
        nursery.serve(Path(sys.argv[1]), partial(answer, handler, event))
    else:
        answer(handler, event, sys.stdin, sys.stdout)


def answer(handler: Any, event: Any, asking: TextIO, answering: TextIO) -> None:
    """Answer line by line until the input ends."""
    for line in asking:
        asked = json.loads(line)
        body = json.dumps({"query": asked["query"], "variables": asked["variables"]})
        context: Any = _Context(asked["seconds"])
        response = handler(event(body, asked["user"]), context)
        told = {"status": response["statusCode"], "body": json.loads(response["body"])}
        print(json.dumps(told), file=answering, flush=True)


if __name__ == "__main__":
    main()
