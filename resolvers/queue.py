"""A queue and what it is linked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headnode.snapshots import Dataset
from resolvers import arguments, datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.counts import StateCount, count_states
from resolvers.filters import JobFilter
from resolvers.job import JobConnection
from resolvers.node import Node
from resolvers.order import order_name
from resolvers.reads import Parts, all_jobs, reads, reads_by
from slurm import partition
from slurm.states import NodeState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


def _jobs(
    cluster: Cluster, below: Parts, filter: JobFilter | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The jobs of each queue. Raises BadInputError, so that the queues are not fetched either."""
    cluster.check_jobs(filter, order_name(()), first, after)
    return [all_jobs(below)]


class Queue(ClusterRecord, partition.Queue):
    """A queue and what it is linked to."""

    @property
    @reads(datasets.NODES)
    def nodes(self) -> list[Node]:
        """Its nodes."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]

    @property
    @reads(datasets.NODES)
    def node_counts(self) -> list[StateCount[NodeState]]:
        """How many of its nodes are in each state."""
        return count_states(node.state for node in self.nodes)

    @reads_by(_jobs)
    def jobs(
        self, filter: arguments.Jobs = None, first: arguments.First = 100, after: arguments.After = None
    ) -> JobConnection:
        """The jobs in it, and those that wait for it."""
        return self.cluster.jobs_of_queue(self.name, filter, first, after)
