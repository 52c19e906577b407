"""Dependencies, as squeue prints them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.dependency import Dependency, DependencyKind, DependencyState, parse
from slurm.errors import ParseError

OK, ANY, SINGLETON = DependencyKind.AFTEROK, DependencyKind.AFTERANY, DependencyKind.SINGLETON


def test_each_job_has_its_own_kind_and_state() -> None:
    assert parse("afterok:123(unfulfilled),afternotok:124(failed)") == [
        Dependency(OK, "123"),
        Dependency(DependencyKind.AFTERNOTOK, "124", state=DependencyState.FAILED),
    ]


def test_an_array_is_meant_as_a_whole_or_by_task() -> None:
    assert parse("afterany:124_*(unfulfilled),aftercorr:125_7(unfulfilled)") == [
        Dependency(ANY, "124", all_tasks=True),
        Dependency(DependencyKind.AFTERCORR, "125", task=7),
    ]


def test_minutes_count_from_the_others_start() -> None:
    assert parse("after:123+30(unfulfilled)") == [Dependency(DependencyKind.AFTER, "123", minutes=30)]
    assert parse("after:123_4+5(unfulfilled)") == [Dependency(DependencyKind.AFTER, "123", task=4, minutes=5)]


def test_a_singleton_names_no_job() -> None:
    assert parse("singleton(unfulfilled)") == [Dependency(SINGLETON)]


def test_a_question_mark_makes_alternatives_of_them_all() -> None:
    assert parse("afterok:123(unfulfilled)?singleton(unfulfilled)") == [
        Dependency(OK, "123", any_suffices=True),
        Dependency(SINGLETON, any_suffices=True),
    ]


def test_sbatchs_spelling_is_read_too() -> None:
    assert parse("afterok:123:124_2,singleton") == [
        Dependency(OK, "123"),
        Dependency(OK, "124", task=2),
        Dependency(SINGLETON),
    ]


def test_words_of_a_new_release_are_unknown() -> None:
    assert parse("aftermoon:123(waxing)") == [
        Dependency(DependencyKind.UNKNOWN, "123", state=DependencyState.UNKNOWN),
    ]


@pytest.mark.parametrize("text", ["", "(null)", "N/A"])
def test_no_dependency_is_an_empty_list(text: str) -> None:
    assert parse(text) == []


@pytest.mark.parametrize("text", ["afterok:", "afterok:12a", "afterok:1,", "afterok:1_2_3", "afterok:1 (failed)", ":1"])
def test_anything_else_is_an_error_with_the_text(text: str) -> None:
    with pytest.raises(ParseError, match="dependency"):
        parse(text)


@given(st.text(alphabet="afterokny:?,_*+()12\n", max_size=40))
def test_parsing_is_total(text: str) -> None:
    try:
        assert isinstance(parse(text), list)
    except ParseError as error:
        assert error.text == text
