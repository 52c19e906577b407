"""Facts of a cluster: reservations, licenses, QOS, accounts, shares, statistics, configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from headnode.snapshots import Dataset, Snapshot
from resolvers import arguments, datasets
from resolvers.cluster_record import ClusterRecord
from resolvers.errors import BadInputError, unavailable
from resolvers.pages import Connection
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
T = TypeVar("T")

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


def _associations_of_account(
    cluster: Cluster, below: Parts, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The associations. Raises BadInputError, so that the accounts are not fetched either."""
    cluster.check_named(first, after)
    return [ASSOCIATIONS, datasets.CONFIGURATION]


class Account(ClusterRecord, association.Account):
    """An account and its associations."""

    @reads_by(_associations_of_account)
    def associations(self, first: arguments.First = 100, after: arguments.After = None) -> Connection[Association]:
        """Its own association with the cluster, and those of its users."""
        return associations(self.cluster, None, self.name, first, after)


class Association(ClusterRecord, association.Association):
    """An account on the cluster, or a user in an account."""

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.id_number}"


class FairShare(ClusterRecord, fair_share.FairShare):
    """The share of an account, or of a user in an account."""

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.id_number}"


class Switch(ClusterRecord, topology.Switch):
    """A switch of the network."""


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
def switches(cluster: Cluster) -> list[Switch]:
    """All switches of the network, in slurmctld's order."""
    rows = cluster.read(TOPOLOGY).value
    return [Switch(cluster, rows, index) for index in range(len(rows))]


@reads(QOS, datasets.CONFIGURATION)
def all_qos(cluster: Cluster) -> list[Qos]:
    """All QOS."""
    rows = _counted(cluster, cluster.read(QOS).value)
    return [Qos(cluster, rows, index) for index in range(len(rows))]


def _accounts(cluster: Cluster, below: Parts, first: int | None, after: str | None) -> list[Dataset[Any]]:
    """The accounts; nothing if the arguments are wrong, as the field itself reports that."""
    return [ACCOUNTS] if _right(cluster, None, None, first, after) else []


@reads_by(_accounts)
def accounts(cluster: Cluster, first: arguments.First = 100, after: arguments.After = None) -> Connection[Account]:
    """A page of the accounts in the accounting database, which several clusters may share. Raises BadInputError."""
    _check(cluster, None, None, first, after)
    snapshot = cluster.read(ACCOUNTS)
    rows = snapshot.value
    everything, names = range(len(rows)), rows.values(association.Account.name)
    return cluster.page_by_name(
        snapshot, everything, lambda: names, lambda index: Account(cluster, rows, index), first, after
    )


def _check(cluster: Cluster, user: str | None, account: str | None, first: int | None, after: str | None) -> None:
    check_names(user=user, account=account)
    cluster.check_named(first, after)


def _right(cluster: Cluster, user: str | None, account: str | None, first: int | None, after: str | None) -> bool:
    try:
        _check(cluster, user, account, first, after)
    except BadInputError:
        return False
    return True


def _associations(
    cluster: Cluster, below: Parts, user: str | None, account: str | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """The associations of all clusters in the accounting database, and the name of this one.

    Nothing if the arguments are wrong, as the field itself reports that.
    """
    return [ASSOCIATIONS, datasets.CONFIGURATION] if _right(cluster, user, account, first, after) else []


@reads_by(_associations)
def associations(
    cluster: Cluster,
    user: arguments.OfUser = None,
    account: arguments.OfAccount = None,
    first: arguments.First = 100,
    after: arguments.After = None,
) -> Connection[Association]:
    """A page of this cluster's associations, of that user and that account if they are given. Raises BadInputError."""
    _check(cluster, user, account, first, after)
    snapshot = cluster.read(ASSOCIATIONS)
    rows = _counted(cluster, snapshot.value)
    own = cluster.read(datasets.CONFIGURATION).value.cluster_name
    clusters = rows.values(association.Association.cluster_name)
    chosen = [
        index for index in _matching(rows, user, account) if own is None or clusters[index].casefold() == own.casefold()
    ]
    return _page(cluster, Snapshot(rows, snapshot.as_of), chosen, Association, first, after)


def _counted(cluster: Cluster, rows: Rows[R]) -> Rows[R]:
    """The rows. If no limits are enforced, without what counts against them: Slurm then reports zero."""
    if {"limits", "safe", "all"}.intersection(configuration(cluster).accounting_enforce):
        return rows
    return Rows(rows.record, {**rows.texts, **{source: [""] * len(rows) for source in assoc_mgr.COUNTED}})


def _fair_shares(
    cluster: Cluster, below: Parts, user: str | None, account: str | None, first: int | None, after: str | None
) -> list[Dataset[Any]]:
    """Shares and use, and whether they determine priorities. Nothing if the arguments are wrong."""
    return [FAIR_SHARES, datasets.CONFIGURATION] if _right(cluster, user, account, first, after) else []


@reads_by(_fair_shares)
def fair_shares(
    cluster: Cluster,
    user: arguments.OfUser = None,
    account: arguments.OfAccount = None,
    first: arguments.First = 100,
    after: arguments.After = None,
) -> Connection[FairShare]:
    """A page of shares and use, only of that user and that account if they are given.

    Raises BadInputError, and RequestError if shares do not determine priorities: sshare prints them even then, if there
    is accounting.
    """
    _check(cluster, user, account, first, after)
    if configuration(cluster).priority_type == "basic":
        raise unavailable(cluster.name, FairShareDisabledError(fair_share.HOW_TO_SWITCH_ON))
    snapshot = cluster.read(FAIR_SHARES)
    return _page(cluster, snapshot, _matching(snapshot.value, user, account), FairShare, first, after)


def _columns(rows: Rows[Any]) -> Iterator[tuple[str, str | None, str | None]]:
    """Account, user and queue of each row."""
    table = rows.record
    return zip(*(rows.values(column) for column in (table.account, table.user, table.queue_name)), strict=True)


def _matching(rows: Rows[Any], user: str | None, account: str | None) -> list[int]:
    return [
        index
        for index, (charged, charging, _) in enumerate(_columns(rows))
        if user in (None, charging) and account in (None, charged)
    ]


def _page(
    cluster: Cluster,
    snapshot: Snapshot[Rows[Any]],
    chosen: Sequence[int],
    make: Callable[[Cluster, Rows[Any], int], T],
    first: int | None,
    after: str | None,
) -> Connection[T]:
    """A page of rows by account, user and queue; an account comes before its users."""
    rows = snapshot.value

    def names() -> list[list[str]]:
        return [[account, user or "", queue or ""] for account, user, queue in _columns(rows)]

    return cluster.page_by_name(snapshot, chosen, names, lambda index: make(cluster, rows, index), first, after)


@reads(STATISTICS)
def scheduler_statistics(cluster: Cluster) -> Statistics:
    """Statistics of the scheduler."""
    return cluster.read(STATISTICS).value


@reads(datasets.CONFIGURATION)
def configuration(cluster: Cluster) -> Configuration:
    """Selected settings of the cluster."""
    return cluster.read(datasets.CONFIGURATION).value
