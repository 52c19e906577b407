"""Why a job waits: EC2 capacity for its nodes, and its place in its queue."""

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
        ReasonCode.BEGIN_TIME,  # the reason for two minutes after the nodes did not start and the job was requeued
        None,
    }
)
"""The reasons of a job that may wait for nodes that EC2 does not start."""

_LOOKED_LATER = timedelta(seconds=5)
"""squeue may run up to this long after the snapshot's timestamp: a job may have become eligible in between."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def without_capacity(job: JobRow) -> Node | None:
    """A node that the job waits for and that EC2 does not start; None if there is none.

    It is one of the nodes that Slurm names as unavailable. If Slurm names none, it is the node of the job's queues that
    failed last, because Slurm does not say which nodes of a queue the job could use.
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
    """The nodes in `ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-4]`, which squeue may cut off; else none."""
    match = re.search(r"UnavailableNodes:(\S+)", reason)
    try:
        return frozenset(expand(match[1])) if match else frozenset()
    except ParseError:
        return frozenset()


def queue_positions(jobs: Snapshot[Rows[squeue.Job]]) -> Mapping[str, int]:
    """The place of every job that could start in its queue, by its raw id; the first is 1.

    Ordered by priority, then by id. A row of waiting tasks counts once for each task. Of several queues the best place
    counts. Jobs that are held, depend on other jobs or have a later begin time are left out.
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
    """Whether the job only waits for its turn. Slurm sets no eligible time before it has looked at a job."""
    if not job.priority:
        return False
    return job.dependency is None if job.eligible_time is None else job.eligible_time <= now + _LOOKED_LATER
