"""Pages of a snapshot. A page begins behind a key, so that pages stay right while jobs come and go."""

import base64
import functools
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from operator import itemgetter
from typing import Any, Generic, TypeVar

from resolvers.errors import BadInputError
from resolvers.page_rows import PageRows, Values
from slurm.column import Rows, picked

T = TypeVar("T")

BY_NAME = "name"
"""The name of the only order of lists that can be ordered in one way alone, such as nodes."""

Key = list[Any]
"""A row's place: its values in the ordered columns, then a value that no other row has."""


@dataclass(frozen=True)
class PageInfo:
    """Where a page begins and ends, and whether there are rows before and behind it."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True)
class Ordering:
    """How the rows of a snapshot are ordered: the values of each column and whether they descend; then `last`, which
    orders equal rows.

    `name` names the ordering, so that a cursor of another ordering is recognised.
    """

    name: str
    columns: Sequence[tuple[Sequence[Any], bool]]
    last: Sequence[Any]
    by_last: Sequence[int] | None = None
    """All rows ordered by `last` alone, if that is known."""
    rows: Rows[Any] | None = None
    """The rows themselves, with which the cursors of all of them are kept."""

    def key(self, index: int) -> Key:
        """The row's place, as JSON values."""
        return [*(_plain(values[index]) for values, _ in self.columns), _plain(self.last[index])]

    def cursor(self, index: int) -> str:
        """The row's place as text, which a caller passes as `after`."""
        place = json.dumps([self.name, self.key(index)], separators=(",", ":"))
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    def cursors(self, indexes: Sequence[int]) -> Sequence[str]:
        """The cursors of those rows. If they are most of the rows, all cursors are made once and kept with the rows."""
        if self.rows is None or len(indexes) * 4 < len(self.rows):
            return list(map(self.cursor, indexes))
        everything = range(len(self.rows))
        return picked(self.rows.kept(("cursors", self.name), lambda: list(map(self.cursor, everything))), indexes)

    def compare(self, one: Key, other: Key) -> int:
        """Negative, 0 or positive; a missing value comes last in both directions."""
        for position, (_, descending) in enumerate(self.columns):
            if (result := _compare(one[position], other[position], descending)) != 0:
                return result
        return _compare(one[-1], other[-1], False)

    def ordered(self, chosen: Sequence[int]) -> Sequence[int]:
        """The rows in the order of `compare`. Sorting is stable, so the most important column is sorted last."""
        rows = self._ordered_by_last(chosen)
        for values, descending in reversed(self.columns):
            known = [(_plain(values[index]), index) for index in rows if values[index] is not None]
            known.sort(key=itemgetter(0), reverse=descending)
            rows = [index for _, index in known] + [index for index in rows if values[index] is None]
        return rows

    def _ordered_by_last(self, chosen: Sequence[int]) -> Sequence[int]:
        if self.by_last is None:
            return sorted(chosen, key=self.last.__getitem__)
        if len(chosen) == len(self.by_last):
            return self.by_last
        kept = set(chosen)
        return [index for index in self.by_last if index in kept]


@dataclass(frozen=True)
class Edge(Generic[T]):
    """A row of a page with its cursor."""

    cursor: str
    node: T


class Edges(PageRows[Edge[T]]):
    """The rows of a page with their cursors, as objects or as columns."""

    def __init__(self, nodes: PageRows[T], ordering: Ordering) -> None:
        self.indexes = nodes.indexes
        self._nodes = nodes
        self._ordering = ordering

    @cached_property
    def objects(self) -> list[Edge[T]]:
        """All edges; their nodes are the objects that the page has."""
        return list(map(Edge, self.values("cursor"), self._nodes))

    def values(self, name: str) -> Values:
        """The column of cursors or of nodes."""
        return self._nodes if name == "node" else self._ordering.cursors(self.indexes)

    def each(self, name: str) -> Values:
        """As `values`."""
        return self.values(name)

    def completed(self, name: str, key: Hashable, complete: Callable[[Values], Values]) -> Values:
        """What `complete` makes of a column."""
        return complete(self.values(name))


@dataclass(frozen=True)
class Connection(Generic[T]):
    """A page of the rows that match, how many match, and when the rows were requested from the cluster."""

    nodes: Sequence[T]
    edges: Sequence[Edge[T]]
    page_info: PageInfo
    total_count: int
    as_of: datetime


def page(
    chosen: Sequence[int],
    ordering: Ordering,
    node: Callable[[int], T],
    first: int | None,
    after: str | None,
    limit: int,
    as_of: datetime,
) -> Connection[T]:
    """The page of the chosen rows behind the cursor. Raises BadInputError for a wrong `first` or `after`."""
    size = _size(first, limit)
    ordered = ordering.ordered(chosen)
    start = 0
    if after is not None:
        key, place = _decode(after, ordering), functools.cmp_to_key(ordering.compare)
        try:
            start = bisect_right(ordered, place(key), key=lambda index: place(ordering.key(index)))
        except TypeError as error:  # a forged cursor, whose values cannot be compared with a row's
            raise _not_a_cursor() from error
    rows = ordered[start : start + size]
    nodes = PageRows(rows, node)
    begin, end = (ordering.cursor(rows[0]), ordering.cursor(rows[-1])) if rows else (None, None)
    info = PageInfo(start + size < len(ordered), start > 0, begin, end)
    return Connection(nodes, Edges(nodes, ordering), info, len(chosen), as_of)


def natural(name: str) -> list[Any]:
    """Sorts node-2 before node-10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def check_page(first: int | None, after: str | None, ordering_name: str, limit: int) -> None:
    """Raise BadInputError if `first` or `after` is wrong, without looking at any row."""
    _size(first, limit)
    if after is not None:
        _cursor(after, ordering_name)


def _size(first: int | None, limit: int) -> int:
    size = 100 if first is None else first
    if not 0 <= size <= limit:
        raise BadInputError(
            f"first must be from 0 to {limit}. Read more rows in pages, with after: pageInfo.endCursor.",
            argument="first",
        )
    return size


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Enum):
        return value.name
    return list(value) if isinstance(value, tuple) else value


def _compare(one: Any, other: Any, descending: bool) -> int:
    if one == other:
        return 0
    if one is None or other is None:
        return 1 if one is None else -1
    result = -1 if one < other else 1
    return -result if descending else result


def _decode(cursor: str, ordering: Ordering) -> Key:
    key = _cursor(cursor, ordering.name)
    if len(key) != len(ordering.columns) + 1:
        raise _not_a_cursor()
    return key


def _cursor(cursor: str, ordering_name: str) -> Key:
    try:
        name, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError) as error:
        raise _not_a_cursor() from error
    if not isinstance(name, str) or not isinstance(key, list):
        raise _not_a_cursor()
    if name != ordering_name:
        if BY_NAME in (name, ordering_name):  # one of the two lists has no orderBy
            why = "is the cursor of another list. Pass pageInfo.endCursor of the previous page of this list"
        else:
            why = "was made with another orderBy. Use the same orderBy for all pages"
        raise BadInputError(f"after {why}.", argument="after")
    return key


def _not_a_cursor() -> BadInputError:
    message = "after is not a cursor. Pass pageInfo.endCursor of the previous page unchanged."
    return BadInputError(message, argument="after")
