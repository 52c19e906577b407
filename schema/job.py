"""Jobs."""

import strawberry

from access.permissions import Permission
from resolvers import job
from schema import job_detail
from schema.job_detail import JobArray, JobDependency, JobOutput, PriorityFactors
from schema.links import ClusterLink, JobLink, NodeLink, QueueLink
from schema.scalars import BigInt
from schema.step import Efficiency, JobStep, of_accounting
from schema.types_from_tables import made_from
from slurm import sacct
from slurm.capacity import CapacityCode
from slurm.reason import ReasonCode


@made_from(job.Job)
class Job:
    """A job, a task of an array, the waiting tasks of an array (as one job), or a component of a heterogeneous job."""

    id: strawberry.ID = strawberry.field(
        description="Unique over all clusters, as `lab:123_4`: the cluster's name and `jobId`."
    )
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    queue: QueueLink | None = strawberry.field(
        description="The queue that it runs in; while it waits, the first that it asked for. Null if that queue no "
        "longer exists."
    )
    queues: list[QueueLink] = strawberry.field(
        description="The queue that it runs in; while it waits, all that it asked for, at most as many as its "
        "option --partition named."
    )
    nodes: list[NodeLink] = strawberry.field(
        description="The nodes allocated to it, as many as nodeCount; empty while it waits."
    )
    viewer_can: list[Permission] = strawberry.field(
        description="What the caller can do to the job now: what their role and their account allow, and what Slurm "
        "does to a job in this state. Slurm may refuse more, such as to requeue a job that was submitted with "
        "--no-requeue. JOB_OUTPUT is there for the job's own user only, though others may be able to read the file. "
        "An ended job by accounting has nothing else, as the scheduler may have forgotten it."
    )
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
    cpu_time_seconds: BigInt | None = of_accounting(sacct.HistoryJob.cpu_time_seconds)
    cpu_time_reserved_seconds: BigInt | None = of_accounting(sacct.HistoryJob.cpu_time_reserved_seconds)
    max_rss_mib: BigInt | None = of_accounting(sacct.HistoryJob.max_rss_mib)
    steps: list[JobStep] | None = strawberry.field(
        description="Its steps from accounting: batch, extern, then by number; empty until it starts. At most as many "
        "as slurm.conf: MaxStepCount. While a step "
        "runs, only its user and operators see what it uses (sstat); for others that is null."
    )
    efficiency: Efficiency | None = strawberry.field(
        description="How well it uses what it was given. While it runs, only its user and operators may see it "
        "(FORBIDDEN). The shares are null before it starts, and after its end until accounting has recorded it."
    )
    script: str | None = strawberry.field(description=job_detail.SCRIPT)
    output: JobOutput | None = strawberry.field(description=job_detail.OUTPUT)
