"""How many are in each state."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)


@dataclass(frozen=True)
class StateCount(Generic[S]):
    """How many are in a state."""

    state: S
    count: int


def count_states(states: Iterable[S]) -> list[StateCount[S]]:
    """The states that occur, each with its count, the most frequent first."""
    return [StateCount(state, count) for state, count in Counter(states).most_common()]
