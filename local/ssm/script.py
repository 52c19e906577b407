"""Runs one script the way the agent does and returns how it ended.

Source: amazon-ssm-agent, runscript.go and the shell command executer.
"""

import contextlib
import errno
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.suite.chroot import Chroot

KILLED = 137
"""The exit code that the agent reports for a script that it killed because of a timeout or a cancel."""

_READ_BYTES = 65_536

# A script cannot be executed while another thread's fork has it open for writing ("Text file busy"), so none is
# written while a process is being started. https://github.com/golang/go/issues/22315 describes the same in Go.
_starting = threading.Lock()


@dataclass(frozen=True)
class Ending:
    """How a script ended.

    code      its exit status; -1: ended by a signal, 137: killed by the agent, 1: it could not be started
    error     Go's text for the failure ("exit status 3"); "" if there is none
    killed    whether the agent killed it
    started, finished   seconds since 1970
    """

    code: int
    error: str
    killed: bool
    started: float
    finished: float


class Interrupt:
    """Another thread's request to end a script; it may come before the script starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._requested = threading.Event()

    @property
    def requested(self) -> bool:
        """Whether the end has been requested."""
        return self._requested.is_set()

    def request(self) -> None:
        """Request the end. A second request, or one after the end, does nothing."""
        with self._lock:
            self._requested.set()
            if self._wake is not None:
                os.eventfd_write(self._wake, 1)

    def fileno(self) -> int:
        """Return a descriptor, for selectors, that becomes readable when the end is requested."""
        return -1 if self._wake is None else self._wake

    def close(self) -> None:
        """Close the descriptor."""
        with self._lock:
            if self._wake is not None:
                os.close(self._wake)
                self._wake = None


def write_script(path: Path, lines: list[str]) -> None:
    """Write the lines as an executable with mode 0700."""
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    with _starting, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "wb") as file:
        file.write(content)


def run(
    script: Path,
    working_directory: str,
    environment: Mapping[str, str],
    seconds: float,
    interrupt: Interrupt,
    chroot: Chroot | None = None,
) -> Ending:
    """Run `sh -c script` in its own process group, in `chroot` if given, and read both its pipes to their end.

    The streams are written to the files `stdout` and `stderr` beside the script. It ends when the pipes end, not
    with the shell: it waits for a child in the background that keeps one open. After `seconds`, or when interrupted,
    the process group is killed; processes that have left the group survive.
    """
    started = time.time()
    try:
        # The agent does not quote the path. Its own never contains a space, but a developer's folder may.
        argv = ["sh", "-c", shlex.quote(str(script))]
        argv = chroot.command(argv, working_directory) if chroot else argv
        process = _start(argv, "/" if chroot else working_directory, environment)
    except (OSError, ValueError) as failure:
        # ValueError: a variable contains a NUL.
        number = failure.errno if isinstance(failure, OSError) else errno.EINVAL
        reason = os.strerror(number or 0).lower()
        return Ending(1, f"fork/exec /usr/bin/sh: {reason}", False, started, time.time())
    with process:
        finished = _follow(process, script.parent, time.monotonic() + seconds, interrupt)
        if not finished:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    if not finished:
        return Ending(KILLED, "", True, started, time.time())
    code = max(status, -1)
    return Ending(code, _go_error(status), False, started, time.time())


def _start(argv: list[str], directory: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with _starting:
        return subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env=dict(environment),
            process_group=0,
        )


def _follow(process: subprocess.Popen[bytes], directory: Path, deadline: float, interrupt: Interrupt) -> bool:
    """Copy the streams until both end and the shell has exited; False if the deadline or an interrupt comes first.

    The shell is not reaped here, so that no other process can get its process group's id before the kill.
    """
    exited = os.pidfd_open(process.pid)
    files = {process.stdout: directory / "stdout", process.stderr: directory / "stderr"}
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, exited)
        watch = stack.enter_context(selectors.DefaultSelector())
        watch.register(exited, selectors.EVENT_READ)
        watch.register(interrupt, selectors.EVENT_READ, interrupt)
        for pipe, path in files.items():
            if pipe is not None:
                watch.register(pipe, selectors.EVENT_READ, stack.enter_context(path.open("wb", buffering=0)))
        while len(watch.get_map()) > 1:
            for key, _ in watch.select(max(deadline - time.monotonic(), 0)):
                if key.data is interrupt:
                    return False
                block = os.read(key.fd, _READ_BYTES) if key.data else b""
                if block:
                    key.data.write(block)
                else:
                    watch.unregister(key.fileobj)
            if time.monotonic() >= deadline and len(watch.get_map()) > 1:
                return False
    return True


def _go_error(status: int) -> str:
    """Return the text of Go's exec.ExitError for a status of subprocess."""
    if status == 0:
        return ""
    if status > 0:
        return f"exit status {status}"
    return f"signal: {(signal.strsignal(-status) or str(-status)).lower()}"
