"""How munged, slurmdbd, slurmctld and slurmd are started, and the process that is their common ancestor."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cluster.host import Host
from local.cluster.layout import Layout
from local.suite.chroot import Chroot

BIN_DIRS = tuple(
    Path(folder) for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/opt/slurm/bin", "/opt/slurm/sbin")
)
"""The folders that may contain Slurm's and munge's programs."""
KEEPER = Path(__file__).with_name("keeper.py")


class DaemonError(Exception):
    """A program is missing, ended before it was ready, or took too long; the text says which one and why."""


@dataclass(frozen=True)
class Programs:
    """The absolute path of each program, on this machine or in the chroot of another Slurm version."""

    folders: tuple[Path, ...] = BIN_DIRS
    chroot: Chroot | None = None

    def path(self, program: str) -> str:
        """The path of `program`, inside the chroot if there is one. Raises DaemonError."""
        found = self._found(program)
        if found is None:
            raise DaemonError(f"{program} is not installed: run python -m local.packages")
        return found

    def command(
        self,
        argv: Sequence[str],
        directory: str | Path = "/",
        ids: tuple[int, int, Sequence[int]] | None = None,
    ) -> list[str]:
        """The argv that runs `argv` in the chroot, in `directory` and as `ids` (uid, gid, all groups).

        Without a chroot it is `argv` itself, and `directory` and `ids` are ignored.
        """
        return list(argv) if self.chroot is None else self.chroot.command(argv, directory, ids)

    def _found(self, program: str) -> str | None:
        if self.chroot is None:
            return shutil.which(program, path=os.pathsep.join(map(str, self.folders)))
        candidates = (folder / program for folder in self.folders)
        return next((str(path) for path in candidates if self.chroot.has(path)), None)

    def slurm_version(self) -> tuple[int, int]:
        """The release of the installed slurmctld, such as (22, 5). Raises DaemonError."""
        argv = self.command([self.path("slurmctld"), "-V"])
        answer = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        release = re.search(r"(\d+)\.(\d+)", answer)
        if release is None:
            raise DaemonError(f"slurmctld -V printed {answer!r}, which is not a version")
        return int(release[1]), int(release[2])


def munged(programs: Programs, layout: Layout) -> list[str]:
    """The argv of munged in the foreground (munged(8)); all its files are in the layout's folder."""
    return [
        programs.path("munged"),
        "--foreground",
        # Without it munged refuses folders that others may write to, and a log of another account.
        "--force",
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.pids / 'munged.pid'}",
        f"--log-file={layout.log / 'munged.log'}",
        f"--seed-file={layout.munge_key.with_name('munge.seed')}",
    ]


def as_account(programs: Programs, account: str) -> list[str]:
    """The words that make an argv run as `account` (setpriv(1)); none for an ordinary user, who is that account."""
    if os.geteuid() != 0:
        return []
    return [programs.path("setpriv"), f"--reuid={account}", f"--regid={account}", "--init-groups"]


def slurmdbd(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv of slurmdbd in the foreground (slurmdbd(8)); it reads slurmdbd.conf beside slurm.conf.

    It could switch from root to `account` itself, but 20.11 does so only after it has connected to the database,
    which refuses root. Slurm has no option for MariaDB's socket, but MariaDB's client library reads the variable.
    """
    return [
        *as_account(programs, account),
        programs.path("env"),
        f"MYSQL_UNIX_PORT={layout.database_socket}",
        programs.path("slurmdbd"),
        "-D",
    ]


def slurmctld(programs: Programs, layout: Layout) -> list[str]:
    """The argv of slurmctld in the foreground, with the state that it last saved (slurmctld(8))."""
    return [programs.path("slurmctld"), "-D", "-f", str(layout.slurm_conf)]


def slurmd(programs: Programs, layout: Layout, node: str) -> list[str]:
    """The argv of a node's slurmd in the foreground (slurmd(8)).

    -b makes it report that the machine has just booted; otherwise slurmctld ignores a cloud node that it has resumed.
    """
    return [programs.path("slurmd"), "-D", "-b", "-f", str(layout.slurm_conf), "-N", node]


class Daemons:
    """The cluster's daemons: children of a keeper, which ends them and everything that they started."""

    def __init__(
        self,
        layout: Layout,
        programs: Programs,
        host: Host,
        cloud_nodes: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.layout = layout
        self._programs = programs
        self._pids: dict[str, int] = {}
        orders = layout.root / "secret" / "orders.json"
        orders.write_text(json.dumps(self._orders(programs, host, cloud_nodes, environment)))
        os.mkfifo(layout.power_requests, 0o600)
        shutil.chown(layout.power_requests, layout.state.owner())
        with (layout.log / "keeper.log").open("a") as log:
            self._keeper = subprocess.Popen(
                [
                    *(["unshare", "--uts"] if host.renamed else []),
                    sys.executable,
                    "-I",
                    "-S",
                    str(KEEPER),
                    str(orders),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                cwd="/",
            )

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a daemon; its log is named `name`. Raises DaemonError if it cannot be executed."""
        answer = self._ask({"start": name, "argv": self._programs.command(argv), "log": self._log(name)})
        if "error" in answer:
            raise DaemonError(str(answer["error"]))
        self._pids[name] = int(answer["pid"])

    def signal(self, name: str, number: int) -> None:
        """Send a signal to the daemon, which runs."""
        os.kill(self._pids[name], number)

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` is true. Raises DaemonError if the daemon ends first or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            status = self._ask({"exit": name})["exit"]
            if status is not None:
                raise DaemonError(f"{name} ended with status {status}: {self._last_words(name)}")
            if time.monotonic() > deadline:
                raise DaemonError(f"{name} is not ready after {seconds:g} s: {self._last_words(name)}")
            time.sleep(0.05)

    def finish(self, name: str, seconds: float) -> None:
        """Wait until the program has ended with status 0. Raises DaemonError if it fails or the time is over."""
        status = self.wait_for_end(name, seconds)
        if status != 0:
            raise DaemonError(f"{name} ended with status {status}: {self._last_words(name)}")

    def wait_for_end(self, name: str, seconds: float) -> int:
        """Wait until the daemon has ended and return its exit status. Raises DaemonError if the time is over."""
        deadline = time.monotonic() + seconds
        while (status := self._ask({"exit": name})["exit"]) is None:
            if time.monotonic() > deadline:
                raise DaemonError(f"{name} still runs after {seconds:g} s: {self._last_words(name)}")
            time.sleep(0.05)
        return int(status)

    def stop(self) -> None:
        """End every process of the cluster; return when none is left."""
        for stream in (self._keeper.stdin, self._keeper.stdout):
            if stream is not None:
                stream.close()
        self._keeper.wait()

    def _orders(
        self, programs: Programs, host: Host, cloud_nodes: Sequence[str], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "environment": dict(environment),
            "host_name": host.name if host.renamed else None,
            "scontrol": programs.command([programs.path("scontrol")]),
            "power_requests": str(self.layout.power_requests),
            "boot": {
                node: {"argv": programs.command(slurmd(programs, self.layout, node)), "log": self._log(node)}
                for node in cloud_nodes
            },
        }

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._keeper.stdin, self._keeper.stdout
        if stdin is None or stdout is None:  # only for the type checker: both are pipes
            raise DaemonError("the keeper has no pipes")
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            return dict(json.loads(stdout.readline()))
        except (OSError, ValueError) as error:
            raise DaemonError(
                f"the keeper of the cluster's processes has ended: {self._last_words('keeper')}"
            ) from error

    def _log(self, name: str) -> str:
        return str(self.layout.log / f"{name}.out")

    def _last_words(self, name: str) -> str:
        for log in (self.layout.log / f"{name}.log", Path(self._log(name))):
            if log.exists() and (lines := log.read_text(errors="replace").split("\n")[-6:]):
                return " / ".join(line for line in lines if line)
        return "it wrote no log"
