"""Whether a cluster can be reached and its daemons answer: for monitors, so that nothing here fails a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headnode.errors import HeadNodeError
from headnode.instances import Agent
from headnode.snapshots import Dataset, Snapshot
from resolvers import datasets
from resolvers.errors import READER_NOT_PERMITTED, UnreadableError
from slurm.configuration import Configuration
from slurm.errors import ParseError
from slurm.ping import Controller, Ping
from slurm.private_data import hidden_from_reader, how_to_show

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

KEPT: Sequence[Dataset[Any]] = (datasets.JOBS_IN_BRIEF, datasets.QUEUES, datasets.NODES)
"""The snapshots that most answers are made of."""


@dataclass(frozen=True)
class Check:
    """One sign of life: whether it is there, and why not. `code` as errors have it (extensions.code)."""

    ok: bool
    message: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class SnapshotAge:
    """A kept snapshot; its age in seconds."""

    name: str
    as_of: datetime
    age_seconds: float


@dataclass(frozen=True)
class Health:
    """All checks of a cluster.

    `accounting` is None where the cluster keeps no accounts, `private_data` where its configuration is not known.
    """

    agent: Check
    head_node: Check
    scheduler: Check
    accounting: Check | None
    private_data: Check | None
    controllers: Sequence[Controller]
    snapshots: Sequence[SnapshotAge]

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        checks = (self.agent, self.head_node, self.scheduler, self.accounting, self.private_data)
        return all(check.ok for check in checks if check is not None)


def health(cluster: Cluster) -> Health:
    """What AWS and the cluster told when they were asked for signs of life."""
    signs = cluster.answers[datasets.PING]
    is_up = signs.value if isinstance(signs, Snapshot) else None
    return Health(
        agent=_agent(cluster.answers[datasets.AGENT]),
        head_node=_failed(signs) if isinstance(signs, HeadNodeError) else Check(True),
        scheduler=_failed(signs) if is_up is None else _scheduler(is_up.controllers),
        accounting=_failed(signs) if is_up is None else _accounting(is_up),
        private_data=_private_data(cluster.answers[datasets.CONFIGURATION]),
        controllers=is_up.controllers if is_up else [],
        snapshots=_ages(cluster),
    )


def _agent(answer: Any) -> Check:
    if not isinstance(answer, Snapshot):
        return _failed(answer)
    agent: Agent = answer.value
    if agent.ping_status == "Online":
        return Check(True)
    heard = f", last heard of at {agent.last_ping.isoformat()}" if agent.last_ping else ""
    return Check(False, f"Systems Manager calls the agent {agent.ping_status}{heard}.", HeadNodeError.code)


def _scheduler(controllers: Sequence[Controller]) -> Check:
    if any(controller.is_up for controller in controllers):
        return Check(True)
    down = ", ".join(f"{controller.host} ({controller.role})" for controller in controllers)
    return Check(False, f"No slurmctld answers: {down}.", "SCHEDULER_UNAVAILABLE")


def _accounting(signs: Ping) -> Check | None:
    if signs.accounting_is_up is None:
        return None
    return Check(True) if signs.accounting_is_up else Check(False, signs.accounting_message, "ACCOUNTING_UNAVAILABLE")


def _private_data(answer: Any) -> Check | None:
    if not isinstance(answer, Snapshot):
        return None
    configuration: Configuration = answer.value
    if words := hidden_from_reader(configuration):
        return Check(False, f"{how_to_show(words, configuration)}.", READER_NOT_PERMITTED)
    return Check(True)


def _failed(fault: Any) -> Check:
    if isinstance(fault, HeadNodeError):
        return Check(False, str(fault), fault.code)
    if isinstance(fault, ParseError):
        return Check(False, f"Slurm printed no sign of life that is known: {fault}.", UnreadableError.code)
    return Check(False, str(fault), "SCHEDULER_UNAVAILABLE")


def _ages(cluster: Cluster) -> list[SnapshotAge]:
    now = datetime.now(UTC)
    kept = ((dataset, cluster.snapshots.kept(dataset)) for dataset in KEPT)
    return [
        SnapshotAge(str(dataset.key), snapshot.as_of, (now - snapshot.as_of).total_seconds())
        for dataset, snapshot in kept
        if snapshot is not None
    ]
