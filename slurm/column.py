"""A field is written once: the Slurm column it comes from, its parser and its description on one line.

A table is a class whose attributes are `Column`s::

    class Job(Record):
        cpu_count = Column(integer, "NumCPUs", about="CPUs asked for, or allocated once it runs.")

From it follow the list of columns to ask Slurm for (`Job.sources()`), the value of each record (`job.cpu_count`,
parsed only when read) and, elsewhere, the GraphQL field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import NoneType
from typing import Any, Generic, Self, TypeVar, cast, get_args, get_type_hints, overload

from slurm.errors import ParseError, Unreadable

T = TypeVar("T")
M = TypeVar("M")

_NONSENSE = "\0no value of any kind"


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
        try:
            return self.parse(*[texts[source][index] for source in self.sources])
        except ParseError as error:
            return record.rows.missed(self, error)

    def texts(self, sources: Sequence[Sequence[str]]) -> Sequence[Any]:
        """The texts that its values follow from, row by row: one each, or a tuple of those of all sources."""
        return sources[0] if len(sources) == 1 else list(zip(*sources, strict=True))

    def parsed(self, texts: Iterable[Any]) -> dict[Any, T]:
        """The value of each distinct text, in the order in which they come first."""
        distinct, parse = dict.fromkeys(texts), self.parse
        if len(self.sources) == 1:
            return {text: parse(text) for text in distinct}
        return {text: parse(*text) for text in distinct}

    @cached_property
    def type(self) -> Any:
        """The type of the values, as the parser's return annotation says it."""
        return get_type_hints(self.parse, include_extras=True)["return"]

    @cached_property
    def is_optional(self) -> bool:
        """Whether None is one of its values."""
        return NoneType in get_args(self.type)

    @cached_property
    def takes_any_text(self) -> bool:
        """Whether its parser takes nonsense, too, as that of a name does."""
        try:
            self.parse(*[_NONSENSE] * len(self.sources))
        except ParseError:
            return False
        return True


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

    A column is parsed when its values are first asked for, each distinct text once: most columns hold few. A value that
    cannot be read is None, if its column has that, and stands in `unreadable`, with the records that were left out.
    """

    def __init__(self, record: type[R], texts: Mapping[str, Sequence[str]], lost: Iterable[Unreadable] = ()) -> None:
        self.record = record
        self.texts = texts
        self.lost = tuple(lost)
        self._missed: dict[Unreadable, None] = {}
        self._values: dict[str, list[Any]] = {}
        self._kept: dict[Hashable, Any] = {}

    @classmethod
    def readable(cls, record: type[R], texts: Mapping[str, Sequence[str]], lost: Iterable[Unreadable] = ()) -> Rows[R]:
        """The rows without those that lack a value which no record may lack; `lost` has other records left out.

        Raises ParseError if nothing can be read: no rows would mean that there is nothing.
        """
        rows = cls(record, texts, lost)
        unreadable: dict[int, Unreadable] = {}
        for column in record.columns():
            if column.is_optional or column.takes_any_text or not texts.keys() >= set(column.sources):
                continue
            try:
                rows.values(column)
            except ParseError:
                unreadable |= _unreadable(column, column.texts([texts[source] for source in column.sources]))
        if unreadable:
            rows = rows.only([index for index in range(len(rows)) if index not in unreadable])
            rows.lost += tuple(unreadable[index] for index in sorted(unreadable))
        if rows.lost and not len(rows):
            raise ParseError(rows.lost[0].what, rows.lost[0].text or "")
        return rows

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The records that were left out, and the values that could not be read until now."""
        return (*self.lost, *self._missed)

    def missed(self, column: Column[T], error: ParseError) -> T:
        """None for a value that cannot be read, which is noted. Raises the error if the column has no None."""
        if not column.is_optional:
            raise error
        self._missed[Unreadable(error.what, error.text, column.name, record_lost=False)] = None
        return cast(T, None)

    def __len__(self) -> int:
        return len(next(iter(self.texts.values()), ()))

    def __getitem__(self, index: int) -> R:
        return self.record(self, index)

    def __iter__(self) -> Iterator[R]:
        return (self.record(self, index) for index in range(len(self)))

    def only(self, indexes: Sequence[int]) -> Rows[R]:
        """Those rows alone."""
        texts = {source: picked(texts, indexes) for source, texts in self.texts.items()}
        return Rows(self.record, texts, self.lost)

    def values(self, column: Column[T]) -> list[T]:
        """All values of one column."""
        if column.name not in self._values:
            texts = column.texts([self.texts[source] for source in column.sources])
            parsed = self._parsed(column, texts)
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
        parsed = self._parsed(column, [text for text in texts if text not in known])
        if parsed:
            known.update(zip(parsed, make(list(parsed.values())), strict=True))
        return list(map(known.__getitem__, texts))

    def _parsed(self, column: Column[T], texts: Sequence[Any]) -> dict[Any, T]:
        """The value of each distinct text; None for one that cannot be read, if the column has None."""
        try:
            return column.parsed(texts)
        except ParseError:
            if not column.is_optional:
                raise
        values: dict[Any, T] = {}
        for text in dict.fromkeys(texts):
            try:
                values |= column.parsed([text])
            except ParseError as error:
                values[text] = self.missed(column, error)
        return values

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made of the rows and is kept with them: `make` is called at the first time only."""
        if key not in self._kept:
            self._kept[key] = make()
        value: T = self._kept[key]
        return value


def _unreadable(column: Column[Any], texts: Sequence[Any]) -> dict[int, Unreadable]:
    """What cannot be read of a column, by row."""
    wrong: dict[Any, Unreadable] = {}
    for text in dict.fromkeys(texts):
        try:
            column.parsed([text])
        except ParseError as error:
            wrong[text] = Unreadable(error.what, error.text, column.name)
    return {index: wrong[text] for index, text in enumerate(texts) if text in wrong}


def picked(values: Sequence[T], indexes: Sequence[int]) -> list[T]:
    """The values in some rows, in the order of the indexes."""
    return list(map(values.__getitem__, indexes))
