"""How a job or a step ended: squeue's exit_code, sacct's ExitCode and DerivedExitCode.

squeue and sacct differ: a job that its time limit ended has status 15 (a signal) in squeue and 0:0 in sacct, and a job
that never started has 0, 1 or 0:1. `of_job` makes one answer of both.
"""

import re
from dataclasses import dataclass

from slurm.errors import ParseError
from slurm.states import JobState
from slurm.text import NO_NUMBER, NO_VAL

_PAIR = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_STATUS = re.compile(r"[0-9]{1,10}")

SIGNAL_BITS = 0x7F
STOPPED = 0x7F
HIGHEST_STATUS = 0xFFFF
TAKEN_OFF = 128


@dataclass(frozen=True, slots=True)
class ExitCode:
    """The code a job exited with, or the signal that ended it; both None where Slurm has neither.

    A job ended by a signal has no exit code: Slurm prints 0 for it, which would read as success, so it is
    None.
    """

    code: int | None
    signal: int | None


def exit_code(value: str) -> ExitCode:
    """The end that a raw wait status (squeue up to 22.05) or "N:S" (from 23.02) means.

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


NOTHING = ExitCode(None, None)


def of_job(status: str, state: JobState, has_run: bool) -> ExitCode:
    """How the batch script ended, if the job ended by itself: COMPLETED or FAILED, after it had nodes.

    What Slurm ended (CANCELLED, TIMEOUT, NODE_FAIL ...) and what never started has neither code nor signal, whatever
    status Slurm prints for it. Raises ParseError.
    """
    return exit_code(status) if has_run and state in (JobState.COMPLETED, JobState.FAILED) else NOTHING


def of_accounted_job(status: str, derived: str, state: JobState, has_run: bool) -> ExitCode:
    """The same from sacct's ExitCode and DerivedExitCode.

    sacct takes 128 off codes of 128 or more, up to 25.05. DerivedExitCode, the highest end of the job's srun steps, is
    never reduced: where it is 128 more than the job's code, or the signal of that number, srun ended with 128 more, and
    the script with it. A FAILED job with code 0 ended with 128. Raises ParseError.
    """
    ended = of_job(status, state, has_run)
    if ended.code is None or state is JobState.COMPLETED:
        return ended
    last = exit_code(derived)
    if last.code == ended.code + TAKEN_OFF or (last.signal is not None and last.signal == ended.code):
        return ExitCode(ended.code + TAKEN_OFF, None)
    return ended if ended.code else ExitCode(TAKEN_OFF, None)


def of_step(status: str, state: JobState) -> ExitCode:
    """How a step ended, from sacct's ExitCode: Slurm calls a step CANCELLED, too, if a signal ended it.

    No other end but success has code 0: Slurm prints 0:0 for a step that ended with its srun, and up to 25.05 for 128.
    """
    ended = exit_code(status)
    return ended if ended.code != 0 or state is JobState.COMPLETED else NOTHING


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
