"""Counts what compiled lists hold, before it is made.

An object that is in many rows is made once, but written into the response as often as it occurs: a node's jobs, their
nodes, the jobs of those. So each column comes with the number of times that each of its values occurs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from resolvers.budget import Budget

Values = Sequence[Any]


@dataclass(frozen=True)
class Counted:
    """A column's budget, and how often each of its values occurs in the response; None: each once."""

    budget: Budget
    times: Sequence[int] | None = None

    def objects(self, values: Values, nullable: bool, width: int) -> None:
        """Count objects of that many fields; if some may be null, those do not count. Raises StoppedError."""
        if self.times is not None:
            count = sum(times for value, times in zip(values, self.times, strict=True) if value is not None)
        else:
            count = len(values) - (sum(value is None for value in values) if nullable else 0)
        self.budget.add(count, count * width)

    def items(self, lists: Iterable[Any]) -> None:
        """Count the items of lists of scalars. Raises StoppedError."""
        sizes = [len(each) if each else 0 for each in lists]
        if self.times is not None:
            sizes = [size * times for size, times in zip(sizes, self.times, strict=True)]
        self.budget.add(0, sum(sizes))

    def read(self, lists: Iterable[Collection[Any]]) -> list[Any]:
        """Lists of objects, as long as there is room for their objects: reading them may make them.

        Raises StoppedError.
        """
        made, count = [], 0
        for each in lists:
            made.append(each)
            if each:
                count += len(each)
                self.budget.check(count)
        return made

    def among(self, values: Values, distinct: Collection[int]) -> Counted:
        """For the distinct values, given by identity, instead of all values."""
        if self.times is None:
            if len(distinct) == len(values):
                return self
            counts: Counter[int] = Counter(map(id, values))
        else:
            counts = Counter()
            for value, times in zip(values, self.times, strict=True):
                counts[id(value)] += times
        return Counted(self.budget, [counts[at] for at in distinct])

    def within(self, lists: Iterable[Values]) -> Counted:
        """For the items of the lists instead of the lists."""
        if self.times is None:
            return self
        items = (repeat(times, len(each)) for each, times in zip(lists, self.times, strict=True))
        return Counted(self.budget, list(chain.from_iterable(items)))
