"""The network of the nodes: `scontrol show topology` (scontrol(1); topology.conf(5))."""

from collections.abc import Sequence

from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.hostlist import expand
from slurm.operation import Operation, RunsAs
from slurm.scontrol_record import RecordKind, columns
from slurm.text import integer, verbatim


class Switch(Record):
    """A switch of the network and what is connected to it, from topology.conf; with topology/block a block of nodes."""

    name = Column(verbatim, "Name", about="The name of the switch or block. scontrol: SwitchName, BlockName.")
    level = Column(
        integer,
        "Level",
        about="0 for a switch that connects nodes, 1 for a switch that connects those, and so on; null for a block. "
        "scontrol: Level.",
    )
    link_speed = Column(
        integer,
        "LinkSpeed",
        about="The speed of its links, in units of the administrators' choice; null for a block. scontrol: LinkSpeed.",
    )
    node_names = Column(
        expand,
        "Nodes",
        about="The names of the nodes connected to it, also through other switches. scontrol: Nodes.",
    )
    switch_names = Column(
        expand, "Switches", about="The names of the switches that it connects; empty at level 0. scontrol: Switches."
    )


SHOW = Operation(
    "scontrol show topology", words=("scontrol", "--local", "--oneliner", "show", "topology"), runs_as=RunsAs.READER
)


def topology() -> Question[Rows[Switch]]:
    """All switches, in slurmctld's order; none without a topology plugin."""
    return Question((Command(SHOW),), read)


_NAMES = ("SwitchName", "BlockName", "AggregatedBlock")
_NONE = "No topology information available"
_SWITCH = RecordKind("topology", "|".join(_NAMES), keys=("Nodes", "Switches"))


def read(replies: Sequence[Reply]) -> Rows[Switch]:
    """One line a switch. Without a plugin scontrol prints nothing, or on stderr that there is no information."""
    (reply,) = replies
    records, lost = _SWITCH.records("" if _NONE in reply.stderr else require_success(reply))
    for record in records:
        record["Name"] = next(iter(record.values()))
    return Rows.readable(Switch, columns(records, Switch.sources()), lost)
