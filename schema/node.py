"""Compute nodes."""

import strawberry

from schema import counts, enums  # noqa: F401 - the columns' types must be GraphQL types first
from schema.instance import INSTANCE, Instance
from schema.job import Job
from schema.links import ClusterLink, QueueLink
from schema.types_from_tables import record
from slurm import sinfo


@record(sinfo.Node)
class Node:
    """A compute node: an instance, or on ParallelCluster the place for one."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:queue1-dy-large-1`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    queues: list[QueueLink] = strawberry.field(description="The queues it belongs to.")
    instance: Instance | None = strawberry.field(description=INSTANCE)
    jobs: list[Job] = strawberry.field(description="The jobs on it that have not ended.")
