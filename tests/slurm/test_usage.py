"""What steps used, as sacct and sstat print it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.usage import bytes_as_mebibytes, largest, total_cpu_time, total_memory

# A step with two tasks, each with 40 MiB and busy for 7 s (sstat, Slurm 22.05.8).
USAGE = "cpu=00:00:13,energy=0,fs/disk=88236,mem=100118528,pages=0,vmem=112467968"


@pytest.mark.parametrize(
    ("raw", "mebibytes"),
    [("0", 0), ("1", 1), ("1048576", 1), ("1048577", 2), ("134053888", 128), ("3332K", 4), ("1.5G", 1536)],
)
def test_bytes_are_rounded_up_so_that_use_never_becomes_none(raw: str, mebibytes: int) -> None:
    assert bytes_as_mebibytes(raw) == mebibytes


@pytest.mark.parametrize("raw", ["", "N/A"])
def test_nothing_measured_is_null(raw: str) -> None:
    assert bytes_as_mebibytes(raw) is None


def test_the_largest_of_several_steps() -> None:
    assert largest("10956800,3411968,,134053888") == 128
    assert largest(",") is None


def test_memory_and_cpu_time_of_all_tasks() -> None:
    assert (total_memory(USAGE), total_cpu_time(USAGE)) == (96, 13)


def test_a_usage_without_them() -> None:
    assert (total_memory(""), total_cpu_time(""), total_memory("energy=0")) == (None, None, None)


def test_days_of_cpu_time() -> None:
    assert total_cpu_time("cpu=2-01:00:00") == 49 * 3600


@given(st.integers(0, 2**60))
def test_no_bytes_are_lost(count: int) -> None:
    found = bytes_as_mebibytes(str(count))
    assert found is not None
    assert (found - 1) * 2**20 < count <= found * 2**20 or found == count == 0


@given(st.text() | st.text("0123456789KMG.,=cpumem:"))
def test_reading_use_is_total(raw: str) -> None:
    for read in (bytes_as_mebibytes, largest, total_memory, total_cpu_time):
        try:
            value = read(raw)
        except ParseError:
            continue
        assert value is None or value >= 0
