"""Rows that were picked: the same values as objects and as columns, and no object made for the latter."""

from types import SimpleNamespace
from typing import Any

import pytest

from resolvers.link import Link
from resolvers.page_rows import PageRows
from slurm.column import Column, Record, Rows
from slurm.text import integer


def _word(value: str) -> str:
    return value


def _greeting(cluster: Any, name: str) -> str:
    cluster.greeted.append(name)
    return f"{cluster.name} greets {name}"


class Guest(Record):
    __slots__ = ("cluster",)

    name = Column(_word, "Name", about="The name.")
    age = Column(integer, "Age", about="The age.")
    greeting = Link(_greeting, name)

    def __init__(self, cluster: Any, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def double(self) -> int:
        return 2 * (self.age or 0)


def guests(names: str = "abcab", ages: str = "12345") -> Rows[Guest]:
    return Rows(Guest, {"Name": list(names), "Age": list(ages)})


def picked(rows: Rows[Guest], *indexes: int) -> PageRows[Guest]:
    cluster = SimpleNamespace(name="lab", greeted=[])
    return PageRows(indexes, lambda index: Guest(cluster, rows, index))


def test_they_are_a_sequence_of_objects_in_the_order_of_the_indexes() -> None:
    some = picked(guests(), 4, 0)
    assert (len(some), [guest.name for guest in some], some[1].age, len(some[:1])) == (2, ["b", "a"], 1, 1)


@pytest.mark.parametrize("attribute", ["name", "age", "greeting", "double"])
def test_an_attribute_of_all_is_that_of_each(attribute: str) -> None:
    some = picked(guests(), 4, 0, 2)
    assert list(some.values(attribute)) == [getattr(guest, attribute) for guest in some]


def test_equal_texts_are_converted_once() -> None:
    some = picked(guests(), 0, 1, 3)
    some.values("greeting")
    assert some[0].cluster.greeted == ["a", "b"]


def test_what_is_completed_of_a_column_is_kept_with_the_rows_unless_few_are_picked() -> None:
    rows, seen = guests("abcab" * 2, "12345" * 2), []

    def double(ages: Any) -> Any:
        seen.append(len(ages))
        return [2 * age for age in ages]

    assert list(picked(rows, 3, 1).completed("age", "doubled", double)) == [8, 4]
    assert list(picked(rows, 2, 1, 0).completed("age", "doubled", double)) == [6, 4, 2]
    assert list(picked(rows, 0, 1, 2).completed("age", "doubled", double)) == [2, 4, 6]
    assert seen == [2, 10]


def test_an_unreadable_row_affects_no_other_row() -> None:
    rows = guests(ages="12x45")
    assert list(picked(rows, 1, 2).completed("age", "same", list)) == [2, None]
    assert [(each.field, each.text) for each in rows.unreadable] == [("age", "x")]
    assert list(picked(rows, 3).completed("age", "same", list)) == [4]
    assert [guest.age for guest in picked(rows, 0, 1, 3, 4)] == [1, 2, 4, 5]
