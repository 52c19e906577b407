"""Running commands: starting them, reading their output, ending them."""

import binascii
import fcntl
import functools
import os
import selectors
import signal
import subprocess
import time
from typing import Any, Callable, Dict, List, Optional

from headnode.program.accounts import Account, Ourselves
from headnode.program.printed import Printed
from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

SECONDS = 20.0  # the longest a single command may take
PATIENCE = 1.0  # seconds that a read may take before we check whether slurmctld answers at all
PRINTED_LIMIT = 256 << 20  # bytes that a command may print: squeue's records of 100,000 jobs are 60 MB
AT_ONCE = 8
PIPE = 1 << 18  # bytes that a pipe holds: reading few large pieces costs less than many small ones
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which Python names only since 3.10


class Process:
    """One command, killed at its time limit and when it prints more than `most` bytes.

    With `flows`, only the reply has what it printed: do not read `stdout` and `stderr`. `passes` is a descriptor that
    the command inherits. After PATIENCE seconds `watch` may say why the command cannot end.
    """

    def __init__(
        self,
        argv: "List[str]",
        account: Account,
        stdin: "Optional[str]" = None,
        seconds: float = SECONDS,
        most: int = PRINTED_LIMIT,
        argv0: "Optional[str]" = None,
        session: bool = False,
        watch: "Optional[Callable[[], Optional[Refused]]]" = None,
        flows: bool = False,
        passes: "Optional[int]" = None,
    ) -> None:
        self.argv = argv
        self.argv0 = argv0 or argv[0]
        self.account = account
        self.passes = passes
        self.input = stdin
        self.seconds = seconds
        self.left = most
        self.watch = watch
        self.flows = flows
        self.session = session
        self.announce: "Optional[Callable[[int], None]]" = None
        self.child: "Any" = None  # a Popen or a Child
        self.output = {"stdout": Printed(flows), "stderr": Printed(flows)}
        self.streams: "Dict[str, Any]" = {}
        self.started = 0.0
        self.exit_code: "Optional[int]" = None
        self.ended: "Optional[float]" = None
        self.refusal: "Optional[Refused]" = None

    def start(self, selector: selectors.BaseSelector) -> bool:
        """Start the command; return whether it runs."""
        self.started = time.time()
        stdin = subprocess.DEVNULL
        try:
            if self.input is not None:
                stdin = spool(self.input.encode("utf-8"))
            self.child = subprocess.Popen(
                [self.argv0] + self.argv[1:],
                executable=find(self.argv[0]),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.account.environment,
                pass_fds=() if self.passes is None else (self.passes,),
                preexec_fn=None if isinstance(self.account, Ourselves) else self.enter,
            )
        except subprocess.SubprocessError:  # all that Popen reports of a failure in preexec_fn
            name = self.account.entry.pw_name
            self.refusal = Refused("the account '%s' cannot enter the folder '%s'" % (name, self.account.folder))
        except OSError as error:
            self.refusal = Refused("cannot run %s: %s" % (self.argv[0], error.strerror), "unavailable")
        else:
            for name in ("stdout", "stderr"):
                stream = getattr(self.child, name)
                if stream is not None:
                    enlarge(stream)
                    selector.register(stream, selectors.EVENT_READ, (self, name))
                    self.streams[name] = stream
        finally:
            if stdin != subprocess.DEVNULL:
                os.close(stdin)
        return self.refusal is None

    def enter(self) -> None:
        """In the child: start a session and announce it, if asked to, then become the account."""
        if self.session:
            os.setsid()
        if self.announce is not None:
            self.announce(os.getsid(0))
        self.account.enter()

    def read(self, selector: selectors.BaseSelector, name: str) -> None:
        data = os.read(self.streams[name].fileno(), PIPE)
        self.left -= len(data)
        if data and self.left >= 0:
            self.output[name].add(data)
            return
        if data:
            self.refusal = Refused("%s printed too much" % self.argv[0], "unavailable")
        selector.unregister(self.streams[name])
        self.streams.pop(name).close()

    def over(self, selector: selectors.BaseSelector) -> bool:
        """Whether the command has ended and its output is read. A child may hold the output open for half a second."""
        now = time.time()
        if self.ended is None and self.child.poll() is not None:
            self.ended = now
        if self.ended is None and self.watch is not None and now >= self.started + PATIENCE:
            self.refusal = self.watch()
            self.watch = None
        if self.ended is None and now >= self.started + self.seconds:
            self.refusal = Refused("%s did not end within %.0f s" % (self.argv[0], self.seconds), "timed_out")
        if self.ended is None and self.refusal is not None:
            if self.session:
                os.killpg(self.child.pid, signal.SIGKILL)  # and what a profile started
            else:
                self.child.kill()
            self.child.wait()
        elif self.ended is None or (self.streams and now < self.ended + 0.5):
            return False
        for name, stream in list(self.streams.items()):
            # A child of the command holds the pipe open. All that the command itself printed is in the pipe.
            os.set_blocking(stream.fileno(), False)
            try:
                while name in self.streams:
                    self.read(selector, name)
            except BlockingIOError:
                selector.unregister(stream)
                stream.close()
        self.exit_code = self.child.returncode
        return True

    @property
    def stdout(self) -> bytes:
        return b"".join(self.output["stdout"].pieces)

    @property
    def stderr(self) -> bytes:
        return b"".join(self.output["stderr"].pieces)

    def reply(self) -> "Dict[str, Any]":
        if self.refusal is not None:
            return self.refusal.reply()
        return {
            "exit_code": self.exit_code,
            "stdout": self.output["stdout"].content(),
            "stderr": self.output["stderr"].content(),
            "seconds": round((self.ended or self.started) - self.started, 4),
        }


def find(name: str) -> str:
    """The absolute path of a command. On ParallelCluster only login shells have /opt/slurm/bin in their PATH."""
    for folder in [""] if os.path.isabs(name) else SETTINGS["path"].split(":"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise OSError(2, "not found in " + SETTINGS["path"])


def enlarge(pipe: "Any") -> None:
    """Let a pipe hold more. If that is not allowed, we read it in smaller pieces."""
    try:
        fcntl.fcntl(pipe, SET_PIPE_SIZE, PIPE)
    except OSError:
        pass


def spool(content: bytes) -> int:
    """A nameless file with the content, for a command to read. A pipe would need writing to while we read."""
    path = "/tmp/.slurmql-" + binascii.hexlify(os.urandom(16)).decode()  # noqa: S108 - O_EXCL, and gone at once
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
    except OSError as error:
        raise OSError(error.errno, "/tmp: %s" % error.strerror) from error
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def run(processes: "List[Process]") -> None:
    """Run the processes, at most AT_ONCE at a time, each until it ends or its time is up."""
    watches: "Dict[Any, Any]" = {}
    for process in processes:
        if process.watch is not None:  # asked once for all of them: slurmctld that hangs takes its time to say so
            process.watch = watches.setdefault(process.watch, functools.lru_cache(maxsize=None)(process.watch))
    waiting = list(processes)
    running: "List[Process]" = []
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                process = waiting.pop(0)
                if process.start(selector):
                    running.append(process)
            reading = any(process.streams for process in running)
            for key, _ in selector.select(0.1) if reading else ():
                process, name = key.data
                process.read(selector, name)
            time.sleep(0.002)  # let the commands print more, or exit
            running = [process for process in running if not process.over(selector)]
