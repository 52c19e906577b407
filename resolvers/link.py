"""Attributes of rows that lead to other objects of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar, overload

from slurm.column import Column

T = TypeVar("T")
Values = Sequence[Any]


class Link(Generic[T]):
    """An attribute of a row that is computed from some of its columns and the request's view of its cluster.

    The row's class has the attribute `cluster`. Rows with the same values share one result. A `lasting` link uses only
    the name of the cluster, so that its result can be kept for other requests.
    """

    def __init__(self, follow: Callable[..., T], *columns: Column[Any], lasting: bool = False) -> None:
        self.follow = follow
        self.columns = columns
        self.lasting = lasting
        self.__doc__ = follow.__doc__

    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: Any, owner: type) -> T: ...
    def __get__(self, row: Any, owner: type) -> Self | T:
        if row is None:
            return self
        return self.follow(row.cluster, *[getattr(row, column.name) for column in self.columns])

    def values(self, cluster: Any, columns: Sequence[Values]) -> list[T]:
        """The attribute of many rows, from their columns. Equal values are recognised by identity."""
        made: dict[tuple[int, ...], T] = {}
        values: list[T] = []
        for row in zip(*columns, strict=True):
            key = tuple(map(id, row))
            if key not in made:
                made[key] = self.follow(cluster, *row)
            values.append(made[key])
        return values
