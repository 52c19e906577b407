"""The use of steps that run now, as slurmd measures it (sstat(1)). One line of the table is one field.

sstat has no `--delimiter` in any version from 20.11 to 26.05. None of these columns holds a text that users write: ids,
numbers and node names have neither `|` nor newlines, so that its own separator will do.

slurmd answers only the job's own user, root and Slurm's administrators; sstat therefore runs as the caller, and for an
operator once more as Slurm's administrator. The steps of other people's jobs have no rows.
"""

import re
from collections.abc import Sequence

from slurm import argument, framing
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, SlurmError, require_success
from slurm.duration import seconds
from slurm.errors import Unreadable
from slurm.hostlist import expand
from slurm.operation import Operation, RunsAs
from slurm.text import integer, verbatim
from slurm.usage import bytes_as_mebibytes, total_cpu_time, total_memory


class NotPermittedError(SlurmError):
    """slurmd shows the usage of a job's steps only to its user and Slurm's administrators."""


def _job(step: str) -> str:
    return step.partition(".")[0]


class RunningStep(Record):
    """What a running step has used until now; where sacct.Step has a field too, names and types are the same."""

    step_id = Column(
        verbatim,
        "JobID",
        about="The step, with the number that slurmctld knows its job by: `123.0`, `123.batch`. sstat: JobID.",
    )
    task_count = Column(integer, "NTasks", about="How many tasks it has. sstat: NTasks.")
    node_names = Column(expand, "Nodelist", about="The names of the step's nodes. sstat: Nodelist.")
    cpu_time_seconds = Column(
        total_cpu_time,
        "TRESUsageInTot",
        about="CPU time that its tasks have used, in seconds, user and system. sstat: TRESUsageInTot, cpu.",
    )
    ave_cpu_seconds = Column(
        seconds, "AveCPU", about="CPU time that a task has used on average, in seconds. sstat: AveCPU."
    )
    max_rss_mib = Column(
        bytes_as_mebibytes,
        "MaxRSS",
        about="The most memory that one of its tasks has had resident, in MiB. sstat: MaxRSS.",
    )
    ave_rss_mib = Column(
        bytes_as_mebibytes,
        "AveRSS",
        about="Resident memory at the last look, averaged over its tasks, in MiB. sstat: AveRSS.",
    )
    total_rss_mib = Column(
        total_memory,
        "TRESUsageInTot",
        about="Resident memory at the last look, summed over its tasks, in MiB. sstat: TRESUsageInTot, mem.",
    )

    raw_id = Column(_job, "JobID", about="The number that slurmctld knows the step's job by.")


SSTAT = Operation(
    "sstat",
    words=("sstat", "--noheader", "--allsteps", "--parsable2", "--noconvert"),
    options={"format": framing.COLUMNS, "jobs": argument.listed(argument.NUMBER)},
    runs_as=RunsAs.CALLER,
)


def running_steps(raw_ids: Sequence[str]) -> Question[Rows[RunningStep]]:
    """The running steps of running jobs, given by the numbers that slurmctld knows them by (`squeue.Job.raw_id`).

    `.extern` is among them if the cluster has it. Jobs that do not run and jobs of other users have no rows. The answer
    may hold rows of other jobs: an array's last task has the array's number, for which sstat prints all of its tasks.
    """
    options = {"format": ",".join(RunningStep.sources()), "jobs": ",".join(raw_ids)}
    return Question((Command(SSTAT, options),) if raw_ids else (), read)


def read(replies: Sequence[Reply]) -> Rows[RunningStep]:
    """One row a step; sstat says what it could not read on stderr, with exit code 0.

    Raises NotPermittedError if that is all it says, ProgramRefusedError (the caller has no account on the cluster),
    SchedulerUnavailableError, SlurmError.
    """
    columns = RunningStep.sources()
    records, lost = dict[str, list[str]](), list[Unreadable]()
    for line in [line for reply in replies for line in _lines(reply)]:
        record = line.split("|")
        if len(record) == len(columns):
            records[record[0]] = record
        else:
            lost.append(Unreadable.record("record", line))
    texts = {column: [record[at] for record in records.values()] for at, column in enumerate(columns)}
    return Rows.readable(RunningStep, texts, lost)


def _lines(reply: Reply) -> list[str]:
    denied = re.search("Invalid user id|denied", reply.stderr)
    lines = [] if denied and not reply.stdout else require_success(reply).splitlines()
    if denied and not lines:
        raise NotPermittedError("only the job's own user and Slurm's administrators may see what its steps use now")
    return lines
