"""Sandboxes that begin at once: forks of a process that has imported the handler already.

On a busy machine a new sandbox takes a minute to import everything, and test-kills kills many.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from faults import sandbox
from faults.sandbox import Sandbox


class Fork:
    """The part of a Popen that a sandbox needs."""

    def __init__(self, address: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(address))
        self.stdin: TextIO = self._connection.makefile("w")
        self.stdout: TextIO = self._connection.makefile("r")
        self._pid = int(self.stdout.readline())
        self._killed = False

    def kill(self) -> None:
        """End it; once, as its number is used again."""
        if not self._killed:
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> None:
        """Forget it: the nursery's kernel reaps it."""
        self._connection.close()


class ForkedSandbox(Sandbox):
    """A sandbox of a nursery."""

    def __init__(self, address: Path) -> None:
        self._lock = threading.Lock()
        self._process: Any = Fork(address)


class Nursery:
    """The process with the handler; a context manager."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._address = directory / "nursery"

    def __enter__(self) -> Self:
        with (self._directory / "nursery.log").open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, sandbox.__file__, self._address],
                env={**os.environ, **self._environment, **sandbox.PATH},
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def sandbox(self) -> Sandbox:
        """A new one."""
        return ForkedSandbox(self._address)


def serve(address: Path, answer: Callable[[TextIO, TextIO], None]) -> None:
    """In the nursery: a fork for each connection, which answers until that ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(str(address), family=socket.AF_UNIX) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    asyncio.set_event_loop(asyncio.new_event_loop())  # forks would wake each other's
                    asking, answering = connection.makefile("r"), connection.makefile("w")
                    print(os.getpid(), file=answering, flush=True)
                    answer(asking, answering)
                    os._exit(0)
