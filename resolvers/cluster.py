"""A cluster as one request sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from headnode.snapshots import Dataset, Fault, Snapshot, Snapshots
from resolvers import datasets
from resolvers.errors import unavailable
from resolvers.filters import JobFilter, NodeFilter, check_job_filter, find_job, local_id, matching_jobs, matching_nodes
from resolvers.head import Head
from resolvers.history import JobHistory, past_job
from resolvers.job import Job, JobConnection
from resolvers.node import Node, NodeConnection
from resolvers.order import NODE_ORDER, JobOrder, job_ordering, order_name
from resolvers.pages import Ordering, check_page, natural, page
from resolvers.queue import Queue
from resolvers.request import Request
from slurm import sinfo, squeue

T = TypeVar("T")


class Cluster:
    """A cluster as one request sees it: from the answers that were fetched for it, and no newer ones."""

    def __init__(self, name: str, snapshots: Snapshots, request: Request) -> None:
        self.name = name
        self.snapshots = snapshots
        self.request = request
        self.answers: dict[Dataset[Any], Snapshot[Any] | Fault] = {}

    def ask(self, wanted: Sequence[Dataset[Any]]) -> None:
        """Ask for the datasets, all in one command; `read` then gives them."""
        request = self.request
        self.answers.update(self.snapshots.ask(wanted, request.deadline, request.comment, request.actor))

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
        rows = snapshot.value
        chosen = matching_jobs(rows, self.name, where)
        if queue is not None:
            names = rows.values(squeue.Job.queue_name)
            chosen = [index for index in chosen if queue in names[index].split(",")]
        ordering = job_ordering(rows, order_by or ())
        cut = page(chosen, ordering, lambda index: Job(self, rows, index), first, after, self.request.page_limit)
        states = rows.values(squeue.Job.state)
        return JobConnection(cut.nodes, cut.page_info, len(chosen), snapshot.as_of, [states[index] for index in chosen])

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
        ordering = Ordering(NODE_ORDER, (), [natural(name) for name in rows.values(sinfo.Node.name)])
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
