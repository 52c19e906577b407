"""Words and numbers as squeue, sinfo, scontrol and sacct print them, without their placeholders."""

import re
from typing import Annotated

from slurm.errors import ParseError

BIG_INT = "BigInt"
BigInt = Annotated[int, BIG_INT]
"""A whole number that may exceed GraphQL's Int, which has 32 bits: the schema shows it as the scalar BigInt."""
INT_LIMIT = 2**31
"""The first number that GraphQL's Int cannot hold."""

NULL = "(null)"
NO_WORD = frozenset({"", "N/A", "n/a", NULL, "None", "NONE", "Unknown", "NOT_SET", "INVALID"})
NO_NUMBER = NO_WORD | {"n/s", "none", "UNLIMITED", "infinite"}

# slurm/slurm.h: NO_VAL is 0xfffffffe and INFINITE 0xffffffff; their 64-bit kin lie above. JSON of 22.05
# prints NO_VAL of a signed 64-bit field as -2.
NO_VAL = 2**32 - 2
NO_VAL_SIGNED = -2

# A node that never reported has load NO_VAL, stored in hundredths: 42949672.94.
HIGHEST_LOAD = 4e7

_INTEGER = re.compile(r"-?[0-9]{1,40}")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{0,40})?")


def verbatim(value: str) -> str:
    """The text as Slurm prints it."""
    return value


def text_or_none(value: str) -> str | None:
    """Free text, such as a job's comment; None where Slurm prints nothing, or "(null)".

    Slurm prints a NULL string as "(null)" (man squeue), just like a user's own "(null)". An empty comment is none, too:
    scontrol clears a comment with it. All other words that are placeholders elsewhere ("N/A", "None") may be text.
    """
    return None if value in ("", NULL) else value


def entries(value: str) -> list[str]:
    """The entries of a list with commas; [] where Slurm prints nothing, or "(null)"."""
    return [entry for entry in value.split(",") if entry not in ("", NULL)]


def word(value: str) -> str | None:
    """A word from a closed vocabulary, such as an account, a QOS or a reason; None for any placeholder.

    Placeholders: "", "N/A", "n/a", "(null)", "None", "NONE", "Unknown", "NOT_SET", "INVALID".
    """
    return None if value in NO_WORD else value


def integer(value: str) -> int | None:
    """A count that GraphQL's Int can hold; otherwise as `big_integer`. Raises ParseError, also for 2**31 and above."""
    number = big_integer(value)
    return None if number is None else small(number)


def small(number: int) -> int:
    """The number, if GraphQL's Int can hold it. Raises ParseError."""
    if not -INT_LIMIT <= number < INT_LIMIT:
        raise ParseError("integer of 32 bits", str(number))
    return number


def big_integer(value: str) -> BigInt | None:
    """A whole number; None for a placeholder, an unlimited limit and Slurm's NO_VAL and INFINITE.

    -2 and everything from 2**32 - 2 upward are NO_VAL or INFINITE (slurm/slurm.h). Raises ParseError.
    """
    if value in NO_NUMBER:
        return None
    if not _INTEGER.fullmatch(value):
        raise ParseError("integer", value)
    number = int(value)
    return None if number >= NO_VAL or number == NO_VAL_SIGNED else number


def decimal(value: str) -> float | None:
    """A number with a fraction, such as a node's CPULoad; None for a placeholder and for NO_VAL.

    From 23.11 scontrol prints NO_VAL's hundredth (42949672.94) where it printed N/A before, so anything
    above 4e7 is None. Raises ParseError.
    """
    if value in NO_NUMBER:
        return None
    if not _DECIMAL.fullmatch(value):
        raise ParseError("decimal", value)
    number = float(value)
    return None if number > HIGHEST_LOAD else number
