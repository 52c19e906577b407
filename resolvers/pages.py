"""Pages of a snapshot. A page begins behind a key, so that pages stay right while jobs come and go."""

import base64
import functools
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from operator import itemgetter
from typing import Any, Generic, TypeVar

from resolvers.errors import BadInputError
from resolvers.page_rows import PageRows

T = TypeVar("T")

Key = list[Any]
"""A row's place: its values in the ordered columns, then a value that no other row has."""


@dataclass(frozen=True)
class PageInfo:
    """Where a page ends."""

    has_next_page: bool
    end_cursor: str | None


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of the rows, and where the next page begins."""

    nodes: Sequence[T]
    page_info: PageInfo


@dataclass(frozen=True)
class Ordering:
    """How rows are ordered: the values of each column and whether they descend; then `last`, which orders equal rows.

    `name` names the ordering, so that a cursor of another ordering is recognised.
    """

    name: str
    columns: Sequence[tuple[Sequence[Any], bool]]
    last: Sequence[Any]
    by_last: Sequence[int] | None = None
    """All rows ordered by `last` alone, if that is known."""

    def key(self, index: int) -> Key:
        """The row's place, as JSON values."""
        return [*(_plain(values[index]) for values, _ in self.columns), _plain(self.last[index])]

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


def page(
    chosen: Sequence[int],
    ordering: Ordering,
    node: Callable[[int], T],
    first: int | None,
    after: str | None,
    limit: int,
) -> Page[T]:
    """The page of the chosen rows after the cursor. Raises BadInputError for a wrong `first` or `after`."""
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
    end = _encode(ordering, rows[-1]) if rows else None
    return Page(PageRows(rows, node), PageInfo(start + size < len(ordered), end))


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


def _encode(ordering: Ordering, index: int) -> str:
    place = json.dumps([ordering.name, ordering.key(index)], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


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
        raise BadInputError(
            "after was made with another orderBy. Use the same orderBy for all pages.", argument="after"
        )
    return key


def _not_a_cursor() -> BadInputError:
    message = "after is not a cursor. Pass pageInfo.endCursor of the previous page unchanged."
    return BadInputError(message, argument="after")
