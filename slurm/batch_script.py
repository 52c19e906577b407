"""A job's batch script, as slurmctld keeps it while it knows the job (scontrol(1), write batch_script)."""

import re
from collections.abc import Sequence

from slurm import job_id
from slurm.command import Command, Question, Reply, require_scheduler
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, refusal

_FAILED = re.compile(r"job script retrieval failed: (?P<why>.*)")
_NONE = "Job script not specified"


WRITE = Operation(
    "scontrol write batch_script",
    words=("scontrol", "write", "batch_script"),
    argument=job_id.ARGUMENT,
    last_words=("-",),
    runs_as=RunsAs.CALLER,
)


def batch_script(job: str) -> Question[str | Refusal | None]:
    """The script that the job was submitted with, byte for byte where it is UTF-8; asked for as the calling user.

    None for a job without one. A Refusal for a job that slurmctld does not know (any more), and for one that is not
    the user's: only its owner and Slurm's administrators see a script. Raises ParseError if `job` is no job id.
    """
    parsed = job_id.parse(job)
    task = f"_{parsed.task}" if parsed.task is not None else ""
    component = f"+{parsed.component}" if parsed.component is not None else ""
    return Question((Command(WRITE, arguments=(f"{parsed.job}{task}{component}",)),), read)


def read(replies: Sequence[Reply]) -> str | Refusal | None:
    """The script from stdout; scontrol ends with 0 when it fails, too (22.05). Raises SchedulerUnavailableError."""
    (reply,) = replies
    require_scheduler(reply)
    failed = _FAILED.search(reply.stderr)
    if failed is None:
        return refusal(reply) or reply.stdout
    return None if failed["why"] == _NONE else refusal(Reply(1, stderr=failed["why"]))
