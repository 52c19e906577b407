"""What each field needs that its parent does not have: the datasets to ask for, from the field's arguments.

A field that does not stand here needs nothing of its own. tests/schema/test_schema.py resolves every field with
nothing but its own needs, so that a missing line fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from access.caller import Caller
from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.errors import BadInputError
from resolvers.facts import check_names
from resolvers.filters import JobFilter, find_job, local_id
from resolvers.history import JobHistory, keeps_accounts
from resolvers.order import JobOrder, order_name
from resolvers.output import output_range
from slurm import sacct, squeue
from slurm.column import Rows

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

Need = Callable[["Cluster", Caller, Mapping[str, Any]], list[Dataset[Any]]]
"""From the cluster, the caller and the field's arguments, in values of their types, to the datasets it reads."""

Place = tuple[str, str]
"""A type's name and a field's."""

NeedBelow = Callable[[frozenset[Place], "Cluster", Caller, Mapping[str, Any]], list[Dataset[Any]]]
"""The same, from the fields that are selected below it, at any depth, as well."""


def whole(dataset: Dataset[Any]) -> Need:
    """The need of a field that reads a dataset whatever its arguments are."""
    return lambda cluster, caller, arguments: [dataset]


def job(below: frozenset[Place], cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """One job, which the scheduler may have forgotten, and its accounts if something below tells of them.

    What a kept snapshot of all jobs has is not asked for again.
    """
    try:
        own = local_id(str(arguments.get("id")), cluster.name)
    except BadInputError:
        return []  # the field itself says so
    accounted = datasets.accounted(sacct.lookup_id(own))
    use: list[Dataset[Any]] = [accounted] if below & OF_ACCOUNTING else []
    if below & OF_RUNNING_STEPS and own.isdecimal() and caller.cluster_user is not None:
        use.append(datasets.running_steps(own, cluster.request.actor))
    all_jobs = jobs_for(below)
    kept = cluster.snapshots.kept(all_jobs)
    if kept and find_job(kept.value, own) is not None:
        return [all_jobs, *use]
    remembered = datasets.job(squeue.lookup_id(own))
    accounts = keeps_accounts(cluster)
    if accounts is None:
        return [remembered, accounted, datasets.CONFIGURATION, *use]
    return [remembered, accounted, *use] if accounts else [remembered, *use]


def jobs_for(below: frozenset[Place]) -> Dataset[Rows[squeue.Job]]:
    """All jobs, in brief if that has whatever is selected of them."""
    return datasets.JOBS_IN_BRIEF if all(map(_is_known_in_brief, below)) else datasets.JOBS


def _is_known_in_brief(place: Place) -> bool:
    kind, field = place
    return kind != "Job" or field.startswith("__") or _snake_case(field) in _KNOWN_IN_BRIEF


_KNOWN_IN_BRIEF = {column.name for column in squeue.Job.columns() if squeue.in_brief(column)} | {
    # what follows from such columns and from other datasets; filters and orders look at such columns alone
    "id",
    "cluster",
    "queue",
    "queues",
    "nodes",
    "array",
    "components",
    "reason_code",
    "reason_text",
    "capacity_code",
    "priority_factors",
    "script",
    "steps",
    "efficiency",
    "cpu_time_seconds",
    "cpu_time_reserved_seconds",
    "max_rss_mib",
}


def job_history(
    below: frozenset[Place], cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]
) -> list[Dataset[Any]]:
    """Past jobs, with their steps if something below tells of them."""
    question = JobHistory(
        where=job_filter(arguments.get("filter")),
        since=arguments.get("since"),
        until=arguments.get("until"),
        order_by=job_order(arguments.get("orderBy")),
        first=arguments.get("first"),
        after=arguments.get("after"),
    )
    try:
        return question.needs(cluster, steps=bool(below & OF_ACCOUNTING))
    except BadInputError:
        return []  # the field itself says so


def account(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """Whether the caller has an account, where that decides about the role."""
    return [datasets.account(caller.cluster_user)] if caller.cluster_user and caller.role is None else []


def jobs(below: frozenset[Place], cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The jobs, unless the arguments are wrong: then nothing is sent, and the field itself says what is wrong."""
    try:
        _check_jobs(cluster, arguments)
    except BadInputError:
        return []
    return [jobs_for(below)]


def jobs_of_queue(
    below: frozenset[Place], cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]
) -> list[Dataset[Any]]:
    """The jobs of each queue. Raises BadInputError: the queues are not asked for either."""
    _check_jobs(cluster, arguments)
    return [jobs_for(below)]


def related_jobs(
    below: frozenset[Place], cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]
) -> list[Dataset[Any]]:
    """The jobs of a node, or those that belong to the same array or heterogeneous job: all are looked through."""
    return [jobs_for(below)]


def _check_jobs(cluster: Cluster, arguments: Mapping[str, Any]) -> None:
    cluster.check_jobs(
        job_filter(arguments.get("filter")),
        order_name(job_order(arguments.get("orderBy"))),
        arguments.get("first"),
        arguments.get("after"),
    )


def nodes(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The nodes, likewise."""
    try:
        cluster.check_nodes(arguments.get("first"), arguments.get("after"))
    except BadInputError:
        return []
    return [datasets.NODES]


def job_filter(given: Mapping[str, Any] | None) -> JobFilter | None:
    """The filter that an argument spells; the same object as the field itself gets."""
    return None if given is None else JobFilter(**{_snake_case(name): value for name, value in given.items()})


def job_order(given: Sequence[Mapping[str, Any]] | None) -> list[JobOrder]:
    """The order that an argument spells, likewise."""
    return [JobOrder(**step) for step in given or ()]


def _snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def output(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """What tells a file's path. Raises BadInputError: nothing is sent for what cannot be read."""
    given = (arguments.get(name) for name in ("lines", "bytes", "from", "offset"))
    output_range(*given)
    return [datasets.CONFIGURATION]


def tasks(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """Nothing that the array does not have. Raises BadInputError, likewise."""
    _check_jobs(cluster, arguments)
    return []


def associations(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The associations of all clusters in the books, and which cluster this one is."""
    return [datasets.ASSOCIATIONS, datasets.CONFIGURATION] if _names_are_right(arguments) else []


def fair_share(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """Shares and use, and whether they count for anything."""
    return [datasets.FAIR_SHARES, datasets.CONFIGURATION] if _names_are_right(arguments) else []


def qos(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """The QOS, and whether limits are enforced."""
    return [datasets.QOS, datasets.CONFIGURATION]


def health(cluster: Cluster, caller: Caller, arguments: Mapping[str, Any]) -> list[Dataset[Any]]:
    """Signs of life from AWS and from the cluster, and whether its configuration hides things from us."""
    return [datasets.AGENT, datasets.PING, datasets.CONFIGURATION]


def _names_are_right(arguments: Mapping[str, Any]) -> bool:
    try:
        check_names(user=arguments.get("user"), account=arguments.get("account"))
    except BadInputError:
        return False  # the field itself says so
    return True


JOBS, QUEUES, NODES = whole(datasets.JOBS), whole(datasets.QUEUES), whole(datasets.NODES)
CONFIGURATION = whole(datasets.CONFIGURATION)

NEEDS: Mapping[Place, Need] = {
    ("Query", "viewer"): account,
    ("Query", "queues"): QUEUES,
    ("Query", "queue"): QUEUES,
    ("Query", "nodes"): nodes,
    ("Query", "node"): NODES,
    ("Cluster", "slurmVersion"): whole(datasets.CONFIGURATION),
    ("Cluster", "queues"): QUEUES,
    ("Cluster", "queue"): QUEUES,
    ("Cluster", "nodes"): nodes,
    ("Cluster", "node"): NODES,
    ("Job", "queue"): QUEUES,
    ("Job", "queues"): QUEUES,
    ("Job", "nodes"): NODES,
    ("Job", "stdoutPath"): CONFIGURATION,
    ("Job", "stderrPath"): CONFIGURATION,
    ("Job", "output"): output,
    ("Job", "reasonText"): NODES,
    ("Job", "capacityCode"): NODES,
    ("Job", "queuePosition"): JOBS,
    ("Job", "priorityFactors"): whole(datasets.PRIORITY_FACTORS),
    ("JobArray", "tasks"): tasks,
    ("JobDependency", "job"): JOBS,
    ("Queue", "nodes"): NODES,
    ("Queue", "nodeCounts"): NODES,
    ("Node", "queues"): QUEUES,
    ("Node", "instance"): whole(datasets.INSTANCES),
    ("Cluster", "reservations"): whole(datasets.RESERVATIONS),
    ("Cluster", "licenses"): whole(datasets.LICENSES),
    ("Cluster", "qos"): qos,
    ("Cluster", "accounts"): whole(datasets.ACCOUNTS),
    ("Cluster", "associations"): associations,
    ("Cluster", "fairShare"): fair_share,
    ("Cluster", "statistics"): whole(datasets.STATISTICS),
    ("Cluster", "configuration"): whole(datasets.CONFIGURATION),
    ("Cluster", "health"): health,
    ("Account", "associations"): associations,
    ("Reservation", "nodes"): NODES,
    ("Reservation", "queue"): QUEUES,
    ("Cluster", "head"): whole(datasets.HEAD),
    ("Head", "agent"): whole(datasets.AGENT),
    ("Head", "instance"): whole(datasets.INSTANCES),
}

OF_RUNNING_STEPS = frozenset({("Job", "steps"), ("Job", "efficiency")})
"""Fields of a job that, while it runs, its nodes tell of."""
OF_ACCOUNTING = OF_RUNNING_STEPS | {
    ("Job", "cpuTimeSeconds"),
    ("Job", "cpuTimeReservedSeconds"),
    ("Job", "maxRssMib"),
}
"""Fields of a job that only accounting knows."""

NEEDS_BELOW: Mapping[Place, NeedBelow] = {
    ("Query", "jobs"): jobs,
    ("Query", "job"): job,
    ("Query", "jobHistory"): job_history,
    ("Cluster", "jobs"): jobs,
    ("Cluster", "job"): job,
    ("Cluster", "jobHistory"): job_history,
    ("Queue", "jobs"): jobs_of_queue,
    ("Node", "jobs"): related_jobs,
    ("Job", "array"): related_jobs,
    ("Job", "components"): related_jobs,
}
"""The datasets of fields whose needs depend on what is selected below them."""
