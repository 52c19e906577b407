"""Numbers of things."""

import strawberry

from schema.enums import JobState, NodeState
from schema.types_from_tables import TYPES
from slurm import sinfo


@strawberry.type(description="CPUs by what they do. sinfo: CPUsState.")
class CpuCounts:
    """CPUs by what they do."""

    allocated: int = strawberry.field(description="CPUs that are allocated to jobs.")
    idle: int = strawberry.field(description="CPUs that are free, on nodes that take jobs or can be started.")
    other: int = strawberry.field(description="CPUs of nodes that take no jobs now: down, drained and the like.")
    total: int = strawberry.field(description="All CPUs.")


TYPES[sinfo.CpuCounts] = CpuCounts


@strawberry.type(description="How many jobs are in a state.")
class JobStateCount:
    """How many jobs are in a state."""

    state: JobState = strawberry.field(description="The state.")
    count: int = strawberry.field(description="How many jobs are in it.")


@strawberry.type(description="How many nodes are in a base state.")
class NodeStateCount:
    """How many nodes are in a base state."""

    state: NodeState = strawberry.field(description="The base state.")
    count: int = strawberry.field(description="How many nodes are in it.")
