"""Nodes' states that sinfo does not show: Slurm before 21.08 (scontrol(1), show node).

That sinfo has no StateComplete, and its StateLong hides much: "drained" says neither what the node does nor that it is
a cloud instance. From 21.08 on the head node runs nothing for this, and the answer is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slurm.command import Command, Question, Reply, require_success
from slurm.errors import Unreadable
from slurm.operation import Operation, RunsAs
from slurm.scontrol_record import RecordKind

# Before Reason stand only words of the configuration and of the node's system, of which "OS" has blanks.
_NODE = RecordKind(
    "node",
    "NodeName",
    keys=("RealMemory", "ThreadsPerCore"),
    written=("OS", "Comment"),
    repeated=("State",),
    last="Reason",
    needs=("State",),
)


SHOW = Operation(
    "scontrol show node",
    words=("scontrol", "--local", "--oneliner", "--all", "show", "node"),
    until=(21, 8),
    runs_as=RunsAs.READER,
)


@dataclass(frozen=True)
class States:
    """The complete state of each node by its name, as "IDLE#+CLOUD" or "DOWN*+DRAIN", and what cannot be read."""

    by_name: Mapping[str, str]
    lost: Sequence[Unreadable]


def states() -> Question[States]:
    """The states of all nodes; none from 21.08 on."""
    return Question((Command(SHOW),), read)


def read(replies: Sequence[Reply]) -> States:
    """From one line a node. A node whose record cannot be read keeps the state that sinfo gives."""
    (reply,) = replies
    records, lost = _NODE.records(require_success(reply))
    kept = [replace(each, field="raw_state", record_lost=False) for each in lost]
    return States({record["NodeName"]: record["State"] for record in records}, kept)
