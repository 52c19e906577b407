"""The process under which all of one cluster's processes live, so that they end together.

Run as `python keeper.py ORDERS_JSON_PATH`: it needs nothing but the standard library. It is a child
subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)): whatever a daemon, a job or a job's own background process
starts stays its descendant however often it forks, so ending those ends the cluster, and nothing else.

Standard input takes one JSON request a line, standard output answers each with one:
    {"start": NAME, "argv": [...], "log": PATH}  ->  {"pid": 123} or {"error": "..."}
    {"exit": NAME}                               ->  {"exit": null} while it runs, else {"exit": status}
End of input, SIGTERM, or the death of the parent (SIGKILL included) ends every descendant, then the keeper.
Lines `resume HOSTLIST` and `suspend HOSTLIST` on the power pipe boot and end the slurmd of cloud nodes.
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
"""Seconds the daemons have between SIGTERM and SIGKILL. Jobs have none: slurmstepd would not heed it."""
TICK = 0.2
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POWER_REQUEST = re.compile(r"(resume|suspend) ([A-Za-z0-9,\[\]-]+)")


def descendants(ancestor: int) -> set[int]:
    """Living processes below `ancestor`, zombies left out (proc_pid_stat(5))."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:
            continue  # ended since the listing
        # The command's name stands in parentheses and may hold any byte, blanks and parentheses included.
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
    """SIGTERM the daemons among this process's children, then SIGKILL all its descendants; reap them."""
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
    """Exit status of every child that has ended since the last call, by pid; negative for a signal."""
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
    """Start `argv` in its own session, output appended to `log`, no signal blocked or ignored; its pid."""
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
    """State of the keeper: the daemons it started and the cloud nodes that are up."""

    def __init__(self, orders: Mapping[str, Any]) -> None:
        if orders["host_name"]:
            socket.sethostname(orders["host_name"])  # of the UTS namespace the keeper was started in
        self.environment: dict[str, str] = orders["environment"]
        self.scontrol: list[str] = orders["scontrol"]
        self.boot: dict[str, dict[str, Any]] = orders["boot"]
        """argv and log of the slurmd of each cloud node."""
        self.requests = os.open(orders["power_requests"], os.O_RDWR | os.O_NONBLOCK)  # a reader always, no end of file
        self.parent = os.pidfd_open(os.getppid())
        self.pids: dict[str, int] = {}
        self.exits: dict[int, int] = {}
        self.instances: dict[str, int] = {}
        self.unread = {0: b"", self.requests: b""}

    def running(self) -> set[int]:
        """The daemons and instances that have not ended."""
        self.exits |= reap()
        return {*self.pids.values(), *self.instances.values()} - self.exits.keys()

    def keep(self) -> None:
        """Serve requests until the input ends, the parent dies or SIGTERM comes."""
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
        """Fork a subreaper of its own for the node: ending it ends the node's steps and jobs as well."""
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
    """Run a cloud node's slurmd until SIGTERM or until slurmd ends; then end all that it left."""
    os.setsid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    slurmd = spawn(boot["argv"], boot["log"], environment)
    while signal.sigtimedwait([signal.SIGTERM], TICK) is None and slurmd not in reap():
        pass
    end_descendants({slurmd})


def prctl(option: int, value: int) -> None:
    """prctl(2), of which Python has no binding."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, number)


def main(orders: str) -> None:
    """Keep the cluster whose orders lie in the file `orders`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper = Keeper(json.loads(Path(orders).read_text()))
    try:
        keeper.keep()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants(keeper.running())


if __name__ == "__main__":
    main(sys.argv[1])
