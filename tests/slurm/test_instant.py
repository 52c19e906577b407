"""Points in time under SLURM_TIME_FORMAT=%s."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.instant import instant


def test_epoch_seconds_are_an_aware_time_in_utc() -> None:
    moment = instant("1714557600")
    assert moment == datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("raw", ["N/A", "NONE", "None", "Unknown", "", "0"])
def test_no_time_is_null(raw: str) -> None:
    assert instant(raw) is None


@pytest.mark.parametrize("raw", ["4294967294", "4294967295"])
def test_no_val_is_not_a_date_in_2106(raw: str) -> None:
    assert instant(raw) is None


@pytest.mark.parametrize("raw", ["253402300800", "999999999999", "1" * 5000])
def test_a_time_after_the_year_9999_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        instant(raw)
    assert caught.value.what == "instant"


@pytest.mark.parametrize("raw", ["2024-05-01T10:00:00", "####", "-1", "1.5", " 1714557600", "1714557600\n", "\u0661"])
def test_a_local_time_is_an_error_not_a_guess(raw: str) -> None:
    with pytest.raises(ParseError):
        instant(raw)


@given(st.integers(1, 253402300799).filter(lambda epoch: epoch not in (2**32 - 2, 2**32 - 1)))
def test_every_second_reads_back(epoch: int) -> None:
    moment = instant(str(epoch))
    assert moment is not None
    assert int(moment.timestamp()) == epoch


@given(st.text() | st.text("0123456789-"))
def test_instant_is_total(raw: str) -> None:
    try:
        moment = instant(raw)
    except ParseError:
        return
    assert moment is None or moment.tzinfo is UTC
