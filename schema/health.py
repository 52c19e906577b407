"""Whether a cluster can be reached and its daemons answer."""

from datetime import datetime

import strawberry

from resolvers import health
from schema.types_from_tables import made_from
from slurm import ping


@made_from(health.Check)
class Check:
    """One health check."""

    ok: bool = strawberry.field(description="Whether the check passed.")
    message: str | None = strawberry.field(
        description="What is wrong, in AWS's or Slurm's words; null if the check passed."
    )
    code: str | None = strawberry.field(
        description="What is wrong, as an error code: one of those in `extensions.code`, or ACCOUNTING_UNAVAILABLE if "
        "only accounting does not answer. Null if the check passed."
    )


@made_from(ping.Controller)
class Controller:
    """One slurmctld. A cluster may have others on standby."""

    role: str = strawberry.field(description=ping.ABOUT_ROLE)
    host: str = strawberry.field(description=ping.ABOUT_HOST)
    is_up: bool = strawberry.field(description=ping.ABOUT_IS_UP)


@made_from(health.SnapshotAge)
class SnapshotAge:
    """A snapshot of the cluster that this API keeps for a few seconds, and its age."""

    name: str = strawberry.field(description="What it holds: jobs, queues or nodes.")
    as_of: datetime = strawberry.field(description="When it was requested from the cluster.")
    age_seconds: float = strawberry.field(description="Its age in seconds.")


@made_from(health.Health)
class Health:
    """Whether the cluster can be reached and its daemons answer. A failed check does not fail the query."""

    ok: bool = strawberry.field(description="Whether all checks passed.")
    agent: Check = strawberry.field(
        description="Whether Systems Manager considers the head node's agent online. SSM: PingStatus, which may be "
        "minutes old."
    )
    head_node: Check = strawberry.field(description="Whether the head node answered a command, through SSM.")
    scheduler: Check = strawberry.field(description="Whether a slurmctld answers. scontrol ping.")
    accounting: Check | None = strawberry.field(
        description="Whether slurmdbd answers; null if the cluster keeps no accounts. sacctmgr show cluster."
    )
    private_data: Check | None = strawberry.field(
        description="Whether the account that reads for this API sees everything: slurm.conf's PrivateData may hide "
        "things from it, and the stack's parameter Reader chooses another. Null if the configuration cannot be read."
    )
    controllers: list[Controller] = strawberry.field(
        description="Each slurmctld, one for each host that slurm.conf: SlurmctldHost names; empty if the head node "
        "does not answer. scontrol ping."
    )
    snapshots: list[SnapshotAge] = strawberry.field(
        description="The ages of the snapshots of jobs, queues and nodes that are cached now, at most one for each. "
        "The next query "
        "fetches any snapshot that is not cached."
    )
