"""Nodes, and each queue's CPUs, as sinfo lists them (sinfo(1))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from slurm import framing, show_node
from slurm.capacity import capacity_code
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.errors import ParseError, Unreadable
from slurm.gres import gpus
from slurm.instant import instant
from slurm.operation import FLAG, Operation, RunsAs
from slurm.states import NodeFlag, NodeState, Provisioning, node_state, provisioning
from slurm.text import big_integer, decimal, small, verbatim, word


@dataclass(frozen=True)
class CpuCounts:
    """CPUs by what they do. `other` are those of nodes that take no jobs now (down, drained ...)."""

    allocated: int
    idle: int
    other: int
    total: int


def cpu_counts(value: str) -> CpuCounts:
    """CPUsState, "allocated/idle/other/total"."""
    counts = value.split("/")
    if len(counts) != 4 or not all(count.isdigit() for count in counts):
        raise ParseError("CPU counts", value)
    return CpuCounts(*map(int, counts))


def _state(complete: str, long: str, cpus: str) -> NodeState:
    """scontrol's state: sinfo calls a node that is being drained allocated as soon as one of its CPUs is (22.05)."""
    state, counts = node_state(complete or long)[0], cpu_counts(cpus)
    return NodeState.MIXED if state is NodeState.ALLOCATED and counts.allocated < counts.total else state


def _flags(complete: str, long: str) -> list[NodeFlag]:
    return sorted(node_state(complete or long)[1], key=lambda flag: flag.name)


def _raw_state(complete: str, long: str) -> str:
    return (complete or long).upper()


def _reason(value: str, time: str) -> str | None:
    # "none" may be what an administrator wrote: then there is a time to it.
    return None if value == "none" and instant(time) is None else value


def _reason_time(value: str, reason: str) -> datetime | None:
    return instant(value) if _reason(reason, value) is not None else None


def _cpu_load(load: str, free_memory: str) -> float | None:
    """From 24.11 the load of a node that is not up is 0.00; its free memory is N/A in every release."""
    return None if big_integer(free_memory) is None else decimal(load)


def _gpu_count(value: str) -> int | None:
    found = gpus(value)
    return small(found.count) if found else None


def _gpu_type(value: str) -> str | None:
    found = gpus(value)
    return found.model if found else None


def _allocated_gpu_count(used: str, configured: str) -> int | None:
    found = gpus(used)
    return small(found.count) if found and gpus(configured) else None


def _features(value: str) -> list[str]:
    return value.split(",") if word(value) else []


def _provisioning(features: str, name: str) -> Provisioning | None:
    return provisioning(_features(features), name)


def _instance_type(features: str) -> str | None:
    """ParallelCluster's nodes have the features static|dynamic, instance type, compute resource, in that order.

    The type is left out where a resource allows several; types hold a dot ("c5.xlarge"), resource names do not.
    """
    return next((feature for feature in _features(features) if "." in feature), None)


def _queue_names(value: str) -> list[str]:
    return value.split(",") if word(value) else []


class Node(Record):
    """A compute node."""

    name = Column(verbatim, "NodeList", about="The node's name in Slurm, as `queue1-dy-large-1`. sinfo: NodeList.")
    state = Column(
        _state,
        "StateComplete",
        "StateLong",
        "CPUsState",
        about="The node's base state; what else is true of it are its flags. sinfo: StateComplete.",
    )
    flags = Column(
        _flags,
        "StateComplete",
        "StateLong",
        about="What is true of the node beside its base state, by name. sinfo: StateComplete.",
    )
    raw_state = Column(
        _raw_state,
        "StateComplete",
        "StateLong",
        about="The scheduler's own words, as `IDLE+CLOUD+POWERED_DOWN`. sinfo: StateComplete (20.11: StateLong).",
    )
    reason = Column(
        _reason,
        "Reason",
        "TimeStamp",
        about="Why the node is down or drained, in the words of who did it; null without a reason. sinfo: Reason.",
    )
    capacity_code = Column(
        capacity_code,
        "Reason",
        about="Why EC2 started no instance for the node, as ParallelCluster notes it in the reason; null if the "
        "reason has no code of EC2's. sinfo: Reason.",
    )
    reason_time = Column(_reason_time, "TimeStamp", "Reason", about="When the reason was set. sinfo: TimeStamp.")
    queue_names = Column(
        _queue_names,
        "PartitionName",
        about="The names of the queues (Slurm: partitions) that the node belongs to. sinfo: PartitionName.",
    )
    cpu_counts = Column(cpu_counts, "CPUsState", about="The node's CPUs by what they do. sinfo: CPUsState.")
    cpu_load = Column(
        _cpu_load,
        "CPUsLoad",
        "FreeMem",
        about="The operating system's load average over one minute; null for a node that is not up. sinfo: CPUsLoad.",
    )
    memory_mib = Column(big_integer, "Memory", about="The node's memory in MiB, as configured. sinfo: Memory.")
    allocated_memory_mib = Column(
        big_integer, "AllocMem", about="Memory in MiB that is allocated to jobs. sinfo: AllocMem."
    )
    free_memory_mib = Column(
        big_integer,
        "FreeMem",
        about="Memory in MiB that the operating system has free; null for a node that is not up. sinfo: FreeMem.",
    )
    gpu_count = Column(_gpu_count, "Gres", about="The node's GPUs; null for none. sinfo: Gres.")
    allocated_gpu_count = Column(
        _allocated_gpu_count,
        "GresUsed",
        "Gres",
        about="GPUs that are allocated to jobs; null for a node without GPUs. sinfo: GresUsed.",
    )
    gpu_type = Column(
        _gpu_type,
        "Gres",
        about="The model of its GPUs, in the cluster's spelling; null for none or several. sinfo: Gres.",
    )
    features = Column(
        _features, "Features", about="The node's features, which jobs may ask for as constraints. sinfo: Features."
    )
    provisioning = Column(
        _provisioning,
        "Features",
        "NodeList",
        about="ParallelCluster: kept running (static) or started on demand (dynamic); null elsewhere. From the "
        "features, else the name.",
    )
    instance_type = Column(
        _instance_type,
        "Features",
        about="ParallelCluster: the EC2 instance type; null elsewhere and where a compute resource allows several. "
        "From the features.",
    )
    address = Column(
        word,
        "NodeAddr",
        about="The address that slurmctld reaches the node by; on ParallelCluster its name until an instance backs "
        "it. sinfo: NodeAddr.",
    )
    slurm_version = Column(
        word, "Version", about="The version of the node's slurmd; null for a node that is not up. sinfo: Version."
    )


SINFO = Operation(
    "sinfo",
    words=("sinfo", "--local", "--noheader", "--all", "--noconvert"),
    options={"Node": FLAG, "Format": framing.FORMAT},
    runs_as=RunsAs.READER,
)


def nodes() -> Question[Rows[Node]]:
    """All nodes that belong to a partition, hidden ones too."""
    separator = framing.separator()
    command = Command(SINFO, options={"Node": "", "Format": framing.format_string(Node.sources(), separator)})
    return Question((command, *show_node.states().commands), partial(read_nodes, separator=separator))


def read_nodes(replies: Sequence[Reply], separator: str) -> Rows[Node]:
    """One row a node: `sinfo --Node` prints a node once for each of its partitions."""
    listed, shown = replies
    texts, lost = framing.split_watched(require_success(listed), Node.sources(), separator)
    states = show_node.states().read([shown])
    first: dict[str, int] = {}
    partitions: dict[str, list[str]] = {}
    for index, name in enumerate(texts["NodeList"]):
        first.setdefault(name, index)
        partitions.setdefault(name, []).append(texts["PartitionName"][index])
    merged = {source: [values[index] for index in first.values()] for source, values in texts.items()}
    merged["PartitionName"] = [",".join(partitions[name]) for name in first]
    if states.by_name:
        merged["StateComplete"] = [states.by_name.get(name, "") for name in first]
    return Rows.readable(Node, merged, [*lost, *states.lost])


_QUEUE_COLUMNS = ("PartitionName", "CPUsState")


@dataclass(frozen=True)
class QueueCpus:
    """The text of every queue's CPUsState by the queue's name, and what cannot be read."""

    by_name: Mapping[str, str]
    lost: Sequence[Unreadable]


def queue_cpu_counts() -> Question[QueueCpus]:
    """The CPUs of every queue."""
    separator = framing.separator()
    command = Command(SINFO, options={"Format": framing.format_string(_QUEUE_COLUMNS, separator)})
    return Question((command,), partial(read_queue_cpu_counts, separator=separator))


def read_queue_cpu_counts(replies: Sequence[Reply], separator: str) -> QueueCpus:
    """One row a partition, as long as no column that differs between its nodes is asked for."""
    (reply,) = replies
    texts, lost = framing.split_watched(require_success(reply), _QUEUE_COLUMNS, separator)
    return QueueCpus(dict(zip(texts["PartitionName"], texts["CPUsState"], strict=True)), lost)
