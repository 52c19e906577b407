"""Facts of a cluster: reservations, licenses, QOS, accounts, shares, statistics, configuration."""

import strawberry

from resolvers import facts
from schema.links import ClusterLink, NodeLink, QueueLink
from schema.page import AssociationConnection
from schema.types_from_tables import made_from
from slurm import configuration, statistics


@made_from(facts.Reservation)
class Reservation:
    """Nodes or licenses, or both, that are reserved for some users or accounts for a time."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:maintenance`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")
    nodes: list[NodeLink] = strawberry.field(description="Its nodes, at most as many as nodeCount.")
    queue: QueueLink | None = strawberry.field(description="The queue that its nodes belong to; null if none is named.")


@made_from(facts.License)
class License:
    """A license that the scheduler counts: only so many jobs can hold it at once."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:matlab`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")


@made_from(facts.Qos)
class Qos:
    """A quality of service: how its jobs are ranked, how much they may use, and how much they use."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:urgent`.")
    cluster: ClusterLink = strawberry.field(description="The cluster that was queried.")


@made_from(facts.Association)
class Association:
    """An account on the cluster, or a user in an account, with its limits and what counts against them.

    A limit that is null or empty here may still be set on an account above, or by the QOS.
    """

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:12`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")


@made_from(facts.Account)
class Account:
    """An account that jobs are charged to."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:physics`.")
    cluster: ClusterLink = strawberry.field(description="The cluster that was queried.")
    associations: AssociationConnection = strawberry.field(
        description="A page of its associations on this cluster: its own, and those of its users."
    )


@made_from(facts.FairShare)
class FairShare:
    """An account, or a user in an account: its share and what it has used."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:12`.")
    cluster: ClusterLink = strawberry.field(description="The cluster that was queried.")


@made_from(facts.Switch)
class Switch:
    """A switch of the network and what is connected to it, from topology.conf; with topology/block a block of nodes."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:leaf1`.")
    cluster: ClusterLink = strawberry.field(description="The cluster it belongs to.")


@made_from(statistics.Statistics)
class Statistics:
    """Statistics of the scheduler. Counts begin at `since`, when slurmctld started or last reset them (at midnight)."""


@made_from(configuration.Configuration)
class Configuration:
    """Selected settings of the cluster."""
