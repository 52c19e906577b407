"""Amounts of memory, "4000M" or "75512.50G" (man squeue, MinMemory; man sacct, ReqMem)."""

import math
import re
from fractions import Fraction

from slurm.errors import ParseError
from slurm.text import NO_NUMBER, NO_VAL

MEBIBYTES = {
    "K": Fraction(1, 1024),
    "": Fraction(1),
    "M": Fraction(1),
    "G": Fraction(1024),
    "T": Fraction(1024**2),
    "P": Fraction(1024**3),
    "E": Fraction(1024**4),
}

_AMOUNT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,9})?)([KMGTPE]?)")


def mebibytes(value: str) -> int | None:
    """Whole MiB, rounded up so that no amount above zero becomes 0; None for a placeholder.

    Suffixes are powers of 1024; a number without one is in MiB already (scontrol's RealMemory). 0 stays 0:
    in a request it means "all of the node's memory" or "not set", in a usage it means none - the caller
    knows which. The suffixes n and c of sacct 20.11's ReqMem are not read here. Raises ParseError.
    """
    if value in NO_NUMBER:
        return None
    match = _AMOUNT.fullmatch(value)
    if match is None:
        raise ParseError("memory", value)
    number, unit = match.groups()
    amount = Fraction(number) * MEBIBYTES[unit]
    if not unit and amount >= NO_VAL:
        return None
    return math.ceil(amount)
