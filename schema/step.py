"""What jobs consist of and use, by accounting."""

from typing import Any

import strawberry

from schema import enums  # noqa: F401 - the columns' types must be GraphQL types first
from schema.types_from_tables import record
from slurm import sacct
from slurm.column import Column


@record(sacct.Step)
class JobStep:
    """A step of a job: what srun started, or the batch script (`.batch`), or what is outside of both (`.extern`)."""


@strawberry.type(
    description="How well a job uses what it was given, as seff reckons it. A share is 1.0 for all of it, and can lie "
    "above where nothing confines the job's threads."
)
class Efficiency:
    """How well a job uses what it was given."""

    cpu: float | None = strawberry.field(
        description="CPU time used as a share of elapsed time by CPUs; null where nothing was measured, as in a job's "
        "first second. sacct: TotalCPU, ElapsedRaw, AllocCPUS; while the job runs, sstat: TRESUsageInTot."
    )
    memory: float | None = strawberry.field(
        description="The most memory that a step used as a share of the job's; null where nothing was measured or the "
        "cluster does not manage memory. sacct: MaxRSS, TRESUsageInTot, AllocTRES; while the job runs, sstat."
    )


def of_accounting(column: Column[Any]) -> Any:
    """A field of Job that only accounting knows, from its line in the table of sacct."""

    async def read(job: strawberry.Parent[Any]) -> Any:
        known = (await job.accounted()).job
        return None if known is None else getattr(known, column.name)

    return strawberry.field(resolver=read, graphql_type=column.type, description=column.about)
