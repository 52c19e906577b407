"""What each field needs that its parent does not have: the datasets to ask for, from the field's arguments.

A field that does not stand here needs nothing of its own. tests/schema/test_schema.py resolves every field with
nothing but its own needs, so that a missing line fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from access.caller import Caller
from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.errors import BadInputError
from resolvers.filters import JobFilter, find_job, local_id
from resolvers.order import order_name
from slurm import squeue

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

Need = Callable[["Cluster", Caller, Mapping[str, Any]], list[Dataset[Any]]]
"""From the cluster, the caller and the field's arguments to the datasets it reads."""


def whole(dataset: Dataset[Any]) -> Need:
    """The need of a field that reads a dataset whatever its arguments are."""
    return lambda cluster, caller, arguments: [dataset]


def job(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """One job. What a kept snapshot of all jobs has is not asked for again."""
    try:
        own = local_id(str(arguments.get("id")), cluster.name)
    except BadInputError:
        return []  # the field itself says so
    kept = cluster.snapshots.kept(datasets.JOBS)
    if kept and find_job(kept.value, own) is not None:
        return [datasets.JOBS]
    return [datasets.job(squeue.lookup_id(own))]


def account(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """Whether the caller has an account, where that decides about the role."""
    return [datasets.account(caller.cluster_user)] if caller.cluster_user and caller.role is None else []


def jobs(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The jobs, unless the arguments are wrong: then nothing is sent, and the field itself says what is wrong."""
    where = arguments.get("filter") or {}
    try:
        cluster.check_jobs(
            JobFilter(
                ids=[str(id) for id in where.get("ids") or ()],
                submitted_after=_time(where.get("submittedAfter")),
                submitted_before=_time(where.get("submittedBefore")),
            ),
            _order_name(arguments.get("orderBy") or ()),
            arguments.get("first"),
            arguments.get("after"),
        )
    except BadInputError:
        return []
    return [datasets.JOBS]


def nodes(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The nodes, likewise."""
    try:
        cluster.check_nodes(arguments.get("first"), arguments.get("after"))
    except BadInputError:
        return []
    return [datasets.NODES]


def _time(value: Any) -> datetime | None:
    """A time as the AST has it: a literal is text, a variable a time already."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _order_name(order_by: Any) -> str:
    steps = [order_by] if isinstance(order_by, Mapping) else order_by  # GraphQL takes one thing for a list of it
    return order_name((_name(step["field"]), _name(step.get("direction") or "ASC")) for step in steps)


def _name(value: Any) -> str:
    return value.name if isinstance(value, Enum) else str(value)


JOBS, QUEUES, NODES = whole(datasets.JOBS), whole(datasets.QUEUES), whole(datasets.NODES)

NEEDS: Mapping[tuple[str, str], Need] = {
    ("Query", "viewer"): account,
    ("Query", "jobs"): jobs,
    ("Query", "job"): job,
    ("Query", "queues"): QUEUES,
    ("Query", "queue"): QUEUES,
    ("Query", "nodes"): nodes,
    ("Query", "node"): NODES,
    ("Cluster", "slurmVersion"): whole(datasets.CONFIGURATION),
    ("Cluster", "jobs"): jobs,
    ("Cluster", "job"): job,
    ("Cluster", "queues"): QUEUES,
    ("Cluster", "queue"): QUEUES,
    ("Cluster", "nodes"): nodes,
    ("Cluster", "node"): NODES,
    ("Job", "queue"): QUEUES,
    ("Job", "queues"): QUEUES,
    ("Job", "nodes"): NODES,
    ("Queue", "nodes"): NODES,
    ("Queue", "nodeCounts"): NODES,
    ("Queue", "jobs"): jobs,
    ("Node", "queues"): QUEUES,
    ("Node", "jobs"): JOBS,
    ("Node", "instance"): whole(datasets.INSTANCES),
    ("Cluster", "head"): whole(datasets.HEAD),
    ("Head", "agent"): whole(datasets.AGENT),
    ("Head", "instance"): whole(datasets.INSTANCES),
}
