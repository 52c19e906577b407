"""Jobs."""

import strawberry

from schema import counts, enums  # noqa: F401 - the columns' types must be GraphQL types first
from schema.links import ClusterLink, NodeLink, QueueLink
from schema.table import record
from slurm import squeue


@record(squeue.Job)
class Job:
    """A job, an array's task, an array's waiting tasks (one job), or a component of a heterogeneous job."""

    id: strawberry.ID = strawberry.field(
        description="Unique over all clusters, as `lab:123_4`: the cluster's name and `jobId`."
    )
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    queue: QueueLink | None = strawberry.field(
        description="The queue it runs in; while it waits, the first it asked for. Null if the cluster has it no more."
    )
    queues: list[QueueLink] = strawberry.field(description="The queue it runs in; while it waits, all it asked for.")
    nodes: list[NodeLink] = strawberry.field(description="The nodes allocated to it; empty while it waits.")
