"""Clusters."""

from datetime import datetime

import strawberry

from resolvers import cluster, facts
from resolvers.health import health as answer_health
from schema.facts import (
    Account,
    Association,
    Configuration,
    FairShare,
    License,
    Qos,
    Reservation,
    Statistics,
)
from schema.health import Health
from schema.instance import Head
from schema.job import Job
from schema.node import Node
from schema.page import JobConnection, NodeConnection
from schema.queue import Queue
from schema.types_from_tables import answered_by, made_from

# What could not be read is null beside an error, so that one dead cluster does not spoil the others: hence the
# connections are nullable here and on Query, where the sketch had them not.
JOBS = "A page of the jobs that the scheduler remembers: those that wait or run, and those that ended minutes ago."
JOB = "The job of that id, by the scheduler or, if it forgot it, by accounting; null if neither knows it."
JOB_HISTORY = (
    "A page of the jobs of a time, ended ones and others, by accounting (`source`); where the cluster keeps no "
    "accounts, those that the scheduler remembers."
)
QUEUES = "All queues, in the order of the scheduler's configuration."
QUEUE = "The queue of that name, or null."
NODES = "A page of the nodes, by name."
NODE = "The node of that name, or null."


@made_from(cluster.Cluster)
class Cluster:
    """A Slurm cluster."""

    name: str = strawberry.field(description="The cluster's name in this API.")
    slurm_version: str | None = strawberry.field(
        description="The version that slurmctld runs, as `22.05.8`. scontrol show config: SLURM_VERSION."
    )
    head: Head | None = strawberry.field(description="The head node, as AWS knows it.")
    as_of: datetime | None = strawberry.field(
        description="When the oldest of the data that this answer uses was asked for; null if it uses none."
    )

    jobs: JobConnection | None = strawberry.field(description=JOBS)
    job: Job | None = strawberry.field(description=JOB)
    job_history: JobConnection | None = strawberry.field(description=JOB_HISTORY)
    queues: list[Queue] | None = strawberry.field(description=QUEUES)
    queue: Queue | None = strawberry.field(description=QUEUE)
    nodes: NodeConnection | None = strawberry.field(description=NODES)
    node: Node | None = strawberry.field(description=NODE)
    reservations: list[Reservation] | None = answered_by(
        facts.reservations, "All reservations. scontrol show reservation."
    )
    licenses: list[License] | None = answered_by(
        facts.licenses, "The licenses that the scheduler counts, by name. scontrol show licenses."
    )
    qos: list[Qos] | None = answered_by(
        facts.all_qos,
        "The qualities of service, with limits and use; null where there is no accounting. "
        "sacctmgr show qos, scontrol show assoc_mgr.",
    )
    accounts: list[Account] | None = answered_by(
        facts.accounts,
        "The accounts that jobs are charged to; null where there is no accounting. sacctmgr show account.",
    )
    associations: list[Association] | None = answered_by(
        facts.associations,
        "Accounts and the users in them, with limits and use; null where there is no accounting. "
        "sacctmgr show associations, scontrol show assoc_mgr.",
    )
    fair_share: list[FairShare] | None = answered_by(
        facts.fair_shares,
        "Shares and use of accounts and users as they count for priorities, in the order of their tree; "
        "null where jobs are not ranked by fair share. sshare.",
    )
    statistics: Statistics | None = answered_by(facts.scheduler_statistics, "How the scheduler works. sdiag.")
    configuration: Configuration | None = answered_by(
        facts.configuration, "Facts of the configuration, kept for five minutes. scontrol show config."
    )
    health: Health = answered_by(
        answer_health, "Whether the cluster can be reached and its daemons answer, for monitors."
    )
