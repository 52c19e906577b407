"""The ancestor of all processes of one cluster, which ends them together.

Run as `python keeper.py ORDERS_JSON_PATH`; it needs only the standard library. It is a child subreaper
(PR_SET_CHILD_SUBREAPER, prctl(2)): everything that a daemon, a job or a job's background process starts remains its
descendant, however often it forks. So it can end the whole cluster by ending its descendants, and touches nothing else.

It reads one JSON request a line from standard input and answers each with one line on standard output:
    {"start": NAME, "argv": [...], "log": PATH}  ->  {"pid": 123} or {"error": "..."}
    {"exit": NAME}                               ->  {"exit": null} while it runs, else {"exit": status}
End of input, SIGTERM, or the death of the parent (SIGKILL included) ends every descendant, then the keeper.
Lines `resume HOSTLIST` and `suspend HOSTLIST` on the power pipe start and end the slurmd of cloud nodes.
"""

import contextlib
import ctypes
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL for the daemons. Jobs get SIGKILL at once: slurmstepd ignores SIGTERM."""
TICK = 0.2
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POWER_REQUEST = re.compile(r"(resume|suspend) ([A-Za-z0-9,\[\]-]+)")


def descendants(ancestor: int) -> set[int]:
    """The living descendants of `ancestor`, without zombies (proc_pid_stat(5))."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:
            continue  # it has ended since the listing
        # The command's name is in parentheses and may contain any byte, even blanks and parentheses.
        state, parent = stat[stat.rindex(b")") + 2 :].split()[:2]
        children.setdefault(int(parent), []).append(int(entry.name) if state != b"Z" else -int(entry.name))
    found: set[int] = set()
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found |= {pid for pid in below if pid > 0}
        waiting += [abs(pid) for pid in below]
    return found


def end_descendants(daemons: Collection[int]) -> None:
    """Send SIGTERM to the daemons among this process's children, then SIGKILL to all its descendants; reap them."""
    for pid in daemons:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while alive := descendants(os.getpid()):
        if time.monotonic() > deadline or alive.isdisjoint(daemons):
            for pid in alive:
                _signal(pid, signal.SIGKILL)
        reap()
        time.sleep(0.02)
    reap()


def reap() -> dict[int, int]:
    """The exit status of each child that has ended since the last call, by pid; negative for a signal."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def spawn(argv: Sequence[str], log: str, environment: Mapping[str, str]) -> int:
    """Start `argv` in its own session, with no signal blocked or ignored and its output in `log`; return its pid."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        argv[0],
        list(argv),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM],
    )


class Keeper:
    """The keeper's state: the daemons that it started and the cloud nodes that are up."""

    def __init__(self, orders: Mapping[str, Any]) -> None:
        if orders["host_name"]:
            socket.sethostname(orders["host_name"])  # of the UTS namespace the keeper was started in
        self.environment: dict[str, str] = orders["environment"]
        self.scontrol: list[str] = orders["scontrol"]
        self.boot: dict[str, dict[str, Any]] = orders["boot"]
        """argv and log of the slurmd of each cloud node."""
        self.requests = os.open(orders["power_requests"], os.O_RDWR | os.O_NONBLOCK)  # with a writer, it never ends
        self.parent = os.pidfd_open(os.getppid())
        self.pids: dict[str, int] = {}
        self.exits: dict[int, int] = {}
        self.instances: dict[str, int] = {}
        self.unread = {0: b"", self.requests: b""}

    def running(self) -> set[int]:
        """The daemons and instances that still run."""
        self.exits |= reap()
        return {*self.pids.values(), *self.instances.values()} - self.exits.keys()

    def keep(self) -> None:
        """Serve requests until the input ends, the parent dies or SIGTERM arrives."""
        with selectors.DefaultSelector() as selector:
            for source in (0, self.requests, self.parent):
                selector.register(source, selectors.EVENT_READ)
            while True:
                self.exits |= reap()
                for key, _ in selector.select(TICK):
                    if key.fd == self.parent or not self._serve(key.fd):
                        return

    def _serve(self, source: int) -> bool:
        received = os.read(source, 65536)
        *lines, self.unread[source] = (self.unread[source] + received).split(b"\n")
        for line in lines:
            if source == self.requests:
                self._power(line.decode("ascii", "replace"))
            else:
                self._answer(json.loads(line))
        return bool(received)

    def _answer(self, request: Mapping[str, Any]) -> None:
        answer: dict[str, Any]
        if "start" in request:
            try:
                pid = spawn(request["argv"], request["log"], self.environment)
            except OSError as error:
                answer = {"error": f"{request['argv'][0]}: {error.strerror}"}
            else:
                self.pids[request["start"]] = pid
                answer = {"pid": pid}
        else:
            self.exits |= reap()
            answer = {"exit": self.exits.get(self.pids[request["exit"]])}
        os.write(1, json.dumps(answer).encode() + b"\n")

    def _power(self, line: str) -> None:
        request = POWER_REQUEST.fullmatch(line)
        if request is None:
            return print(f"not a power request: {line!r}", file=sys.stderr, flush=True)
        verb, hostlist = request.groups()
        for node in self._nodes(hostlist):
            print(f"{verb} {node}", file=sys.stderr, flush=True)
            self._end_instance(node)
            if verb == "resume":
                self._boot_instance(node)
        return None

    def _nodes(self, hostlist: str) -> list[str]:
        expanded = subprocess.run(
            [*self.scontrol, "show", "hostnames", hostlist],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return [node for node in expanded.stdout.split() if node in self.boot]

    def _boot_instance(self, node: str) -> None:
        """Fork a subreaper for this node alone: ending it also ends the node's steps and jobs."""
        pid = os.fork()
        if pid:
            self.instances[node] = pid
            return
        try:
            be_instance(self.boot[node], self.environment)
        finally:
            os._exit(0)

    def _end_instance(self, node: str) -> None:
        pid = self.instances.pop(node, None)
        if pid is not None and pid not in self.exits:
            _signal(pid, signal.SIGTERM)


def be_instance(boot: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Run a cloud node's slurmd until SIGTERM arrives or slurmd ends; then end the processes that it left behind."""
    os.setsid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    slurmd = spawn(boot["argv"], boot["log"], environment)
    while signal.sigtimedwait([signal.SIGTERM], TICK) is None and slurmd not in reap():
        pass
    end_descendants({slurmd})


def prctl(option: int, value: int) -> None:
    """Call prctl(2), for which Python has no binding."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, number)


def main(orders: str) -> None:
    """Keep the cluster that the file `orders` describes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper = Keeper(json.loads(Path(orders).read_text()))
    try:
        keeper.keep()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants(keeper.running())


if __name__ == "__main__":
    main(sys.argv[1])
