"""What a cluster tells of itself: reservations, licenses, QOS, accounts, shares, statistics, configuration."""

import strawberry

from resolvers import facts
from schema.links import ClusterLink, NodeLink, QueueLink
from schema.types_from_tables import made_from
from slurm import configuration, fair_share, statistics


@made_from(facts.Reservation)
class Reservation:
    """Nodes, licenses or both that are kept for some users or accounts for some time."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:maintenance`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    nodes: list[NodeLink] = strawberry.field(description="Its nodes.")
    queue: QueueLink | None = strawberry.field(description="The queue that its nodes are of; null where none is named.")


@made_from(facts.License)
class License:
    """A license that the scheduler counts: so many of it can be held at once."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:matlab`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")


@made_from(facts.Qos)
class Qos:
    """A quality of service: how jobs that ask for it are ranked, and how much they may use, and do use."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:urgent`.")
    cluster: ClusterLink = strawberry.field(description="The cluster that was asked.")


@made_from(facts.Association)
class Association:
    """An account on the cluster, or a user in an account, with the limits set there and what counts against them.

    A limit that is null or empty here may still be set on an account above, or by the QOS.
    """

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:12`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")


@made_from(facts.Account)
class Account:
    """An account that jobs are charged to."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:physics`.")
    cluster: ClusterLink = strawberry.field(description="The cluster that was asked.")
    associations: list[Association] = strawberry.field(
        description="What is set for it on this cluster: its own association, and those of its users."
    )


@made_from(fair_share.FairShare)
class FairShare:
    """An account, or a user in an account: what share it has, what it has used."""


@made_from(statistics.Statistics)
class Statistics:
    """How the scheduler works. Counts are since `since`, when slurmctld started or last set them back (at midnight)."""


@made_from(configuration.Configuration)
class Configuration:
    """Facts of the cluster's configuration that are worth knowing."""
