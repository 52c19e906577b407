"""A node and what it is linked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.permissions import Permission
from headnode.instances import Instance
from resolvers import datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.reads import reads, reads_by, related_jobs
from resolvers.viewer import can_change
from slurm import sinfo

if TYPE_CHECKING:
    from resolvers.job import Job
    from resolvers.queue import Queue


class Node(ClusterRecord, sinfo.Node):
    """A node and what it is linked to."""

    @property
    def viewer_can(self) -> list[Permission]:
        """What the caller may do to the node."""
        return can_change(self.cluster, "updateNode")

    @property
    @reads(datasets.QUEUES)
    def queues(self) -> list[Queue]:
        """The queues it belongs to."""
        known = self.cluster.queues_by_name
        return [known[name] for name in self.queue_names if name in known]

    @property
    @reads(datasets.INSTANCES)
    def instance(self) -> Instance | None:
        """The EC2 instance behind it."""
        return self.cluster.read(datasets.INSTANCES).value.get(self.address or "")

    @property
    @reads_by(related_jobs)
    def jobs(self) -> list[Job]:
        """The jobs on it that have not ended."""
        return self.cluster.jobs_by_node.get(self.name, [])
