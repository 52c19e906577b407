"""A cluster as one request sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from access.caller import Caller
from access.role import JobVisibility, Role
from headnode.snapshots import Dataset, Fault, Snapshot, Snapshots
from resolvers import datasets
from resolvers.array import Family, JobArray
from resolvers.errors import unavailable
from resolvers.filters import JobFilter, NodeFilter, check_job_filter, find_job, local_id, matching_jobs, matching_nodes
from resolvers.head import Head
from resolvers.history import JobHistory, past_job
from resolvers.job import Job, JobConnection
from resolvers.job_detail import JobRow
from resolvers.node import Node, NodeConnection
from resolvers.order import NODE_ORDER, JobOrder, job_ordering, order_name
from resolvers.pages import Ordering, check_page, natural, page
from resolvers.queue import Queue
from resolvers.request import Request
from resolvers.visibility import visible
from resolvers.waiting import newest_without_capacity, queue_positions
from slurm import output_path, sinfo, squeue
from slurm.column import Rows
from slurm.output_file import FilePart, Unreadable
from slurm.sprio import PriorityFactors

T = TypeVar("T")


class Cluster:
    """A cluster as one request sees it: from the answers that were fetched for it, and no newer ones.

    `close` ends it: the view and what it makes refer to each other, so it would keep its answers after the request.
    """

    def __init__(self, name: str, snapshots: Snapshots, request: Request) -> None:
        self.name = name
        self.snapshots = snapshots
        self.request = request
        self.answers: dict[Dataset[Any], Snapshot[Any] | Fault] = {}
        self.outputs: dict[Dataset[FilePart | Unreadable], int] = {}
        """The bytes of output that this request has asked for already."""
        self._families: dict[str, Mapping[str | None, list[int]]] = {}
        self._closed = False

    def close(self) -> None:
        """Drop the answers and everything that was made of them; the view reads nothing any more."""
        self.__dict__ = {**vars(Cluster(self.name, self.snapshots, self.request)), "_closed": True}

    def ask(self, wanted: Sequence[Dataset[Any]]) -> None:
        """Ask for the datasets, all in one command; `read` then gives them."""
        request = self.request
        self.take(self.snapshots.ask(wanted, request.deadline, request.comment, request.actor))

    def take(self, answers: Mapping[Dataset[Any], Snapshot[Any] | Fault]) -> None:
        """Take answers in, as far as the caller may see them: nothing here sees more.

        A closed view takes none: a thread may bring them after its request was given up.
        """
        if self._closed:
            return
        self.answers.update((dataset, visible(self.request.caller, answer)) for dataset, answer in answers.items())

    def read(self, dataset: Dataset[T]) -> Snapshot[T]:
        """The dataset's snapshot. Raises RequestError if it could not be read."""
        answer = self.answers[dataset]
        if not isinstance(answer, Snapshot):
            raise unavailable(self.name, answer)
        return answer

    async def load(self, dataset: Dataset[T]) -> T:
        """The value of a dataset that only another answer led to, such as a job's output file.

        Whatever the fields of one level ask for goes together, so a list costs one more command, not one each. Raises
        RequestError.
        """
        await self._late.load(dataset)
        return self.read(dataset).value

    @cached_property
    def _late(self) -> DataLoader[Dataset[Any], None]:
        async def ask(wanted: list[Dataset[Any]]) -> list[None]:
            missing = [dataset for dataset in wanted if dataset not in self.answers]
            if missing:
                await asyncio.to_thread(self.ask, missing)
            return [None] * len(wanted)

        return DataLoader(ask)

    @property
    def as_of(self) -> datetime | None:
        """The age of the oldest snapshot this request used; None if it used none."""
        return min((answer.as_of for answer in self.answers.values() if isinstance(answer, Snapshot)), default=None)

    @property
    def caller_and_role(self) -> tuple[Caller, Role]:
        """The caller, and what they may do here: who has an account is a USER."""
        caller = self.request.caller
        if caller.role is not None or caller.cluster_user is None:
            return caller, caller.role or Role.VIEWER
        return caller, Role.USER if self.read(datasets.account(caller.cluster_user)).value else Role.VIEWER

    @property
    def head(self) -> Head:
        """The head node, as AWS knows it."""
        return Head(self)

    @property
    def slurm_version(self) -> str | None:
        """The version that slurmctld runs."""
        return self.read(datasets.CONFIGURATION).value.slurm_version

    def check_jobs(self, where: JobFilter | None, ordering_name: str, first: int | None, after: str | None) -> None:
        """Raise BadInputError if the arguments cannot be right, before anything is asked for."""
        check_page(first, after, ordering_name, self.request.page_limit)
        if where is not None:
            check_job_filter(where, self.name)

    def check_nodes(self, first: int | None, after: str | None) -> None:
        """Raise BadInputError if the arguments cannot be right, before anything is asked for."""
        check_page(first, after, NODE_ORDER, self.request.page_limit)

    def jobs(
        self,
        where: JobFilter | None,
        order_by: Sequence[JobOrder] | None,
        first: int | None,
        after: str | None,
        queue: str | None = None,
    ) -> JobConnection:
        """A page of the jobs that the filter lets through, those of one queue if it is named."""
        self.check_jobs(where, order_name(order_by or ()), first, after)
        snapshot = self.read(datasets.JOBS)
        if queue is None:
            return self.page_of_jobs(
                self._family_of(snapshot, range(len(snapshot.value))), where, order_by, first, after
            )
        names = snapshot.value.values(squeue.Job.queue_name)
        of_queue = [index for index, named in enumerate(names) if queue in named.split(",")]
        return self.page_of_jobs(self._family_of(snapshot, of_queue), where, order_by, first, after)

    def page_of_jobs(
        self,
        jobs: Family,
        where: JobFilter | None,
        order_by: Sequence[JobOrder] | None,
        first: int | None,
        after: str | None,
    ) -> JobConnection:
        """A page of some of a snapshot's jobs. Raises BadInputError for arguments that are wrong."""
        self.check_jobs(where, order_name(order_by or ()), first, after)
        rows, chosen = jobs.snapshot.value, jobs.indexes
        if where is not None:
            let_through = matching_jobs(rows, self.name, where)
            chosen = let_through if len(chosen) == len(rows) else sorted(set(chosen).intersection(let_through))
        cut = page(chosen, job_ordering(rows, order_by or ()), jobs.job, first, after, self.request.page_limit)
        return JobConnection(cut.nodes, cut.page_info, jobs.snapshot.as_of, rows, chosen)

    def job_history(self, history: JobHistory) -> JobConnection:
        """A page of past jobs."""
        return history.answer(self)

    def job(self, id: str) -> Job | None:
        """The job of that id; None if neither the scheduler nor accounting knows it."""
        own = local_id(id, self.name)
        for dataset in (datasets.job(squeue.lookup_id(own)), datasets.JOBS):
            if dataset in self.answers:
                rows = self.read(dataset).value
                index = find_job(rows, own)
                if index is not None:
                    return Job(self, rows, index)
        return past_job(self, own)

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
        return JobArray(self, job.array_job_id, self._family(job, "array_job_id", job.array_job_id))

    def components_of(self, job: JobRow) -> list[Job]:
        """The components of the job's heterogeneous job, in their order; [] for any other job."""
        if job.het_job_id is None:
            return []
        family = self._family(job, "het_job_id", job.het_job_id)
        return sorted(map(family.job, family.indexes), key=lambda component: component.order)

    def _family(self, job: JobRow, column: str, id: str) -> Family:
        """The jobs with the same id in that column; those that the scheduler does not list stand beside the job."""
        listed = self.read(datasets.JOBS)
        if column not in self._families:
            self._families[column] = _rows_by(listed.value.values(getattr(squeue.Job, column)))
        if id in self._families[column]:
            return self._family_of(listed, self._families[column][id])
        beside = _rows_by(job.rows.values(getattr(job.rows.record, column)))
        return Family(Snapshot(job.rows, self.as_of or listed.as_of), beside[id], job.beside)

    def _family_of(self, snapshot: Snapshot[Rows[squeue.Job]], indexes: Sequence[int]) -> Family:
        return Family(snapshot, indexes, lambda index: Job(self, snapshot.value, index))

    def queues(self) -> list[Queue]:
        """All queues, in the order of the configuration."""
        rows = self.read(datasets.QUEUES).value
        return [Queue(self, rows, index) for index in range(len(rows))]

    def queue(self, name: str) -> Queue | None:
        """The queue of that name, or None."""
        return self.queues_by_name.get(name.removeprefix(f"{self.name}:"))

    def nodes(self, where: NodeFilter | None, first: int | None, after: str | None) -> NodeConnection:
        """A page of the nodes that the filter lets through, in natural order of their names."""
        self.check_nodes(first, after)
        snapshot = self.read(datasets.NODES)
        rows = snapshot.value
        chosen = matching_nodes(rows, where)
        last = rows.kept("natural", lambda: [natural(name) for name in rows.values(sinfo.Node.name)])
        ordering = Ordering(NODE_ORDER, (), last)
        cut = page(chosen, ordering, lambda index: Node(self, rows, index), first, after, self.request.page_limit)
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

    @property
    def release(self) -> output_path.Release | None:
        """The release that slurmctld runs, as (22, 5)."""
        return output_path.release(self.slurm_version or "")

    @cached_property
    def nodes_without_capacity(self) -> Sequence[Node]:
        """The nodes that EC2 started no instance for, the one that failed last first."""
        return newest_without_capacity(self.nodes_by_name.values())

    @cached_property
    def queue_positions(self) -> Mapping[str, int]:
        """The place of every waiting job in its queue, by its raw id; none if not all jobs are seen that count."""
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
        """The row of every job that has one to itself, by its id, in the snapshot of all jobs."""
        return {id: index for index, id in enumerate(self.read(datasets.JOBS).value.values(squeue.Job.job_id))}

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


def _rows_by(values: Iterable[str | None]) -> Mapping[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for index, value in enumerate(values):
        found.setdefault(value, []).append(index)
    return found
