"""How a job ended: squeue's exit_code and sacct's ExitCode and DerivedExitCode."""

import re
from dataclasses import dataclass

from slurm.errors import ParseError
from slurm.text import NO_NUMBER, NO_VAL

_PAIR = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_STATUS = re.compile(r"[0-9]{1,10}")

SIGNAL_BITS = 0x7F
STOPPED = 0x7F
HIGHEST_STATUS = 0xFFFF


@dataclass(frozen=True, slots=True)
class ExitCode:
    """The code a job exited with, or the signal that ended it; both None where Slurm has neither.

    A job ended by a signal has no exit code: Slurm prints 0 for it, which would read as success, so it is
    None.
    """

    code: int | None
    signal: int | None


def exit_code(value: str) -> ExitCode:
    """The end that a raw wait status (squeue up to 22.05) or "N:S" (from 23.02) tells of.

    "768" and "3:0" are code 3, "9" and "0:9" are signal 9. sacct always prints "N:S", and up to 25.05
    takes 128 off codes above 127. A job that has not ended prints 0 or 0:0, here code 0: only the caller
    knows its state. A job refused at submission (FAILED, BadConstraints) has status 1, which Slurm itself
    shows as signal 1. A stopped status (0x7f) is neither. Raises ParseError.
    """
    if value in NO_NUMBER:
        return ExitCode(None, None)
    if pair := _PAIR.fullmatch(value):
        return _ended(int(pair[1]), int(pair[2]))
    if not _STATUS.fullmatch(value):
        raise ParseError("exit code", value)
    status = int(value)
    if status in (NO_VAL, NO_VAL + 1):
        return ExitCode(None, None)
    if status > HIGHEST_STATUS:
        raise ParseError("exit code", value)
    return _waited(status)


def _waited(status: int) -> ExitCode:
    """wait(2)'s layout: the signal in the low seven bits, a core dump in the eighth, the code above."""
    signal = status & SIGNAL_BITS
    if signal == STOPPED:
        return ExitCode(None, None)
    return _ended(0 if signal else status >> 8, signal)


def _ended(code: int, signal: int) -> ExitCode:
    if signal == 0:
        return ExitCode(code, None)
    return ExitCode(code or None, signal)
