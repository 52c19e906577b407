"""Amounts of memory, "4000M" or "75512.50G" (man squeue, MinMemory; man sacct, ReqMem)."""

import re

from slurm.errors import ParseError
from slurm.text import NO_NUMBER, NO_VAL, BigInt

KIBIBYTES = {"K": 1, "": 1024, "M": 1024, "G": 1024**2, "T": 1024**3, "P": 1024**4, "E": 1024**5}

_AMOUNT = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,9}))?([KMGTPE]?)")


def mebibytes(value: str) -> BigInt | None:
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
    whole, fraction, unit = match[1], match[2] or "", match[3]
    if not unit and int(whole) >= NO_VAL:
        return None
    # In whole numbers, as a float cannot hold every amount.
    scaled_kibibytes = int(whole + fraction) * KIBIBYTES[unit]
    scaled_mebibyte: int = 1024 * 10 ** len(fraction)
    return -(-scaled_kibibytes // scaled_mebibyte)
