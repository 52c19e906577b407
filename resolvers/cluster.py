"""A cluster as one request sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from access.role import JobVisibility
from headnode.snapshots import Dataset, Snapshot, Snapshots
from resolvers import arguments, datasets, jobs_ended
from resolvers.array import Family, JobArray
from resolvers.cluster_request import ClusterRequest
from resolvers.cluster_view import ClusterView
from resolvers.errors import BadInputError, NotRememberedError
from resolvers.filters import (
    JobFilter,
    NodeFilter,
    check_job_filter,
    check_lists,
    find_job,
    local_id,
    matching_jobs,
    matching_nodes,
)
from resolvers.head_instance import HeadInstance
from resolvers.history import JobHistory, keeps_accounts, keeps_no_accounts, past_job, search_of
from resolvers.job import Job, JobConnection
from resolvers.job_detail import JobRow
from resolvers.jobs_ended import JobsEnded
from resolvers.node import Node
from resolvers.order import BY_NAME, JobOrder, job_ordering, order_name
from resolvers.pages import Connection, Ordering, check_page, natural, page
from resolvers.past_array import array_of, array_of_task, tasks_of
from resolvers.plan import cluster_in
from resolvers.queue import Queue
from resolvers.reads import JobPart, Parts, all_jobs, reads, reads_by
from resolvers.viewer import Viewer, viewer
from resolvers.waiting import newest_without_capacity, queue_positions
from slurm import output_path, sacct_search, sinfo, squeue
from slurm.column import Rows
from slurm.sprio import PriorityFactors
from slurm.states import ENDED

T = TypeVar("T")


def _account(cluster: Cluster, below: Parts) -> list[Dataset[Any]]:
    """Whether the caller has an account, if their role depends on it."""
    caller = cluster.request.caller
    return [datasets.account(caller.cluster_user)] if caller.cluster_user and caller.role is None else []


def _jobs(
    cluster: Cluster,
    below: Parts,
    filter: JobFilter | None,
    order_by: Sequence[JobOrder] | None,
    first: int | None,
    after: str | None,
) -> list[Dataset[Any]]:
    """The jobs; nothing if the arguments are wrong, as the field itself reports that."""
    try:
        cluster.check_jobs(filter, order_name(order_by or ()), first, after)
    except BadInputError:
        return []
    return [all_jobs(below, filter)]


def _job(cluster: Cluster, below: Parts, id: str) -> list[Dataset[Any]]:
    """One job, which the scheduler may have forgotten, and its accounting if a field below shows it.

    If a kept snapshot of all jobs has the job, only what accounting knows of its array is fetched.
    """
    try:
        own = local_id(id, cluster.name)
    except BadInputError:
        return []  # the field itself reports it
    accounted = datasets.accounted(sacct_search.lookup_id(own))
    use: list[Dataset[Any]] = [accounted] if JobPart.ACCOUNTING in below else []
    if JobPart.RUNNING_STEPS in below and own.isdecimal() and cluster.request.caller.cluster_user is not None:
        use.append(datasets.running_steps(own, cluster.request.actor))
    jobs = all_jobs(below)
    kept, accounts = cluster.snapshots.kept(jobs), keeps_accounts(cluster)
    index = find_job(kept.value, own) if kept else None
    if kept and index is not None:
        of_array = kept.value[index].array_job_id if JobPart.ARRAY in below and accounts is not False else None
        return [jobs, *use, *([datasets.history(tasks_of(of_array), steps=False)] if of_array else [])]
    remembered = datasets.job(squeue.lookup_id(own))
    if accounts is False:
        return [remembered, *use]
    if JobPart.FILES in below:
        use.append(datasets.output_files(search_of(own)))
    if JobPart.ARRAY in below and (array := array_of_task(own)) is not None:
        use += [
            datasets.history(array, steps=False),
            *([datasets.output_files(array)] if JobPart.FILES in below else []),
        ]
    return [remembered, accounted, *use, *([datasets.CONFIGURATION] if accounts is None else [])]


def _job_history(
    cluster: Cluster,
    below: Parts,
    since: datetime | None,
    until: datetime | None,
    filter: JobFilter | None,
    order_by: Sequence[JobOrder] | None,
    first: int | None,
    after: str | None,
) -> list[Dataset[Any]]:
    """Past jobs, with their steps if a field below shows them."""
    question = JobHistory(filter, since, until, order_by, first, after)
    try:
        return question.needs(cluster, steps=JobPart.ACCOUNTING in below, files=JobPart.FILES in below)
    except BadInputError:
        return []  # the field itself reports it


def _nodes(
    cluster: Cluster, below: Parts, filter: NodeFilter | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The nodes; nothing if the arguments are wrong, as the field itself reports that."""
    try:
        check_lists(filter)
        cluster.check_named(first, after)
    except BadInputError:
        return []
    return [datasets.NODES]


class Cluster(ClusterView):
    """A cluster as one request sees it."""

    def __init__(self, name: str, snapshots: Snapshots, request: ClusterRequest) -> None:
        super().__init__(name, snapshots, request)
        self._families: dict[str, Mapping[str | None, list[int]]] = {}
        self._arrays: dict[tuple[int, str], tuple[JobArray, Rows[Any]]] = {}

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return self.name

    @property
    @reads_by(_account)
    def viewer(self) -> Viewer:
        """The caller, their role and their rights here."""
        caller = self.request.caller
        depends = caller.role is None and caller.cluster_user is not None
        return viewer(self.name, caller, depends and self.read(datasets.account(caller.cluster_user or "")).value)

    @property
    def suggested_poll_seconds(self) -> int:
        """How many seconds to wait before the same is asked again."""
        return self.snapshots.suggested_poll_seconds

    @property
    @reads(datasets.HEAD)
    def head(self) -> HeadInstance:
        """The head node, as AWS knows it."""
        return HeadInstance(self)

    @property
    @reads(datasets.CONFIGURATION)
    def slurm_version(self) -> str | None:
        """The version that slurmctld runs."""
        return self.read(datasets.CONFIGURATION).value.slurm_version

    def check_jobs(self, where: JobFilter | None, ordering_name: str, first: int | None, after: str | None) -> None:
        """Raise BadInputError for wrong arguments, before anything is fetched."""
        check_page(first, after, ordering_name, self.request.page_limit)
        if where is not None:
            check_job_filter(where, self.name)

    def check_named(self, first: int | None, after: str | None) -> None:
        """Raise BadInputError for wrong arguments of a list in the order of names, before anything is fetched."""
        check_page(first, after, BY_NAME, self.request.page_limit)

    def page_by_name(
        self,
        snapshot: Snapshot[Rows[Any]],
        chosen: Sequence[int],
        names: Callable[[], Sequence[Any]],
        make: Callable[[int], T],
        first: int | None,
        after: str | None,
    ) -> Connection[T]:
        """A page of some rows in the order of their names. Raises BadInputError for wrong arguments."""
        rows = snapshot.value
        ordering = Ordering(BY_NAME, (), rows.kept("names", names), rows=rows)
        return page(chosen, ordering, make, first, after, self.request.page_limit, snapshot.as_of)

    @reads_by(_jobs)
    def jobs(
        self,
        filter: arguments.Jobs = None,
        order_by: arguments.Order = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> JobConnection:
        """A page of the jobs that match the filter."""
        self.check_jobs(filter, order_name(order_by or ()), first, after)
        snapshot = self.read(datasets.JOBS)
        everything = self._family_of(snapshot, range(len(snapshot.value)))
        return self.page_of_jobs(everything, filter, order_by, first, after)

    def jobs_of_queue(self, queue: str, where: JobFilter | None, first: int | None, after: str | None) -> JobConnection:
        """A page of the jobs that run in the queue or wait for it."""
        self.check_jobs(where, order_name(()), first, after)
        snapshot = self.read(datasets.JOBS)
        names = snapshot.value.values(squeue.Job.queue_name)
        of_queue = [index for index, named in enumerate(names) if queue in named.split(",")]
        return self.page_of_jobs(self._family_of(snapshot, of_queue), where, (), first, after)

    def page_of_jobs(
        self,
        jobs: Family,
        where: JobFilter | None,
        order_by: Sequence[JobOrder] | None,
        first: int | None,
        after: str | None,
    ) -> JobConnection:
        """A page of some of a snapshot's jobs. Raises BadInputError for wrong arguments."""
        self.check_jobs(where, order_name(order_by or ()), first, after)
        rows, chosen = jobs.snapshot.value, jobs.indexes
        if where is not None:
            let_through = matching_jobs(rows, self.name, where)
            chosen = let_through if len(chosen) == len(rows) else sorted(set(chosen).intersection(let_through))
        ordering, limit = job_ordering(rows, order_by or ()), self.request.page_limit
        cut = page(chosen, ordering, jobs.job, first, after, limit, jobs.snapshot.as_of)
        return JobConnection(**vars(cut), rows=rows, chosen=chosen)

    @reads_by(_job_history)
    def job_history(
        self,
        since: arguments.Since = None,
        until: arguments.Until = None,
        filter: arguments.Jobs = None,
        order_by: arguments.LatestFirst = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> JobConnection:
        """A page of past jobs."""
        return JobHistory(filter, since, until, order_by, first, after).answer(self)

    @reads_by(_job)
    def job(self, id: arguments.JobId) -> Job | None:
        """The job of that id; None if neither the scheduler nor accounting knows it.

        Raises NotRememberedError if the scheduler does not know it and the cluster keeps no accounts.
        """
        own = local_id(id, self.name)
        for dataset in (datasets.job(squeue.lookup_id(own)), datasets.JOBS):
            if dataset in self.answers:
                rows = self.read(dataset).value
                index = find_job(rows, own)
                if index is not None:
                    return Job(self, rows, index)
        found = past_job(self, own)
        if found is None and keeps_no_accounts(self, own):
            raise NotRememberedError(self.name, own)
        return found

    def listed_job(self, row: int) -> Job:
        """The job in that row of the snapshot of all jobs."""
        return Job(self, self.read(datasets.JOBS).value, row)

    def remembered_job(self, id: str) -> Job | None:
        """The job of that id in the snapshot of all jobs."""
        rows = self.read(datasets.JOBS).value
        index = self._rows_by_id.get(id)
        index = find_job(rows, id) if index is None else index
        return None if index is None else Job(self, rows, index)

    def array_of(self, job: JobRow) -> JobArray | None:
        """The array that the job is a task of."""
        if job.array_job_id is None:
            return None
        place = (id(job.rows), job.array_job_id)  # the tasks in one answer share an object, which counts them once
        if place not in self._arrays:
            self._arrays[place] = array_of(self, job, job.array_job_id), job.rows
        return self._arrays[place][0]

    def components_of(self, job: JobRow) -> list[Job]:
        """The components of the job's heterogeneous job, in their order; [] for any other job."""
        if job.het_job_id is None:
            return []
        family = self.family(job, "het_job_id", job.het_job_id)
        return sorted(map(family.job, family.indexes), key=lambda component: component.order)

    def family(self, job: JobRow, column: str, id: str) -> Family:
        """The jobs with that id in the column; those in the same answer as the job if the scheduler lists none."""
        listed = self.read(datasets.JOBS)
        if column not in self._families:
            self._families[column] = _rows_by(listed.value.values(getattr(squeue.Job, column)))
        if id in self._families[column]:
            return self._family_of(listed, self._families[column][id])
        beside = _rows_by(job.rows.values(getattr(job.rows.record, column)))
        return Family(Snapshot(job.rows, self.as_of or listed.as_of), beside[id], job.beside)

    def _family_of(self, snapshot: Snapshot[Rows[squeue.Job]], indexes: Sequence[int]) -> Family:
        return Family(snapshot, indexes, lambda index: Job(self, snapshot.value, index))

    @reads_by(jobs_ended.reads)
    async def jobs_ended(
        self,
        ids: arguments.JobIds,
        when: arguments.When = arguments.EndedWhen.ALL,
        timeout_seconds: arguments.Timeout = arguments.LONGEST_WAIT,
    ) -> JobsEnded:
        """What is known of those jobs when they have ended, or when the time is over."""
        return await jobs_ended.jobs_ended(self, ids, when, timeout_seconds)

    @reads(datasets.QUEUES)
    def queues(self) -> list[Queue]:
        """All queues, in the order of the configuration."""
        rows = self.read(datasets.QUEUES).value
        return [Queue(self, rows, index) for index in range(len(rows))]

    @reads(datasets.QUEUES)
    def queue(self, name: arguments.QueueName) -> Queue | None:
        """The queue of that name, or None."""
        return self._named(name, self.queues_by_name)

    @reads_by(_nodes)
    def nodes(
        self, filter: arguments.Nodes = None, first: arguments.First = 500, after: arguments.After = None
    ) -> Connection[Node]:
        """A page of the nodes that match the filter, in natural order of their names."""
        self.check_named(first, after)
        rows = self.read(datasets.NODES).value
        return self.page_of_nodes(matching_nodes(rows, filter), first, after)

    def page_of_nodes(self, chosen: Sequence[int], first: int | None, after: str | None) -> Connection[Node]:
        """A page of some nodes, in natural order of their names. Raises BadInputError for wrong arguments."""
        self.check_named(first, after)
        snapshot = self.read(datasets.NODES)
        rows = snapshot.value

        def names() -> list[list[Any]]:
            return [natural(name) for name in rows.values(sinfo.Node.name)]

        return self.page_by_name(snapshot, chosen, names, lambda index: Node(self, rows, index), first, after)

    @reads(datasets.NODES)
    def node(self, name: arguments.NodeName) -> Node | None:
        """The node of that name, or None."""
        return self._named(name, self.nodes_by_name)

    def _named(self, name: str, known: Mapping[str, T]) -> T | None:
        """What has that name or id. Raises BadInputError for an id of another cluster."""
        found = known.get(name) or known.get(name.removeprefix(f"{self.name}:"))
        if found is None and cluster_in(name) not in ("", self.name):
            message = f"The id {name[:100]!r} does not belong to the cluster {self.name}."
            raise BadInputError(message, argument="name")
        return found

    @cached_property
    def queues_by_name(self) -> Mapping[str, Queue]:
        """Every queue by its name."""
        return {queue.name: queue for queue in self.queues()}

    @cached_property
    def nodes_by_name(self) -> Mapping[str, Node]:
        """Every node by its name."""
        rows = self.read(datasets.NODES).value
        return {name: Node(self, rows, index) for name, index in self.node_rows.items()}

    @property
    def node_rows(self) -> Mapping[str, int]:
        """The row of every node by its name."""
        rows = self.read(datasets.NODES).value
        return rows.kept("by name", lambda: {name: index for index, name in enumerate(rows.values(sinfo.Node.name))})

    @property
    def release(self) -> output_path.Release | None:
        """The release that slurmctld runs, as (22, 5)."""
        return output_path.release(self.slurm_version or "")

    @cached_property
    def nodes_without_capacity(self) -> Sequence[Node]:
        """The nodes that EC2 did not start, the one that failed last first."""
        return newest_without_capacity(self.nodes_by_name.values())

    @cached_property
    def queue_positions(self) -> Mapping[str, int]:
        """The place of every waiting job in its queue, by its raw id; empty if the caller does not see all jobs."""
        if self.request.caller.job_visibility is not JobVisibility.ALL:
            return {}
        return queue_positions(self.read(datasets.JOBS))

    @cached_property
    def factors_by_raw_id(self) -> Mapping[str, list[PriorityFactors]]:
        """The priority factors of waiting jobs by their raw ids, one for each of a job's queues."""
        factors = self.read(datasets.PRIORITY_FACTORS).value
        found: dict[str, list[PriorityFactors]] = {}
        for row in factors if isinstance(factors, Rows) else ():
            found.setdefault(row.raw_id, []).append(row)
        return found

    @cached_property
    def _rows_by_id(self) -> Mapping[str, int]:
        """The row of each job in the snapshot of all jobs, by its id."""
        return {id: index for index, id in enumerate(self.read(datasets.JOBS).value.values(squeue.Job.job_id))}

    @cached_property
    def jobs_by_node(self) -> Mapping[str, list[Job]]:
        """The jobs that have not ended, by the names of their nodes."""
        rows = self.read(datasets.JOBS).value
        states = rows.values(squeue.Job.state)
        found: dict[str, list[Job]] = {}
        for index, names in enumerate(rows.values(squeue.Job.node_names)):
            if names and states[index] not in ENDED:
                job = Job(self, rows, index)
                for name in names:
                    found.setdefault(name, []).append(job)
        return found


def _rows_by(values: Iterable[str | None]) -> Mapping[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for index, value in enumerate(values):
        found.setdefault(value, []).append(index)
    return found
