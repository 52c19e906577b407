"""What a cluster tells of itself: reservations, licenses, QOS, accounts, shares, statistics, configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from resolvers import datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.errors import BadInputError, unavailable
from slurm import argument, assoc_mgr, association, fair_share, license, qos, reservation
from slurm.column import Record, Rows
from slurm.configuration import Configuration
from slurm.fair_share import FairShareDisabledError
from slurm.statistics import Statistics

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.node import Node
    from resolvers.queue import Queue


R = TypeVar("R", bound=Record)


class Reservation(ClusterRecord, reservation.Reservation):
    """A reservation and what it is linked to."""

    @property
    def nodes(self) -> list[Node]:
        """Its nodes, as far as the cluster still has them."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]

    @property
    def queue(self) -> Queue | None:
        """The queue that its nodes are of."""
        return self.cluster.queues_by_name.get(self.queue_name) if self.queue_name else None


class License(ClusterRecord, license.License):
    """A license."""


class Qos(ClusterRecord, qos.Qos):
    """A quality of service."""


class Account(ClusterRecord, association.Account):
    """An account, and what is set for it and its users."""

    @property
    def associations(self) -> list[Association]:
        """Its own association with the cluster, and those of its users."""
        return associations(self.cluster, account=self.name)


class Association(ClusterRecord, association.Association):
    """An account on the cluster, or a user in an account."""

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.id_number}"


def reservations(cluster: Cluster) -> list[Reservation]:
    """All reservations, in slurmctld's order."""
    rows = cluster.read(datasets.RESERVATIONS).value
    return [Reservation(cluster, rows, index) for index in range(len(rows))]


def reservation_named(cluster: Cluster, name: str) -> Reservation | None:
    """The reservation of that name, or None."""
    return next((each for each in reservations(cluster) if each.name == name), None)


def licenses(cluster: Cluster) -> list[License]:
    """All licenses, by name."""
    rows = cluster.read(datasets.LICENSES).value
    return [License(cluster, rows, index) for index in range(len(rows))]


def all_qos(cluster: Cluster) -> list[Qos]:
    """All QOS."""
    rows = _counted(cluster, cluster.read(datasets.QOS).value)
    return [Qos(cluster, rows, index) for index in range(len(rows))]


def accounts(cluster: Cluster) -> list[Account]:
    """All accounts in the books; those of other clusters' jobs among them, where several share the books."""
    rows = cluster.read(datasets.ACCOUNTS).value
    return [Account(cluster, rows, index) for index in range(len(rows))]


def associations(cluster: Cluster, user: str | None = None, account: str | None = None) -> list[Association]:
    """This cluster's associations, of the user and the account if they are named. Raises BadInputError."""
    check_names(user=user, account=account)
    rows = _counted(cluster, cluster.read(datasets.ASSOCIATIONS).value)
    own = cluster.read(datasets.CONFIGURATION).value.cluster_name
    clusters = rows.values(association.Association.cluster_name)
    users, names = rows.values(association.Association.user), rows.values(association.Association.account)
    return [
        Association(cluster, rows, index)
        for index in _named(users, names, user, account)
        if own is None or clusters[index].casefold() == own.casefold()
    ]


def _counted(cluster: Cluster, rows: Rows[R]) -> Rows[R]:
    """The rows; without what counts against limits where none are enforced, as it is always zero to Slurm then."""
    if {"limits", "safe", "all"}.intersection(configuration(cluster).accounting_enforce):
        return rows
    return Rows(rows.record, {**rows.texts, **{source: [""] * len(rows) for source in assoc_mgr.COUNTED}})


def fair_shares(cluster: Cluster, user: str | None = None, account: str | None = None) -> list[fair_share.FairShare]:
    """Shares and use in the order of their tree, of the named user and account alone.

    Raises BadInputError, and RequestError where shares count for nothing: sshare prints them all the same, if there is
    accounting.
    """
    check_names(user=user, account=account)
    if configuration(cluster).priority_type == "basic":
        raise unavailable(cluster.name, FairShareDisabledError(fair_share.HOW_TO_SWITCH_ON))
    rows = cluster.read(datasets.FAIR_SHARES).value
    users, names = rows.values(fair_share.FairShare.user), rows.values(fair_share.FairShare.account)
    return [rows[index] for index in _named(users, names, user, account)]


def _named(users: Sequence[str | None], names: Sequence[str], user: str | None, account: str | None) -> list[int]:
    return [
        index
        for index, pair in enumerate(zip(users, names, strict=True))
        if user in (None, pair[0]) and account in (None, pair[1])
    ]


def statistics(cluster: Cluster) -> Statistics:
    """How the scheduler works."""
    return cluster.read(datasets.STATISTICS).value


def configuration(cluster: Cluster) -> Configuration:
    """Facts of the configuration."""
    return cluster.read(datasets.CONFIGURATION).value


def check_names(**names: str | None) -> None:
    """Raise BadInputError for what cannot be the name of a user or an account, before anything is asked for."""
    for name, value in names.items():
        try:
            if value is not None:
                argument.word(value)
        except ValueError as error:
            raise BadInputError(f"{name} {error}.", argument=name) from error
