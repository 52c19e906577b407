"""Memory and CPU time used, as sacct(1) and sstat(1) print them with --noconvert (MaxRSS, TRESUsageInTot)."""

import re

from slurm.duration import seconds
from slurm.memory import mebibytes
from slurm.text import NO_NUMBER, BigInt
from slurm.tres import tres

_BYTES = re.compile(r"[0-9]{1,20}")


def bytes_as_mebibytes(value: str) -> BigInt | None:
    """Whole MiB, rounded up, from plain bytes ("3411968") or an amount with a suffix ("3332K"); None for no value.

    Raises ParseError.
    """
    if value in NO_NUMBER:
        return None
    return -(-int(value) // 2**20) if _BYTES.fullmatch(value) else mebibytes(value)


def largest(values: str) -> BigInt | None:
    """The largest of several amounts joined by commas, in MiB; None if none has a value. Raises ParseError."""
    return max(
        (amount for value in values.split(",") if (amount := bytes_as_mebibytes(value)) is not None), default=None
    )


def total_memory(usage: str) -> BigInt | None:
    """The memory in a usage, "cpu=00:00:07,mem=3391488", in MiB; None where it has none. Raises ParseError."""
    return bytes_as_mebibytes(tres(usage).get("mem", ""))


def cpu_time(value: str) -> BigInt | None:
    """CPU time, in whole seconds; None for no value. Raises ParseError."""
    return seconds(value)


def total_cpu_time(usage: str) -> BigInt | None:
    """The CPU time in a usage, in seconds; None where it has none. Raises ParseError."""
    return cpu_time(tres(usage).get("cpu", ""))
