"""A field is written once: from a table's lines follow what to ask Slurm for, the values and their types."""

from collections.abc import Sequence

import pytest

from slurm.column import Column, Record, Rows
from slurm.text import integer, text_or_none


def _area(width: str, height: str) -> int:
    return int(width) * int(height)


class Sheet(Record):
    name = Column(text_or_none, "Name", about="What it is called.")
    width = Column(integer, "Width", about="How wide.")
    area = Column(_area, "Width", "Height", about="How large.")


class NumberedSheet(Sheet):
    number = Column(integer, "Number", about="Which one.")


ROWS = Rows(Sheet, {"Name": ["a", "(null)", "a"], "Width": ["2", "3", "2"], "Height": ["5", "7", "5"]})


def test_each_column_of_slurm_is_requested_once() -> None:
    assert Sheet.sources() == ["Name", "Width", "Height"]


def test_a_table_has_the_lines_of_the_one_it_extends_first() -> None:
    assert [column.name for column in NumberedSheet.columns()] == ["name", "width", "area", "number"]


def test_a_record_has_a_value_for_every_line() -> None:
    assert (ROWS[0].name, ROWS[0].width, ROWS[0].area) == ("a", 2, 10)
    assert [(row.name, row.area) for row in ROWS] == [("a", 10), (None, 21), ("a", 10)]


def test_the_columns_type_is_its_parsers() -> None:
    assert (Sheet.name.type, Sheet.width.type, Sheet.area.type) == (str | None, int | None, int)


def test_all_values_of_a_column_stand_in_the_order_of_the_rows() -> None:
    assert ROWS.values(Sheet.area) == [10, 21, 10]


def test_each_distinct_text_is_parsed_once() -> None:
    parsed = []

    def parse(value: str) -> str:
        parsed.append(value)
        return value.upper()

    class Loud(Record):
        word = Column(parse, "Word", about="Said loudly.")

    rows = Rows(Loud, {"Word": ["a", "b", "a", "a"]})
    assert rows.values(Loud.word) == ["A", "B", "A", "A"]
    assert rows.values(Loud.word) == ["A", "B", "A", "A"]
    assert parsed == ["a", "b"]


def test_only_the_texts_of_the_selected_rows_are_parsed() -> None:
    parsed = []

    def parse(value: str) -> str:
        parsed.append(value)
        return value.upper()

    class Loud(Record):
        word = Column(parse, "Word", about="Said loudly.")

    rows = Rows(Loud, {"Word": list("abcdefghij")})
    assert rows.some(Loud.word, [3, 1]) == ["D", "B"]
    assert rows.some(Loud.word, [1, 2]) == ["B", "C"]
    assert parsed == ["d", "b", "c"]
    assert rows.some(Loud.word, range(9, -1, -1)) == list("JIHGFEDCBA")
    assert rows.some(Loud.word, [4]) == ["E"]
    assert parsed[3:] == list("abcdefghij")


def test_what_is_made_of_a_columns_values_is_made_of_each_text_once_for_each_purpose() -> None:
    made: list[int | None] = []

    def squares(widths: Sequence[int | None]) -> list[int]:
        made.extend(widths)
        return [(width or 0) ** 2 for width in widths]

    rows = Rows(Sheet, {"Name": list("abcdef"), "Width": list("234235"), "Height": list("234235")})
    assert rows.made(Sheet.width, [0, 3], "squares", squares) == [4, 4]
    assert rows.made(Sheet.width, [1, 0], "squares", squares) == [9, 4]
    assert rows.made(Sheet.area, [1], "squares", squares) == [81]
    assert rows.made(Sheet.width, [1], "others", squares) == [9]
    assert made == [2, 3, 9, 3]


def test_what_was_made_of_rows_is_kept_with_them() -> None:
    rows = Rows(Sheet, {source: ["1"] for source in Sheet.sources()})
    assert rows.kept("count", lambda: len(rows)) == 1
    assert rows.kept("count", lambda: 7) == 1


def test_an_empty_table_has_no_rows() -> None:
    rows = Rows(Sheet, {source: [] for source in Sheet.sources()})
    assert (len(rows), list(rows), rows.values(Sheet.area)) == (0, [], [])


def test_columns_of_different_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Rows(Sheet, {"Width": ["1", "2"], "Height": ["1"]}).values(Sheet.area)
