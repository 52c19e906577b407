"""Changing jobs that exist: scancel(1), and scontrol(1) hold, release, requeue."""

import re
from collections.abc import Sequence
from functools import partial

from slurm import job_id
from slurm.command import Command, Question, Reply
from slurm.refusal import Refusal, refusal

SIGNAL = re.compile(r"(SIG)?[A-Z][A-Z0-9]{1,9}|[1-9][0-9]?")


def cancel(jobs: Sequence[str], signal: str | None = None) -> Question[list[Refusal | None]]:
    """Cancel each job, or send it a signal by name or number; for each None, or why not.

    `--verbose` makes scancel tell of unknown and finished jobs, which it otherwise passes over with exit code 0.
    """
    options = {"signal": signal} if signal else {}
    return _each(Command("scancel", options=options), jobs)


def hold(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Keep each waiting job from starting; for each None, or why not."""
    return _each(Command("scontrol hold"), jobs)


def release(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Let each held job start; for each None, or why not."""
    return _each(Command("scontrol release"), jobs)


def requeue(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Stop each running or finished job and put it back into its queue; for each None, or why not."""
    return _each(Command("scontrol requeue"), jobs)


def _each(command: Command, jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """One command a job, so that every job has its own answer."""
    commands = tuple(Command(command.operation, command.options, (_argument(job),)) for job in jobs)
    return Question(commands, partial(_read, jobs=jobs))


def _argument(job: str) -> str:
    """The id without an array's `%limit`, which squeue shows and scancel does not take. Raises ParseError."""
    return re.sub(r"%\d+\]$", "]", str(job_id.parse(job)))


def _read(replies: Sequence[Reply], jobs: Sequence[str]) -> list[Refusal | None]:
    found = (refusal(reply) for reply in replies)
    return [
        Refusal(why.code, why.message, why.field, job) if why else None for job, why in zip(jobs, found, strict=True)
    ]
