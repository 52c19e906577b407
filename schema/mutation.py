"""What can be done."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from resolvers import actions, administration
from schema import arguments
from schema.audited import change
from schema.enums import SignalTarget, UserErrorCode
from schema.facts import Reservation
from schema.inputs import (
    CancelJobsInput,
    CreateReservationInput,
    SubmitJobInput,
    UpdateJobInput,
    UpdateNodeInput,
    UpdateQueueInput,
)
from schema.job import Job
from schema.node import Node
from schema.query import Info
from schema.queue import Queue


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
    id: strawberry.ID | None = strawberry.field(
        description="The job, node, queue or reservation it is about; null if it is about none."
    )


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


@strawberry.type(description="The changed job, or why it was not changed.")
class UpdateJobPayload:
    """The changed job."""

    job: Job | None = strawberry.field(description="The job as it is now; null if it was not changed.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty if it was not.")


@strawberry.type(description="The nodes that were changed, and why others were not.")
class UpdateNodePayload:
    """The nodes that were changed."""

    nodes: list[Node] = strawberry.field(description="The nodes that were changed, as they are now.")
    errors: list[UserError] = strawberry.field(description="One for each node that was not changed, with its id.")


@strawberry.type(description="The changed queue, or why it was not changed.")
class UpdateQueuePayload:
    """The changed queue."""

    queue: Queue | None = strawberry.field(description="The queue as it is now; null if it was not changed.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty if it was not.")


@strawberry.type(description="The new reservation, or why there is none.")
class CreateReservationPayload:
    """The new reservation."""

    reservation: Reservation | None = strawberry.field(description="The reservation; null if it was refused.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty if it was not.")


@strawberry.type(description="Which reservation is no more, or why it still is.")
class DeleteReservationPayload:
    """The reservation that is no more."""

    name: str | None = strawberry.field(description="The name of the deleted reservation; null if it was refused.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty if it was not.")


UpdateJob = Annotated[UpdateJobInput, strawberry.argument(description="What to change; what is null stays as it is.")]
UpdateNode = Annotated[UpdateNodeInput, strawberry.argument(description="Which nodes, and what to do with them.")]
UpdateQueue = Annotated[UpdateQueueInput, strawberry.argument(description="Which queue, and what it is to do.")]
CreateReservation = Annotated[CreateReservationInput, strawberry.argument(description="The reservation to be.")]
Submit = Annotated[SubmitJobInput, strawberry.argument(description="The job to be.")]
Cancel = Annotated[CancelJobsInput, strawberry.argument(description="Which jobs, and how.")]


@strawberry.type(description="What can be done, as the caller's own account on the cluster.")
class Mutation:
    """What can be done."""

    @change(graphql_type=SubmitJobPayload, description="Submit a batch script as a job. sbatch.")
    async def submit_job(self, info: Info, input: Submit, cluster: arguments.Cluster = None) -> Any:
        """Submit a job."""
        return await actions.submit(info.context, info._raw_info, cluster, input)

    @change(graphql_type=JobActionPayload, description="Cancel jobs, or send them a signal. scancel.")
    async def cancel_jobs(self, info: Info, input: Cancel, cluster: arguments.Cluster = None) -> Any:
        """Cancel jobs."""
        return await actions.cancel(info.context, info._raw_info, cluster, input)

    @change(graphql_type=JobActionPayload, description="Keep waiting jobs from starting until released. scontrol hold.")
    async def hold_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Hold jobs."""
        return await actions.hold(info.context, info._raw_info, cluster, ids)

    @change(graphql_type=JobActionPayload, description="Let held jobs start. scontrol release.")
    async def release_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Release jobs."""
        return await actions.release(info.context, info._raw_info, cluster, ids)

    @change(
        graphql_type=JobActionPayload,
        description="Stop running or ended jobs and put them back into their queue. scontrol requeue.",
    )
    async def requeue_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Requeue jobs."""
        return await actions.requeue(info.context, info._raw_info, cluster, ids)

    @change(
        graphql_type=UpdateJobPayload,
        description="Change what a job asks for; an array's id means all of its tasks. scontrol update JobId.",
    )
    async def update_job(
        self, info: Info, id: arguments.JobId, input: UpdateJob, cluster: arguments.Cluster = None
    ) -> Any:
        """Change a job."""
        return await actions.update(info.context, info._raw_info, cluster, id, input)

    @change(graphql_type=JobActionPayload, description="Send jobs a signal. scancel --signal.")
    async def signal_jobs(
        self,
        info: Info,
        ids: arguments.JobIds,
        signal: arguments.SignalName,
        target: arguments.Target = SignalTarget.STEPS,
        cluster: arguments.Cluster = None,
    ) -> Any:
        """Signal jobs."""
        return await actions.signal(info.context, info._raw_info, cluster, ids, signal, target)

    @change(
        graphql_type=JobActionPayload,
        description="Stop running jobs' processes, so that others can have their CPUs. Operators only. "
        "scontrol suspend.",
    )
    async def suspend_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Suspend jobs."""
        return await actions.suspend(info.context, info._raw_info, cluster, ids)

    @change(graphql_type=JobActionPayload, description="Let suspended jobs go on. Operators only. scontrol resume.")
    async def resume_jobs(self, info: Info, ids: arguments.JobIds, cluster: arguments.Cluster = None) -> Any:
        """Resume jobs."""
        return await actions.resume(info.context, info._raw_info, cluster, ids)

    @change(
        graphql_type=UpdateNodePayload,
        description="Take nodes out of service or back, start or stop their instances. Operators only. "
        "scontrol update NodeName.",
    )
    async def update_node(self, info: Info, input: UpdateNode, cluster: arguments.Cluster = None) -> Any:
        """Change nodes."""
        return await administration.update_nodes(info.context, info._raw_info, cluster, input)

    @change(
        graphql_type=UpdateQueuePayload,
        description="Open or close a queue. Operators only. scontrol update PartitionName.",
    )
    async def update_queue(self, info: Info, input: UpdateQueue, cluster: arguments.Cluster = None) -> Any:
        """Change a queue."""
        return await administration.update_queue(info.context, info._raw_info, cluster, input)

    @change(
        graphql_type=CreateReservationPayload,
        description="Keep nodes or licenses for some users or accounts. Operators only. scontrol create reservation.",
    )
    async def create_reservation(self, info: Info, input: CreateReservation, cluster: arguments.Cluster = None) -> Any:
        """Make a reservation."""
        return await administration.create_reservation(info.context, info._raw_info, cluster, input)

    @change(
        graphql_type=DeleteReservationPayload,
        description="Delete a reservation. Operators only. scontrol delete ReservationName.",
    )
    async def delete_reservation(
        self, info: Info, name: arguments.ReservationName, cluster: arguments.Cluster = None
    ) -> Any:
        """Delete a reservation."""
        return await administration.delete_reservation(info.context, info._raw_info, cluster, name)
