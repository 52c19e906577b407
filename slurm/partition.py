"""Queues (Slurm: partitions), as `scontrol show partition` and sinfo list them (scontrol(1), sinfo(1))."""

from collections.abc import Sequence

from slurm import sinfo
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.duration import seconds
from slurm.hostlist import expand
from slurm.operation import Operation, RunsAs
from slurm.scontrol_record import RecordKind, columns
from slurm.sinfo import CpuCounts, QueueCpus
from slurm.states import queue_state
from slurm.text import integer, verbatim

_CPUS = "CPUsState"  # sinfo's column, beside scontrol's


def _is_default(value: str) -> bool:
    return value == "YES"


def _cpu_counts(value: str) -> CpuCounts:
    # A partition without nodes has no row in sinfo.
    return sinfo.cpu_counts(value) if value else CpuCounts(0, 0, 0, 0)


class Queue(Record):
    """A queue: what ParallelCluster calls a queue is a partition to Slurm."""

    name = Column(verbatim, "PartitionName", about="The queue's name. scontrol: PartitionName.")
    state = Column(queue_state, "State", about="Whether the queue takes jobs and starts them. scontrol: State.")
    is_default = Column(_is_default, "Default", about="Whether jobs that name no queue go here. scontrol: Default.")
    node_names = Column(expand, "Nodes", about="The names of the queue's nodes. scontrol: Nodes.")
    max_time_seconds = Column(
        seconds,
        "MaxTime",
        about="The longest time limit a job may ask for, in seconds; null for unlimited. scontrol: MaxTime.",
    )
    default_time_seconds = Column(
        seconds,
        "DefaultTime",
        about="The time limit in seconds of a job that asks for none; null for the longest. scontrol: DefaultTime.",
    )
    max_nodes = Column(
        integer, "MaxNodes", about="The most nodes that one job may use; null for unlimited. scontrol: MaxNodes."
    )
    cpu_counts = Column(_cpu_counts, _CPUS, about="The CPUs of the queue's nodes by what they do. sinfo: CPUsState.")


SHOW = Operation(
    "scontrol show partition",
    words=("scontrol", "--local", "--oneliner", "--all", "show", "partition"),
    runs_as=RunsAs.READER,
)


def queues() -> Question[Rows[Queue]]:
    """All queues, hidden ones too, in the order of the configuration."""
    cpus = sinfo.queue_cpu_counts()

    def read(replies: Sequence[Reply]) -> Rows[Queue]:
        partitions, counts = replies
        return _join(require_success(partitions), cpus.read([counts]))

    return Question((Command(SHOW), *cpus.commands), read)


# Keys that may follow a value that people write; others, of newer releases, may follow the rest.
_PARTITION = RecordKind(
    "partition",
    "PartitionName",
    keys=("AllocNodes", "Default", "DefaultTime", "Nodes", "State", "MaxTime", "MaxNodes", "Alternate"),
    written=("PartitionName", "AllowGroups", "AllowAccounts", "AllowQos", "DenyAccounts", "DenyQos", "QoS"),
    needs=("State", "Nodes"),
)


def _join(partitions: str, cpus: QueueCpus) -> Rows[Queue]:
    records, lost = _PARTITION.records(partitions)
    texts = columns(records, [source for source in Queue.sources() if source != _CPUS])
    # A queue that sinfo does not list has no nodes, unless its line is one that cannot be read.
    absent = _UNREADABLE if cpus.lost else ""
    texts[_CPUS] = [cpus.by_name.get(name, absent) for name in texts["PartitionName"]]
    return Rows.readable(Queue, texts, [*lost, *cpus.lost])


_UNREADABLE = "?"
