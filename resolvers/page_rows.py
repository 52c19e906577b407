"""The rows selected for a page, as objects or as columns; columns need no objects."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar, overload

from resolvers.link import Link
from slurm.column import Column, Record, Rows, picked

T = TypeVar("T")
Values = Sequence[Any]


class PageRows(Sequence[T]):
    """The rows with those indexes, in that order; `make` makes the object for an index when it is needed.

    If the objects are records, they are of one class and belong to the same rows.
    """

    def __init__(self, indexes: Sequence[int], make: Callable[[int], T]) -> None:
        self.indexes = indexes
        self._make = make

    def __len__(self) -> int:
        return len(self.indexes)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return self.objects[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self.objects)

    @cached_property
    def objects(self) -> list[T]:
        """All objects; each is made once."""
        return list(map(self._make, self.indexes))

    @cached_property
    def _sample(self) -> Any:
        """One of the objects, for what they have in common."""
        return self._make(self.indexes[0])

    def values(self, name: str) -> Values:
        """An attribute of all objects. Raises what reading it from one of them raises."""
        attribute = self._attribute(name)
        if isinstance(attribute, Column):
            rows: Rows[Any] = self._sample.rows
            return rows.some(attribute, self.indexes)
        if isinstance(attribute, Link):
            return attribute.values(self._sample.cluster, [self.values(column.name) for column in attribute.columns])
        return [getattr(each, name) for each in self.objects]

    def each(self, name: str) -> Iterable[Any]:
        """As `values`; what only the objects have is read one by one, so that a reader may stop."""
        if isinstance(self._attribute(name), Column | Link):
            return self.values(name)
        return map(attrgetter(name), self.objects)

    def completed(self, name: str, key: Hashable, complete: Callable[[Values], Values]) -> Values:
        """What `complete` makes of an attribute of all objects; `key` names what it makes.

        A result that depends only on the rows is kept with them. It is made for all rows at once, unless only few are
        selected or it fails for others.
        """
        attribute = self._attribute(name)
        if not isinstance(attribute, Column) and not (isinstance(attribute, Link) and attribute.lasting):
            return complete(self.values(name))
        rows: Rows[Any] = self._sample.rows
        if len(self) * 4 < len(rows):
            if isinstance(attribute, Column):
                return rows.made(attribute, self.indexes, key, complete)
            return complete(self.values(name))

        def whole() -> Values | None:
            try:
                return complete(PageRows(range(len(rows)), self._make).values(name))
            except Exception:
                return None  # because of a row that may not be selected

        kept = rows.kept((name, key), whole)
        return complete(self.values(name)) if kept is None else picked(kept, self.indexes)

    def _attribute(self, name: str) -> Any:
        """The attribute as the records' class defines it."""
        return getattr(type(self._sample), name, None) if isinstance(self._sample, Record) else None
