"""What is known of a cluster, kept for a few seconds and shared by all requests of the sandbox."""

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from headnode.deadline import Deadline
from headnode.errors import DeadlineError, HeadNodeError
from headnode.node import NOBODY, Actor, Errand, HeadNode
from slurm.command import Question, Reply, SlurmError
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
    """

    key: Hashable
    ask: Callable[[], Question[T]] | None = None
    lifetime: float | None = None
    from_aws: Callable[[HeadNode], T] | None = None
    together: Together[T] | None = None
    thing: Hashable = None

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.key == other.key


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """A dataset's value, and when it was asked for: never older than it says."""

    value: T
    as_of: datetime


@dataclass(frozen=True)
class _Kept:
    snapshot: Snapshot[Any]
    until: float


Answers = Mapping[Dataset[Any], Snapshot[Any] | Fault]


class Snapshots:
    """One cluster's snapshots. A dataset that is being asked for is not asked for again: later callers wait."""

    def __init__(self, node: HeadNode, ttl: float) -> None:
        self.node = node
        self._ttl = ttl
        self._lock = threading.Lock()
        self._kept: dict[Dataset[Any], _Kept] = {}
        self._under_way: dict[Dataset[Any], Future[Snapshot[Any] | Fault]] = {}

    def kept(self, dataset: Dataset[T]) -> Snapshot[T] | None:
        """The dataset's snapshot, if one is kept that is still good."""
        kept = self._kept.get(dataset)
        return kept.snapshot if kept and time.monotonic() < kept.until else None

    def ask(self, datasets: Iterable[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor = NOBODY) -> Answers:
        """Every dataset's snapshot, or why there is none. Costs one SSM command at the most.

        `actor` is who the few reads act as that need a user's own rights; such a dataset's key names the user.
        """
        answers: dict[Dataset[Any], Snapshot[Any] | Fault] = {}
        ours: dict[Dataset[Any], Future[Snapshot[Any] | Fault]] = {}
        theirs: dict[Dataset[Any], Future[Snapshot[Any] | Fault]] = {}
        with self._lock:
            for dataset in datasets:
                if snapshot := self.kept(dataset):
                    answers[dataset] = snapshot
                elif future := self._under_way.get(dataset):
                    theirs[dataset] = future
                else:
                    ours[dataset] = self._under_way[dataset] = Future()
        if ours:
            answers |= self._fetch(ours, deadline, comment, actor)
        for dataset, future in theirs.items():
            try:
                answers[dataset] = future.result(deadline.remaining)
            except FutureTimeoutError:
                answers[dataset] = DeadlineError("The head node did not answer in time; try again.")
        return answers

    def drop(self, datasets: Iterable[Dataset[Any]] | None = None) -> None:
        """Forget snapshots (all of them by default), and those under way: something was changed."""
        with self._lock:
            for dataset in list(self._kept) if datasets is None else datasets:
                self._kept.pop(dataset, None)
            for dataset in list(self._under_way) if datasets is None else datasets:
                self._under_way.pop(dataset, None)

    def keep(self, dataset: Dataset[T], snapshot: Snapshot[T], asked: float) -> None:
        """Keep a snapshot that was asked for at `asked` on the monotonic clock."""
        lifetime = self._ttl if dataset.lifetime is None or self._ttl == 0 else dataset.lifetime
        now = time.monotonic()
        for other in [other for other, kept in self._kept.items() if kept.until < now]:
            del self._kept[other]
        if asked + lifetime > now:
            self._kept[dataset] = _Kept(snapshot, asked + lifetime)

    def _fetch(
        self,
        ours: Mapping[Dataset[Any], Future[Snapshot[Any] | Fault]],
        deadline: Deadline,
        comment: str,
        actor: Actor,
    ) -> Answers:
        asked, as_of = time.monotonic(), datetime.now(UTC)
        values: dict[Dataset[Any], Any] = {}
        try:
            with ThreadPoolExecutor(4) as pool:  # starts a thread only for what is submitted
                known = {each: pool.submit(_from_aws, each.from_aws, self.node) for each in ours if each.from_aws}
                values |= self._from_head_node(list(ours), deadline, comment, actor)
                values |= {dataset: future.result() for dataset, future in known.items()}
        finally:
            answers = {
                dataset: value if isinstance(value, Fault) else Snapshot(value, as_of)
                for dataset, value in values.items()
            }
            self._settle(ours, answers, asked)
        return answers

    def _from_head_node(
        self, datasets: Sequence[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor
    ) -> Mapping[Dataset[Any], Any]:
        asked = [dataset for dataset in datasets if dataset.ask or dataset.together]
        if not asked:
            return {}
        groups = _asked_together(asked)
        questions = [_question(group) for group in groups]
        try:
            replies = self.node.run(Errand([_commands(questions)], actor), deadline, comment)
        except HeadNodeError as error:
            return dict.fromkeys(asked, error)
        values: dict[Dataset[Any], Any] = {}
        for group, value in zip(groups, read_all(questions, replies), strict=True):
            values |= _shared_out(group, value)
        return values

    def _settle(
        self,
        ours: Mapping[Dataset[Any], Future[Snapshot[Any] | Fault]],
        answers: Answers,
        asked: float,
    ) -> None:
        """Keep what came, unless a change was made meanwhile, and wake those who wait."""
        with self._lock:
            for dataset, future in ours.items():
                answer = answers.get(dataset, DeadlineError("The request that asked for this was given up."))
                if self._under_way.get(dataset) is future:
                    del self._under_way[dataset]
                    if isinstance(answer, Snapshot):
                        self.keep(dataset, answer, asked)
                future.set_result(answer)


def _from_aws(fetch: Callable[[HeadNode], Any], node: HeadNode) -> Any:
    try:
        return fetch(node)
    except HeadNodeError as error:
        return error


def _asked_together(datasets: Iterable[Dataset[Any]]) -> list[list[Dataset[Any]]]:
    groups: dict[Any, list[Dataset[Any]]] = {}
    for dataset in datasets:
        groups.setdefault(dataset.together or dataset, []).append(dataset)
    return list(groups.values())


def _question(group: Sequence[Dataset[Any]]) -> Question[Any]:
    (first, *_) = group
    if first.together:
        return first.together([dataset.thing for dataset in group])
    assert first.ask  # noqa: S101 - what asks for nothing is in no group
    return first.ask()


def _shared_out(group: Sequence[Dataset[Any]], value: Any) -> dict[Dataset[Any], Any]:
    """Each dataset's part of the answer to a question; a fault is everybody's."""
    if isinstance(value, Fault) or not group[0].together:
        return dict.fromkeys(group, value)
    return {dataset: value.get(dataset.thing) for dataset in group}


def _commands(questions: Iterable[Question[Any]]) -> list[Any]:
    return [command for question in questions for command in question.commands]


def read_all(questions: Iterable[Question[Any]], replies: list[Reply]) -> list[Any]:
    """Each question's value from its share of the replies, or the fault that reading it met."""
    values: list[Any] = []
    position = 0
    for question in questions:
        share = replies[position : position + len(question.commands)]
        position += len(question.commands)
        try:
            values.append(question.read(share))
        except (SlurmError, ParseError) as error:
            values.append(error)
    return values
