"""Durations, from every command's way to print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.duration import seconds
from slurm.errors import ParseError

HOUR = 3600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0:00", 0),
        ("5:07", 5 * 60 + 7),
        ("59:59", 59 * 60 + 59),
        ("1:00:00", HOUR),
        ("2-03:04:05", 2 * DAY + 3 * HOUR + 4 * 60 + 5),
        ("365-00:00:00", 365 * DAY),
        ("400-00:00:00", 400 * DAY),
        ("00:05:07", 5 * 60 + 7),
        ("1-12", DAY + 12 * HOUR),
        ("1-12:30", DAY + 12 * HOUR + 30 * 60),
        ("90:00", 90 * 60),
    ],
)
def test_seconds(raw: str, expected: int) -> None:
    assert seconds(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), [("00:01.987", 1), ("12:34.999", 754), ("1-00:00:00.500", DAY)])
def test_the_fraction_of_sacct_is_dropped(raw: str, expected: int) -> None:
    assert seconds(raw) == expected


@pytest.mark.parametrize(
    "raw", ["UNLIMITED", "infinite", "Partition_Limit", "NONE", "NOT_SET", "N/A", "n/a", "", "Unknown"]
)
def test_no_limit_and_no_time_are_null(raw: str) -> None:
    assert seconds(raw) is None


def test_squeue_prints_invalid_for_a_limit_over_a_year() -> None:
    assert seconds("INVALID") is None


def test_time_left_of_a_job_past_its_limit_is_null() -> None:
    assert seconds("-1:30") is None


@pytest.mark.parametrize(
    "raw",
    [
        "30",
        "1:2",
        "1:60",
        "1:60:00",
        "1-24:00:00",
        "1-",
        ":30",
        "1:00:00:00",
        "0:00 ",
        "0:00\n",
        "\u0661:00",
        "x",
    ],
)
def test_an_invalid_duration_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        seconds(raw)
    assert caught.value.what == "duration"


def squeue_prints(total: int) -> str:
    """squeue's TimeUsed: no zero padding, and only the parts that are needed."""
    minutes, secs = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}-{hours:02}:{minutes:02}:{secs:02}"
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


@given(st.integers(0, 365 * DAY))
def test_squeues_format_is_parsed_back(total: int) -> None:
    assert seconds(squeue_prints(total)) == total


@given(st.integers(0, 10_000 * DAY))
def test_scontrols_format_is_parsed_back(total: int) -> None:
    days, rest = divmod(total, DAY)
    clock = f"{rest // HOUR:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    assert seconds(f"{days}-{clock}" if days else clock) == total


@given(st.text() | st.text("0123456789-:."))
def test_seconds_is_total(raw: str) -> None:
    try:
        total = seconds(raw)
    except ParseError:
        return
    assert total is None or total >= 0
