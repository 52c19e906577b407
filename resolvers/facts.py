"""Facts of a cluster: reservations, licenses, QOS, accounts, shares, statistics, configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from headnode.snapshots import Dataset
from resolvers import arguments, datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.errors import BadInputError, unavailable
from resolvers.reads import Parts, reads, reads_by
from slurm import argument, assoc_mgr, association, fair_share, license, qos, reservation, statistics, topology
from slurm.column import Record, Rows
from slurm.configuration import Configuration
from slurm.fair_share import FairShareDisabledError
from slurm.statistics import Statistics

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.node import Node
    from resolvers.queue import Queue


R = TypeVar("R", bound=Record)

RESERVATIONS: Dataset[Rows[reservation.Reservation]] = Dataset("reservations", reservation.reservations, shared=True)
TOPOLOGY: Dataset[Rows[topology.Switch]] = Dataset(
    "topology", topology.topology, lifetime=300.0, shared=True, outlives_changes=True
)
LICENSES: Dataset[Rows[license.License]] = Dataset("licenses", license.licenses, shared=True)
QOS: Dataset[Rows[qos.Qos]] = Dataset("qos", qos.qos, shared=True)
ACCOUNTS: Dataset[Rows[association.Account]] = Dataset("accounts", association.accounts, shared=True)
ASSOCIATIONS: Dataset[Rows[association.Association]] = Dataset("associations", association.associations, shared=True)
FAIR_SHARES: Dataset[Rows[fair_share.FairShare]] = Dataset("fair shares", fair_share.fair_shares, shared=True)
STATISTICS: Dataset[Statistics] = Dataset("statistics", statistics.statistics, shared=True)


def check_names(**names: str | None) -> None:
    """Raise BadInputError for an impossible name of a user or an account, before anything is fetched."""
    for name, value in names.items():
        try:
            if value is not None:
                argument.word(value)
        except ValueError as error:
            raise BadInputError(f"{name} {error}.", argument=name) from error


class Reservation(ClusterRecord, reservation.Reservation):
    """A reservation and what it is linked to."""

    @property
    @reads(datasets.NODES)
    def nodes(self) -> list[Node]:
        """Its nodes, if the cluster still has them."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]

    @property
    @reads(datasets.QUEUES)
    def queue(self) -> Queue | None:
        """The queue that its nodes belong to."""
        return self.cluster.queues_by_name.get(self.queue_name) if self.queue_name else None


class License(ClusterRecord, license.License):
    """A license."""


class Qos(ClusterRecord, qos.Qos):
    """A quality of service."""


class Account(ClusterRecord, association.Account):
    """An account and its associations."""

    @property
    @reads(ASSOCIATIONS, datasets.CONFIGURATION)
    def associations(self) -> list[Association]:
        """Its own association with the cluster, and those of its users."""
        return associations(self.cluster, None, self.name)


class Association(ClusterRecord, association.Association):
    """An account on the cluster, or a user in an account."""

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.id_number}"


@reads(RESERVATIONS)
def reservations(cluster: Cluster) -> list[Reservation]:
    """All reservations, in slurmctld's order."""
    rows = cluster.read(RESERVATIONS).value
    return [Reservation(cluster, rows, index) for index in range(len(rows))]


def reservation_named(cluster: Cluster, name: str) -> Reservation | None:
    """The reservation with that name, or None."""
    return next((each for each in reservations(cluster) if each.name == name), None)


@reads(LICENSES)
def licenses(cluster: Cluster) -> list[License]:
    """All licenses, by name."""
    rows = cluster.read(LICENSES).value
    return [License(cluster, rows, index) for index in range(len(rows))]


@reads(TOPOLOGY)
def switches(cluster: Cluster) -> list[topology.Switch]:
    """All switches of the network, in slurmctld's order."""
    return list(cluster.read(TOPOLOGY).value)


@reads(QOS, datasets.CONFIGURATION)
def all_qos(cluster: Cluster) -> list[Qos]:
    """All QOS."""
    rows = _counted(cluster, cluster.read(QOS).value)
    return [Qos(cluster, rows, index) for index in range(len(rows))]


@reads(ACCOUNTS)
def accounts(cluster: Cluster) -> list[Account]:
    """All accounts in the accounting database, which several clusters may share."""
    rows = cluster.read(ACCOUNTS).value
    return [Account(cluster, rows, index) for index in range(len(rows))]


def _names_are_right(user: str | None, account: str | None) -> bool:
    try:
        check_names(user=user, account=account)
    except BadInputError:
        return False  # the field itself reports it
    return True


def _associations(cluster: Cluster, below: Parts, user: str | None, account: str | None) -> list[Dataset[Any]]:
    """The associations of all clusters in the accounting database, and the name of this one."""
    return [ASSOCIATIONS, datasets.CONFIGURATION] if _names_are_right(user, account) else []


@reads_by(_associations)
def associations(
    cluster: Cluster, user: arguments.OfUser = None, account: arguments.OfAccount = None
) -> list[Association]:
    """This cluster's associations, of that user and that account if they are given. Raises BadInputError."""
    check_names(user=user, account=account)
    rows = _counted(cluster, cluster.read(ASSOCIATIONS).value)
    own = cluster.read(datasets.CONFIGURATION).value.cluster_name
    clusters = rows.values(association.Association.cluster_name)
    users, names = rows.values(association.Association.user), rows.values(association.Association.account)
    return [
        Association(cluster, rows, index)
        for index in _named(users, names, user, account)
        if own is None or clusters[index].casefold() == own.casefold()
    ]


def _counted(cluster: Cluster, rows: Rows[R]) -> Rows[R]:
    """The rows. If no limits are enforced, without what counts against them: Slurm then reports zero."""
    if {"limits", "safe", "all"}.intersection(configuration(cluster).accounting_enforce):
        return rows
    return Rows(rows.record, {**rows.texts, **{source: [""] * len(rows) for source in assoc_mgr.COUNTED}})


def _fair_shares(cluster: Cluster, below: Parts, user: str | None, account: str | None) -> list[Dataset[Any]]:
    """Shares and use, and whether they determine priorities."""
    return [FAIR_SHARES, datasets.CONFIGURATION] if _names_are_right(user, account) else []


@reads_by(_fair_shares)
def fair_shares(
    cluster: Cluster, user: arguments.OfUser = None, account: arguments.OfAccount = None
) -> list[fair_share.FairShare]:
    """Shares and use in the order of their tree, only of that user and that account if they are given.

    Raises BadInputError, and RequestError if shares do not determine priorities: sshare prints them even then, if there
    is accounting.
    """
    check_names(user=user, account=account)
    if configuration(cluster).priority_type == "basic":
        raise unavailable(cluster.name, FairShareDisabledError(fair_share.HOW_TO_SWITCH_ON))
    rows = cluster.read(FAIR_SHARES).value
    users, names = rows.values(fair_share.FairShare.user), rows.values(fair_share.FairShare.account)
    return [rows[index] for index in _named(users, names, user, account)]


def _named(users: Sequence[str | None], names: Sequence[str], user: str | None, account: str | None) -> list[int]:
    return [
        index
        for index, pair in enumerate(zip(users, names, strict=True))
        if user in (None, pair[0]) and account in (None, pair[1])
    ]


@reads(STATISTICS)
def scheduler_statistics(cluster: Cluster) -> Statistics:
    """Statistics of the scheduler."""
    return cluster.read(STATISTICS).value


@reads(datasets.CONFIGURATION)
def configuration(cluster: Cluster) -> Configuration:
    """Selected settings of the cluster."""
    return cluster.read(datasets.CONFIGURATION).value
