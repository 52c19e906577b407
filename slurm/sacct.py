"""Jobs and their steps, as accounting remembers them (sacct(1)). One line of a table is one field.

sacct is only asked for columns that 20.11 to 26.05 have: for an unknown one it prints nothing. It stores `"` as '`'.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from slurm import framing, job_phase, squeue
from slurm.accounted_step import Step, cpu_count, used_cpu_time
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply
from slurm.duration import seconds
from slurm.errors import ParseError, Unreadable
from slurm.exit_code import ExitCode, of_accounted_job
from slurm.hostlist import PLACEHOLDERS, expand
from slurm.instant import instant
from slurm.memory import mebibytes
from slurm.runs import digits, ended, joined, restart_count, shared_by_waiting_tasks
from slurm.sacct_search import SACCT, Search, options, texts
from slurm.states import job_state
from slurm.text import BigInt, big_integer, integer, small, text_or_none, verbatim, word
from slurm.tres import Gpus, gpus_allocated, tres
from slurm.usage import largest

_LAST = 2**32  # sorts an array's waiting tasks behind those that have their own row
_NUMBER = r"[0-9]{1,20}"
_JOB = re.compile(rf"(?P<job>{_NUMBER})(?:_(?P<task>{_NUMBER})|_\[.*\]|\+(?P<component>{_NUMBER}))?")


def _not_recorded(job: str) -> str | None:
    return None


def _part(name: str, job: str) -> int | None:
    match = _JOB.fullmatch(job)
    return int(match[name]) if match and match[name] else None


def _array_job_id(job: str) -> str | None:
    return job.partition("_")[0] if "_" in job else None


def _array_task_id(job: str) -> int | None:
    task = _part("task", job)
    return None if task is None else small(task)


def _het_job_id(job: str) -> str | None:
    return job.partition("+")[0] if "+" in job else None


def _order(job: str, raw: str) -> tuple[int, int, int]:
    number = _part("job", job)
    if number is None:
        return digits(raw), 0, 0
    if "_" in job:
        task = _part("task", job)
        return number, _LAST if task is None else task, 0
    return number, 0, _part("component", job) or 0


def _reserved(value: str) -> BigInt | None:
    """No marker of `big_integer`: 10,000 CPUs reach NO_VAL within five days."""
    if value and not value.isdecimal():
        raise ParseError("CPU seconds", value)
    return int(value) if value else None


def _memory(allocated: str, requested: str) -> BigInt | None:
    amount = tres(allocated or requested).get("mem")
    return None if amount is None else mebibytes(amount)


def _gpus(allocated: str, requested: str) -> Gpus | None:
    return gpus_allocated(allocated or requested)


def _gpu_count(allocated: str, requested: str) -> int | None:
    gpus = _gpus(allocated, requested)
    return small(gpus.count) if gpus else None


def _gpu_type(allocated: str, requested: str) -> str | None:
    gpus = _gpus(allocated, requested)
    return gpus.model if gpus else None


def _ended(status: str, derived: str, state: str, nodes: str) -> ExitCode:
    return of_accounted_job(status, derived, job_state(state), has_run=nodes not in PLACEHOLDERS)


def _exit_code(status: str, derived: str, state: str, nodes: str) -> int | None:
    return _ended(status, derived, state, nodes).code


def _exit_signal(status: str, derived: str, state: str, nodes: str) -> int | None:
    return _ended(status, derived, state, nodes).signal


_RUN = "DBIndex"  # a run's key in the database, which its steps bear too

# What is not sacct's own column of a job's row, but found out from its other rows.
_MAX_RSS_OF_STEPS = "MaxRSS of the steps"
_RESTARTS = "earlier runs"
_OF_OTHER_ROWS = (_MAX_RSS_OF_STEPS, _RESTARTS)
_END = ("ExitCode", "DerivedExitCode", "State", "NodeList")


class HistoryJob(Record):
    """A job as accounting remembers it: its latest run. Fields that squeue.Job has too bear the same names and types.

    A running job is RUNNING here while squeue still says CONFIGURING, or says COMPLETING.
    """

    job_id = Column(
        verbatim,
        "JobID",
        about="Slurm's own spelling: `123`, `123_4` (array task), `123_[5-9%2]` (the array's waiting tasks), `123+0` "
        "(part of a heterogeneous job). sacct: JobID.",
    )
    name = Column(verbatim, "JobName", about="The job's name; accounting stores `\"` as a backtick. sacct: JobName.")
    user = Column(verbatim, "User", about="The account on the cluster that the job ran as. sacct: User.")
    account = Column(
        word, "Account", about="The account that the job's use was charged to; null for none. sacct: Account."
    )
    state = Column(job_state, "State", about="The job's state. sacct: State.")
    raw_state = Column(
        verbatim, "State", about="The scheduler's own words, as `CANCELLED by 1000` (a uid). sacct: State."
    )
    phase = Column(job_phase.accounted_phase, "State", "End", about=f"{job_phase.PHASE} sacct: State, End.")
    succeeded = Column(job_phase.succeeded, "ExitCode", "State", about=f"{job_phase.SUCCEEDED} sacct: ExitCode, State.")
    reason = Column(
        word, "Reason", about="Why the job waited last, in Slurm's words; null when it gives none. sacct: Reason."
    )
    queue_name = Column(
        verbatim,
        "Partition",
        about="The queue (Slurm: partition), as Slurm prints it: a waiting job may name several, joined by commas. "
        "sacct: Partition.",
    )
    node_names = Column(
        expand,
        "NodeList",
        about="The names of the nodes allocated to the job; empty if it never started. sacct: NodeList.",
    )
    qos = Column(word, "QOS", about="The quality of service. sacct: QOS.")
    priority = Column(
        big_integer, "Priority", about="The scheduler's priority; higher starts first, 0 is held. sacct: Priority."
    )
    submit_time = Column(instant, "Submit", about="When the job was submitted, or last requeued. sacct: Submit.")
    eligible_time = Column(
        instant,
        "Eligible",
        about="When the job became, or becomes, eligible to start; null while it is held or depends on another. "
        "sacct: Eligible.",
    )
    start_time = Column(
        squeue.started, "Start", "State", "NodeList", about="When the job started; null if it has not. sacct: Start."
    )
    end_time = Column(instant, "End", about="When the job ended; null until then. sacct: End.")
    update_time = Column(
        job_phase.update_time,
        "Submit",
        "Start",
        "End",
        "State",
        about=f"{job_phase.UPDATE_TIME} sacct: Submit, Start, End.",
    )
    time_limit_seconds = Column(
        seconds,
        "Timelimit",
        about="The time limit in seconds; null for none, or for that of its queue. sacct: Timelimit.",
    )
    elapsed_seconds = Column(
        big_integer,
        "ElapsedRaw",
        about="How long the job has run, in seconds, without times of suspension. sacct: ElapsedRaw.",
    )
    node_count = Column(
        integer, "NNodes", about="How many nodes it had, or, while it waits, needs at least. sacct: NNodes."
    )
    cpu_count = Column(
        cpu_count,
        "AllocCPUS",
        "ReqCPUS",
        about="How many CPUs it had, or, while it waits, needs at least. sacct: AllocCPUS, else ReqCPUS.",
    )
    memory_mib = Column(
        _memory,
        "AllocTRES",
        "ReqTRES",
        about="Memory of the whole job in MiB, allocated or, if it never started, asked for; null where the cluster "
        "does not manage memory. sacct: AllocTRES, else ReqTRES; mem.",
    )
    gpu_count = Column(
        _gpu_count,
        "AllocTRES",
        "ReqTRES",
        about="How many GPUs the whole job had or asked for; null for none, and where AccountingStorageTRES does not "
        "name gres/gpu. sacct: AllocTRES, else ReqTRES.",
    )
    gpu_type = Column(
        _gpu_type,
        "AllocTRES",
        "ReqTRES",
        about="The GPU model, where AccountingStorageTRES names it. sacct: as gpuCount.",
    )
    exit_code = Column(_exit_code, *_END, about=squeue.Job.exit_code.about)
    exit_signal = Column(_exit_signal, *_END, about=squeue.Job.exit_signal.about)
    array_job_id = Column(_array_job_id, "JobID", about="The array's id, for a task of one; else null. sacct: JobID.")
    array_task_id = Column(
        _array_task_id,
        "JobID",
        about="The task's index in its array; null outside arrays and for waiting tasks that share a row. sacct: "
        "JobID.",
    )
    het_job_id = Column(
        _het_job_id,
        "JobID",
        about="The id of the heterogeneous job that this is a component of; else null. sacct: JobID.",
    )
    dependency = Column(_not_recorded, "JobID", about="Not kept by accounting: null.")
    work_dir = Column(text_or_none, "WorkDir", about="The folder that the job started in. sacct: WorkDir.")
    command = Column(_not_recorded, "JobID", about="Not kept by accounting on every Slurm: null.")
    comment = Column(_not_recorded, "JobID", about="Not asked of accounting: null.")
    admin_comment = Column(
        text_or_none,
        "AdminComment",
        about="What an administrator noted on the job; null without it. sacct: AdminComment.",
    )
    restart_count = Column(
        integer,
        _RESTARTS,
        about="How many runs of the job in the requested time ended because it was requeued. sacct: --duplicates.",
    )

    cpu_time_seconds = Column(
        used_cpu_time,
        "TotalCPU",
        "State",
        about="CPU time that the job's processes used, in seconds, user and system; null until it ended, and where "
        "nothing was measured. sacct: TotalCPU.",
    )
    cpu_time_reserved_seconds = Column(
        _reserved,
        "CPUTimeRAW",
        about="CPU time that was set aside for the job, in seconds: elapsed time by CPUs. sacct: CPUTimeRAW.",
    )
    max_rss_mib = Column(
        largest,
        _MAX_RSS_OF_STEPS,
        about="The most memory that one task of the job had resident, in MiB; null until a step ended, and where "
        "nothing was measured. sacct: MaxRSS of its steps.",
    )

    hold = Column(job_phase.hold, "Priority", "State", "Reason", about="Who may release it. sacct: Priority.")
    raw_id = Column(verbatim, "JobIDRaw", about="The number that slurmctld knows the row by. sacct: JobIDRaw.")
    run = Column(verbatim, _RUN, about="The run's key in the database. sacct: DBIndex.")
    order = Column(
        _order,
        "JobID",
        "JobIDRaw",
        about="Sorts jobs by id, an array's tasks by index, its waiting tasks last; no two rows share it.",
    )


_COLUMNS = [
    source for source in dict.fromkeys([*HistoryJob.sources(), *Step.sources(), _RUN]) if source not in _OF_OTHER_ROWS
]
_MEASURED = ("TotalCPU", "MaxRSS")  # without its steps, sacct prints a job's TotalCPU as 00:00:00


@dataclass(frozen=True)
class History:
    """Jobs, one row each, and the steps of their latest runs."""

    jobs: Rows[HistoryJob]
    steps: Rows[Step]

    def steps_of(self, job: HistoryJob) -> list[Step]:
        """The steps of one of the jobs, in the order of accounting: batch, extern, then by number."""
        return [self.steps[index] for index in self._by_run.get(job.rows.texts[_RUN][job.index], ())]

    def find(self, id: str) -> HistoryJob | None:
        """The job of exactly that id, in Slurm's spelling; None if it is not among them."""
        index = self._by_id.get(id)
        return None if index is None else self.jobs[index]

    @cached_property
    def _by_id(self) -> Mapping[str, int]:
        return {id: index for index, id in enumerate(self.jobs.values(HistoryJob.job_id))}

    @cached_property
    def _by_run(self) -> Mapping[str, Sequence[int]]:
        rows: dict[str, list[int]] = {}
        for index, run in enumerate(self.steps.texts[_RUN]):
            rows.setdefault(run, []).append(index)
        return rows


def history(search: Search) -> Question[History]:
    """Jobs with their steps, which alone record what was used.

    Raises ParseError for an id that cannot be parsed. Reading raises AccountingDisabledError if the cluster keeps no
    accounts.
    """
    return _question(search, {})


def allocations(search: Search) -> Question[History]:
    """Jobs without their steps, at a fraction of the rows: CPU time used and memory are then None.

    Raises as `history` does.
    """
    return _question(search, {"allocations": ""})


def _question(search: Search, form: Mapping[str, str]) -> Question[History]:
    parts = options(search)
    separators = [framing.separator() for _ in parts]
    commands = tuple(
        Command(SACCT, {**form, **part, "format": ",".join(_COLUMNS), "delimiter": separator})
        for part, separator in zip(parts, separators, strict=True)
    )
    return Question(commands, partial(read, separators=separators, steps="allocations" not in form))


def read(replies: Sequence[Reply], separators: Sequence[str], steps: bool) -> History:
    """The rows of every sacct, each job and step once. `steps` says whether steps were requested.

    Raises AccountingDisabledError, SchedulerUnavailableError (slurmdbd does not answer), SlurmError, ParseError.
    """
    parts = [texts(reply, separator, _COLUMNS) for reply, separator in zip(replies, separators, strict=True)]
    rows = _each_once({column: [text for part in parts for text in part.texts[column]] for column in _COLUMNS})
    sizes = shared_by_waiting_tasks(joined(ended(rows)))
    if not steps:
        sizes |= {column: [""] * len(sizes[column]) for column in _MEASURED}
    return _history(sizes, [lost for part in parts for lost in part.lost])


def _each_once(texts: dict[str, list[str]]) -> dict[str, list[str]]:
    """The rows without those that an earlier sacct printed, too."""
    first = {row: index for index, row in reversed([*enumerate(zip(texts["JobID"], texts[_RUN], strict=True))])}
    return {column: [values[index] for index in sorted(first.values())] for column, values in texts.items()}


def _history(texts: Mapping[str, Sequence[str]], lost: Sequence[Unreadable]) -> History:
    """One row a job, its latest run, which is what sacct shows without --duplicates; and that run's steps.

    Another job may have had the same number (a new head node on an old database counts from 1 again): only what says
    that it ran again, of the same user, is an earlier run.
    """
    runs: dict[str, list[int]] = {}
    steps: dict[str, list[int]] = {}
    for index, id in enumerate(texts["JobID"]):
        if "." in id:
            steps.setdefault(texts[_RUN][index], []).append(index)
        else:
            runs.setdefault(texts["JobIDRaw"][index], []).append(index)

    jobs, restarts = [], []
    for of_one_id in runs.values():
        of_one_id.sort(key=lambda index: (digits(texts["Submit"][index]), digits(texts[_RUN][index])))
        jobs.append(of_one_id[-1])
        restarts.append(restart_count(texts, of_one_id))
    own_steps = [steps.get(texts[_RUN][job], []) for job in jobs]

    rows = _taken(texts, jobs, HistoryJob.sources())
    rows[_RESTARTS] = [str(count) for count in restarts]
    rows[_MAX_RSS_OF_STEPS] = [",".join(texts["MaxRSS"][step] for step in own) for own in own_steps]
    steps_of_jobs = _taken(texts, [step for own in own_steps for step in own], Step.sources())
    return History(Rows.readable(HistoryJob, rows, lost), Rows.readable(Step, steps_of_jobs))


def _taken(texts: Mapping[str, Sequence[str]], rows: Sequence[int], columns: Sequence[str]) -> dict[str, list[str]]:
    wanted = [*(column for column in columns if column not in _OF_OTHER_ROWS), _RUN]
    return {column: [texts[column][row] for row in rows] for column in wanted}
