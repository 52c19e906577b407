"""A real Slurm with a long queue of held jobs, behind the local SSM endpoint."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from local.cluster import Cluster
from local.stack import Stack
from local.suite import debootstrap, entered
from local.suite.suite import made

ARRAY = 1000
"""The tasks of one array; each becomes a separate job."""
LONGEST = 200_000
"""The most jobs that slurmctld accepts."""
AT_ONCE = 4


@contextmanager
def stack(suite: str, progress: Callable[[str], None]) -> Iterator[Stack]:
    """A cluster `lab` of that Debian suite's Slurm, with an empty queue."""
    debootstrap.add(made(suite, progress), "slurmrestd", Path("usr/sbin/slurmrestd"), progress)
    chroot = entered(suite, progress)
    directory = Path(tempfile.mkdtemp(prefix="slurmql-bench-", dir="/tmp"))
    directory.chmod(0o755)
    settings = {"MaxArraySize": str(ARRAY + 1)}
    try:
        cluster = Cluster(directory / "lab", "lab", max_jobs=LONGEST, settings=settings, chroot=chroot)
        with Stack(directory, [cluster]) as running:
            yield running
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def grow(cluster: Cluster, start: int, end: int, progress: Callable[[str], None]) -> None:
    """Add held jobs to a queue of `start` jobs until it has `end`; both are multiples of 1,000.

    It submits held arrays and then gives each task its own name and time limit, which turns it into a separate job
    (job_array.html). That is several times as fast as one sbatch for each job.
    """
    users = [user.name for user in cluster.users]
    firsts = range(start, end, ARRAY)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda first: _add(cluster, first, users), firsts), 1):
            progress(f"{start + done * ARRAY:,} of {end:,} jobs")


def _add(cluster: Cluster, first: int, users: list[str]) -> None:
    number = first // ARRAY
    submitted = cluster.run(
        "sbatch",
        "--parsable",
        "--hold",
        f"--array=0-{ARRAY - 1}",
        f"--partition={('queue1', 'gpu')[number % 2]}",
        user=users[number % len(users)],
        input="#!/bin/bash\nsleep 60\n",
    )
    array = submitted.stdout.split(";")[0].strip()
    updates = "".join(
        f"update JobId={array}_{task} JobName=train-{_name(first + task)} TimeLimit={task % 997 + 1}\n"
        for task in range(ARRAY)
    )
    answer = cluster.run("scontrol", input=updates)
    if "error" in answer.stdout + answer.stderr:
        raise RuntimeError(f"array {array} was not split into jobs: {answer.stderr[:500]}")


def _name(number: int) -> str:
    """Eight hexadecimal digits that look random, so that names do not compress better than real ones."""
    return f"{number * 2654435761 % 2**32:08x}"
