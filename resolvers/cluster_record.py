"""A row that knows its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from slurm.column import Record, Rows

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


class _Named(Protocol):
    cluster: Cluster

    @property
    def name(self) -> str: ...


class ClusterRecord(Record):
    """A row that knows its cluster; the other base of its class is a table with a column `name`."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: Cluster, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def id(self: _Named) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.name}"
