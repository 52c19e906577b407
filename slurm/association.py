"""Accounts, and who may charge them how much: `sacctmgr show associations`, `show account` (sacctmgr(1))."""

from collections.abc import Sequence

from slurm import accounting, argument, assoc_mgr
from slurm.accounting import Frame
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply
from slurm.duration import seconds
from slurm.text import BigInt, big_integer, entries, integer, text_or_none, verbatim


def _shares(value: str) -> BigInt | None:
    return None if value == "parent" else big_integer(value)


class Association(Record):
    """An account on the cluster, or a user in an account, with the limits set there and what counts against them.

    A limit that is null or empty here may still be set on an account above, or by the QOS.
    """

    id_number = Column(big_integer, "ID", about="The number that accounting knows it by. sacctmgr: ID.")
    cluster_name = Column(verbatim, "Cluster", about="What Slurm calls the cluster. sacctmgr: Cluster.")
    account = Column(verbatim, "Account", about="The account. sacctmgr: Account.")
    user = Column(text_or_none, "User", about="The user in the account; null for the account itself. sacctmgr: User.")
    queue_name = Column(
        text_or_none, "Partition", about="The only queue that it is for; null for all. sacctmgr: Partition."
    )
    parent_account = Column(
        text_or_none,
        "ParentName",
        about="The account above; null for a user, and for the topmost. sacctmgr: ParentName.",
    )
    shares = Column(
        _shares, "Share", about="Its shares, relative to its siblings; null if it uses its parent's. sacctmgr: Share."
    )
    priority = Column(
        big_integer, "Priority", about="What it adds to a job's priority; null for nothing. sacctmgr: Priority."
    )
    default_qos = Column(text_or_none, "DefaultQOS", about="The QOS of jobs that ask for none. sacctmgr: DefaultQOS.")
    qos = Column(entries, "QOS", about="The QOS that jobs may ask for. sacctmgr: QOS.")
    max_tres = Column(
        entries,
        "GrpTRES",
        about="The most that all its running jobs together may hold, as `cpu=64`. sacctmgr: GrpTRES.",
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
        integer, "GrpJobs", about="How many of all its jobs may run at once; null for unlimited. sacctmgr: GrpJobs."
    )
    max_submitted_jobs = Column(
        integer,
        "GrpSubmitJobs",
        about="How many of all its jobs may wait or run; null for unlimited. sacctmgr: GrpSubmitJobs.",
    )
    max_wall_seconds = Column(
        seconds,
        "GrpWall",
        about="How much run time all its jobs together may use up, in seconds; null for unlimited. sacctmgr: GrpWall.",
    )
    max_jobs_per_user = Column(
        integer, "MaxJobs", about="How many jobs of one user may run at once; null for unlimited. sacctmgr: MaxJobs."
    )
    max_submitted_jobs_per_user = Column(
        integer,
        "MaxSubmitJobs",
        about="How many jobs of one user may wait or run; null for unlimited. sacctmgr: MaxSubmitJobs.",
    )
    max_tres_per_job = Column(entries, "MaxTRES", about="The most that one job may hold. sacctmgr: MaxTRES.")
    max_tres_per_node = Column(
        entries, "MaxTRESPerNode", about="The most that one job may hold on each node. sacctmgr: MaxTRESPerNode."
    )
    max_tres_minutes_per_job = Column(
        entries,
        "MaxTRESMinsPerJob",
        about="The most that one job may use up, in minutes times what it holds. sacctmgr: MaxTRESMinsPerJob.",
    )
    max_time_seconds = Column(
        seconds, "MaxWall", about="The longest time limit of a job, in seconds; null for unlimited. sacctmgr: MaxWall."
    )
    running_job_count = assoc_mgr.RUNNING_JOB_COUNT
    submitted_job_count = assoc_mgr.SUBMITTED_JOB_COUNT
    used_tres = assoc_mgr.USED_TRES
    used_tres_minutes = assoc_mgr.USED_TRES_MINUTES
    used_wall_seconds = assoc_mgr.USED_WALL_SECONDS
    raw_usage = assoc_mgr.RAW_USAGE


class Account(Record):
    """An account that jobs are charged to."""

    name = Column(verbatim, "Account", about="The account's name. sacctmgr: Account.")
    organization = Column(
        text_or_none, "Organization", about="Whose it is, in the administrators' words. sacctmgr: Organization."
    )
    description = Column(
        text_or_none, "Description", about="What it is for, in the administrators' words. sacctmgr: Description."
    )


_ASSOCIATIONS = Frame.of(
    "ID",
    [source for source in Association.sources() if source not in assoc_mgr.SOURCES],
    written=("Account", "User", "Partition", "ParentName", "DefaultQOS", "QOS"),
)
_ACCOUNTS = Frame.of("Account", Account.sources(), written=("Organization", "Description"))


SHOW = accounting.show("associations", cluster=argument.PLAIN_WORD)
SHOW_ACCOUNTS = accounting.show("account")


def associations(cluster: str | None = None) -> Question[Rows[Association]]:
    """All associations, or those of the cluster of that name (several clusters may share one slurmdbd).

    Reading raises AccountingDisabledError where the cluster keeps no accounts.
    """
    options: dict[str, str | int] = {"format": _ASSOCIATIONS.format}
    commands = (
        Command(SHOW, {**options, "cluster": cluster} if cluster else options),
        Command(assoc_mgr.SHOW_ASSOCIATIONS),
    )
    return Question(commands, read)


def read(replies: Sequence[Reply]) -> Rows[Association]:
    """Limits from sacctmgr, use from slurmctld, joined by id. Raises as `accounting.require`."""
    limits, use = replies
    texts, lost = _ASSOCIATIONS.split(accounting.require(limits))
    known = assoc_mgr.associations(use)
    return Rows.readable(Association, accounting.with_use(texts, known.by_id), [*lost, *known.lost])


def accounts() -> Question[Rows[Account]]:
    """All accounts. Reading raises AccountingDisabledError where the cluster keeps none."""
    return Question((Command(SHOW_ACCOUNTS, {"format": _ACCOUNTS.format}),), read_accounts)


def read_accounts(replies: Sequence[Reply]) -> Rows[Account]:
    """One record an account. Raises as `accounting.require`."""
    (reply,) = replies
    return Rows.readable(Account, *_ACCOUNTS.split(accounting.require(reply)))
