"""Framing by a nonce: any text comes back as it was, and what is not whole is an error, never a guess."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slurm import framing
from slurm.errors import SeparatorError

SEPARATOR = "~0123abCD"
COLUMNS = ["JobArrayID", "Name", "Comment", "State"]

hostile = st.text("~0123abCD\n|\x1e\x1f\t", max_size=40)
cells = st.one_of(st.text(), hostile, st.just(SEPARATOR[:-1]), st.just("~" + SEPARATOR[1:-1])).filter(
    lambda text: SEPARATOR not in text
)
first_cells = cells.filter(lambda text: "\n" not in text)  # an id, or a name that Slurm's configuration gives
tables = st.integers(0, 5).flatmap(
    lambda others: st.lists(
        st.tuples(first_cells, st.lists(cells, min_size=others, max_size=others)).map(lambda row: [row[0], *row[1]]),
        max_size=5,
    )
)


def printed(rows: list[list[str]]) -> str:
    """What squeue prints: each value and the separator, a newline behind each record."""
    return "".join("".join(value + SEPARATOR for value in row) + "\n" for row in rows)


def named(width: int) -> list[str]:
    return [f"Column{number}" for number in range(width)]


def test_records_come_back_column_by_column() -> None:
    text = printed([["1", "first", "a\nb", "RUNNING"], ["2", "", "|", "PENDING"]])
    assert framing.split(text, COLUMNS, SEPARATOR).texts == {
        "JobArrayID": ["1", "2"],
        "Name": ["first", ""],
        "Comment": ["a\nb", "|"],
        "State": ["RUNNING", "PENDING"],
    }


def test_no_output_is_no_record() -> None:
    assert framing.split("", COLUMNS, SEPARATOR).texts == {column: [] for column in COLUMNS}


@given(tables)
def test_any_texts_without_the_separator_come_back(rows: list[list[str]]) -> None:
    columns = named(len(rows[0]) if rows else 1)
    expected = {column: [row[index] for row in rows] for index, column in enumerate(columns)}
    assert framing.split(printed(rows), columns, SEPARATOR).texts == expected


@given(st.text())
def test_a_record_forged_with_another_separator_stays_text(name: str) -> None:
    forged = f"{name}~ffffFFFF\n999~ffffFFFFroot~ffffFFFF\n"
    rows = framing.split(printed([["1", forged]]), ["JobID", "Name"], SEPARATOR).texts
    assert rows == {"JobID": ["1"], "Name": [forged]}


@given(tables.filter(lambda rows: len(rows) > 0 and len(rows[0]) > 1), st.data())
def test_a_missing_field_is_lost(rows: list[list[str]], data: st.DataObject) -> None:
    text = printed(rows)
    place = data.draw(st.sampled_from([match.start() for match in re.finditer(SEPARATOR, text)]))
    damaged = text[:place] + text[place + len(SEPARATOR) :]
    assume(damaged.count(SEPARATOR) == text.count(SEPARATOR) - 1)
    assert framing.split(damaged, named(len(rows[0])), SEPARATOR).lost


@given(tables.filter(lambda rows: len(rows) > 0 and len(rows[0]) > 1), st.data())
def test_an_extra_field_is_lost(rows: list[list[str]], data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(rows))
    row.insert(data.draw(st.integers(0, len(row))), "")
    assert framing.split(printed(rows), named(len(row) - 1), SEPARATOR).lost


@given(tables.filter(lambda rows: len(rows) > 0), st.data())
def test_output_cut_inside_a_record_is_lost(rows: list[list[str]], data: st.DataObject) -> None:
    text, width = printed(rows), len(rows[0])
    end = data.draw(st.integers(1, len(text) - 1))
    ends = [match.end() for match in re.finditer(SEPARATOR, text)][width - 1 :: width]
    assume(end not in ends and end - 1 not in ends)  # a record is whole with or without its newline
    assert framing.split(text[:end], named(width), SEPARATOR).lost


def test_a_record_that_does_not_begin_on_its_own_line_is_lost() -> None:
    assert framing.split(f"1{SEPARATOR}a{SEPARATOR}2{SEPARATOR}b{SEPARATOR}\n", ["JobID", "Name"], SEPARATOR).lost


@pytest.mark.parametrize("text", ["\n", "slurm_load_jobs error", "1 name RUNNING\n", f"1{SEPARATOR}"])
def test_text_that_is_not_a_record_is_lost(text: str) -> None:
    assert framing.split(text, COLUMNS, SEPARATOR).lost


@given(tables.filter(lambda rows: len(rows) > 0 and len(rows[0]) > 1), st.data())
def test_a_text_with_a_separator_that_others_can_watch_is_an_error_of_all_records(
    rows: list[list[str]], data: st.DataObject
) -> None:
    columns = named(len(rows[0]))
    assert framing.split_watched(printed(rows), columns, SEPARATOR).lost == ()
    pieces = data.draw(st.lists(st.sampled_from(["x", "\n", "\n1"]), min_size=1).map(SEPARATOR.join))
    row = data.draw(st.sampled_from(rows))
    row[data.draw(st.integers(1, len(row) - 1))] = f"x{SEPARATOR}{pieces}"
    assume(f"x{SEPARATOR}{pieces}".count(SEPARATOR) % len(row))  # else it may complete its record, and forge others
    with pytest.raises(SeparatorError):
        framing.split_watched(printed(rows), columns, SEPARATOR)


def test_a_text_that_forges_whole_records_cannot_be_noticed_where_others_can_watch_the_separator() -> None:
    """docs/security.md says so, and which texts are long enough."""
    columns = ["JobID", "WorkDir", "State"]
    forged = SEPARATOR.join(["/x", "FAILED", "\n99", "/y"])
    records = framing.split_watched(printed([["7", forged, "RUNNING"]]), columns, SEPARATOR)
    assert records.texts == {"JobID": ["7", "99"], "WorkDir": ["/x", "/y"], "State": ["FAILED", "RUNNING"]}


def test_separators_are_random_and_need_no_quoting() -> None:
    separators = {framing.separator() for _ in range(1000)}
    assert len(separators) == 1000
    assert all(re.fullmatch("~[A-Za-z0-9]{8}", separator) for separator in separators)


def test_the_format_names_each_column_at_full_width() -> None:
    assert framing.format_string(["JobID", "Name"], "~ab") == "JobID:~ab,Name:~ab"


def test_the_format_of_plain_columns_has_the_separator_behind_the_last_of_them() -> None:
    columns = ["JobID", "Name", "State", "Comment"]
    for plain, format_string in (
        ({"State", "JobID", "Nodes"}, "JobID:~,State:~ab,Name:~ab,Comment:~ab"),
        ({"State"}, "State:~ab,JobID:~ab,Name:~ab,Comment:~ab"),
    ):
        assert framing.format_string(columns, "~ab", plain) == format_string


plain_cells = st.text(st.characters(exclude_characters="~\n"), max_size=10)


def with_plain(rows: list[tuple[list[str], list[str]]]) -> str:
    """What squeue prints of rows of plain texts and of others."""
    return "".join("~".join(plain) + "".join(SEPARATOR + text for text in [*free, "\n"]) for plain, free in rows)


@given(st.integers(1, 4), st.integers(0, 3), st.data())
def test_plain_columns_come_back_beside_the_others(plain: int, free: int, data: st.DataObject) -> None:
    names, others = [f"Plain{number}" for number in range(plain)], named(free)
    row = st.tuples(
        st.lists(plain_cells, min_size=plain, max_size=plain), st.lists(cells, min_size=free, max_size=free)
    )
    rows = data.draw(st.lists(row, max_size=5))
    mixed = data.draw(st.permutations(names + others))
    order = [name for name in mixed if name in names], [name for name in mixed if name in others]
    expected = {name: [row[0][index] for row in rows] for index, name in enumerate(order[0])}
    expected |= {name: [row[1][index] for row in rows] for index, name in enumerate(order[1])}
    part = data.draw(st.sampled_from([20, framing._PART]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "_PART", part)
        assert framing.split(with_plain(rows), mixed, SEPARATOR, names).texts == expected


@pytest.mark.parametrize("plain", [["1"], ["1", "RUNNING", "x"], []])
def test_a_record_with_other_plain_columns_is_lost(plain: list[str]) -> None:
    rows = [(["1", "RUNNING"], ["name"]), (plain, ["name"]), (["1", "RUNNING", "x"], ["name"])]
    assert framing.split(with_plain(rows), ["JobID", "State", "Name"], SEPARATOR, {"JobID", "State"}).lost


@given(tables, st.integers(18, 60))
def test_a_text_that_is_split_part_by_part_comes_back_the_same(rows: list[list[str]], part: int) -> None:
    columns = named(len(rows[0]) if rows else 1)
    whole = framing.split(printed(rows), columns, SEPARATOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "_PART", part)
        assert framing.split(printed(rows), columns, SEPARATOR) == whole


def test_equal_texts_of_a_column_are_one_object() -> None:
    rows = framing.split(printed([["1", "a" * 9], ["2", "a" * 9]]), ["JobID", "Name"], SEPARATOR).texts
    assert rows["Name"][0] is rows["Name"][1]
