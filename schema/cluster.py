"""Clusters."""

from datetime import datetime
from typing import Any

import strawberry

from resolvers import facts, health
from resolvers.history import JobHistory
from schema import arguments
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

# What could not be read is null beside an error, so that one dead cluster does not spoil the others: hence the
# connections are nullable here and on Query, where the sketch had them not.
JOBS = "A page of the jobs that the scheduler remembers: those that wait or run, and those that ended minutes ago."
JOB = (
    "The job of that id, by the scheduler or, if it forgot it, by accounting; null if neither knows it. Where the "
    "cluster keeps no accounts, null comes with the error JOB_NOT_REMEMBERED: the scheduler may have forgotten the job."
)
JOB_HISTORY = (
    "A page of the jobs of a time, ended ones and others, by accounting (`source`); where the cluster keeps no "
    "accounts, those that the scheduler remembers."
)
QUEUES = "All queues, in the order of the scheduler's configuration."
QUEUE = "The queue of that name, or null."
NODES = "A page of the nodes, by name."
NODE = "The node of that name, or null."


@strawberry.type(description="A Slurm cluster.")
class Cluster:
    """A Slurm cluster; `self` is the resolvers' Cluster."""

    name: str = strawberry.field(description="The cluster's name in this API.")
    slurm_version: str | None = strawberry.field(
        description="The version that slurmctld runs, as `22.05.8`. scontrol show config: SLURM_VERSION."
    )
    head: Head | None = strawberry.field(description="The head node, as AWS knows it.")
    as_of: datetime | None = strawberry.field(
        description="When the oldest of the data that this answer uses was asked for; null if it uses none."
    )

    @strawberry.field(graphql_type=JobConnection | None, description=JOBS)
    def jobs(
        self: Any,
        filter: arguments.Jobs = None,
        order_by: arguments.Order = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """Jobs of this cluster."""
        return self.jobs(filter, order_by, first, after)

    @strawberry.field(graphql_type=Job | None, description=JOB)
    def job(self: Any, id: arguments.JobId) -> Any:
        """One job of this cluster."""
        return self.job(id)

    @strawberry.field(graphql_type=JobConnection | None, description=JOB_HISTORY)
    def job_history(
        self: Any,
        since: arguments.Since = None,
        until: arguments.Until = None,
        filter: arguments.Jobs = None,
        order_by: arguments.LatestFirst = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """Past jobs of this cluster."""
        return self.job_history(JobHistory(filter, since, until, order_by, first, after))

    @strawberry.field(graphql_type=list[Queue] | None, description=QUEUES)
    def queues(self: Any) -> Any:
        """Queues of this cluster."""
        return self.queues()

    @strawberry.field(graphql_type=Queue | None, description=QUEUE)
    def queue(self: Any, name: arguments.QueueName) -> Any:
        """One queue of this cluster."""
        return self.queue(name)

    @strawberry.field(graphql_type=NodeConnection | None, description=NODES)
    def nodes(
        self: Any, filter: arguments.Nodes = None, first: arguments.First = 500, after: arguments.After = None
    ) -> Any:
        """Nodes of this cluster."""
        return self.nodes(filter, first, after)

    @strawberry.field(graphql_type=Node | None, description=NODE)
    def node(self: Any, name: arguments.NodeName) -> Any:
        """One node of this cluster."""
        return self.node(name)

    @strawberry.field(graphql_type=list[Reservation] | None, description="All reservations. scontrol show reservation.")
    def reservations(self: Any) -> Any:
        """Reservations of this cluster."""
        return facts.reservations(self)

    @strawberry.field(
        graphql_type=list[License] | None,
        description="The licenses that the scheduler counts, by name. scontrol show licenses.",
    )
    def licenses(self: Any) -> Any:
        """Licenses of this cluster."""
        return facts.licenses(self)

    @strawberry.field(
        graphql_type=list[Qos] | None,
        description="The qualities of service, with limits and use; null where there is no accounting. "
        "sacctmgr show qos, scontrol show assoc_mgr.",
    )
    def qos(self: Any) -> Any:
        """QOS of this cluster."""
        return facts.all_qos(self)

    @strawberry.field(
        graphql_type=list[Account] | None,
        description="The accounts that jobs are charged to; null where there is no accounting. sacctmgr show account.",
    )
    def accounts(self: Any) -> Any:
        """Accounts of this cluster."""
        return facts.accounts(self)

    @strawberry.field(
        graphql_type=list[Association] | None,
        description="Accounts and the users in them, with limits and use; null where there is no accounting. "
        "sacctmgr show associations, scontrol show assoc_mgr.",
    )
    def associations(self: Any, user: arguments.OfUser = None, account: arguments.OfAccount = None) -> Any:
        """Associations of this cluster."""
        return facts.associations(self, user, account)

    @strawberry.field(
        graphql_type=list[FairShare] | None,
        description="Shares and use of accounts and users as they count for priorities, in the order of their tree; "
        "null where jobs are not ranked by fair share. sshare.",
    )
    def fair_share(self: Any, user: arguments.OfUser = None, account: arguments.OfAccount = None) -> Any:
        """Fair shares on this cluster."""
        return facts.fair_shares(self, user, account)

    @strawberry.field(graphql_type=Statistics | None, description="How the scheduler works. sdiag.")
    def statistics(self: Any) -> Any:
        """Statistics of this cluster's scheduler."""
        return facts.statistics(self)

    @strawberry.field(
        graphql_type=Configuration | None,
        description="Facts of the configuration, kept for five minutes. scontrol show config.",
    )
    def configuration(self: Any) -> Any:
        """Facts of this cluster's configuration."""
        return facts.configuration(self)

    @strawberry.field(
        graphql_type=Health, description="Whether the cluster can be reached and its daemons answer, for monitors."
    )
    def health(self: Any) -> Any:
        """Signs of life of this cluster."""
        return health.health(self)
