"""Slurm's own REST daemon, Debian's package, over its Unix socket (slurmrestd(8))."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cluster import Cluster

API = {"bookworm": "/slurm/v0.0.38/jobs", "trixie": "/slurm/v0.0.42/jobs/"}
"""The newest path for all jobs in each suite."""
OPTIONS = {"bookworm": ("-s", "openapi/v0.0.38"), "trixie": ("-s", "openapi/slurmctld", "-d", "v0.0.42")}
"""Without slurmdbd it starts only with slurmctld's plugin alone."""
STARTS_WITHIN = 20.0


@dataclass(frozen=True)
class Slurmrestd:
    """The running daemon."""

    socket: Path
    pid: int
    path: str

    def jobs(self) -> tuple[float, int]:
        """Ask for all jobs; return the seconds until the whole answer was read, unparsed, and its bytes."""
        started = time.perf_counter()
        connection = _Connection(self.socket)
        connection.request("GET", self.path)
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"slurmrestd answered {response.status}: {body[:500]!r}")
        return seconds, len(body)

    @property
    def rss_mib(self) -> float:
        """Its largest resident set so far (proc(5), VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def running(cluster: Cluster, suite: str) -> Iterator[Slurmrestd]:
    """Run it for that cluster as the first demo user, because it refuses to run as root or SlurmUser."""
    user = cluster.users[0]
    path = user.workspace / "slurmrestd.socket"
    argv = [cluster.programs.path("slurmrestd"), "-a", "rest_auth/local", *OPTIONS[suite], f"unix:{path}"]
    command = cluster.programs.command(argv, user.workspace, (user.uid, user.gid, user.groups))
    environment = {"PATH": os.defpath, **cluster.environment}
    log = user.workspace / "slurmrestd.log"
    with log.open("w") as written:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=written)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not path.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"slurmrestd did not start: {log.read_text().strip()}")
            time.sleep(0.05)
        yield Slurmrestd(path, process.pid, API[suite])
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)  # or the next one would take it for its own


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
