"""One request's view of the clusters: what was fetched for it, and how its objects hang together."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from graphql import GraphQLResolveInfo

from access.caller import Caller
from access.role import Role
from headnode.deadline import Deadline
from headnode.settings import Settings
from headnode.snapshots import Dataset, Snapshot, Snapshots
from resolvers import datasets, plan
from resolvers.errors import BadInputError, NotFoundError, UnauthenticatedError, unavailable
from resolvers.filters import JobFilter, NodeFilter, find_job, local_id, matching_jobs, matching_nodes
from resolvers.pages import Ordering, PageInfo, natural, page
from slurm import partition, sinfo, squeue
from slurm.column import Rows
from slurm.states import DescribedEnum, JobState, NodeState

T = TypeVar("T")


class OrderDirection(DescribedEnum):
    """Which way to order."""

    ASC = "ASC", "Smallest, earliest or first first."
    DESC = "DESC", "Largest, latest or last first."


class JobOrderField(DescribedEnum):
    """What to order jobs by. A job without the value comes last either way; equal jobs are ordered by id."""

    ID = "order", "The id; an array's tasks by index, its waiting tasks last."
    NAME = "name", "The job's name, by code points."
    USER = "user", "The user's name."
    STATE = "state", "The state, by its name."
    QUEUE = "queue_name", "The queue's name."
    PRIORITY = "priority", "The scheduler's priority."
    SUBMIT_TIME = "submit_time", "When it was submitted."
    START_TIME = "start_time", "When it started, or is expected to."
    END_TIME = "end_time", "When it ended, or will at the latest."
    ELAPSED = "elapsed_seconds", "How long it has run."
    CPU_COUNT = "cpu_count", "How many CPUs it has or asks for."
    NODE_COUNT = "node_count", "How many nodes it has or asks for."


@dataclass(kw_only=True)
class JobOrder:
    """One step of an order; the first step counts most."""

    field: JobOrderField = dataclasses.field(metadata={"about": "What to order by."})
    direction: OrderDirection = dataclasses.field(
        default=OrderDirection.ASC, metadata={"about": "Which way; ascending by default."}
    )


class Job(squeue.Job):
    """A job and what it is linked to."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: ClusterView, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.job_id}"

    @property
    def queues(self) -> list[Queue]:
        """The queues it may run in, as far as the cluster has them."""
        known = self.cluster.queues_by_name
        return [known[name] for name in squeue.queue_names(self) if name in known]

    @property
    def queue(self) -> Queue | None:
        """The first of them."""
        return next(iter(self.queues), None)

    @property
    def nodes(self) -> list[Node]:
        """The nodes allocated to it, as far as the cluster still has them."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]


class Node(sinfo.Node):
    """A node and what it is linked to."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: ClusterView, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.name}"

    @property
    def queues(self) -> list[Queue]:
        """The queues it belongs to."""
        known = self.cluster.queues_by_name
        return [known[name] for name in self.queue_names if name in known]

    @property
    def jobs(self) -> list[Job]:
        """The jobs on it that have not ended."""
        return self.cluster.jobs_by_node.get(self.name, [])


class Queue(partition.Queue):
    """A queue and what it is linked to."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: ClusterView, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.name}"

    @property
    def nodes(self) -> list[Node]:
        """Its nodes."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]

    @property
    def node_counts(self) -> list[StateCount[NodeState]]:
        """How many of its nodes are in each state."""
        return count_states(node.state for node in self.nodes)

    def jobs(self, where: JobFilter | None, first: int | None, after: str | None) -> JobConnection:
        """The jobs in it, and those that wait for it."""
        return self.cluster.jobs(where, None, first, after, queue=self.name)


S = TypeVar("S", bound=Enum)


@dataclass(frozen=True)
class StateCount(Generic[S]):
    """How many are in a state."""

    state: S
    count: int


def count_states(states: Iterable[S]) -> list[StateCount[S]]:
    """The states that occur, each with its count, the most frequent first."""
    return [StateCount(state, count) for state, count in Counter(states).most_common()]


@dataclass(frozen=True)
class NodeConnection:
    """A page of nodes."""

    nodes: Sequence[Node]
    page_info: PageInfo
    total_count: int
    as_of: datetime


@dataclass(frozen=True)
class JobConnection:
    """A page of jobs, and counts over all that the filter lets through."""

    nodes: Sequence[Job]
    page_info: PageInfo
    total_count: int
    as_of: datetime
    states: Sequence[JobState]

    @property
    def counts_by_state(self) -> list[StateCount[JobState]]:
        """How many are in each state, on all pages."""
        return count_states(self.states)


class ClusterView:
    """A cluster as one request sees it: from the snapshots that were fetched for it, and no newer ones."""

    def __init__(self, graph: Graph, name: str, snapshots: Snapshots) -> None:
        self.name = name
        self.snapshots = snapshots
        self.answers: dict[Dataset[Any], Any] = {}
        self._graph = graph

    def read(self, dataset: Dataset[T]) -> Snapshot[T]:
        """The dataset's snapshot. Raises RequestError if it could not be read."""
        answer = self.answers[dataset]
        if not isinstance(answer, Snapshot):
            raise unavailable(self.name, answer)
        return answer

    @property
    def as_of(self) -> datetime | None:
        """The age of the oldest snapshot this request used; None if it used none."""
        return min((answer.as_of for answer in self.answers.values() if isinstance(answer, Snapshot)), default=None)

    @property
    def slurm_version(self) -> str | None:
        """The version that slurmctld runs."""
        return self.read(datasets.CONFIGURATION).value.slurm_version

    def jobs(
        self,
        where: JobFilter | None,
        order_by: Sequence[JobOrder] | None,
        first: int | None,
        after: str | None,
        queue: str | None = None,
    ) -> JobConnection:
        """A page of the jobs that the filter lets through, those of one queue if it is named."""
        snapshot = self.read(datasets.JOBS)
        rows = snapshot.value
        chosen = matching_jobs(rows, self.name, where)
        if queue is not None:
            names = rows.values(squeue.Job.queue_name)
            chosen = [index for index in chosen if queue in names[index].split(",")]
        ordering = job_ordering(rows, order_by or ())
        cut = page(chosen, ordering, lambda index: Job(self, rows, index), first, after, self._graph.page_limit)
        states = rows.values(squeue.Job.state)
        return JobConnection(cut.nodes, cut.page_info, len(chosen), snapshot.as_of, [states[index] for index in chosen])

    def job(self, id: str) -> Job | None:
        """The job of that id; None if the scheduler does not know it."""
        own = local_id(id, self.name)
        for dataset in (datasets.job(squeue.lookup_id(own)), datasets.JOBS):
            if dataset in self.answers:
                rows = self.read(dataset).value
                index = find_job(rows, own)
                if index is not None:
                    return Job(self, rows, index)
        return None

    def queues(self) -> list[Queue]:
        """All queues, in the order of the configuration."""
        rows = self.read(datasets.QUEUES).value
        return [Queue(self, rows, index) for index in range(len(rows))]

    def queue(self, name: str) -> Queue | None:
        """The queue of that name, or None."""
        return self.queues_by_name.get(name.removeprefix(f"{self.name}:"))

    def nodes(self, where: NodeFilter | None, first: int | None, after: str | None) -> NodeConnection:
        """A page of the nodes that the filter lets through, in natural order of their names."""
        snapshot = self.read(datasets.NODES)
        rows = snapshot.value
        chosen = matching_nodes(rows, where)
        ordering = Ordering("name", (), [natural(name) for name in rows.values(sinfo.Node.name)])
        cut = page(chosen, ordering, lambda index: Node(self, rows, index), first, after, self._graph.page_limit)
        return NodeConnection(cut.nodes, cut.page_info, len(chosen), snapshot.as_of)

    def node(self, name: str) -> Node | None:
        """The node of that name, or None."""
        return self.nodes_by_name.get(name.removeprefix(f"{self.name}:"))

    @cached_property
    def queues_by_name(self) -> Mapping[str, Queue]:
        """Every queue by its name."""
        return {queue.name: queue for queue in self.queues()}

    @cached_property
    def nodes_by_name(self) -> Mapping[str, Node]:
        """Every node by its name."""
        rows = self.read(datasets.NODES).value
        return {name: Node(self, rows, index) for index, name in enumerate(rows.values(sinfo.Node.name))}

    @cached_property
    def jobs_by_node(self) -> Mapping[str, list[Job]]:
        """The jobs that have not ended, by the names of their nodes."""
        rows = self.read(datasets.JOBS).value
        states = rows.values(squeue.Job.state)
        found: dict[str, list[Job]] = {}
        for index, names in enumerate(rows.values(squeue.Job.node_names)):
            if names and states[index] not in squeue.ENDED:
                job = Job(self, rows, index)
                for name in names:
                    found.setdefault(name, []).append(job)
        return found


def job_ordering(rows: Rows[squeue.Job], order_by: Sequence[JobOrder]) -> Ordering:
    """The ordering of jobs that the steps ask for."""
    columns = {column.name: column for column in squeue.Job.columns()}
    return Ordering(
        name=",".join(f"{step.field.name} {step.direction.name}" for step in order_by),
        columns=[(rows.values(columns[step.field.value]), step.direction is OrderDirection.DESC) for step in order_by],
        last=rows.values(squeue.Job.order),
    )


class Graph:
    """One request: who asks, until when, and the clusters as this request sees them."""

    def __init__(
        self,
        clusters: Mapping[str, Snapshots],
        settings: Settings,
        caller: Caller | None,
        deadline: Deadline,
        request_id: str,
    ) -> None:
        self.deadline = deadline
        self.comment = f"slurmql {request_id}"
        self.page_limit = settings.page_limit
        self._caller = caller
        self._clusters = clusters
        self._default = settings.default_cluster
        self._views: dict[str, ClusterView] = {}
        self._fetched: asyncio.Task[None] | None = None

    @property
    def caller(self) -> Caller:
        """Who asks. Raises UnauthenticatedError if nobody vouches for them."""
        if self._caller is None:
            raise UnauthenticatedError("Sign in: the request carries no identity that the gateway vouches for.")
        return self._caller

    @property
    def cluster_names(self) -> list[str]:
        """The configured clusters."""
        return list(self._clusters)

    def cluster(self, name: str | None) -> ClusterView:
        """The view of the named cluster, else of the default one. Raises NotFoundError, BadInputError."""
        chosen = name or self._default
        if chosen is None:
            raise BadInputError(f"Name a cluster: {', '.join(self._clusters)}.", argument="cluster")
        if chosen not in self._clusters:
            raise NotFoundError(
                f"There is no cluster {chosen[:60]!r}; there is {', '.join(self._clusters)}.", argument="cluster"
            )
        if chosen not in self._views:
            self._views[chosen] = ClusterView(self, chosen, self._clusters[chosen])
        return self._views[chosen]

    def fresh_view(self, name: str | None) -> ClusterView:
        """A view that shares nothing with others: what a change answers with."""
        known = self.cluster(name)
        return ClusterView(self, known.name, known.snapshots)

    async def fetch(self, info: GraphQLResolveInfo) -> None:
        """Fetch what the whole operation needs; the first root field does it, the others wait for the same."""
        if self._fetched is None:
            self._fetched = asyncio.ensure_future(asyncio.to_thread(self._fetch, info))
        await self._fetched

    def _fetch(self, info: GraphQLResolveInfo) -> None:
        query = info.schema.query_type
        if query is None or self._caller is None:
            return
        wanted: dict[str, set[plan.Need]] = {}
        for name, needs in plan.plan(info, info.operation.selection_set, query).items():
            for cluster in self._clusters if name == plan.ALL_CLUSTERS else [name or self._default]:
                if cluster in self._clusters:
                    wanted.setdefault(cluster, set()).update(needs)
        views = [(self.cluster(name), needs) for name, needs in wanted.items()]
        if len(views) == 1:
            self._fill(*views[0])
        elif views:
            with ThreadPoolExecutor(len(views)) as pool:
                list(pool.map(lambda pair: self._fill(*pair), views))

    def _fill(self, view: ClusterView, needs: Iterable[plan.Need]) -> None:
        wanted = self.wanted(view, needs)
        view.answers.update(view.snapshots.ask(wanted, self.deadline, self.comment) if wanted else {})

    def wanted(self, view: ClusterView, needs: Iterable[plan.Need]) -> list[Dataset[Any]]:
        """The datasets to ask for. What a kept snapshot of all jobs has needs no question of its own."""
        wanted: dict[Dataset[Any], None] = {}
        for need in needs:
            if need.dataset == plan.JOB:
                if dataset := self._job_dataset(view, need.id or ""):
                    wanted[dataset] = None
            elif need.dataset == plan.ACCOUNT:
                if self.caller.cluster_user and self.caller.role is None:
                    wanted[datasets.account(self.caller.cluster_user)] = None
            else:
                wanted[_BY_NAME[need.dataset]] = None
        return list(wanted)

    def _job_dataset(self, view: ClusterView, id: str) -> Dataset[Any] | None:
        try:
            own = local_id(id, view.name)
        except BadInputError:
            return None  # the field itself says so
        kept = view.snapshots.kept(datasets.JOBS)
        if kept and find_job(kept.value, own) is not None:
            view.answers[datasets.JOBS] = kept
            return None
        return datasets.job(squeue.lookup_id(own))

    def default_role(self) -> Role:
        """What the caller may do on the default cluster; whoever has an account there is a USER."""
        caller = self.caller
        if caller.role is not None:
            return caller.role
        if caller.cluster_user is None:
            return Role.VIEWER
        has_account = self.cluster(None).read(datasets.account(caller.cluster_user)).value
        return Role.USER if has_account else Role.VIEWER


_BY_NAME: Mapping[str, Dataset[Any]] = {
    plan.JOBS: datasets.JOBS,
    plan.QUEUES: datasets.QUEUES,
    plan.NODES: datasets.NODES,
    plan.CONFIGURATION: datasets.CONFIGURATION,
}
