"""Whether a cluster can be reached and its daemons answer."""

from datetime import datetime

import strawberry

from slurm import ping


@strawberry.type(description="One sign of life.")
class Check:
    """One sign of life."""

    ok: bool = strawberry.field(description="Whether it is there.")
    message: str | None = strawberry.field(description="What is wrong, in AWS's or Slurm's words; null if nothing is.")
    code: str | None = strawberry.field(
        description="The same for programs, as errors have it in `extensions.code`, but ACCOUNTING_UNAVAILABLE where "
        "accounting alone does not answer; null if nothing is wrong."
    )


@strawberry.type(description="One slurmctld. A cluster may have others that stand by.")
class Controller:
    """One slurmctld."""

    role: str = strawberry.field(description=ping.ABOUT_ROLE)
    host: str = strawberry.field(description=ping.ABOUT_HOST)
    is_up: bool = strawberry.field(description=ping.ABOUT_IS_UP)


@strawberry.type(description="What this API keeps of the cluster for the next seconds, and how old it is.")
class SnapshotAge:
    """A kept snapshot."""

    name: str = strawberry.field(description="What it is of: jobs, queues or nodes.")
    as_of: datetime = strawberry.field(description="When the cluster was asked.")
    age_seconds: float = strawberry.field(description="How long ago that was, in seconds.")


@strawberry.type(
    description="Whether the cluster can be reached and its daemons answer. Nothing that fails here fails the query."
)
class Health:
    """All signs of life."""

    ok: bool = strawberry.field(description="Whether all checks are well.")
    agent: Check = strawberry.field(
        description="Whether Systems Manager says that the head node's agent is online. SSM: PingStatus, which is "
        "minutes old at times."
    )
    head_node: Check = strawberry.field(description="Whether the head node answered a command, through SSM.")
    scheduler: Check = strawberry.field(description="Whether a slurmctld answers. scontrol ping.")
    accounting: Check | None = strawberry.field(
        description="Whether slurmdbd answers; null where the cluster keeps no accounts. sacctmgr show cluster."
    )
    private_data: Check | None = strawberry.field(
        description="Whether the account that reads for this API sees everything: slurm.conf's PrivateData may hide "
        "things from it, and the stack's parameter Reader chooses another. Null if the configuration cannot be read."
    )
    controllers: list[Controller] = strawberry.field(
        description="Each slurmctld by itself; empty if the head node cannot be asked. scontrol ping."
    )
    snapshots: list[SnapshotAge] = strawberry.field(
        description="The age of the snapshots of jobs, queues and nodes that are kept now. Those that are not kept are "
        "asked for anew by the next query that needs them."
    )
