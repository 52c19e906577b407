"""Facts of the cluster's configuration, from `scontrol show config` (scontrol(1), slurm.conf(5))."""

import re
from collections.abc import Sequence

from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.instant import instant
from slurm.operation import Operation, RunsAs, Task
from slurm.text import BigInt, big_integer, integer, word

_LINE = re.compile(r"^([\w\[\]]+)\s+= (.*)$", re.MULTILINE)


def _seconds(value: str) -> BigInt | None:
    """ "300 sec"; INFINITE and NONE are none."""
    return None if value in ("INFINITE", "NONE") else big_integer(value.removesuffix(" sec"))


def _words(value: str) -> list[str]:
    return value.split(",") if word(value) and value != "none" else []


def _plugin(value: str) -> str | None:
    """ "select/cons_tres" without the kind before the slash; None for none."""
    name = value.rpartition("/")[2]
    return None if name == "none" else word(name)


def _keeps_accounts(value: str) -> bool:
    # "(null)" from 21.08 on where nothing is set.
    return word(value) is not None and not value.endswith("/none")


def _account_host(host: str, type: str) -> str | None:
    return word(host) if _keeps_accounts(type) else None


def _yes(value: str) -> bool:
    return value in ("1", "Yes", "YES")


def _user(value: str) -> str | None:
    """ "slurm(64030)" without the number."""
    return word(value.partition("(")[0])


_READER = "the reader"  # no key of scontrol's


class Configuration(Record):
    """Facts of the cluster's configuration that are worth knowing."""

    slurm_version = Column(
        word, "SLURM_VERSION", about="The version of slurmctld, as `23.11.10`. scontrol: SLURM_VERSION."
    )
    cluster_name = Column(word, "ClusterName", about="What Slurm calls the cluster. slurm.conf: ClusterName.")
    controller = Column(
        word, "SlurmctldHost[0]", about="The host of slurmctld and its address. slurm.conf: SlurmctldHost."
    )
    boot_time = Column(instant, "BOOT_TIME", about="When slurmctld started. scontrol: BOOT_TIME.")
    accounting_enabled = Column(
        _keeps_accounts,
        "AccountingStorageType",
        about="Whether the cluster keeps accounts, and so a history of jobs. slurm.conf: AccountingStorageType.",
    )
    accounting_enforce = Column(
        _words,
        "AccountingStorageEnforce",
        about="Which rules of accounting bind jobs, as associations, limits, qos. slurm.conf: "
        "AccountingStorageEnforce.",
    )
    accounting_host = Column(
        _account_host,
        "AccountingStorageHost",
        "AccountingStorageType",
        about="The host of slurmdbd; null where the cluster keeps no accounts. slurm.conf: AccountingStorageHost.",
    )
    accounting_tres = Column(
        _words,
        "AccountingStorageTRES",
        about="What is counted, as cpu, mem, gres/gpu. slurm.conf: AccountingStorageTRES.",
    )
    min_job_age_seconds = Column(
        _seconds,
        "MinJobAge",
        about="How long slurmctld remembers a job after its end, in seconds. slurm.conf: MinJobAge.",
    )
    max_job_count = Column(
        integer,
        "MaxJobCount",
        about="Maximum jobs slurmctld holds, including ended ones it remembers. slurm.conf: MaxJobCount.",
    )
    max_array_size = Column(
        integer, "MaxArraySize", about="One more than the highest index of an array's task. slurm.conf: MaxArraySize."
    )
    max_job_id = Column(integer, "MaxJobId", about="The job id after which ids start again. slurm.conf: MaxJobId.")
    scheduler_type = Column(
        _plugin, "SchedulerType", about="How jobs are scheduled: backfill or builtin. slurm.conf: SchedulerType."
    )
    scheduler_parameters = Column(
        _words, "SchedulerParameters", about="How the scheduler is tuned. slurm.conf: SchedulerParameters."
    )
    select_type = Column(_plugin, "SelectType", about="How nodes are shared out, as cons_tres. slurm.conf: SelectType.")
    select_type_parameters = Column(
        _words,
        "SelectTypeParameters",
        about="What is shared out, as CR_CPU_MEMORY; without MEMORY, memory is not managed. slurm.conf: "
        "SelectTypeParameters.",
    )
    priority_type = Column(
        _plugin,
        "PriorityType",
        about="How jobs are ranked: basic (first come, first served) or multifactor. slurm.conf: PriorityType.",
    )
    preempt_type = Column(
        _plugin,
        "PreemptType",
        about="What decides whether jobs make room for others; null for nothing. slurm.conf: PreemptType.",
    )
    preempt_mode = Column(
        _words, "PreemptMode", about="What becomes of a job that makes room. slurm.conf: PreemptMode."
    )
    private_data = Column(
        _words,
        "PrivateData",
        about="What users cannot see of others, as jobs or usage; cloud means that powered-down nodes are shown. "
        "slurm.conf: PrivateData.",
    )
    gres_types = Column(
        _words, "GresTypes", about="Which generic resources nodes may have, as gpu. slurm.conf: GresTypes."
    )
    job_requeue = Column(
        _yes,
        "JobRequeue",
        about="Whether jobs go back to their queue when a node fails, unless they say otherwise. slurm.conf: "
        "JobRequeue.",
    )
    suspend_time_seconds = Column(
        _seconds,
        "SuspendTime",
        about="How long a node is idle before it is powered down, in seconds; null for ever. slurm.conf: SuspendTime.",
    )
    resume_timeout_seconds = Column(
        _seconds, "ResumeTimeout", about="How long a node may take to start, in seconds. slurm.conf: ResumeTimeout."
    )
    message_timeout_seconds = Column(
        _seconds,
        "MessageTimeout",
        about="How long Slurm's commands wait for slurmctld, in seconds. slurm.conf: MessageTimeout.",
    )

    slurm_user = Column(_user, "SlurmUser", about="The account that slurmctld runs as. slurm.conf: SlurmUser.")
    reader = Column(word, _READER, about="The account that this API's reads run as on the head node.")


SHOW = Operation("scontrol show config", words=("scontrol", "show", "config"), runs_as=RunsAs.READER)
READER = Operation("reader", runs_as=RunsAs.READER, task=Task.NAME_READER)


def configuration() -> Question[Configuration]:
    """The running slurmctld's configuration, and who asked for it."""
    return Question((Command(SHOW), Command(READER)), read)


def read(replies: Sequence[Reply]) -> Configuration:
    """From lines of `Key = value`; a key that this Slurm has not is no value."""
    config, reader = replies
    values = dict(_LINE.findall(require_success(config)))
    values[_READER] = reader.stdout.strip()  # nothing from a head node's program that is older
    return Rows(Configuration, {source: [values.get(source, "")] for source in Configuration.sources()})[0]
