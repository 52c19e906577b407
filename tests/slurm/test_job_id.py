"""Job ids as squeue prints them and as a caller may give them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.job_id import JobId, parse


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("123", JobId(123)),
        ("123_4", JobId(123, task=4)),
        ("123_0", JobId(123, task=0)),
        ("123_[5-9%2]", JobId(123, tasks="5-9%2")),
        ("123_[1,3,5-9:2]", JobId(123, tasks="1,3,5-9:2")),
        ("123_[0-40:4]", JobId(123, tasks="0-40:4")),
        ("123+0", JobId(123, component=0)),
        ("123+12", JobId(123, component=12)),
        ("4294967293", JobId(2**32 - 3)),
    ],
)
def test_an_id_reads_and_prints_as_slurm_spells_it(raw: str, expected: JobId) -> None:
    assert parse(raw) == expected
    assert str(expected) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "-1",
        "--me",
        "1;id",
        "1 2",
        "1,2",
        "name=x",
        "$(id)",
        "",
        "123\n",
        "\u0661",
        "0",
        "0123",
        "123_04",
        "123.batch",
        "123_*",
        "123_",
        "123_[]",
        "123_[1-]",
        "123_[1%]",
        "123_[%2]",
        "123_[1 2]",
        "123_4_5",
        "123_4+0",
        "123+",
        "lab:123",
    ],
)
def test_nothing_else_is_an_id(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(raw)
    assert caught.value.what == "job id"


@pytest.mark.parametrize("raw", ["4294967294", "4294967296", "99999999999", "1_4294967294", "1" * 5000])
def test_no_number_reaches_no_val(raw: str) -> None:
    with pytest.raises(ParseError):
        parse(raw)


@pytest.mark.parametrize("raw", ["123_[1-5,8-...]", "123_[1,3,5,..."])
def test_a_task_list_that_squeue_has_cut_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError):
        parse(raw)


def test_a_long_task_list_reads_at_once() -> None:
    raw = f"7_[{','.join(str(task) for task in range(1, 100_000, 2))}]"
    assert str(parse(raw)) == raw
    with pytest.raises(ParseError):
        parse(raw + "x")


jobs = st.integers(1, 2**32 - 3)
tasks = st.integers(0, 4_000_000)
steps = st.one_of(
    tasks.map(str),
    st.tuples(tasks, tasks).map(lambda bounds: "{}-{}".format(*bounds)),
    st.tuples(tasks, tasks, st.integers(1, 100)).map(lambda parts: "{}-{}:{}".format(*parts)),
)
limits = st.just("") | st.integers(1, 1000).map("%{}".format)
task_lists = st.tuples(st.lists(steps, min_size=1, max_size=5).map(",".join), limits).map("".join)
job_ids = st.one_of(
    st.builds(JobId, jobs),
    st.builds(JobId, jobs, task=tasks),
    st.builds(JobId, jobs, tasks=task_lists),
    st.builds(JobId, jobs, component=st.integers(0, 127)),
)


@given(job_ids)
def test_every_id_reads_back_from_its_spelling(job_id: JobId) -> None:
    assert parse(str(job_id)) == job_id


@given(st.text() | st.text("0123456789_[]-,:%+ "))
def test_parse_is_total_and_changes_no_text(raw: str) -> None:
    try:
        job_id = parse(raw)
    except ParseError:
        return
    assert str(job_id) == raw


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("4_7", "4_[5,7,9%2]", "4_7"),
        ("4_[7]", "4_[5,7,9%2]", "4_7"),
        ("4_[5,9]", "4_[5,7,9%2]", "4_[5,9]"),
        ("4_[2-9]", "4_[1-7:3]", "4_[4-7:3]"),
        ("4_[0-40:4]", "4_[0-40:6]", "4_[0-36:12]"),
        ("4_7", "4_7", "4_7"),
        ("4_6", "4_[5,7,9]", None),
        ("4_[6-8:2]", "4_[5,7,9]", None),
        ("4_[9-5]", "4_7", None),
        ("4_7", "5_7", None),
        ("4", "4_7", None),
        ("4+1", "4_1", None),
    ],
)
def test_the_tasks_that_two_ids_have_in_common(one: str, other: str, both: str | None) -> None:
    found = parse(one).common(parse(other))
    assert (str(found) if found else None) == both


steps = st.builds(lambda low, more, step: f"{low}-{low + more}:{step}", *[st.integers(0, 40)] * 2, st.integers(1, 9))


@given(st.lists(steps, min_size=1, max_size=3), st.lists(steps, min_size=1, max_size=3))
def test_common_tasks_are_those_that_both_hold(one: list[str], other: list[str]) -> None:
    def numbers(id: JobId | None) -> set[int]:
        return {number for numbers in id.task_numbers for number in numbers} if id else set()

    mine, others = (parse(f"4_[{','.join(steps)}]") for steps in (one, other))
    assert numbers(mine.common(others)) == numbers(mine) & numbers(others)


def test_billions_of_tasks_are_not_counted_through() -> None:
    assert str(parse("4_[0-4294967290:2]").common(parse("4_[1-4294967290:2]"))) == "None"
    assert str(parse("4_[0-4294967290]").common(parse("4_7"))) == "4_7"


@pytest.mark.parametrize(
    ("id", "tasks", "left"),
    [
        ("1_[2-5%1]", [3], "1_[2,4-5%1]"),
        ("1_[2-5]", [2, 5, 9], "1_[3-4]"),
        ("1_[1-9:2,20]", [5, 20], "1_[1-3:2,7-9:2]"),
        ("1_[2-3]", [2, 3], "1_[2-3]"),
        ("1_[0-4000000000]", [7], "1_[0-6,8-4000000000]"),
        ("1_2", [2], "1_2"),
        ("1", [2], "1"),
    ],
)
def test_an_id_without_some_tasks(id: str, tasks: list[int], left: str) -> None:
    assert str(parse(id).without(tasks)) == left
