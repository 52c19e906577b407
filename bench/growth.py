"""From 1,000 to 100,000 jobs: how long an answer with all of them takes, and how much memory the handler needs."""

import statistics
from collections.abc import Callable, Iterator

from bench import head_node, queue, slurmrestd
from bench.figures import Figure
from bench.invocations import Sandbox
from bench.whole_queue import ENVIRONMENT, FIELDS
from local.cluster import Cluster
from local.stack import Stack

SUITE = "bookworm"
SIZES = (1_000, 10_000, 50_000, 100_000)
PEERS_UNTIL = 10_000
"""For so many jobs slurmrestd needs more than 2 GiB and Strawberry's default execution more than half a second."""
ROUNDS = 3


def measure(progress: Callable[[str], None]) -> Iterator[Figure]:
    """The milliseconds for each size, cold and warm, and the ratios of the largest to the smallest."""
    warm, cold, weight = {}, {}, 0.0
    with queue.stack(SUITE, progress) as stack:
        cluster, size = stack.clusters["lab"], 0
        for jobs in SIZES:
            queue.grow(cluster, size, jobs, progress)
            size = jobs
            progress(f"asking for {jobs:,} jobs")
            cold[jobs], warm[jobs], weight = _ours(stack, jobs)
            how = f"{jobs:,} jobs x 12 fields through handler.handler, gzip accepted; median of {ROUNDS}, Slurm 22.05"
            yield Figure(f"cold_ms_{jobs}", cold[jobs] * 1000, "ms", "", None, how)
            yield Figure(f"warm_ms_{jobs}", warm[jobs] * 1000, "ms", "", None, how)
            if jobs <= PEERS_UNTIL:
                yield from _peers(stack, cluster, jobs)
    smallest, largest = SIZES[0], SIZES[-1]
    for name, seconds in (("time_per_job_100k_vs_1k", warm), ("cold_time_per_job_100k_vs_1k", cold)):
        one, other = seconds[largest] / largest, seconds[smallest] / smallest
        yield Figure(
            name,
            one / other,
            "of the time",
            f"{other * 1e6:.1f} us a job of 1,000, {one * 1e6:.1f} us of 100,000",
            "<= 1.1",
            "an answer's time over its number of jobs; the tenth is what this machine's noise makes",
        )
    how = "the process's largest resident set after cold and warm answers with 100,000 jobs"
    yield Figure("handler_mib_at_100k", weight, "MiB", "", "<= 512", how)


def _peers(stack: Stack, cluster: Cluster, jobs: int) -> Iterator[Figure]:
    """The milliseconds that others need for as many jobs."""
    of_rounds = f"median of {ROUNDS}, Slurm 22.05"
    with slurmrestd.running(cluster, SUITE) as restd:
        seconds = statistics.median(restd.jobs()[0] for _ in range(ROUNDS))
    yield Figure(f"slurmrestd_ms_{jobs}", seconds * 1000, "ms", "", None, f"GET of {jobs:,} jobs; {of_rounds}")
    seconds = statistics.median(head_node.squeue_json(cluster).seconds for _ in range(ROUNDS))
    yield Figure(f"squeue_json_ms_{jobs}", seconds * 1000, "ms", "", None, f"{jobs:,} jobs; {of_rounds}")
    with Sandbox({**stack.environment, **ENVIRONMENT}, default_execution=True) as sandbox:
        sandbox.invoke(_document(jobs), gzip=True)
        seconds = sandbox.invoke(_document(jobs), gzip=True, times=ROUNDS).median
    how = f"{jobs:,} jobs x 12 fields through handler.handler, warm, with Strawberry's default execution; {of_rounds}"
    yield Figure(f"strawberry_ms_{jobs}", seconds * 1000, "ms", "", None, how)


def _document(jobs: int) -> str:
    return f"{{ jobs(first: {jobs}) {{ nodes {{ {FIELDS} }} }} }}"


def _ours(stack: Stack, jobs: int) -> tuple[float, float, float]:
    """The seconds of a cold and of a warm answer, and the MiB of the new process that gave them."""
    document = _document(jobs)
    with Sandbox({**stack.environment, **ENVIRONMENT}) as sandbox:
        sandbox.invoke(document, gzip=True)
        cold = sandbox.invoke(document, cold=True, gzip=True, times=ROUNDS).median
        last = sandbox.invoke(document, gzip=True, times=ROUNDS)
    return cold, last.median, last.rss_mib
