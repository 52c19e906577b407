"""The steps of jobs, as accounting remembers them (sacct(1)). One line of the table is one field."""

from slurm.column import Column, Record
from slurm.duration import seconds
from slurm.exit_code import NOTHING, ExitCode, of_step
from slurm.hostlist import expand
from slurm.instant import instant
from slurm.states import ENDED, JobState, job_state
from slurm.text import BigInt, big_integer, integer, verbatim
from slurm.usage import bytes_as_mebibytes, cpu_time, total_memory


def cpu_count(allocated: str, requested: str) -> int | None:
    """The allocated CPUs, else those asked for."""
    return integer(allocated) or integer(requested)


def _step_ended(status: str, state: str) -> ExitCode:
    return of_step(status, job_state(state)) if job_state(state) in ENDED else NOTHING


def _step_exit_code(status: str, state: str) -> int | None:
    return _step_ended(status, state).code


def _step_exit_signal(status: str, state: str) -> int | None:
    return _step_ended(status, state).signal


def used_cpu_time(value: str, state: str) -> BigInt | None:
    """sacct prints no fraction with zero, and only when nothing was measured: a process that ran has used some."""
    if value == "00:00:00" or job_state(state) in (JobState.RUNNING, JobState.PENDING, JobState.SUSPENDED):
        return None
    return cpu_time(value)


class Step(Record):
    """A step of a job: what srun started, or the batch script (`.batch`), or what is outside of both (`.extern`)."""

    step_id = Column(verbatim, "JobID", about="Slurm's own spelling, `123.0`, `123_4.batch`. sacct: JobID.")
    name = Column(verbatim, "JobName", about="The step's name: its command, unless it was given one. sacct: JobName.")
    state = Column(job_state, "State", about="The step's state. sacct: State.")
    raw_state = Column(
        verbatim, "State", about="The scheduler's own words, also where `state` is UNKNOWN. sacct: State."
    )
    exit_code = Column(
        _step_exit_code,
        "ExitCode",
        "State",
        about="The highest exit code of its tasks; null until it ended, and if a signal ended it. Up to Slurm 25.05 "
        "a code of 128 or more is shown less 128. sacct: ExitCode.",
    )
    exit_signal = Column(
        _step_exit_signal,
        "ExitCode",
        "State",
        about="The number of the signal that ended the step; null for none. sacct: ExitCode.",
    )
    start_time = Column(instant, "Start", about="When the step started. sacct: Start.")
    end_time = Column(instant, "End", about="When the step ended; null while it runs. sacct: End.")
    elapsed_seconds = Column(
        big_integer, "ElapsedRaw", about="How long the step has run, in seconds. sacct: ElapsedRaw."
    )
    node_names = Column(expand, "NodeList", about="The names of the step's nodes. sacct: NodeList.")
    node_count = Column(integer, "NNodes", about="How many nodes it has. sacct: NNodes.")
    task_count = Column(integer, "NTasks", about="How many tasks it has. sacct: NTasks.")
    cpu_count = Column(cpu_count, "AllocCPUS", "ReqCPUS", about="How many CPUs it has. sacct: AllocCPUS.")
    cpu_time_seconds = Column(
        used_cpu_time,
        "TotalCPU",
        "State",
        about="CPU time that its tasks used, in seconds, user and system; null until it ended, and where nothing was "
        "measured. sacct: TotalCPU.",
    )
    ave_cpu_seconds = Column(
        seconds,
        "AveCPU",
        about="CPU time that a task used on average, in seconds; null where nothing was measured. sacct: AveCPU.",
    )
    max_rss_mib = Column(
        bytes_as_mebibytes,
        "MaxRSS",
        about="The most memory that one of its tasks had resident, in MiB; null where nothing was measured. sacct: "
        "MaxRSS.",
    )
    ave_rss_mib = Column(
        bytes_as_mebibytes,
        "AveRSS",
        about="Resident memory at the last look, averaged over its tasks, in MiB. sacct: AveRSS.",
    )
    total_rss_mib = Column(
        total_memory,
        "TRESUsageInTot",
        about="Resident memory at the last look, summed over its tasks, in MiB. sacct: TRESUsageInTot, mem.",
    )

    raw_id = Column(verbatim, "JobIDRaw", about="The step, by the number that slurmctld knows its job by.")
