"""Words and numbers: which texts are placeholders, and which only look like one."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.text import big_integer, decimal, integer, text_or_none, word

LOOKALIKES = [
    "N/A",
    "None",
    "Unknown",
    "INVALID",
    " ",
    "NULL",
    "|",
    "line\nbreak",
    "JobId=1 JobState=RUNNING",
]


def test_free_text_is_null_only_as_slurm_prints_null() -> None:
    assert [text_or_none(printed) for printed in ("(null)", "")] == [None, None]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_job_may_be_named_like_a_placeholder(name: str) -> None:
    assert text_or_none(name) == name


@pytest.mark.parametrize("raw", ["", "N/A", "n/a", "(null)", "None", "NONE", "Unknown", "NOT_SET", "INVALID"])
def test_a_controlled_word_is_null_in_every_placeholder(raw: str) -> None:
    assert word(raw) is None


@pytest.mark.parametrize("raw", ["physics", "normal", "Resources,None", "ReqNodeNotAvail, May be reserved"])
def test_a_controlled_word_is_kept_as_printed(raw: str) -> None:
    assert word(raw) == raw


@pytest.mark.parametrize(("raw", "number"), [("0", 0), ("42", 42), ("-100", -100), ("2147483647", 2**31 - 1)])
def test_integer(raw: str, number: int) -> None:
    assert integer(raw) == number


@pytest.mark.parametrize("raw", ["N/A", "n/s", "(null)", "", "UNLIMITED", "infinite"])
def test_integer_of_a_placeholder_is_null(raw: str) -> None:
    assert integer(raw) is None


@pytest.mark.parametrize("raw", ["4294967294", "4294967295", "18446744073709551614", "-2"])
def test_no_val_and_infinite_are_null_at_every_width(raw: str) -> None:
    assert integer(raw) is None


@pytest.mark.parametrize("raw", ["4K", "1.5", "1-2", "0x10", "1_000", "\u0663", "12\n", " 12", "1" * 5000])
def test_an_invalid_integer_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        integer(raw)
    assert caught.value.what == "integer"
    assert caught.value.text == raw


@pytest.mark.parametrize(("raw", "number"), [("0.00", 0.0), ("3.25", 3.25), ("128", 128.0)])
def test_decimal(raw: str, number: float) -> None:
    assert decimal(raw) == number


def test_the_load_of_a_node_that_never_reported_is_null() -> None:
    assert decimal("N/A") is None
    assert decimal("42949672.94") is None  # 23.11 on: NO_VAL in hundredths


@pytest.mark.parametrize("raw", ["nan", "inf", "1e5", "1_0.0", ".", "-"])
def test_an_invalid_decimal_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError):
        decimal(raw)


def test_the_error_keeps_the_text_and_shows_its_start() -> None:
    error = ParseError("hostlist", "n" * 5000)
    assert error.text == "n" * 5000
    assert len(str(error)) < 300
    assert str(ParseError("duration", "1:2\n3")) == r"not a valid duration: '1:2\n3'"


def test_the_error_survives_copying() -> None:
    error = ParseError("duration", "x")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - the test's own bytes
        assert (twin.what, twin.text, str(twin)) == ("duration", "x", str(error))


@given(st.integers(min_value=0, max_value=2**32 - 3))
def test_every_unsigned_number_reads_back(number: int) -> None:
    assert big_integer(str(number)) == number


@pytest.mark.parametrize("number", [2**31, 2**32 - 3, -(2**31) - 1])
def test_what_graphqls_int_cannot_hold_is_no_count(number: int) -> None:
    with pytest.raises(ParseError):
        integer(str(number))


@given(st.text() | st.text("0123456789.-+eN/A"))
def test_numbers_are_total(raw: str) -> None:
    for parse in (integer, decimal):
        try:
            number = parse(raw)
        except ParseError:
            continue
        assert number is None or number == float(raw)
