"""What a command costs the head node: the CPU seconds and resident memory of all its processes together."""

import base64
import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headnode.document import PARAMETER
from headnode.replies import unpack
from local.cluster import Cluster
from local.stack import Stack

INTERVAL = 0.001
"""Seconds between two samples of the processes' memory."""


@dataclass(frozen=True)
class Cost:
    """The elapsed seconds, the CPU seconds (user and system) of the process and its descendants, and the MiB of those
    that ran at the same time.
    """

    seconds: float
    cpu_seconds: float
    rss_mib: float


def squeue_json(cluster: Cluster) -> Cost:
    """Measure `squeue --json` of all jobs alone."""
    return _measure([cluster.programs.path("squeue"), "--json"], cluster, b"", subprocess.DEVNULL)[0]


def snapshot(stack: Stack, cluster: Cluster) -> Cost:
    """Measure our document's script with the request of the last command: interpreter, program, squeue, gzip, and curl,
    which puts the answer into the bucket.
    """
    script = "\n".join(stack.document["mainSteps"][0]["inputs"]["runCommand"])
    request = stack.ssm.sends[-1].parameters[PARAMETER][0]
    filled = script.replace("{{ " + PARAMETER + " }}", request).encode()
    cost, printed = _measure(["/bin/sh"], cluster, filled, subprocess.PIPE)
    if "put" not in (answer := unpack(base64.b64decode(printed))):
        raise RuntimeError(f"the answer did not go to the bucket: {answer}")
    return cost


def _measure(argv: Sequence[str], cluster: Cluster, stdin: bytes, stdout: int) -> tuple[Cost, bytes]:
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        cluster.programs.command(argv),
        stdin=subprocess.PIPE,
        stdout=stdout,
        env={"PATH": os.defpath, **cluster.environment},
    )
    memory = _Memory(process.pid)
    memory.start()
    printed, _ = process.communicate(stdin)
    seconds = time.perf_counter() - started
    memory.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        raise RuntimeError(f"{argv[0]} ended with status {process.returncode}")
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu_seconds, memory.peak_mib), printed


class _Memory(threading.Thread):
    """Adds up the peak resident sets (proc(5), VmHWM) of all processes below one that run at the same time.

    They do not all peak at once, so the sum is rather too large.
    """

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._root = Path(f"/proc/{pid}")
        self.peak_mib = 0.0

    def run(self) -> None:
        while kib := self._look(self._root):
            self.peak_mib = max(self.peak_mib, kib / 1024)
            time.sleep(INTERVAL)

    def _look(self, process: Path) -> int:
        """The process's peak and its children's, in KiB; 0 if it has ended."""
        try:
            status = (process / "status").read_text()
            children = (process / "task" / process.name / "children").read_text().split()
        except OSError:
            return 0
        peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), None)
        if peak is None:  # a zombie has no memory
            return 0
        return int(peak) + sum(self._look(Path("/proc") / child) for child in children)
