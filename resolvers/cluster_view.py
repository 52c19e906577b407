"""What one request reads of a cluster, before any of it is a job, a queue or a node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Self, TypeVar

from strawberry.dataloader import DataLoader

from headnode.snapshots import Dataset, Fault, Snapshot, Snapshots
from resolvers import datasets
from resolvers.cluster_request import ClusterRequest
from resolvers.errors import unavailable
from resolvers.private_data import shown
from resolvers.visibility import visible
from slurm.configuration import Configuration
from slurm.output_file import FilePart, Unreadable

T = TypeVar("T")


class ClusterView:
    """What one request has read of a cluster: every answer was fetched for this request.

    `close` ends it: the view and what it makes refer to each other, so it would keep its answers after the request.
    """

    name: str

    def __init__(self, name: str, snapshots: Snapshots, request: ClusterRequest) -> None:
        self.name = name
        self.snapshots = snapshots
        self.request = request
        self.answers: dict[Dataset[Any], Snapshot[Any] | Fault] = {}
        self.outputs: dict[Dataset[FilePart | Unreadable], int] = {}
        """How many bytes of output this request has already asked for, by dataset."""
        self._later: list[Self] = []
        self._closed = False

    def close(self) -> None:
        """Drop the answers and everything that was made of them; the view reads nothing any more."""
        for view in self._later:
            view.close()
        self.__dict__ = {**vars(type(self)(self.name, self.snapshots, self.request)), "_closed": True}

    def ask(self, wanted: Sequence[Dataset[Any]]) -> None:
        """Fetch the datasets with one command; `read` then returns them."""
        request = self.request
        self.take(self.snapshots.ask(wanted, request.deadline, request.comment, request.actor))

    def in_memory(self, wanted: Sequence[Dataset[Any]]) -> bool:
        """Whether `ask` would fetch nothing and wait for nothing."""
        return self.snapshots.in_memory(wanted, self.request.actor)

    def take(self, answers: Mapping[Dataset[Any], Snapshot[Any] | Fault]) -> None:
        """Keep answers, reduced to what the caller may see: nothing in the view sees more.

        A closed view takes none: a thread may bring them after its request was given up.
        """
        if self._closed:
            return
        known = answers.get(datasets.CONFIGURATION)
        configuration = known.value if isinstance(known, Snapshot) else self.configuration_if_known
        for dataset, answer in answers.items():
            self.answers[dataset] = visible(self.request.caller, shown(dataset, answer, configuration))

    @property
    def configuration_if_known(self) -> Configuration | None:
        """The configuration, if it was read for this view or is kept."""
        known = self.answers.get(datasets.CONFIGURATION) or self.snapshots.kept(datasets.CONFIGURATION)
        return known.value if isinstance(known, Snapshot) else None

    def read(self, dataset: Dataset[T]) -> Snapshot[T]:
        """The dataset's snapshot. Raises RequestError if it could not be read."""
        answer = self.answers[dataset]
        if not isinstance(answer, Snapshot):
            raise unavailable(self.name, answer)
        return answer

    async def load(self, dataset: Dataset[T]) -> T:
        """The value of a dataset that is known only after another answer, such as a job's output file.

        All fields of one level are fetched together, so a list costs one more command, not one for each row. Raises
        RequestError.
        """
        await self.fetch(dataset)
        return self.read(dataset).value

    async def fetch(self, dataset: Dataset[Any]) -> None:
        """As `load`, for a dataset whose fault is not an error of the field."""
        await self._late.load(dataset)

    def later(self, anew: Sequence[Dataset[Any]]) -> Self:
        """Another view, with newer snapshots of those datasets and the same other answers.

        This view has seen all changes, so the newer snapshots may be those that others use.
        """
        view = type(self)(self.name, self.snapshots, self.request)
        self._later.append(view)
        as_asked = {dataset: dataset for dataset in self.answers}  # in full or in brief
        wanted = [as_asked.get(dataset, dataset) for dataset in anew]
        view.take({**self.answers, **self.snapshots.ask(wanted, self.request.deadline, self.request.comment)})
        return view

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
        """When the oldest snapshot of this request was fetched; None if it used none."""
        return min((answer.as_of for answer in self.answers.values() if isinstance(answer, Snapshot)), default=None)
