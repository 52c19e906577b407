"""Durations and time limits, "1-02:03:04" (man squeue, TimeUsed and TimeLimit; man sacct, Elapsed)."""

import re

from slurm.errors import ParseError
from slurm.text import BigInt

PLACEHOLDERS = frozenset(
    {
        "",
        "unlimited",
        "infinite",
        "invalid",
        "not_set",
        "n/a",
        "n/s",
        "partition_limit",
        "none",
        "unknown",
        "(null)",
    }
)

_CLOCK = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{2})(?:\.[0-9]{1,9})?")
_DAYS = re.compile(r"([0-9]{1,9})-([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?)?")


def seconds(value: str) -> BigInt | None:
    """A duration in whole seconds; None for a placeholder, an unlimited limit and a negative time.

    Forms: "M:SS", "H:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS", padded or not; only the first part may exceed
    its clock's range. sacct's CPU times carry a fraction ("00:01.987"), which is dropped, as Slurm itself
    truncates. squeue prints INVALID for a negative time (a job past its limit) and for one above 365 days,
    and older releases print the negative time itself; both are None. A bare number is refused: it is
    minutes in a limit (TimelimitRaw) and seconds in a usage (ElapsedRaw). Raises ParseError.
    """
    if value.lower() in PLACEHOLDERS:
        return None
    total = _total(value.removeprefix("-"))
    if total is None:
        raise ParseError("duration", value)
    return None if value.startswith("-") else total


def _total(value: str) -> int | None:
    if match := _DAYS.fullmatch(value):
        days, hours, minutes, secs = (int(part or 0) for part in match.groups())
        return None if hours > 23 else _sum(days, hours, minutes, secs)
    if match := _CLOCK.fullmatch(value):
        if match[1] is None:
            return _sum(0, 0, 0, int(match[3]), int(match[2]))
        return _sum(0, int(match[1]), int(match[2]), int(match[3]))
    return None


def _sum(days: int, hours: int, minutes: int, secs: int, leading_minutes: int = 0) -> int | None:
    if minutes > 59 or secs > 59:
        return None
    return ((days * 24 + hours) * 60 + minutes + leading_minutes) * 60 + secs
