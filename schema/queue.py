"""Queues: Slurm calls them partitions."""

from typing import Any

import strawberry

from schema import arguments, counts, enums  # noqa: F401 - the columns' types must be GraphQL types first
from schema.counts import NodeStateCount
from schema.links import ClusterLink
from schema.node import Node
from schema.page import JobConnection
from schema.types_from_tables import record
from slurm import partition


@record(partition.Queue)
class Queue:
    """A queue. What ParallelCluster calls a queue is a partition to Slurm."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:queue1`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    nodes: list[Node] = strawberry.field(description="Its nodes.")
    node_counts: list[NodeStateCount] = strawberry.field(
        description="How many of its nodes are in each base state, the most frequent first."
    )

    @strawberry.field(graphql_type=JobConnection, description="The jobs that run in it, or wait for it among others.")
    def jobs(
        self: Any,
        filter: arguments.Jobs = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """The queue's jobs; `self` is the resolvers' Queue."""
        return self.jobs(filter, first, after)
