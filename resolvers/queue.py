"""A queue and what it is linked to."""

from __future__ import annotations

from resolvers.cluster_record import ClusterRecord
from resolvers.counts import StateCount, count_states
from resolvers.filters import JobFilter
from resolvers.job import JobConnection
from resolvers.node import Node
from slurm import partition
from slurm.states import NodeState


class Queue(ClusterRecord, partition.Queue):
    """A queue and what it is linked to."""

    @property
    def nodes(self) -> list[Node]:
        """Its nodes."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]

    @property
    def node_counts(self) -> list[StateCount[NodeState]]:
        """How many of its nodes are in each state."""
        return count_states(node.state for node in self.nodes)

    def jobs(self, where: JobFilter | None, first: int | None, after: str | None) -> JobConnection:
        """The jobs in it, and those that wait for it."""
        return self.cluster.jobs(where, None, first, after, queue=self.name)
