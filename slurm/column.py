"""A field is written once: the Slurm column it comes from, its parser and its description on one line.

A table is a class whose attributes are `Column`s::

    class Job(Record):
        cpu_count = Column(integer, "NumCPUs", about="CPUs asked for, or allocated once it runs.")

From it follow the list of columns to ask Slurm for (`Job.sources()`), the value of each record (`job.cpu_count`,
parsed only when read) and, elsewhere, the GraphQL field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, get_type_hints, overload

T = TypeVar("T")
M = TypeVar("M")


class Column(Generic[T]):
    """One field of a record.

    `parse` turns the texts of the `sources` (names of Slurm's columns, in order) into the value; its return annotation
    is the field's type. `about` describes the field to users: meaning, unit, Slurm source.
    """

    def __init__(self, parse: Callable[..., T], *sources: str, about: str) -> None:
        self.parse = parse
        self.sources = sources
        self.about = about
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, record: None, owner: type) -> Self: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T: ...
    def __get__(self, record: Record | None, owner: type) -> Self | T:
        if record is None:
            return self
        texts, index = record.rows.texts, record.index
        return self.parse(*[texts[source][index] for source in self.sources])

    def texts(self, sources: Sequence[Sequence[str]]) -> Sequence[Any]:
        """The texts that its values follow from, row by row: one each, or a tuple of those of all sources."""
        return sources[0] if len(sources) == 1 else list(zip(*sources, strict=True))

    def parsed(self, texts: Iterable[Any]) -> dict[Any, T]:
        """The value of each distinct text, in the order in which they come first."""
        distinct, parse = dict.fromkeys(texts), self.parse
        if len(self.sources) == 1:
            return {text: parse(text) for text in distinct}
        return {text: parse(*text) for text in distinct}

    @property
    def type(self) -> Any:
        """The type of the values, as the parser's return annotation says it."""
        return get_type_hints(self.parse)["return"]


class Record:
    """One row of a table; its columns are parsed when they are read."""

    __slots__ = ("index", "rows")

    def __init__(self, rows: Rows[Any], index: int) -> None:
        self.rows = rows
        self.index = index

    @classmethod
    def columns(cls) -> list[Column[Any]]:
        """The columns of the table, in the order they are written."""
        return [value for base in reversed(cls.__mro__) for value in vars(base).values() if isinstance(value, Column)]

    @classmethod
    def sources(cls) -> list[str]:
        """The Slurm columns the table needs, each once."""
        return list(dict.fromkeys(source for column in cls.columns() for source in column.sources))


R = TypeVar("R", bound=Record)


class Rows(Generic[R]):
    """A whole answer, held column by column: `texts` maps each Slurm column to its text in every row.

    A column is parsed when its values are first asked for, each distinct text once: most columns hold few.
    """

    def __init__(self, record: type[R], texts: Mapping[str, Sequence[str]]) -> None:
        self.record = record
        self.texts = texts
        self._values: dict[str, list[Any]] = {}
        self._kept: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(next(iter(self.texts.values()), ()))

    def __getitem__(self, index: int) -> R:
        return self.record(self, index)

    def __iter__(self) -> Iterator[R]:
        return (self.record(self, index) for index in range(len(self)))

    def only(self, indexes: Sequence[int]) -> Rows[R]:
        """Those rows alone."""
        return Rows(self.record, {source: [texts[index] for index in indexes] for source, texts in self.texts.items()})

    def values(self, column: Column[T]) -> list[T]:
        """All values of one column."""
        if column.name not in self._values:
            texts = column.texts([self.texts[source] for source in column.sources])
            parsed = column.parsed(texts)
            self._values[column.name] = list(map(parsed.__getitem__, texts))
        return self._values[column.name]

    def some(self, column: Column[T], indexes: Sequence[int]) -> list[T]:
        """The values of one column in some rows; where they are few, only those are parsed."""
        if column.name in self._values or len(indexes) * 4 >= len(self):
            return picked(self.values(column), indexes)
        return self.made(column, indexes, None, list)

    def made(
        self, column: Column[T], indexes: Sequence[int], key: Hashable, make: Callable[[Sequence[T]], Sequence[M]]
    ) -> list[M]:
        """What `make` makes of the values of one column in some rows: of each distinct text once, and kept by `key`."""
        texts = column.texts([picked(self.texts[source], indexes) for source in column.sources])
        known: dict[Any, M] = self.kept((column.name, key, "by text"), dict)
        parsed = column.parsed(text for text in texts if text not in known)
        if parsed:
            known.update(zip(parsed, make(list(parsed.values())), strict=True))
        return list(map(known.__getitem__, texts))

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made of the rows and is kept with them: `make` is called at the first time only."""
        if key not in self._kept:
            self._kept[key] = make()
        value: T = self._kept[key]
        return value


def picked(values: Sequence[T], indexes: Sequence[int]) -> list[T]:
    """The values in some rows, in the order of the indexes."""
    return list(map(values.__getitem__, indexes))
