"""How far a job is, and whether it succeeded: what follows from its state and its times, by squeue and by sacct."""

from datetime import datetime
from enum import Enum

from slurm.exit_code import exit_code
from slurm.instant import instant
from slurm.reason import ReasonCode, reason_code
from slurm.states import JobPhase, JobState, job_state

PHASE = (
    "Whether it waits, has its nodes, or has ended. Every state belongs to one phase, so that no client needs a list "
    "of states. A job in a state that this API does not know is ACTIVE until accounting has its end."
)
SUCCEEDED = (
    "Whether the job ended with exit code 0: true for that alone, false for every other end, also if the job never "
    "started. Null until it ended. Also null if its end is not known here: the job went to a sibling cluster "
    "(REVOKED), or Slurm has no exit code of a COMPLETED job."
)
UPDATE_TIME = (
    "The last change of the job that Slurm dates: it was submitted or requeued, started, or ended. Slurm does not "
    "record when a job was held, released, changed, suspended or resumed, nor when its nodes were cleaned up."
)


class Hold(Enum):
    """Who may release a held job."""

    USER = "its user"
    ADMINISTRATOR = "an administrator alone"


def phase(state: str) -> JobPhase:
    """The phase by squeue's State, which does not say whether a job in an unknown state has ended."""
    return job_state(state).phase


def accounted_phase(state: str, end: str) -> JobPhase:
    """The phase by sacct's State and End: a job in an unknown state has ended once it has an end."""
    known = job_state(state)
    return JobPhase.ENDED if known is JobState.UNKNOWN and instant(end) else known.phase


def succeeded(status: str, state: str) -> bool | None:
    """Whether the job succeeded, by its exit status and State. Raises ParseError.

    Slurm gives only jobs with exit code 0 the state COMPLETED. That includes jobs without nodes, which have no script.
    """
    known = job_state(state)
    if known is not JobState.COMPLETED:
        return None if known.phase is not JobPhase.ENDED or known is JobState.REVOKED else False
    ended = exit_code(status)
    return None if ended.code is None and ended.signal is None else ended.code == 0


def update_time(submit: str, start: str, end: str, state: str) -> datetime | None:
    """The last of a job's times that have come: squeue estimates the start of a waiting job and the end of any other.

    Raises ParseError.
    """
    known = job_state(state).phase
    texts = [submit, *([start] if known is not JobPhase.WAITING else []), *([end] if known is JobPhase.ENDED else [])]
    return max((time for time in map(instant, texts) if time is not None), default=None)


def hold(priority: str, state: str, reason: str) -> Hold | None:
    """Who may release the job; None if it does not wait, or is not held. A held job has priority 0."""
    known = job_state(state)
    requeued = known in (JobState.REQUEUE_HOLD, JobState.SPECIAL_EXIT)
    if known.phase is not JobPhase.WAITING or not (requeued or priority == "0"):
        return None
    return Hold.ADMINISTRATOR if reason_code(reason) is ReasonCode.JOB_HELD_ADMIN else Hold.USER
