"""Jobs, as squeue lists them (squeue(1)). One line of the table is one field: Slurm's column, parser, meaning."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from slurm import argument, framing, job_gpus, job_id, job_phase
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.duration import seconds
from slurm.errors import ParseError
from slurm.exit_code import ExitCode, of_job
from slurm.hostlist import PLACEHOLDERS, expand
from slurm.instant import instant
from slurm.memory import mebibytes
from slurm.operation import Operation, RunsAs
from slurm.states import ENDED, job_state
from slurm.text import NO_VAL, BigInt, integer, small, text_or_none, verbatim, word
from slurm.tres import tres

_HIGHEST_ASKED = 2**31 - 1  # squeue reads ids as int; with one above that it prints none of the others either
_LAST = 2**32  # sorts an array's waiting tasks behind those that have their own row


def _array_job_id(job: str) -> str | None:
    array, underscore, _ = job.partition("_")
    return array if underscore else None


def _array_task_id(job: str) -> int | None:
    """The index of `123_4`, and of `123_[4]`: the last of the array's waiting tasks is alone in its row."""
    task = job.partition("_")[2].strip("[]")
    return small(int(task)) if task.isdigit() else None


def _het_job_id(job: str) -> str | None:
    het_job, plus, _ = job.partition("+")
    return het_job if plus else None


def _order(job: str) -> tuple[int, int, int]:
    array, underscore, _ = job.partition("_")
    het_job, plus, offset = job.partition("+")
    try:
        if underscore:
            task = _array_task_id(job)
            return int(array), _LAST if task is None else task, 0
        return int(het_job), 0, int(offset) if plus else 0
    except ValueError as error:
        raise ParseError("job id", job) from error


def _priority(value: str) -> BigInt | None:
    """None for NO_VAL, too, which a job has that was cancelled before slurmctld looked at it."""
    return int(value) if value.isdigit() and int(value) < NO_VAL else None


def started(start: str, state: str, nodes: str) -> datetime | None:
    """None for a job that ended without nodes: squeue, and sometimes sacct, has its end there."""
    never = job_state(state) in ENDED and nodes in PLACEHOLDERS
    return None if never else instant(start)


def _memory(tres_alloc: str) -> BigInt | None:
    amount = tres(tres_alloc).get("mem")
    return None if amount is None else mebibytes(amount)


def _ended(status: str, state: str, nodes: str) -> ExitCode:
    return of_job(status, job_state(state), has_run=nodes not in PLACEHOLDERS)


def _exit_code(status: str, state: str, nodes: str) -> int | None:
    return _ended(status, state, nodes).code


def _exit_signal(status: str, state: str, nodes: str) -> int | None:
    return _ended(status, state, nodes).signal


def _verbatim_row(*columns: str) -> tuple[str, ...]:
    return columns


class Job(Record):
    """A job, an array's task, an array's waiting tasks (one row), or a component of a heterogeneous job."""

    job_id = Column(
        verbatim,
        "JobArrayID",
        about="Slurm's own spelling: `123`, `123_4` (array task), `123_[5-9%2]` (the array's waiting tasks), `123+0` "
        "(part of a heterogeneous job). squeue: JobArrayID.",
    )
    name = Column(verbatim, "Name", about="The job's name, whatever characters it holds. squeue: Name.")
    user = Column(verbatim, "UserName", about="The account on the cluster that the job runs as. squeue: UserName.")
    account = Column(
        word,
        "Account",
        about="The account that the job's use is charged to; null where the cluster keeps no accounts. squeue: "
        "Account.",
    )
    state = Column(job_state, "State", about="The job's state. squeue: State.")
    raw_state = Column(
        verbatim, "State", about="The scheduler's own word, also where `state` is UNKNOWN. squeue: State."
    )
    phase = Column(job_phase.phase, "State", about=f"{job_phase.PHASE} squeue: State.")
    succeeded = Column(
        job_phase.succeeded, "exit_code", "State", about=f"{job_phase.SUCCEEDED} squeue: exit_code, State."
    )
    reason = Column(
        word, "Reason", about="Why the job waits or failed, in Slurm's words; null when it gives none. squeue: Reason."
    )
    queue_name = Column(
        verbatim,
        "Partition",
        about="The queue (Slurm: partition), as Slurm prints it: a waiting job may name several, joined by commas. "
        "squeue: Partition.",
    )
    node_names = Column(
        expand, "NodeList", about="The names of the nodes allocated to the job; empty while it waits. squeue: NodeList."
    )
    qos = Column(word, "QOS", about="The quality of service. squeue: QOS.")
    priority = Column(
        _priority,
        "PriorityLong",
        about="The scheduler's priority; higher starts first, 0 is held (or was suspended). squeue: PriorityLong.",
    )
    submit_time = Column(
        instant, "SubmitTime", about="When the job was submitted, or last requeued. squeue: SubmitTime."
    )
    eligible_time = Column(
        instant,
        "EligibleTime",
        about="When the job became, or becomes, eligible to start; null while it is held or depends on another. "
        "squeue: EligibleTime.",
    )
    start_time = Column(
        started,
        "StartTime",
        "State",
        "NodeList",
        about="When the job started; for a waiting job the scheduler's estimate or its begin time, or null; null if it "
        "ended without a start. squeue: StartTime.",
    )
    end_time = Column(
        instant, "EndTime", about="When the job ended, or when its time limit will end it. squeue: EndTime."
    )
    update_time = Column(
        job_phase.update_time,
        "SubmitTime",
        "StartTime",
        "EndTime",
        "State",
        about=f"{job_phase.UPDATE_TIME} squeue: SubmitTime, StartTime, EndTime.",
    )
    time_limit_seconds = Column(
        seconds,
        "TimeLimit",
        about="The time limit in seconds; null if there is none, or if it is over 365 days (squeue prints INVALID). "
        "squeue: TimeLimit.",
    )
    elapsed_seconds = Column(
        seconds,
        "TimeUsed",
        about="How long the job has run, in seconds, without times of suspension. squeue: TimeUsed.",
    )
    node_count = Column(
        job_gpus.node_count,
        "tres-alloc",
        "NumNodes",
        about="Nodes allocated; while waiting, the minimum needed. squeue: tres-alloc, node; else NumNodes.",
    )
    cpu_count = Column(
        integer,
        "NumCPUs",
        about="CPUs allocated; while waiting, the minimum requested. For a job that never started, accounting reports "
        "the requested number; the scheduler reports all CPUs of the node if the job is exclusive. squeue: NumCPUs; "
        "sacct: AllocCPUS.",
    )
    memory_mib = Column(
        _memory,
        "tres-alloc",
        about="Memory of the whole job in MiB, allocated or, while it waits, asked for; null where the cluster does "
        "not manage memory. squeue: tres-alloc, mem.",
    )
    gpu_count = Column(
        job_gpus.gpu_count,
        *job_gpus.COLUMNS,
        about="How many GPUs the whole job has or asks for; null for none. squeue: tres-alloc, else tres-per-job, "
        "tres-per-node, tres-per-socket (times Sockets), tres-per-task.",
    )
    gpu_type = Column(
        job_gpus.gpu_type,
        *job_gpus.COLUMNS,
        about="The GPU model asked for, in the cluster's spelling; null if any will do. squeue: as gpuCount.",
    )
    exit_code = Column(
        _exit_code,
        "exit_code",
        "State",
        "NodeList",
        about="The exit code of the batch script (0-255). Null until it ended, if a signal or Slurm ended it "
        "(CANCELLED, TIMEOUT, NODE_FAIL ...), and if it never started. Up to Slurm 25.05 accounting shows a code above "
        "128 as 128 less (137 as 9), unless it is that of an srun whose end Slurm recorded before the job's, and 9 as "
        "137 if a signal 9 ended such an srun. squeue: exit_code; sacct: ExitCode.",
    )
    exit_signal = Column(
        _exit_signal,
        "exit_code",
        "State",
        "NodeList",
        about="The number of the signal that ended the batch script; null for none, and if Slurm ended the job. If "
        "signal 1 (HUP) ended the script, accounting reports exit code 1. squeue: exit_code; sacct: ExitCode.",
    )
    array_job_id = Column(
        _array_job_id, "JobArrayID", about="The array's id, for a task of one; else null. squeue: JobArrayID."
    )
    array_task_id = Column(
        _array_task_id,
        "JobArrayID",
        about="The task's index in its array; null outside arrays and for waiting tasks that share a row. squeue: "
        "JobArrayID.",
    )
    het_job_id = Column(
        _het_job_id,
        "JobArrayID",
        about="The id of the heterogeneous job that this is a component of; else null. squeue: JobArrayID.",
    )
    dependency = Column(
        text_or_none,
        "Dependency",
        about="What the job waits for, as `afterok:123(unfulfilled)`; null for nothing. squeue: Dependency.",
    )
    work_dir = Column(text_or_none, "WorkDir", about="The folder that the job starts in. squeue: WorkDir.")
    command = Column(
        text_or_none,
        "Command",
        about="The path of the script and, on releases that show them (22.05 does, 24.11 does not), its arguments; "
        "null if the script came as text. squeue: Command.",
    )
    comment = Column(
        text_or_none,
        "Comment",
        about="The job's comment; null without one (Slurm prints both as `(null)`, so that literal text is null "
        "too). squeue: Comment.",
    )
    admin_comment = Column(
        text_or_none,
        "admin_comment",
        about="What an administrator noted on the job; null without it. squeue: admin_comment.",
    )
    restart_count = Column(integer, "RestartCnt", about="How many times the job was requeued. squeue: RestartCnt.")

    output_columns = Column(
        _verbatim_row,
        "StdOut",
        "StdErr",
        "WorkDir",
        "JobID",
        "ArrayJobID",
        "ArrayTaskID",
        "UserName",
        "Name",
        "BatchHost",
        "RestartCnt",
        about="What slurm.output_path takes. squeue: StdOut and others.",
    )
    hold = Column(job_phase.hold, "PriorityLong", "State", "Reason", about="Who may release it. squeue: PriorityLong.")
    raw_id = Column(verbatim, "JobID", about="The number that slurmctld knows the row by. squeue: JobID.")
    order = Column(
        _order,
        "JobArrayID",
        about="Sorts jobs by id, an array's tasks by index, its waiting tasks last; no two rows share it.",
    )


IN_BRIEF = (
    "JobArrayID",
    "JobID",
    "Name",
    "UserName",
    "Account",
    "State",
    "Reason",
    "Partition",
    "NodeList",
    "PriorityLong",
    "SubmitTime",
    "StartTime",
    "EndTime",
    "TimeLimit",
    "TimeUsed",
    "tres-alloc",
    "NumNodes",
    "NumCPUs",
    "exit_code",
    "RestartCnt",
)
"""The columns of lists of jobs, their filters and their orders: less than half of what squeue would print of a job."""

_PLAIN = frozenset(
    {
        "JobArrayID",
        "JobID",
        "ArrayJobID",
        "ArrayTaskID",
        "State",
        "NodeList",
        "PriorityLong",
        "SubmitTime",
        "EligibleTime",
        "StartTime",
        "EndTime",
        "TimeLimit",
        "TimeUsed",
        "tres-alloc",
        "NumNodes",
        "NumCPUs",
        "NumTasks",
        "Sockets",
        "exit_code",
        "RestartCnt",
    }
)
"""Slurm's own numbers, times and names, in which nobody who submits a job can write."""


def in_brief(column: Column[Any]) -> bool:
    """Whether that column of Job is known of jobs in brief."""
    return set(column.sources) <= set(IN_BRIEF)


def is_brief(rows: Rows[Job]) -> bool:
    """Whether those jobs have the columns of IN_BRIEF alone."""
    return rows.texts.keys() == {*IN_BRIEF}


SQUEUE = Operation(
    "squeue",
    # We sort jobs ourselves, and squeue's own sorting is a tenth of its time: `--sort=` is none.
    words=("squeue", "--local", "--noheader", "--all", "--states=all", "--noconvert", "--sort="),
    options={"jobs": argument.listed(job_id.ARGUMENT), "user": argument.word.pattern},
    environment={"SQUEUE_FORMAT2": framing.FORMAT},
    runs_as=RunsAs.READER,
)


def jobs(ids: Sequence[str] = ()) -> Question[Rows[Job]]:
    """All jobs that slurmctld remembers, ended ones too, or only those with the given ids.

    One id is cheap for slurmctld; an unknown one gives no row.
    """
    if ids and not (ids := [id for id in ids if job_id.parse(id).job <= _HIGHEST_ASKED]):
        return Question((), lambda replies: no_jobs())
    return _question({"jobs": ",".join(ids)} if ids else {}, Job.sources())


def jobs_in_brief() -> Question[Rows[Job]]:
    """All jobs, with the columns of IN_BRIEF alone."""
    return _question({}, IN_BRIEF)


def submitted_job(reply: int) -> Question[Rows[Job]]:
    """The job that the reply of that number names (sbatch, earlier in the same bundle)."""
    return _question({"jobs": reply}, Job.sources())


def _question(options: Mapping[str, str | int], columns: Sequence[str]) -> Question[Rows[Job]]:
    separator = framing.separator()
    command = Command(
        SQUEUE,
        options=options,
        environment={"SQUEUE_FORMAT2": framing.format_string(columns, separator, _PLAIN)},
    )
    return Question((command,), partial(read, separator=separator, columns=columns))


def read(replies: Sequence[Reply], separator: str, columns: Sequence[str]) -> Rows[Job]:
    """The rows of one squeue. A single unknown id is an error to squeue (exit code 1), and no row to us."""
    (reply,) = replies
    if reply.exit_code == 1 and "Invalid job id specified" in reply.stderr:
        return no_jobs()
    return Rows.readable(Job, *framing.split(require_success(reply), columns, separator, _PLAIN))


def no_jobs() -> Rows[Job]:
    """No rows, of all columns."""
    return Rows(Job, {column: [] for column in Job.sources()})


def task_count(id: str) -> int:
    """How many jobs the row of that id stands for: an array's waiting tasks have one row. Raises ParseError."""
    return sum(len(numbers) for numbers in job_id.parse(id).task_numbers) or 1


def queue_names(job: Job) -> list[str]:
    """The names of the queues that a job may run in: one once it runs, several perhaps while it waits."""
    return job.queue_name.split(",")


def lookup_id(text: str) -> str:
    """What to ask squeue for, to find the job of that id: a bracketed or component id is found by its number.

    Raises ParseError if the text is no job id.
    """
    parsed = job_id.parse(text)
    return f"{parsed.job}_{parsed.task}" if parsed.task is not None else str(parsed.job)
