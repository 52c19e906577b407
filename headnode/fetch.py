"""Fetching several datasets from a head node with one SSM command."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headnode.dataset import Dataset, Fault, KeptSnapshot, Snapshot
from headnode.deadline import Deadline
from headnode.errors import HeadNodeError
from headnode.node import Actor, Bundle, HeadNode, Stored
from slurm.command import NotShownError, Question, Reply, SlurmError
from slurm.errors import ParseError, SeparatorError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A dataset's question and its replies, which begin at `first` in the whole answer."""

    question: Question[Any]
    replies: Sequence[Reply]
    first: int


@dataclass(frozen=True)
class Fetched:
    """The result of one SSM command: each dataset's value, or its fault.

    `at` is when it was asked for, in Unix microseconds; `began` is the same moment on the monotonic clock. `parts` has
    the datasets that had a question of their own and an answer to it; a NotShownError is one. `stored` is the whole
    answer in the bucket, if the head node put it there.
    """

    at: int
    began: float
    values: Mapping[Dataset[Any], Any]
    parts: Mapping[Dataset[Any], Part]
    stored: Stored | None = None

    def kept(self, ttl: float, generation: int = 0) -> dict[Dataset[Any], KeptSnapshot | Fault]:
        """Each dataset's snapshot as a deployment with that TTL keeps it, or its fault."""
        as_of = instant(self.at)
        return {
            dataset: value
            if isinstance(value, Fault) and not isinstance(value, NotShownError)
            else KeptSnapshot(Snapshot(value, as_of), self.began + dataset.good_for(ttl), generation, dataset.is_brief)
            for dataset, value in self.values.items()
        }


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(microseconds: int) -> datetime:
    """A Unix time in microseconds as a datetime, exactly."""
    return _EPOCH + timedelta(microseconds=microseconds)


def wall_clock() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1000


def fetch(node: HeadNode, datasets: Sequence[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor) -> Fetched:
    """Fetch all datasets; one that cannot be read has a fault. Costs one SSM command, or none without datasets.

    Costs a second one if somebody may have written a separator that others can watch: a new one frames that answer.
    """
    fetched = _fetch(node, datasets, deadline, comment, actor)
    broken = {dataset: value for dataset, value in fetched.values.items() if isinstance(value, SeparatorError)}
    if not broken or deadline.passed:
        return fetched
    _log.warning("asked again, since records may be forged: %s", "; ".join(map(str, broken.values())))
    again = _fetch(node, list(broken), deadline, comment, actor)
    return replace(
        fetched, values={**fetched.values, **again.values}, parts={**fetched.parts, **again.parts}, stored=None
    )


def _fetch(node: HeadNode, datasets: Sequence[Dataset[Any]], deadline: Deadline, comment: str, actor: Actor) -> Fetched:
    at, began = wall_clock(), time.monotonic()
    if not datasets:
        return Fetched(at, began, {}, {})
    groups = _grouped(datasets)
    questions = [_question(group) for group in groups]
    commands = [command for question in questions for command in question.commands]
    try:
        answer = node.answer(Bundle([commands], actor), deadline, comment)
    except HeadNodeError as error:
        return Fetched(at, began, dict.fromkeys(datasets, error.with_traceback(None)), {})
    values: dict[Dataset[Any], Any] = {}
    parts: dict[Dataset[Any], Part] = {}
    read = zip(groups, questions, read_all(questions, answer.replies), strict=True)
    first = 0
    for group, question, value in read:
        values |= _divided(group, value)
        count = len(question.commands)
        if group[0].ask and (isinstance(value, NotShownError) or not isinstance(value, (SlurmError, ParseError))):
            parts[group[0]] = Part(question, answer.replies[first : first + count], first)
        first += count
    return Fetched(at, began, values, parts, answer.stored)


def read_all(questions: Iterable[Question[Any]], replies: Sequence[Reply]) -> list[Any]:
    """Each question's value, read from its share of the replies, or why it cannot be read."""
    values: list[Any] = []
    position = 0
    for question in questions:
        share = replies[position : position + len(question.commands)]
        position += len(question.commands)
        try:
            values.append(question.read(share))
        except (SlurmError, ParseError) as error:
            values.append(error.with_traceback(None))  # else its frames would keep this list and all replies
    return values


def _grouped(datasets: Iterable[Dataset[Any]]) -> list[list[Dataset[Any]]]:
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


def _divided(group: Sequence[Dataset[Any]], value: Any) -> dict[Dataset[Any], Any]:
    """Each dataset's part of the answer to a question; a fault goes to all of them."""
    if isinstance(value, (SlurmError, ParseError)) or not group[0].together:
        return dict.fromkeys(group, value)
    return {dataset: value.get(dataset.thing) for dataset in group}
