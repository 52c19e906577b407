"""Qualities of service with their limits and use: `sacctmgr show qos` (sacctmgr(1), scontrol(1) assoc_mgr)."""

from collections.abc import Sequence

from slurm import accounting, assoc_mgr
from slurm.accounting import Frame
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply
from slurm.duration import seconds
from slurm.text import big_integer, decimal, entries, integer, text_or_none, verbatim


class Qos(Record):
    """A quality of service: how jobs that ask for it are ranked, and how much they may use."""

    name = Column(verbatim, "Name", about="The QOS's name. sacctmgr: Name.")
    id_number = Column(big_integer, "ID", about="The number that accounting knows it by. sacctmgr: ID.")
    priority = Column(big_integer, "Priority", about="What it adds to a job's priority. sacctmgr: Priority.")
    flags = Column(entries, "Flags", about="What else is true of it, as DenyOnLimit or NoDecay. sacctmgr: Flags.")
    preempts = Column(
        entries, "Preempt", about="The names of the QOS whose jobs make room for its own. sacctmgr: Preempt."
    )
    preempt_mode = Column(
        text_or_none,
        "PreemptMode",
        about="What becomes of its jobs when they make room; `cluster` means as the cluster says. sacctmgr: "
        "PreemptMode.",
    )
    grace_time_seconds = Column(
        seconds, "GraceTime", about="How long a job that is to make room may go on, in seconds. sacctmgr: GraceTime."
    )
    usage_factor = Column(decimal, "UsageFactor", about="What use under it is multiplied by. sacctmgr: UsageFactor.")
    usage_threshold = Column(
        decimal,
        "UsageThreshold",
        about="The least fair share that its jobs need; null for none. sacctmgr: UsageThreshold.",
    )
    max_tres = Column(
        entries,
        "GrpTRES",
        about="The most that all its running jobs together may hold, as `cpu=100`. sacctmgr: GrpTRES.",
    )
    max_tres_minutes = Column(
        entries,
        "GrpTRESMins",
        about="The most that all its jobs together may use up, in minutes times what they hold, as `cpu=1000`. "
        "sacctmgr: GrpTRESMins.",
    )
    max_tres_run_minutes = Column(
        entries,
        "GrpTRESRunMins",
        about="Limit on TRES-minutes that its running jobs may still use. sacctmgr: GrpTRESRunMins.",
    )
    max_jobs = Column(
        integer, "GrpJobs", about="How many of its jobs may run at once; null for unlimited. sacctmgr: GrpJobs."
    )
    max_submitted_jobs = Column(
        integer,
        "GrpSubmitJobs",
        about="How many of its jobs may wait or run; null for unlimited. sacctmgr: GrpSubmitJobs.",
    )
    max_wall_seconds = Column(
        seconds,
        "GrpWall",
        about="How much run time all its jobs together may use up, in seconds; null for unlimited. sacctmgr: GrpWall.",
    )
    max_tres_per_job = Column(entries, "MaxTRES", about="The most that one job may hold. sacctmgr: MaxTRES.")
    max_tres_per_node = Column(
        entries, "MaxTRESPerNode", about="The most that one job may hold on each node. sacctmgr: MaxTRESPerNode."
    )
    max_time_seconds = Column(
        seconds, "MaxWall", about="The longest time limit of a job, in seconds; null for unlimited. sacctmgr: MaxWall."
    )
    max_tres_per_user = Column(
        entries,
        "MaxTRESPerUser",
        about="The most that one user's running jobs together may hold. sacctmgr: MaxTRESPerUser.",
    )
    max_jobs_per_user = Column(
        integer,
        "MaxJobsPerUser",
        about="How many jobs of one user may run at once; null for unlimited. sacctmgr: MaxJobsPerUser.",
    )
    max_submitted_jobs_per_user = Column(
        integer,
        "MaxSubmitJobsPerUser",
        about="How many jobs of one user may wait or run; null for unlimited. sacctmgr: MaxSubmitJobsPerUser.",
    )
    max_tres_per_account = Column(
        entries,
        "MaxTRESPerAccount",
        about="The most that one account's running jobs together may hold. sacctmgr: MaxTRESPerAccount.",
    )
    max_jobs_per_account = Column(
        integer,
        "MaxJobsPerAccount",
        about="How many jobs of one account may run at once; null for unlimited. sacctmgr: MaxJobsPerAccount.",
    )
    max_submitted_jobs_per_account = Column(
        integer,
        "MaxSubmitJobsPerAccount",
        about="How many jobs of one account may wait or run; null for unlimited. sacctmgr: MaxSubmitJobsPerAccount.",
    )
    min_tres_per_job = Column(
        entries, "MinTRESPerJob", about="The least that one job must ask for. sacctmgr: MinTRESPerJob."
    )
    running_job_count = assoc_mgr.RUNNING_JOB_COUNT
    submitted_job_count = assoc_mgr.SUBMITTED_JOB_COUNT
    used_tres = assoc_mgr.USED_TRES
    used_tres_minutes = assoc_mgr.USED_TRES_MINUTES
    used_wall_seconds = assoc_mgr.USED_WALL_SECONDS
    raw_usage = assoc_mgr.RAW_USAGE


_QOS = Frame.of(
    "ID", [source for source in Qos.sources() if source not in assoc_mgr.SOURCES], written=("Name", "Preempt")
)


SHOW = accounting.show("qos")


def qos() -> Question[Rows[Qos]]:
    """All QOS. Reading raises AccountingDisabledError where the cluster keeps no accounts."""
    commands = (
        Command(SHOW, {"format": _QOS.format}),
        Command(assoc_mgr.SHOW_QOS),
    )
    return Question(commands, read)


def read(replies: Sequence[Reply]) -> Rows[Qos]:
    """Limits from sacctmgr, use from slurmctld, joined by id. Raises as `accounting.require`."""
    limits, use = replies
    texts, lost = _QOS.split(accounting.require(limits))
    known = assoc_mgr.qos(use)
    return Rows.readable(Qos, accounting.with_use(texts, known.by_id), [*lost, *known.lost])
