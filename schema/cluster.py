"""Clusters."""

from datetime import datetime

import strawberry

from resolvers import cluster, facts
from resolvers.health import health as answer_health
from schema.facts import Configuration, License, Qos, Reservation, Statistics, Switch
from schema.health import Health
from schema.instance import Head
from schema.job import Job
from schema.node import Node
from schema.page import AccountConnection, AssociationConnection, FairShareConnection, JobConnection, NodeConnection
from schema.polling import SUGGESTED_POLL_SECONDS
from schema.queue import Queue
from schema.types_from_tables import answered_by, made_from

# What could not be read is null and has an error, so that one dead cluster does not spoil the others. That is why the
# connections can be null here and on Query.
JOBS = "A page of the jobs that the scheduler remembers: waiting and running jobs, and jobs that ended minutes ago."
JOB = (
    "The job with that id, from the scheduler, or from accounting if the scheduler has forgotten it; null if neither "
    "knows it. Where the cluster keeps no accounts, null comes with the error JOB_NOT_REMEMBERED: the scheduler may "
    "have forgotten the job."
)
JOB_HISTORY = (
    "A page of the jobs that waited, ran or ended in a period, from accounting; not those that still wait and were "
    "never eligible to start (`jobs` has them). If the cluster keeps no accounts, from the scheduler's memory; "
    "`source` says which."
)
JOBS_ENDED = (
    "Waits until jobs have ended, for at most `timeoutSeconds`, and returns what is known of them. It is a client's "
    "loop of polls in one request: ask again until `done` is true. All that wait share the snapshots that other "
    "requests use."
)
QUEUES = "All queues, in the order of the scheduler's configuration: as many as slurm.conf has."
QUEUE = "The queue with that name; null if there is none."
NODES = "A page of the nodes, by name."
NODE = "The node with that name; null if there is none."


@made_from(cluster.Cluster)
class Cluster:
    """A Slurm cluster."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters: the cluster's name.")
    name: str = strawberry.field(description="The cluster's name in this API.")
    slurm_version: str | None = strawberry.field(
        description="The version that slurmctld runs, as `22.05.8`. scontrol show config: SLURM_VERSION."
    )
    head: Head | None = strawberry.field(description="The head node, as AWS knows it.")
    as_of: datetime | None = strawberry.field(
        description="When the oldest data in this answer was requested from the cluster; null if the answer uses none."
    )
    suggested_poll_seconds: int = strawberry.field(description=SUGGESTED_POLL_SECONDS)

    jobs: JobConnection | None = strawberry.field(description=JOBS)
    job: Job | None = strawberry.field(description=JOB)
    job_history: JobConnection | None = strawberry.field(description=JOB_HISTORY)
    queues: list[Queue] | None = strawberry.field(description=QUEUES)
    queue: Queue | None = strawberry.field(description=QUEUE)
    nodes: NodeConnection | None = strawberry.field(description=NODES)
    node: Node | None = strawberry.field(description=NODE)
    reservations: list[Reservation] | None = answered_by(
        facts.reservations, "All reservations, at most 9,999, which is Slurm's limit. scontrol show reservation."
    )
    licenses: list[License] | None = answered_by(
        facts.licenses,
        "The licenses that the scheduler counts, by name, as many as slurm.conf and accounting define. scontrol show "
        "licenses.",
    )
    topology: list[Switch] | None = answered_by(
        facts.switches,
        "The switches of the network, as many as topology.conf has, cached for five minutes; empty if the cluster has "
        "no topology plugin. "
        "scontrol show topology.",
    )
    qos: list[Qos] | None = answered_by(
        facts.all_qos,
        "The qualities of service, as many as accounting has, with their limits and what counts against them; null "
        "without accounting. "
        "sacctmgr show qos, scontrol show assoc_mgr.",
    )
    accounts: AccountConnection | None = answered_by(
        facts.accounts,
        "A page of the accounts that jobs are charged to, by name; null without accounting. sacctmgr show account.",
    )
    associations: AssociationConnection | None = answered_by(
        facts.associations,
        "A page of accounts and their users, with their limits and what counts against them, by account, user and "
        "queue, an account before its users; null without accounting. "
        "sacctmgr show associations, scontrol show assoc_mgr.",
    )
    fair_share: FairShareConnection | None = answered_by(
        facts.fair_shares,
        "A page of the shares and the use of accounts and users that determine priorities, by account, user and "
        "queue, an account before its users; null if "
        "the cluster does not rank jobs by fair share. sshare.",
    )
    statistics: Statistics | None = answered_by(facts.scheduler_statistics, "Statistics of the scheduler. sdiag.")
    configuration: Configuration | None = answered_by(
        facts.configuration, "Selected settings of the cluster, cached for five minutes. scontrol show config."
    )
    health: Health = answered_by(
        answer_health, "Whether the cluster can be reached and its daemons answer; for monitoring."
    )
