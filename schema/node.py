"""Compute nodes."""

import strawberry

from access.permissions import Permission
from resolvers import node
from schema import counts  # noqa: F401 - what columns hold must be a GraphQL type first
from schema.instance import INSTANCE, Instance
from schema.job import Job
from schema.links import ClusterLink, QueueLink
from schema.types_from_tables import made_from


@made_from(node.Node)
class Node:
    """A compute node. On ParallelCluster it may exist before its EC2 instance does."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:queue1-dy-large-1`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    viewer_can: list[Permission] = strawberry.field(
        description="What the caller may do to the node: UPDATE_NODE for operators; empty for others."
    )
    queues: list[QueueLink] = strawberry.field(
        description="The queues it belongs to, at most as many as slurm.conf has."
    )
    instance: Instance | None = strawberry.field(description=INSTANCE)
    jobs: list[Job] = strawberry.field(
        description="The jobs on it that have not ended, at most as many as can share its CPUs."
    )
