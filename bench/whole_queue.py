"""The whole queue of a busy cluster: ours against slurmrestd, squeue --json and a floor, on one Slurm in one run."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from bench import head_node, queue, slurmrestd
from bench.figures import Figure
from bench.invocations import Sandbox
from local.suite import SUITES

JOBS = 10_000
ROUNDS = 5
SHORT_ROUNDS = 15
"""More rounds for what takes a tenth of a second or less, because everything else that runs affects it."""
FIELDS = "jobId name user account queueName state reason submitTime startTime timeLimitSeconds cpuCount nodeCount"
WHOLE = f"{{ jobs(first: {JOBS}) {{ nodes {{ {FIELDS} }} }} }}"
BY_EDGES = f"{{ jobs(first: {JOBS}) {{ edges {{ cursor node {{ {FIELDS} }} }} }} }}"
SMALL = (
    f"{{ jobs(first: 100) {{ totalCount nodes {{ {FIELDS} }} }}"
    " queues { name state isDefault } nodes { nodes { name state cpuCounts { total } } } }"
)
ENVIRONMENT = {
    "SLURMQL_PAGE_LIMIT": "200000",
    "SLURMQL_TTL": "3600",
    "SLURMQL_COST_LIMIT": "100000000",
    "SLURMQL_TABLE": "",  # a single sandbox has nobody to share with, and reading a table would measure moto, not us
    # Without a table, only those who can change nothing get an answer from a snapshot (docs/snapshots.md).
    "SLURMQL_ACCESS": '{"others": {"role": "VIEWER"}}',
}


def measure(suite: str, progress: Callable[[str], None]) -> Iterator[Figure]:
    """All figures for that suite's Slurm."""
    with queue.stack(suite, progress) as stack:
        cluster = stack.clusters["lab"]
        queue.grow(cluster, 0, JOBS, progress)
        with Sandbox({**stack.environment, **ENVIRONMENT}) as sandbox:
            with slurmrestd.running(cluster, suite) as restd:
                yield from _against_slurmrestd(suite, sandbox, restd, progress)
            with Sandbox({**stack.environment, **ENVIRONMENT}, default_execution=True) as plain:
                yield _against_strawberry(suite, sandbox, plain)
            yield _edges(suite, sandbox)
            yield from _commands(suite, stack, sandbox)
            yield from _small(suite, sandbox)
            progress("the head node's side")
            yield from _head_node(suite, stack, sandbox)


def _name(figure: str, suite: str) -> str:
    """The figure's name, with the version for all but 22.05."""
    return figure if suite == "bookworm" else f"{figure}_{SUITES[suite].replace('.', '_')}"


def _against_slurmrestd(
    suite: str, sandbox: Sandbox, restd: slurmrestd.Slurmrestd, progress: Callable[[str], None]
) -> Iterator[Figure]:
    sandbox.invoke(WHOLE, cold=True)
    theirs, cold, warm = [], [], []
    size = 0
    for number in range(ROUNDS):
        progress(f"pair {number + 1} of {ROUNDS}")
        seconds, size = restd.jobs()
        theirs.append(seconds)
        cold.append(sandbox.invoke(WHOLE, cold=True).median)
        warm.append(sandbox.invoke(WHOLE, times=5).median)
    answer = sandbox.invoke(WHOLE)
    packed = sandbox.invoke(WHOLE, gzip=True)
    floor = _floor(sandbox)
    goals = {"bookworm": (5, 50), "trixie": (20, 200)}[suite]
    how = f"{JOBS:,} held jobs x 12 fields through handler.handler; median of {ROUNDS} pairs, Slurm {SUITES[suite]}"
    baseline = f"slurmrestd {_median(theirs) * 1000:,.0f} ms"
    ratios = [one / other for one, other in zip(theirs, cold, strict=True)]
    yield Figure(
        _name("cold_vs_slurmrestd", suite),
        _median(ratios),
        "times as fast",
        f"{baseline}, ours {_ms(cold)}",
        f">= {goals[0]}",
        f"{how}; no snapshot of jobs kept, SSM without latency",
    )
    ratios = [one / other for one, other in zip(theirs, warm, strict=True)]
    yield Figure(
        _name("warm_vs_slurmrestd", suite),
        _median(ratios),
        "times as fast",
        f"{baseline}, ours {_ms(warm)}",
        f">= {goals[1]}",
        f"{how}; from a snapshot",
    )
    yield Figure(
        _name("warm_vs_floor", suite),
        _median(warm) / floor,
        "times as long",
        f"dicts and orjson {floor * 1000:.1f} ms",
        "<= 3",
        f"{how}; against making the same dicts from columns and orjson.dumps",
    )
    yield Figure(
        _name("response_bytes_vs_slurmrestd", suite),
        answer.body_bytes / size,
        "of the bytes",
        f"slurmrestd {size / 1e6:.1f} MB, ours {answer.body_bytes / 1e6:.1f} MB",
        "<= 0.1",
        f"{how}; not compressed",
    )
    yield Figure(
        _name("response_kb_gzip", suite),
        packed.body_bytes / 1e3,
        "kB",
        f"not compressed {answer.body_bytes / 1e3:,.0f} kB",
        None,
        f"{how}; base64 of gzip, as Lambda returns it",
    )
    yield Figure(_name("slurmrestd_mib", suite), restd.rss_mib, "MiB", "the daemon's largest resident set", None, how)


def _against_strawberry(suite: str, sandbox: Sandbox, plain: Sandbox) -> Figure:
    ours, theirs = [], []
    plain.invoke(WHOLE)
    for _ in range(ROUNDS):
        theirs.append(plain.invoke(WHOLE).median)
        ours.append(sandbox.invoke(WHOLE).median)
    return Figure(
        _name("warm_vs_strawberry", suite),
        _median([one / other for one, other in zip(theirs, ours, strict=True)]),
        "times as fast",
        f"Strawberry's default execution {_ms(theirs)}, ours {_ms(ours)}",
        None,
        f"{JOBS:,} held jobs x 12 fields, the same schema and handler from a snapshot; median of {ROUNDS} pairs",
    )


def _edges(suite: str, sandbox: Sandbox) -> Figure:
    by_nodes, by_edges = [], []
    sandbox.invoke(BY_EDGES)
    for _ in range(SHORT_ROUNDS):
        by_nodes.append(sandbox.invoke(WHOLE, times=5).median)
        by_edges.append(sandbox.invoke(BY_EDGES, times=5).median)
    return Figure(
        _name("edges_vs_nodes", suite),
        _median([one / other for one, other in zip(by_edges, by_nodes, strict=True)]),
        "of the time by nodes",
        f"by nodes {_ms(by_nodes)}, by edges with cursors {_ms(by_edges)}",
        "<= 1.3",
        f"{JOBS:,} held jobs x 12 fields through handler.handler from a snapshot; median of {SHORT_ROUNDS} pairs",
    )


def _floor(sandbox: Sandbox) -> float:
    """The seconds for writing the same data from plain dicts with orjson: the least that any Python server needs."""
    nodes = sandbox.answer(WHOLE)["jobs"]["nodes"]
    keys = list(nodes[0])
    columns = [[node[key] for node in nodes] for key in keys]
    taken = []
    for _ in range(ROUNDS * 3):
        started = time.perf_counter()
        rows = [dict(zip(keys, row)) for row in zip(*columns)]  # noqa: B905 - as fast as possible
        orjson.dumps({"data": {"jobs": {"nodes": rows}}})
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _commands(suite: str, stack: Any, sandbox: Sandbox) -> Iterator[Figure]:
    how = "jobs, queues and nodes in one document; SendCommand calls that the endpoint took"
    for name, cold, goal in (("ssm_commands_cold", True, "<= 1"), ("ssm_commands_warm", False, "<= 0")):
        sandbox.answer(SMALL)
        before = len(stack.ssm.sends)
        sandbox.invoke(SMALL, cold=cold)
        yield Figure(_name(name, suite), len(stack.ssm.sends) - before, "SSM commands", "", goal, how)


def _small(suite: str, sandbox: Sandbox) -> Iterator[Figure]:
    sandbox.answer(SMALL)
    sandbox.invoke(SMALL, times=50)
    timing = sandbox.invoke(SMALL, times=500)
    how = (
        "100 of 10,000 jobs x 12 fields, queues, nodes, warm, for a VIEWER and so without a read of the table; median "
        "of 500 in the handler's process"
    )
    yield Figure(_name("small_query_ms", suite), timing.median * 1000, "ms", "", "<= 1.5", how)


def _head_node(suite: str, stack: Any, sandbox: Sandbox) -> Iterator[Figure]:
    cluster = stack.clusters["lab"]
    ours, theirs = [], []
    for _ in range(SHORT_ROUNDS):
        sandbox.invoke(WHOLE, cold=True)
        ours.append(head_node.snapshot(stack, cluster))
        theirs.append(head_node.squeue_json(cluster))
    how = (
        f"a refresh of all {JOBS:,} jobs in brief, as 12 fields need them; program, squeue and compression together, "
        f"against squeue --json alone; medians of {SHORT_ROUNDS}"
    )
    mine, peer = _median([cost.cpu_seconds for cost in ours]), _median([cost.cpu_seconds for cost in theirs])
    yield Figure(
        _name("headnode_cpu_vs_json", suite),
        mine / peer,
        "of the CPU seconds",
        f"squeue --json {peer:.2f} s, ours {mine:.3f} s",
        "<= 0.1",
        how,
    )
    mine, peer = _median([cost.rss_mib for cost in ours]), _median([cost.rss_mib for cost in theirs])
    yield Figure(
        _name("headnode_rss_vs_json", suite),
        mine / peer,
        "of the memory",
        f"squeue --json {peer:.0f} MiB, ours {mine:.0f} MiB",
        "<= 0.1",
        how,
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _ms(seconds: list[float]) -> str:
    return f"{_median(seconds) * 1000:,.0f} ms"
