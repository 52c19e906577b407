"""A queue and what it is linked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from access.permissions import Permission
from headnode.snapshots import Dataset
from resolvers import arguments, datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.counts import StateCount, count_states
from resolvers.filters import JobFilter, NodeFilter, check_lists, matching_nodes
from resolvers.job import JobConnection
from resolvers.node import Node
from resolvers.order import order_name
from resolvers.pages import Connection
from resolvers.reads import Parts, all_jobs, reads, reads_by
from resolvers.viewer import can_change
from slurm import partition, sinfo
from slurm.column import Rows
from slurm.states import NodeState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


def _jobs(
    cluster: Cluster, below: Parts, filter: JobFilter | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The jobs of each queue. Raises BadInputError, so that the queues are not fetched either."""
    cluster.check_jobs(filter, order_name(()), first, after)
    return [all_jobs(below, filter)]


def _nodes(
    cluster: Cluster, below: Parts, filter: NodeFilter | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The nodes. Raises BadInputError, so that the queues are not fetched either."""
    check_lists(filter)
    cluster.check_named(first, after)
    return [datasets.NODES]


class Queue(ClusterRecord, partition.Queue):
    """A queue and what it is linked to."""

    @property
    def viewer_can(self) -> list[Permission]:
        """What the caller may do to the queue."""
        return can_change(self.cluster, "updateQueue")

    @reads_by(_nodes)
    def nodes(
        self, filter: arguments.Nodes = None, first: arguments.First = 100, after: arguments.After = None
    ) -> Connection[Node]:
        """A page of its nodes, in natural order of their names."""
        rows, own = self._nodes()
        return self.cluster.page_of_nodes(sorted(own.intersection(matching_nodes(rows, filter))), first, after)

    @property
    @reads(datasets.NODES)
    def node_counts(self) -> list[StateCount[NodeState]]:
        """How many of its nodes are in each state."""
        rows, own = self._nodes()
        return count_states(rows.some(sinfo.Node.state, sorted(own)))

    def _nodes(self) -> tuple[Rows[sinfo.Node], set[int]]:
        """All nodes of the cluster, and the rows of its own."""
        known = self.cluster.node_rows
        return self.cluster.read(datasets.NODES).value, {known[name] for name in self.node_names if name in known}

    @reads_by(_jobs)
    def jobs(
        self, filter: arguments.Jobs = None, first: arguments.First = 100, after: arguments.After = None
    ) -> JobConnection:
        """The jobs in it, and those that wait for it."""
        return self.cluster.jobs_of_queue(self.name, filter, first, after)
