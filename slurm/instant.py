"""Points in time, printed as epoch seconds under SLURM_TIME_FORMAT=%s (man squeue, ENVIRONMENT VARIABLES)."""

import re
from datetime import UTC, datetime

from slurm.errors import ParseError

# squeue: N/A and NONE (an end without limit). scontrol: Unknown, None, N/A. sacct: Unknown.
PLACEHOLDERS = frozenset({"", "N/A", "n/a", "NONE", "None", "Unknown", "(null)"})
# "Never" and "not yet" are 0; NO_VAL and INFINITE (slurm/slurm.h) would be dates in the year 2106.
NO_TIME = frozenset({0, 2**32 - 2, 2**32 - 1})

_EPOCH = re.compile(r"[0-9]{1,12}")


def instant(value: str) -> datetime | None:
    """An aware UTC datetime from whole epoch seconds; None for a placeholder and for 0.

    Raises ParseError for anything else: negative numbers, times after the year 9999, and local times such as
    "2024-05-01T10:00:00", which only a missing SLURM_TIME_FORMAT can cause.
    """
    if value in PLACEHOLDERS:
        return None
    if not _EPOCH.fullmatch(value):
        raise ParseError("instant", value)
    epoch = int(value)
    if epoch in NO_TIME:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        raise ParseError("instant", value) from None
