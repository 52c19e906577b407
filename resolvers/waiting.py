"""Why a job waits: EC2's capacity behind its nodes, and its place in its queue."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from headnode.snapshots import Snapshot
from slurm import squeue
from slurm.column import Rows
from slurm.errors import ParseError
from slurm.hostlist import expand
from slurm.reason import ReasonCode, reason_code
from slurm.states import JobState

if TYPE_CHECKING:
    from resolvers.job_detail import JobRow
    from resolvers.node import Node

NODES_DECIDE = frozenset(
    {
        ReasonCode.RESOURCES,
        ReasonCode.PRIORITY,
        ReasonCode.NODE_DOWN,
        ReasonCode.REQ_NODE_NOT_AVAIL,
        ReasonCode.PARTITION_NODE_LIMIT,
        ReasonCode.CONSTRAINTS,
        ReasonCode.BEGIN_TIME,  # so it is called for two minutes after the nodes did not start and it was requeued
        None,
    }
)
"""The reasons that a job may have which waits for nodes that EC2 does not give."""

_LOOKED_LATER = timedelta(seconds=5)
"""So much later than a snapshot says may squeue have looked: what became eligible meanwhile waits with the others."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def without_capacity(job: JobRow) -> Node | None:
    """The node behind which EC2 starts no instance, of those that the job waits for; None if there is no such node.

    It is one of the nodes that Slurm names as unavailable; if it names none, the one of the job's queues that failed
    last. Slurm does not tell which nodes of a queue would do.
    """
    if job.state is not JobState.PENDING or reason_code(job.reason or "") not in NODES_DECIDE:
        return None
    nodes = job.cluster.nodes_without_capacity
    if names := unavailable_nodes(job.reason or ""):
        return next((node for node in nodes if node.name in names), None)
    queues = set(job.queue_name.split(","))
    return next((node for node in nodes if queues.intersection(node.queue_names)), None)


def newest_without_capacity(nodes: Iterable[Node]) -> list[Node]:
    """The nodes with a capacity code, the one that failed last first."""
    found = [node for node in nodes if node.capacity_code is not None]
    return sorted(found, key=lambda node: node.reason_time or _LONG_AGO, reverse=True)


def unavailable_nodes(reason: str) -> frozenset[str]:
    """The nodes in `ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-4]`, which squeue may cut; none elsewhere."""
    match = re.search(r"UnavailableNodes:(\S+)", reason)
    try:
        return frozenset(expand(match[1])) if match else frozenset()
    except ParseError:
        return frozenset()


def queue_positions(jobs: Snapshot[Rows[squeue.Job]]) -> Mapping[str, int]:
    """The place of every job that could start in its queue, by its raw id; the first is 1.

    By priority, then by id. A row of waiting tasks counts for as many as it holds. Of several queues the best place
    counts. Jobs that are held, depend on others or have a later begin time are left out.
    """
    places: dict[str, int] = {}
    for waiting in _by_queue(jobs).values():
        ahead = 0
        for _, _, raw_id, tasks in sorted(waiting):
            places[raw_id] = min(ahead + 1, places.get(raw_id, ahead + 1))
            ahead += tasks
    return places


def _by_queue(
    jobs: Snapshot[Rows[squeue.Job]],
) -> Mapping[str, list[tuple[float, tuple[int, int, int], str, int]]]:
    queues: dict[str, list[tuple[float, tuple[int, int, int], str, int]]] = defaultdict(list)
    states = jobs.value.values(squeue.Job.state)
    for index, state in enumerate(states):
        if state is not JobState.PENDING:
            continue
        job = jobs.value[index]
        if _could_start(job, jobs.as_of):
            for name in squeue.queue_names(job):
                queues[name].append((-(job.priority or 0), job.order, job.raw_id, squeue.task_count(job.job_id)))
    return queues


def _could_start(job: squeue.Job, now: datetime) -> bool:
    """Whether nothing but its turn keeps the job from starting; Slurm notes no time before it has looked at a job."""
    if not job.priority:
        return False
    return job.dependency is None if job.eligible_time is None else job.eligible_time <= now + _LOOKED_LATER
