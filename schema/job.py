"""Jobs."""

import strawberry

from resolvers import job
from schema import job_detail
from schema.job_detail import JobArray, JobDependency, JobOutput, PriorityFactors
from schema.links import ClusterLink, JobLink, NodeLink, QueueLink
from schema.step import Efficiency, JobStep, of_accounting
from schema.types_from_tables import made_from
from slurm import sacct
from slurm.reason import CapacityCode, ReasonCode


@made_from(job.Job)
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
    stdout_path: str | None = strawberry.field(description=job_detail.STDOUT_PATH)
    stderr_path: str | None = strawberry.field(description=job_detail.STDERR_PATH)
    reason_code: ReasonCode | None = strawberry.field(description=job_detail.REASON_CODE)
    reason_text: str | None = strawberry.field(description=job_detail.REASON_TEXT)
    capacity_code: CapacityCode | None = strawberry.field(description=job_detail.CAPACITY_CODE)
    queue_position: int | None = strawberry.field(description=job_detail.QUEUE_POSITION)
    array: JobArray | None = strawberry.field(description=job_detail.ARRAY)
    components: list[JobLink] = strawberry.field(description=job_detail.COMPONENTS)
    dependencies: list[JobDependency] = strawberry.field(description=job_detail.DEPENDENCIES)
    priority_factors: list[PriorityFactors] | None = strawberry.field(description=job_detail.PRIORITY_FACTORS)
    cpu_time_seconds: float | None = of_accounting(sacct.HistoryJob.cpu_time_seconds)
    cpu_time_reserved_seconds: float | None = of_accounting(sacct.HistoryJob.cpu_time_reserved_seconds)
    max_rss_mib: int | None = of_accounting(sacct.HistoryJob.max_rss_mib)
    steps: list[JobStep] | None = strawberry.field(
        description="Its steps, as accounting knows them: batch, extern, then by number; empty until it starts. What a "
        "step uses while it runs is told to its user and operators (sstat); to others it is null."
    )
    efficiency: Efficiency | None = strawberry.field(
        description="How well it uses what it was given; its shares are null until it starts and until accounting has "
        "heard of its end. While it runs, FORBIDDEN but to its user and operators."
    )
    script: str | None = strawberry.field(description=job_detail.SCRIPT)
    output: JobOutput | None = strawberry.field(description=job_detail.OUTPUT)
