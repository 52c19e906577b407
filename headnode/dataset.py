"""Something to know of a cluster, and what became known of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from headnode.errors import HeadNodeError
from headnode.node import HeadNode
from slurm.command import Question, SlurmError
from slurm.errors import ParseError

T = TypeVar("T")

Fault = HeadNodeError | SlurmError | ParseError
"""Why a dataset could not be read."""


Together = Callable[[Sequence[Hashable]], Question[Mapping[Any, T]]]
"""One question about several things of a kind: each thing's value by its name. What has no entry is None."""


@dataclass(frozen=True)
class Dataset(Generic[T]):
    """Something to know of a cluster: the jobs, one job, the queues ...

    `key` tells datasets apart, `ask` makes the question for the head node anew (with fresh separators); where AWS
    itself knows the answer, `from_aws` gets it instead. `lifetime` is how long a snapshot is good, in seconds (None:
    the deployment's TTL). Datasets of the same `together` are asked for by one question, about the `thing` of each.
    `shared` lets all sandboxes have what one of them was told: only for what is the same for every caller, by a key
    that is a text, and never for what is read as the caller. A dataset in brief has the key of the one `in_full`, which
    tells the same and more: the latter serves as well, but not the other way round.
    """

    key: Hashable
    ask: Callable[[], Question[T]] | None = None
    lifetime: float | None = None
    from_aws: Callable[[HeadNode], T] | None = None
    together: Together[T] | None = None
    thing: Hashable = None
    shared: bool = False
    in_full: Dataset[T] | None = None

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.key == other.key

    def good_for(self, ttl: float) -> float:
        """How many seconds a snapshot is good in a deployment of that TTL; a TTL of 0 keeps nothing."""
        return ttl if self.lifetime is None or ttl == 0 else self.lifetime

    @property
    def is_brief(self) -> bool:
        """Whether there is more to know of the same."""
        return self.in_full is not None


def each_once(datasets: Iterable[Dataset[Any]]) -> list[Dataset[Any]]:
    """Each dataset once, in full if it stands among them in full."""
    found: dict[Dataset[Any], Dataset[Any]] = {}
    for dataset in datasets:
        if dataset not in found or found[dataset].is_brief:
            found[dataset] = dataset
    return list(found.values())


ALL_COLUMNS_FOR = 60.0
"""Seconds for which whoever asks in brief asks in full after somebody had use for that: two questions would cost more.

With shared snapshots it may take twice as long: sandboxes do not tell each other who had use for it and who asked for
its sake.
"""


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """A dataset's value, and when it was asked for: never older than it says."""

    value: T
    as_of: datetime


@dataclass(frozen=True)
class KeptSnapshot:
    """A snapshot that is good until then on the monotonic clock, and has all changes up to that generation."""

    snapshot: Snapshot[Any]
    until: float
    generation: int = 0
    is_brief: bool = False

    def serves(self, dataset: Dataset[Any]) -> bool:
        """Whether it has all that the dataset is to tell."""
        return dataset.is_brief or not self.is_brief


Answers = Mapping[Dataset[Any], KeptSnapshot | Fault]
"""What became known of each dataset, or why nothing did."""
