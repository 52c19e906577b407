"""A separator that somebody wrote into a text: the datasets that it frames are asked for once more, and no others."""

from collections.abc import Sequence
from functools import partial
from itertools import count

import pytest

from headnode.dataset import Dataset
from headnode.deadline import Deadline
from headnode.errors import DeadlineError
from headnode.fetch import Fetched, fetch
from headnode.node import NOBODY, Answer, Bundle, HeadNode, Stored
from slurm.command import Command, Question, Reply
from slurm.errors import SeparatorError
from slurm.operation import Operation, RunsAs

_numbers = count()


class Node(HeadNode):
    """A head node that repeats the commands' arguments; the first `forged` answers have something else for sacct."""

    def __init__(self, forged: int, fault: Exception | None = None) -> None:
        self.forged, self.fault = forged, fault
        self.asked: list[list[str]] = []

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        commands = [command for step in bundle.steps for command in step]
        self.asked.append([command.operation.name for command in commands])
        if self.fault and len(self.asked) > 1:
            raise self.fault
        is_forged = len(self.asked) <= self.forged
        return Answer([_said(command, is_forged) for command in commands], Stored("answers/1", "0" * 64))


def _said(command: Command, is_forged: bool) -> Reply:
    return Reply(0, "forged" if is_forged and command.operation.name == "sacct" else command.arguments[0])


def dataset(name: str) -> Dataset[str]:
    def ask() -> Question[str]:
        separator = str(next(_numbers))
        return Question((Command(Operation(name, RunsAs.READER), arguments=[separator]),), partial(read, separator))

    return Dataset(name, ask)


def read(separator: str, replies: Sequence[Reply]) -> str:
    if replies[0].stdout != separator:
        raise SeparatorError("record", replies[0].stdout)
    return separator


JOBS, HISTORY, NODES = dataset("squeue"), dataset("sacct"), dataset("sinfo")
ALL = [JOBS, HISTORY, NODES]


def fetched(node: Node, seconds: float = 10) -> Fetched:
    return fetch(node, ALL, Deadline.after(seconds), "test", NOBODY)


def test_what_is_whole_is_asked_for_once() -> None:
    node = Node(forged=0)
    found = fetched(node)
    assert node.asked == [["squeue", "sacct", "sinfo"]]
    assert found.stored is not None


def test_only_what_may_be_forged_is_asked_for_once_more() -> None:
    node = Node(forged=1)
    found = fetched(node)
    assert node.asked == [["squeue", "sacct", "sinfo"], ["sacct"]]
    assert set(found.values) == set(ALL)
    for each in ALL:  # other sandboxes read these replies with this question
        part = found.parts[each]
        assert part.question.read(part.replies) == found.values[each]
    assert found.stored is None, "no object in the bucket has the replies of both commands"


def test_it_is_asked_for_twice_at_most() -> None:
    node = Node(forged=9)
    found = fetched(node)
    assert node.asked == [["squeue", "sacct", "sinfo"], ["sacct"]]
    assert isinstance(found.values[HISTORY], SeparatorError)
    assert set(found.parts) == {JOBS, NODES}


def test_the_second_question_may_fail_too() -> None:
    found = fetched(Node(forged=1, fault=DeadlineError("late")))
    assert isinstance(found.values[HISTORY], DeadlineError)
    assert isinstance(found.values[JOBS], str) and isinstance(found.values[NODES], str)


@pytest.mark.parametrize("seconds", [0, -1])
def test_after_the_deadline_nothing_is_asked_for_again(seconds: float) -> None:
    node = Node(forged=9)
    assert isinstance(fetched(node, seconds).values[HISTORY], SeparatorError)
    assert len(node.asked) == 1
