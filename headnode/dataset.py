"""Datasets, which are what can be read from a cluster, and their snapshots."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from headnode.errors import HeadNodeError
from headnode.node import HeadNode
from slurm.command import NotShownError, Question, SlurmError
from slurm.errors import ParseError

T = TypeVar("T")

Fault = HeadNodeError | SlurmError | ParseError
"""Why a dataset could not be read."""


Together = Callable[[Sequence[Hashable]], Question[Mapping[Any, T]]]
"""Makes one question about several things of a kind. The answer has each thing's value by name, if it has one."""


@dataclass(frozen=True)
class Dataset(Generic[T]):
    """Something that can be read from a cluster: the jobs, one job, the queues ...

    `key` identifies the dataset. `ask` makes a new question for the head node, with fresh separators; if AWS itself
    has the answer, `from_aws` reads it instead. A snapshot may be used for `lifetime` seconds (None: the deployment's
    TTL). Datasets with the same `together` share one question, which names the `thing` of each.

    One that `outlives_changes` depends on files of the cluster's configuration alone: no change that this API makes
    alters it, so a snapshot from before a change may be used.

    `shared` lets all sandboxes use what one of them read. Only a dataset that is the same for every caller, and never
    read as the caller, may be shared; its key is a text. A brief dataset has the same key as its `in_full`, which has
    more columns: a full snapshot serves a request for the brief dataset, but a brief one does not serve the full.
    """

    key: Hashable
    ask: Callable[[], Question[T]] | None = None
    lifetime: float | None = None
    from_aws: Callable[[HeadNode], T] | None = None
    together: Together[T] | None = None
    thing: Hashable = None
    shared: bool = False
    outlives_changes: bool = False
    in_full: Dataset[T] | None = None

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.key == other.key

    def good_for(self, ttl: float) -> float:
        """How many seconds a snapshot may be used in a deployment with that TTL; with a TTL of 0 none is kept."""
        return ttl if self.lifetime is None or ttl == 0 else self.lifetime

    @property
    def is_brief(self) -> bool:
        """Whether a dataset with the same key has more columns."""
        return self.in_full is not None


def each_once(datasets: Iterable[Dataset[Any]]) -> list[Dataset[Any]]:
    """Each dataset once: the full one if the brief and the full one are among them."""
    found: dict[Dataset[Any], Dataset[Any]] = {}
    for dataset in datasets:
        if dataset not in found or found[dataset].is_brief:
            found[dataset] = dataset
    return list(found.values())


ALL_COLUMNS_FOR = 60.0
"""For this many seconds after someone needs all columns, every refresh fetches all of them: two questions cost more.

With shared snapshots it can be twice as long: to the others, a sandbox that refreshes all columns during its minute
looks like one that needs them.
"""


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """A dataset's value, and when it was asked for: the value is never older than that."""

    value: T
    as_of: datetime


@dataclass(frozen=True)
class KeptSnapshot:
    """A snapshot that may be used until `until` (monotonic clock). It has all changes up to `generation`.

    Its value may be a NotShownError, which is kept like an answer.
    """

    snapshot: Snapshot[Any]
    until: float
    generation: int = 0
    is_brief: bool = False

    @property
    def answer(self) -> Snapshot[Any] | Fault:
        """The snapshot, or why there is none."""
        return self.snapshot.value if isinstance(self.snapshot.value, NotShownError) else self.snapshot

    def serves(self, dataset: Dataset[Any]) -> bool:
        """Whether it has all columns of the dataset."""
        return dataset.is_brief or not self.is_brief

    def is_good(self, dataset: Dataset[Any], least: int, now: float) -> bool:
        """Whether it may be used for the dataset now, with all changes up to the generation `least`."""
        has_changes = dataset.outlives_changes or self.generation >= least
        return has_changes and now < self.until and self.serves(dataset)


Answers = Mapping[Dataset[Any], KeptSnapshot | Fault]
"""Each dataset's snapshot, or why there is none."""
