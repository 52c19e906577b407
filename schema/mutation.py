"""What can be done."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from resolvers import actions
from schema import arguments
from schema.enums import UserErrorCode
from schema.inputs import CancelJobsInput, SubmitJobInput
from schema.job import Job
from schema.query import Info


@strawberry.type(
    description="What the scheduler or a rule refused. Faults of the service are top-level errors with extensions.code."
)
class UserError:
    """What was refused."""

    code: UserErrorCode = strawberry.field(description="What kind of refusal it is.")
    message: str = strawberry.field(description="What to do, or the scheduler's own words.")
    field: list[str] | None = strawberry.field(
        description="The path of the input it is about, from the argument on; null if it is about none."
    )
    id: strawberry.ID | None = strawberry.field(description="The job it is about; null if it is about none.")


@strawberry.type(description="The submitted job, or why there is none.")
class SubmitJobPayload:
    """The submitted job."""

    job: Job | None = strawberry.field(description="The job; null if it was refused, and with `testOnly`.")
    estimated_start_time: datetime | None = strawberry.field(
        description="With `testOnly`: when the job would start, as far as the scheduler can tell; null for a job that "
        "would be held. sbatch: --test-only."
    )
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty if it was not.")


@strawberry.type(description="The jobs that were acted on, and why others were not.")
class JobActionPayload:
    """The jobs that were acted on."""

    jobs: list[Job] = strawberry.field(description="The jobs that were acted on, as they are now.")
    errors: list[UserError] = strawberry.field(description="One for each job that was not acted on, with its id.")


Submit = Annotated[SubmitJobInput, strawberry.argument(description="The job to be.")]
Cancel = Annotated[CancelJobsInput, strawberry.argument(description="Which jobs, and how.")]


@strawberry.type(description="What can be done, as the caller's own account on the cluster.")
class Mutation:
    """What can be done."""

    @strawberry.mutation(graphql_type=SubmitJobPayload, description="Submit a batch script as a job. sbatch.")
    async def submit_job(self, info: Info, input: Submit, cluster: arguments.Cluster = None) -> Any:
        """Submit a job."""
        return await actions.submit(info.context, info._raw_info, cluster, input)

    @strawberry.mutation(graphql_type=JobActionPayload, description="Cancel jobs, or send them a signal. scancel.")
    async def cancel_jobs(self, info: Info, input: Cancel, cluster: arguments.Cluster = None) -> Any:
        """Cancel jobs."""
        return await actions.cancel(info.context, info._raw_info, cluster, input)

    @strawberry.mutation(
        graphql_type=JobActionPayload, description="Keep waiting jobs from starting until released. scontrol hold."
    )
    async def hold_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Hold jobs."""
        return await actions.hold(info.context, info._raw_info, cluster, ids)

    @strawberry.mutation(graphql_type=JobActionPayload, description="Let held jobs start. scontrol release.")
    async def release_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Release jobs."""
        return await actions.release(info.context, info._raw_info, cluster, ids)

    @strawberry.mutation(
        graphql_type=JobActionPayload,
        description="Stop running or ended jobs and put them back into their queue. scontrol requeue.",
    )
    async def requeue_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Requeue jobs."""
        return await actions.requeue(info.context, info._raw_info, cluster, ids)
