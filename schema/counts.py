"""Counts of CPUs, jobs and nodes by state."""

import strawberry

from resolvers.counts import StateCount
from schema.types_from_tables import made_from
from slurm import sinfo
from slurm.states import JobState, NodeState


@made_from(sinfo.CpuCounts)
class CpuCounts:
    """CPUs by state. sinfo: CPUsState."""

    allocated: int = strawberry.field(description="CPUs allocated to jobs.")
    idle: int = strawberry.field(description="Free CPUs of nodes that take jobs or can be started.")
    other: int = strawberry.field(
        description="CPUs of nodes that take no jobs now, because they are down or drained, for example."
    )
    total: int = strawberry.field(description="All CPUs.")


@made_from(StateCount)
class JobStateCount:
    """How many jobs are in a state."""

    state: JobState = strawberry.field(description="The state.")
    count: int = strawberry.field(description="How many jobs are in it.")


@made_from(StateCount)
class NodeStateCount:
    """How many nodes are in a base state."""

    state: NodeState = strawberry.field(description="The base state.")
    count: int = strawberry.field(description="How many nodes are in it.")
