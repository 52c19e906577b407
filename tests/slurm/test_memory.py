"""Amounts of memory."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.memory import mebibytes


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("4000M", 4000),
        ("4G", 4096),
        ("1.50T", 1572864),
        ("75512.50G", 77324800),
        ("2P", 2 * 1024**3),
        ("16000", 16000),
        ("1E", 1024**4),
    ],
)
def test_suffixes_are_powers_of_1024_and_none_is_mebibytes(raw: str, expected: int) -> None:
    assert mebibytes(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), [("512K", 1), ("1K", 1), ("1024K", 1), ("1025K", 2), ("0.01M", 1)])
def test_a_part_of_a_mebibyte_rounds_up(raw: str, expected: int) -> None:
    assert mebibytes(raw) == expected


@pytest.mark.parametrize("raw", ["0", "0M", "0.00G"])
def test_zero_stays_zero(raw: str) -> None:
    assert mebibytes(raw) == 0


@pytest.mark.parametrize("raw", ["N/A", "", "(null)", "UNLIMITED", "4294967294", "18446744073709551614"])
def test_a_placeholder_is_null(raw: str) -> None:
    assert mebibytes(raw) is None


@pytest.mark.parametrize("raw", ["4Gn", "4Gc", "4GB", "G", "-1M", "4 G", "4g", "1e3M", "4G\n"])
def test_an_invalid_amount_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        mebibytes(raw)
    assert caught.value.what == "memory"


@given(st.integers(0, 2**31), st.integers(0, 99), st.sampled_from("KMGT"))
def test_decimals_are_exact(whole: int, hundredths: int, unit: str) -> None:
    kibibytes = Fraction(whole * 100 + hundredths, 100) * 1024 ** "KMGT".index(unit)
    assert mebibytes(f"{whole}.{hundredths:02}{unit}") == math.ceil(kibibytes / 1024)


@given(st.integers(0, 2**31), st.sampled_from(["", "M"]))
def test_whole_mebibytes_read_back(amount: int, suffix: str) -> None:
    assert mebibytes(f"{amount}{suffix}") == amount


@given(st.integers(0, 2**40))
def test_slurms_conversion_to_a_larger_unit_loses_nothing(amount: int) -> None:
    assert mebibytes(f"{amount}G") == mebibytes(f"{amount * 1024}M")


@given(st.text() | st.text("0123456789.KMGTPEnc"))
def test_mebibytes_is_total(raw: str) -> None:
    try:
        amount = mebibytes(raw)
    except ParseError:
        return
    assert amount is None or amount >= 0
