"""A cluster's snapshots, kept for a few seconds and used by all requests of the sandbox."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from headnode.aws import Clients
from headnode.aws_calls import until
from headnode.dataset import ALL_COLUMNS_FOR, Answers, Dataset, Fault, KeptSnapshot, Snapshot, each_once
from headnode.deadline import Deadline
from headnode.errors import DeadlineError, HeadNodeError
from headnode.fetch import fetch, instant, wall_clock
from headnode.node import NOBODY, Actor, HeadNode
from headnode.settings import ClusterSettings, Settings
from headnode.shared import SharedSnapshots
from headnode.shared_item import ItemState

__all__ = ["Dataset", "Fault", "Snapshot", "Snapshots"]

T = TypeVar("T")


_IDLE, _LONGEST_IDLE = 5, 60
"""A client that polls leaves the cluster alone for five times as long as its newest answer took, at most a minute."""


def poll_seconds(ttl: float, answer_seconds: float) -> int:
    """How often to ask a cluster whose snapshots are kept for `ttl` seconds and whose newest answer took that long."""
    return math.ceil(max(1.0, ttl, min(_IDLE * answer_seconds, _LONGEST_IDLE)))


@dataclass(frozen=True)
class _UnderWay:
    """A dataset that is being fetched; the answer will have all changes up to `generation`."""

    dataset: Dataset[Any]
    generation: int
    answer: Future[KeptSnapshot | Fault]

    def serves(self, dataset: Dataset[Any], least: int) -> bool:
        """Whether the answer will have all columns of that dataset, and all changes up to the generation `least`."""
        has_changes = dataset.outlives_changes or self.generation >= least
        return has_changes and (dataset.is_brief or not self.dataset.is_brief)


class Snapshots:
    """One cluster's snapshots. While a dataset is being fetched, later callers wait for it and do not fetch it again.

    With `shared` this holds across all sandboxes: they use each other's answers.
    """

    def __init__(self, node: HeadNode, ttl: float, shared: SharedSnapshots | None = None) -> None:
        self.node = node
        self.ttl = ttl
        self._shared = shared
        self._lock = threading.Lock()
        self._kept: dict[Dataset[Any], KeptSnapshot] = {}
        self._under_way: dict[Dataset[Any], _UnderWay] = {}
        self._in_full_until: dict[Dataset[Any], float] = {}
        """Until when (monotonic clock) every refresh of a dataset fetches all columns."""

    @classmethod
    def of(cls, clients: Clients, cluster: ClusterSettings, settings: Settings) -> Self:
        """The cluster's snapshots, as the deployment's settings say."""
        node = HeadNode(clients, cluster, settings)
        return cls(node, settings.ttl, SharedSnapshots.of(node, clients, cluster.name, settings))

    @property
    def suggested_poll_seconds(self) -> int:
        """How many seconds to wait before the same is asked again: the TTL, or longer while answers take long."""
        return poll_seconds(self.ttl, self.node.answer_seconds)

    def kept(self, dataset: Dataset[T]) -> Snapshot[T] | None:
        """The dataset's snapshot, if one is kept and may still be used."""
        kept = self._good(dataset, 0, time.monotonic())
        answer = kept.answer if kept else None
        return answer if isinstance(answer, Snapshot) else None

    def in_memory(self, datasets: Iterable[Dataset[Any]], actor: Actor = NOBODY) -> bool:
        """Whether `ask` would answer at once: every dataset is kept, and the actor can change nothing.

        For an actor who may change something, `ask` reads the table first, or without one fetches everything.
        """
        least, now = self._shared.generation if self._shared else 0, time.monotonic()
        return actor == NOBODY and all(self._good(dataset, least, now) for dataset in datasets)

    def ask(
        self, datasets: Iterable[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor = NOBODY
    ) -> Mapping[Dataset[Any], Snapshot[Any] | Fault]:
        """Every dataset's snapshot, or why there is none. Costs at most one SSM command.

        It may cost another one if the request or the sandbox that was fetching the same dataset fails. `actor` runs the
        few reads that need a user's own rights; the key of such a dataset names the user. An actor who may change
        something (not NOBODY) sees all changes that were made before, in any sandbox: if the table cannot say what
        was changed, everything is fetched anew for them.
        """
        with until(deadline):
            return self._answers(datasets, deadline, comment, actor)

    def _answers(
        self, datasets: Iterable[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor
    ) -> Mapping[Dataset[Any], Snapshot[Any] | Fault]:
        answers: dict[Dataset[Any], Snapshot[Any] | Fault] = {}
        missing = each_once(datasets)
        while missing:
            ours, theirs = self._ask(missing, deadline, comment, actor)
            for dataset, answer in (ours | theirs).items():
                answers[dataset] = answer.answer if isinstance(answer, KeptSnapshot) else answer
            # The other request ran out of time; this one may have some left.
            missing = [each for each in theirs if isinstance(answers[each], DeadlineError) and not deadline.passed]
        return answers

    def drop(self, datasets: Iterable[Dataset[Any]] | None = None, deadline: Deadline | None = None) -> None:
        """Forget snapshots (by default all that a change may alter), also those that are being fetched.

        The snapshots of the other sandboxes all become invalid, also shortly after the request's deadline.
        """
        if self._shared:
            with until(deadline.closing) if deadline else nullcontext():
                self._shared.count_change()
        with self._lock:
            if datasets is None:
                datasets = [each for each in (*self._kept, *self._under_way) if not each.outlives_changes]
            for dataset in datasets:
                self._kept.pop(dataset, None)
                self._under_way.pop(dataset, None)

    def _full_if_needed(self, dataset: Dataset[T]) -> Dataset[T]:
        """The full dataset, if this sandbox needed that within ALL_COLUMNS_FOR; else the given one.

        Serving the brief dataset from a full snapshot does not extend that minute. Only shared datasets are remembered,
        because they have few keys.
        """
        now = time.monotonic()
        if dataset.in_full is not None:
            return dataset.in_full if now < self._in_full_until.get(dataset, now) else dataset
        if dataset.shared:
            self._in_full_until[dataset] = now + ALL_COLUMNS_FOR
        return dataset

    def _good(self, dataset: Dataset[Any], least: int, now: float) -> KeptSnapshot | None:
        kept = self._kept.get(dataset)
        return kept if kept and kept.is_good(dataset, least, now) else None

    def _ask(
        self, datasets: Iterable[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor
    ) -> tuple[dict[Dataset[Any], KeptSnapshot | Fault], dict[Dataset[Any], KeptSnapshot | Fault]]:
        """The answers that were kept or that this request fetched, and those that other requests fetched."""
        seen = self._shared.look() if self._shared and actor != NOBODY else None
        least = seen.generation if seen else self._shared.generation if self._shared else 0
        afresh = actor != NOBODY and seen is None
        answers: dict[Dataset[Any], KeptSnapshot | Fault] = {}
        ours: dict[Dataset[Any], _UnderWay] = {}
        theirs: dict[Dataset[Any], _UnderWay] = {}
        with self._lock:
            now = (
                time.monotonic()
            )  # one moment for all: datasets of one command expire together and are fetched with one command again
            for dataset in datasets:
                under_way = self._under_way.get(dataset)
                may_be_kept = not afresh or dataset.outlives_changes
                if may_be_kept and (kept := self._good(dataset, least, now)):
                    answers[dataset] = kept
                elif may_be_kept and under_way and under_way.serves(dataset, least):
                    theirs[dataset] = under_way
                else:
                    to_fetch = self._full_if_needed(dataset)
                    ours[to_fetch] = self._under_way[to_fetch] = _UnderWay(to_fetch, least, Future())
        if ours:
            answers |= self._fetch(ours, seen, least, deadline, comment, actor)
        return answers, {dataset: _awaited(each.answer, deadline) for dataset, each in theirs.items()}

    def _fetch(
        self,
        ours: Mapping[Dataset[Any], _UnderWay],
        seen: ItemState | None,
        least: int,
        deadline: Deadline,
        comment: str,
        actor: Actor,
    ) -> Answers:
        answers: dict[Dataset[Any], KeptSnapshot | Fault] = {}
        wanted = {each: self._kept.get(each) for each in ours if each.ask or each.together}
        try:
            with ThreadPoolExecutor(4) as pool:  # a thread starts only when something is submitted
                known = {
                    each: pool.submit(self._from_aws, each, each.from_aws, least, deadline)
                    for each in ours
                    if each.from_aws
                }
                if self._shared:
                    answers |= self._shared.answers(wanted, seen, least, deadline, comment, actor)
                else:
                    fetched = fetch(self.node, list(wanted), deadline, comment, actor)
                    answers |= fetched.kept(self.ttl)
                answers |= {dataset: future.result() for dataset, future in known.items()}
        finally:
            self._settle(ours, answers)
        return answers

    def _from_aws(
        self, dataset: Dataset[Any], read: Callable[[HeadNode], Any], generation: int, deadline: Deadline
    ) -> KeptSnapshot | Fault:
        as_of, began = instant(wall_clock()), time.monotonic()
        try:
            with until(deadline):  # this thread has a context of its own
                value = read(self.node)
        except HeadNodeError as error:
            return error.with_traceback(None)
        return KeptSnapshot(Snapshot(value, as_of), began + dataset.good_for(self.ttl), generation)

    def _settle(self, ours: Mapping[Dataset[Any], _UnderWay], answers: Answers) -> None:
        """Keep the answers, unless a change was made in the meantime, and wake the requests that wait for them.

        With shared snapshots, an expired one stays for another TTL: there may be no newer one yet.
        """
        now = time.monotonic() - (self.ttl if self._shared else 0.0)
        with self._lock:
            for other in [other for other, kept in self._kept.items() if kept.until < now]:
                del self._kept[other]
            for dataset, under_way in ours.items():
                answer = answers.get(dataset, DeadlineError("The request that was fetching this was given up."))
                if self._under_way.get(dataset) is under_way:
                    del self._under_way[dataset]
                    if isinstance(answer, KeptSnapshot):
                        self._kept[dataset] = answer
                under_way.answer.set_result(answer)


def _awaited(answer: Future[KeptSnapshot | Fault], deadline: Deadline) -> KeptSnapshot | Fault:
    try:
        return answer.result(deadline.remaining)
    except FutureTimeoutError:
        return DeadlineError("The head node did not answer in time; try again.")
