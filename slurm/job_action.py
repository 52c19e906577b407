"""Changing jobs that exist: scancel(1), and scontrol(1) hold, release, requeue, suspend, resume."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from slurm import argument, job_id
from slurm.command import Command, Question, Reply
from slurm.operation import FLAG, Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, each_refusal
from slurm.states import DescribedEnum

_SIGNAL = r"(SIG)?[A-Z][A-Z0-9]{1,9}|[1-9][0-9]?"
SIGNAL = argument.matching(
    _SIGNAL,
    "must be a name or number such as TERM, USR1 or 9",
    "a number from 1 to 99, or a name of at most 13 characters",
)
NOT_RUNNING = "The job does not run, so no signal reaches it. KILL alone ends a job that waits or is suspended."
_KILL = ("KILL", "SIGKILL", "9")
_OF_SOME = re.compile(
    r"Kill job error on job id \d+_\[.+\]: (Invalid job id specified|Job/step already completing or completed)"
)
_DONE = re.compile(r"^([0-9]+)_\[?([0-9,:-]+)\]?: No error$", re.MULTILINE)

SCANCEL = Operation(
    "scancel",
    words=("scancel", "--verbose"),  # without it, scancel passes over unknown and ended jobs in silence, with 0
    options={"signal": _SIGNAL, "state": "RUNNING", "batch": FLAG, "full": FLAG},
    argument=job_id.ARGUMENT,
    runs_as=RunsAs.CALLER,
)


def _scontrol(verb: str, runs_as: RunsAs) -> Operation:
    return Operation(f"scontrol {verb}", words=("scontrol", verb), argument=job_id.ARGUMENT, runs_as=runs_as)


HOLD = _scontrol("hold", RunsAs.CALLER)
RELEASE = _scontrol("release", RunsAs.CALLER)
REQUEUE = _scontrol("requeue", RunsAs.CALLER)
SUSPEND = _scontrol("suspend", RunsAs.ADMINISTRATOR)
RESUME = _scontrol("resume", RunsAs.ADMINISTRATOR)


class SignalTarget(DescribedEnum):
    """Which of a job's processes a signal is for (scancel(1))."""

    STEPS = "STEPS", "What srun started; the batch script alone is left out, unless the signal ends the job."
    BATCH = "BATCH", "The batch script's shell alone. scancel: --batch."
    FULL = "FULL", "The batch script with all that it started, and the steps. scancel: --full."


_TARGET_OPTIONS = {SignalTarget.STEPS: {}, SignalTarget.BATCH: {"batch": ""}, SignalTarget.FULL: {"full": ""}}


def cancel(
    jobs: Sequence[str], signal: str | None = None, target: SignalTarget = SignalTarget.STEPS
) -> Question[list[Refusal | None]]:
    """Cancel each job, or send it a signal by name or number; for each None, or why not.

    `target` only matters with a signal. Slurm delivers KILL to every job, other signals only to running jobs: scancel
    would retry for a minute and a half for a job that waits or is suspended ("Job is in transitional state,
    retrying"). `--state=RUNNING` makes it pass over such jobs.
    """
    if signal is None:
        return _each(Command(SCANCEL), jobs)
    options = {"signal": signal, **_TARGET_OPTIONS[target]}
    if signal not in _KILL:
        options["state"] = "RUNNING"
    question = _each(Command(SCANCEL, options=options), jobs)
    return Question(question.commands, lambda replies: [_passed_over(why) for why in question.read(replies)])


def _passed_over(why: Refusal | None) -> Refusal | None:
    """What scancel prints of a job that --state passes over; for a missing job it prints other lines."""
    if why is None:
        return None
    if "Unknown job signal" in why.message:
        return replace(why, field=[*argument.INPUT, "signal"])
    lines = [line for line in why.message.splitlines() if not line.startswith("No active jobs match")]
    if lines:
        return replace(why, message="\n".join(lines))
    return replace(why, code=RefusalCode.CONFLICT, message=NOT_RUNNING)


def hold(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Keep each waiting job from starting; for each None, or why not."""
    return _each(Command(HOLD), jobs)


def release(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Let each held job start; for each None, or why not."""
    return _each(Command(RELEASE), jobs)


def requeue(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Stop each running or finished job and put it back into its queue; for each None, or why not."""
    return _each(Command(REQUEUE), jobs)


def suspend(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Stop each running job's processes, so that others can have its CPUs; for each None, or why not.

    Slurm's administrators only, the job's own user not among them.
    """
    return _each_suspended(Command(SUSPEND), jobs)


def resume(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """Let each suspended job go on; for each None, or why not. Slurm's administrators only."""
    return _each_suspended(Command(RESUME), jobs)


def is_of_some_tasks(why: Refusal) -> bool:
    """Whether scancel says no of `7_[0-9]` because of some tasks: it cancels the others, and does not say which."""
    return _OF_SOME.match(why.message) is not None


def done_tasks(why: Refusal) -> list[str]:
    """The tasks that scontrol acted on, where it refused others of the array: it says `7_2-5: No error` of them."""
    return [f"{job}_{tasks}" if tasks.isdigit() else f"{job}_[{tasks}]" for job, tasks in _DONE.findall(why.message)]


def _each(command: Command, jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    """One command a job, so that every job has its own answer."""
    commands = tuple(Command(command.operation, command.options, (job_id.argument(job),)) for job in jobs)
    return Question(commands, partial(_read, jobs=jobs))


def _each_suspended(command: Command, jobs: Sequence[str]) -> Question[list[Refusal | None]]:
    question = _each(command, jobs)
    return Question(question.commands, lambda replies: [_unknown(why) for why in question.read(replies)])


def _unknown(why: Refusal | None) -> Refusal | None:
    """scontrol's word for a job that slurmctld does not know, when it is to be suspended or resumed (22.05)."""
    if why and "Unexpected message received" in why.message:
        return Refusal(RefusalCode.NOT_FOUND, why.message, why.field, why.id)
    return why


def _read(replies: Sequence[Reply], jobs: Sequence[str]) -> list[Refusal | None]:
    """For each job None, or why nothing was done to it. Raises as `each_refusal` does."""
    return [replace(why, id=job) if why else None for why, job in zip(each_refusal(replies), jobs, strict=True)]
