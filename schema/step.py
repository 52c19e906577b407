"""The steps of jobs and what they use, from accounting."""

from typing import Any

import strawberry

from resolvers import steps
from resolvers.job import Job
from schema.types_from_tables import ANSWERED_BY, graphql_type, made_from
from slurm import efficiency
from slurm.column import Column


@made_from(steps.JobStep)
class JobStep:
    """A step of a job: what srun started, the batch script (`.batch`), or everything else (`.extern`)."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:123.0`.")


@made_from(efficiency.Efficiency)
class Efficiency:
    """How well a job uses what it was given, computed as seff does.

    A share of 1.0 is all of it. It can be higher if nothing confines the job's threads to its CPUs.
    """

    cpu: float | None = strawberry.field(
        description="CPU time used, as a share of elapsed time times CPUs; null if nothing was measured, as in a job's "
        "first second. sacct: TotalCPU, ElapsedRaw, AllocCPUS; while the job runs, sstat: TRESUsageInTot."
    )
    memory: float | None = strawberry.field(
        description="The most memory that a step used, as a share of the job's memory; null if nothing was measured or "
        "the cluster does not manage memory. sacct: MaxRSS, TRESUsageInTot, AllocTRES; while the job runs, sstat."
    )


def of_accounting(column: Column[Any]) -> Any:
    """A line of Job that only accounting knows, made from its column in sacct's table."""

    async def read(job: strawberry.Parent[Job]) -> object:
        known = (await job.accounted()).job
        return None if known is None else getattr(known, column.name)

    return strawberry.field(
        resolver=read,
        graphql_type=graphql_type(column.type),
        description=column.about,
        metadata={ANSWERED_BY: Job.accounted},
    )
