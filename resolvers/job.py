"""A job and what it is linked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resolvers.counts import StateCount, count_states
from resolvers.pages import PageInfo
from slurm import squeue
from slurm.column import Rows
from slurm.states import JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.node import Node
    from resolvers.queue import Queue


class Job(squeue.Job):
    """A job and what it is linked to."""

    __slots__ = ("cluster",)

    def __init__(self, cluster: Cluster, rows: Rows[Any], index: int) -> None:
        super().__init__(rows, index)
        self.cluster = cluster

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self.cluster.name}:{self.job_id}"

    @property
    def queues(self) -> list[Queue]:
        """The queues it may run in, as far as the cluster has them."""
        known = self.cluster.queues_by_name
        return [known[name] for name in squeue.queue_names(self) if name in known]

    @property
    def queue(self) -> Queue | None:
        """The first of them."""
        return next(iter(self.queues), None)

    @property
    def nodes(self) -> list[Node]:
        """The nodes allocated to it, as far as the cluster still has them."""
        known = self.cluster.nodes_by_name
        return [known[name] for name in self.node_names if name in known]


@dataclass(frozen=True)
class JobConnection:
    """A page of jobs, and counts over all that the filter lets through."""

    nodes: Sequence[Job]
    page_info: PageInfo
    total_count: int
    as_of: datetime
    states: Sequence[JobState]

    @property
    def counts_by_state(self) -> list[StateCount[JobState]]:
        """How many are in each state, on all pages."""
        return count_states(self.states)
