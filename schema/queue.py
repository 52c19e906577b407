"""Queues: Slurm calls them partitions."""

import strawberry

from access.permissions import Permission
from resolvers import queue
from schema.counts import NodeStateCount
from schema.links import ClusterLink
from schema.page import JobConnection, NodeConnection
from schema.types_from_tables import made_from


@made_from(queue.Queue)
class Queue:
    """A queue. Slurm calls it a partition."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:queue1`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    viewer_can: list[Permission] = strawberry.field(
        description="What the caller may do to the queue: UPDATE_QUEUE for operators; empty for others."
    )
    nodes: NodeConnection = strawberry.field(description="A page of its nodes, by name.")
    node_counts: list[NodeStateCount] = strawberry.field(
        description="How many of its nodes are in each base state, the most frequent first. At most one for each state."
    )
    jobs: JobConnection = strawberry.field(
        description="The jobs that run in it, and the jobs that wait for it, possibly among other queues."
    )
