"""Pages: in order, complete, and right while rows come and go."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resolvers.errors import BadInputError
from resolvers.pages import BY_NAME, Connection, Ordering, natural, page
from slurm.states import JobState

LIMIT = 1000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def by_age(rows: Sequence[tuple[int, int | None]], descending: bool = False) -> Ordering:
    """Rows are (id, age)."""
    return Ordering("AGE", [([age for _, age in rows], descending)], [id for id, _ in rows])


def cut(
    rows: Sequence[tuple[int, int | None]], first: int | None, after: str | None = None, descending: bool = False
) -> Connection[tuple[int, int | None]]:
    return page(range(len(rows)), by_age(rows, descending), lambda index: rows[index], first, after, LIMIT, NOW)


def all_pages(rows: Sequence[tuple[int, int | None]], first: int, descending: bool) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = []
    after = None
    while True:
        here = cut(rows, first, after, descending)
        found += here.nodes
        if not here.page_info.has_next_page:
            return found
        after = here.page_info.end_cursor


def test_each_edge_has_the_cursor_behind_which_the_next_page_begins() -> None:
    rows = [(number, number % 3 or None) for number in range(20)]
    page_of_all = cut(rows, 20)
    assert [edge.node for edge in page_of_all.edges] == list(page_of_all.nodes)
    for place, edge in enumerate(page_of_all.edges):
        assert list(cut(rows, 20, edge.cursor).nodes) == list(page_of_all.nodes[place + 1 :])
    cursors = [edge.cursor for edge in page_of_all.edges]
    info = page_of_all.page_info
    assert (info.start_cursor, info.end_cursor) == (cursors[0], cursors[-1])
    assert (info.has_previous_page, info.has_next_page) == (False, False)
    middle = cut(rows, 5, cursors[4]).page_info
    assert (middle.has_previous_page, middle.has_next_page) == (True, True)


ROWS = st.lists(st.tuples(st.integers(0, 999), st.none() | st.integers(0, 5)), unique_by=lambda row: row[0])


@given(ROWS, st.integers(1, 7), st.booleans())
def test_the_pages_together_are_all_rows_in_order_each_once(
    rows: list[tuple[int, int | None]], first: int, descending: bool
) -> None:
    sign = -1 if descending else 1
    ordered = sorted(rows, key=lambda row: (row[1] is None, sign * (row[1] or 0), row[0]))
    assert all_pages(rows, first, descending) == ordered


@given(ROWS, ROWS, st.integers(0, 7))
def test_the_next_page_holds_what_stands_behind_the_cursor_whatever_came_and_went(
    before: list[tuple[int, int | None]], now: list[tuple[int, int | None]], first: int
) -> None:
    seen = cut(before, first)
    behind = list(cut(now, LIMIT, seen.page_info.end_cursor).nodes)
    everything = list(cut(now, LIMIT).nodes)
    last = seen.nodes[-1] if seen.nodes else None
    if last is None:
        assert behind == everything
    else:
        place = (last[1] is None, last[1] or 0, last[0])
        assert behind == [row for row in everything if (row[1] is None, row[1] or 0, row[0]) > place]


def test_the_last_page_says_so() -> None:
    rows = [(1, 1), (2, 2)]
    assert cut(rows, 1).page_info.has_next_page
    assert not cut(rows, 2).page_info.has_next_page
    assert not cut([], 2).page_info.has_next_page
    assert cut([], 2).page_info.end_cursor is None


def test_a_page_of_size_zero_is_empty_and_has_a_next_page() -> None:
    empty = cut([(1, 1)], 0)
    assert (list(empty.nodes), empty.page_info.has_next_page, empty.page_info.end_cursor) == ([], True, None)


def test_without_first_there_are_100() -> None:
    rows = [(id, 1) for id in range(101)]
    assert len(cut(rows, None).nodes) == 100


@pytest.mark.parametrize("first", [-1, LIMIT + 1, 100_000])
def test_too_many_are_refused_with_the_way_to_go(first: int) -> None:
    with pytest.raises(BadInputError) as caught:
        cut([], first)
    assert str(caught.value) == "first must be from 0 to 1000. Read more rows in pages, with after: pageInfo.endCursor."
    assert caught.value.extensions == {"code": "BAD_USER_INPUT", "argument": "first"}


def cursor(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "",
        "!",
        "é",
        "x" * 10_000,
        "abc",
        cursor(None),
        cursor(7),
        cursor([]),
        cursor(["AGE"]),
        cursor(["AGE", 1]),
        cursor(["AGE", []]),
        cursor(["AGE", [1]]),
        cursor(["AGE", [1, 2, 3]]),
        cursor(["AGE", ["one", 2]]),
        cursor(["AGE", [1, "two"]]),
        cursor(["AGE", [{}, 2]]),
        cursor(["AGE", [1, [2]]]),
        cursor({"AGE": 1, "key": 2}),
        base64.urlsafe_b64encode(b"[" * 200_000).decode(),
    ],
)
def test_an_invalid_cursor_is_refused(after: str) -> None:
    with pytest.raises(BadInputError) as caught:
        cut([(1, 1), (2, 2), (3, None)], 1, after)
    assert str(caught.value) == "after is not a cursor. Pass pageInfo.endCursor of the previous page unchanged."
    assert caught.value.extensions == {"code": "BAD_USER_INPUT", "argument": "after"}


def test_a_cursor_of_another_order_is_refused() -> None:
    rows = [(1, 1), (2, 2)]
    other = Ordering("WEIGHT", [([1, 2], False)], [1, 2])
    end = page([0, 1], other, lambda index: index, 1, None, LIMIT, NOW).page_info.end_cursor
    with pytest.raises(BadInputError) as caught:
        cut(rows, 1, end)
    assert str(caught.value) == "after was made with another orderBy. Use the same orderBy for all pages."


def test_a_cursor_of_a_list_without_order_by_says_nothing_of_order_by() -> None:
    """Such as a cursor of `jobs` that is given to `nodes`, and the other way round."""
    by_name, by_weight = Ordering(BY_NAME, (), [1, 2]), Ordering("WEIGHT", [([1, 2], False)], [1, 2])
    for one, other in ((by_name, by_weight), (by_weight, by_name)):
        end = page([0, 1], one, lambda index: index, 1, None, LIMIT, NOW).page_info.end_cursor
        with pytest.raises(BadInputError, match=r"after is the cursor of another list\. Pass pageInfo\.endCursor"):
            page([0, 1], other, lambda index: index, 1, end, LIMIT, NOW)


def test_times_states_and_texts_can_be_ordered_by() -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
    states = [JobState.RUNNING, JobState.PENDING, JobState.PENDING]
    names = ["\u0000|\n", "\U0001f600", ""]
    ordering = Ordering("ALL", [(states, False), (times, True), (names, False)], [(1, 0, 0), (2, 0, 0), (3, 0, 0)])
    first = page(range(3), ordering, lambda index: index, 1, None, LIMIT, NOW)
    rest = page(range(3), ordering, lambda index: index, 2, first.page_info.end_cursor, LIMIT, NOW)
    assert [*first.nodes, *rest.nodes] == [2, 1, 0]


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["queue1-st-small-10", "queue1-st-small-2", "queue1-dy-large-1", "head", "queue10-a", "queue2-a", ""]
    assert sorted(names, key=natural) == [
        "",
        "head",
        "queue1-dy-large-1",
        "queue1-st-small-2",
        "queue1-st-small-10",
        "queue2-a",
        "queue10-a",
    ]


@given(st.lists(st.text()))
@example(["\u00b2", "x\u0663", "7"])  # digits that are no numbers, and a number in other digits
def test_any_names_can_be_ordered(names: list[str]) -> None:
    assert len(sorted(names, key=natural)) == len(names)
