"""A place for clusters, waiting for what Slurm does in its own time, and looking for what it leaves behind."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import cluster as package
from local.cluster import Cluster

CHECKOUT = Path(package.__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that slurmctld's account and the demo users may enter: pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Return as soon as the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def submit(cluster: Cluster, user: str, script: str, *options: str) -> str:
    """The id of a new job of the user's, its output in job.out of the user's workspace."""
    output = f"--output={cluster.user(user).workspace}/%j.out"
    answer = cluster.run("sbatch", "--parsable", output, *options, user=user, input=f"#!/bin/bash\n{script}\n")
    return answer.stdout.strip()


def output(cluster: Cluster, user: str, job: str) -> str:
    """What a job has written."""
    return (cluster.user(user).workspace / f"{job}.out").read_text()


def job_state(cluster: Cluster, job: str) -> str:
    """Slurm's word for the state of a job, such as COMPLETED."""
    return cluster.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").stdout.strip()


def node_state(cluster: Cluster, node: str) -> str:
    """sinfo's compact state of a node, with its mark, such as `idle~`."""
    return cluster.run("sinfo", "-h", "-n", node, "-o", "%t").stdout.strip()


def processes_that_mention(folder: Path) -> list[int]:
    """Processes with the folder in their command line or environment."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _mentions(entry, folder)]


def _mentions(process: Path, folder: Path) -> bool:
    try:
        texts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    except OSError:
        return False  # it has ended, or it is another user's
    return str(folder).encode() in texts
