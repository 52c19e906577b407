"""Whether a cluster can be reached and its daemons answer. For monitoring: nothing here fails a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headnode.errors import HeadNodeError
from headnode.instances import Agent
from headnode.snapshots import Dataset, Fault, Snapshot
from resolvers import datasets
from resolvers.errors import ErrorCode, code_of
from resolvers.reads import reads
from slurm.configuration import Configuration
from slurm.errors import ParseError
from slurm.ping import Controller, Ping
from slurm.private_data import hidden_from_reader, how_to_show

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

KEPT: Sequence[Dataset[Any]] = (datasets.JOBS_IN_BRIEF, datasets.QUEUES, datasets.NODES)
"""The snapshots that most answers use."""


@dataclass(frozen=True)
class Check:
    """One check: whether it passed, and why not. `code` is an error code as in `extensions.code`."""

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

    `accounting` is None if the cluster keeps no accounts, `private_data` if its configuration cannot be read.
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
        """Whether all checks passed."""
        checks = (self.agent, self.head_node, self.scheduler, self.accounting, self.private_data)
        return all(check.ok for check in checks if check is not None)


@reads(datasets.AGENT, datasets.PING, datasets.CONFIGURATION)
def health(cluster: Cluster) -> Health:
    """The checks, from what AWS and the cluster answered."""
    agent, signs = _agent(cluster.answers[datasets.AGENT]), cluster.answers[datasets.PING]
    private_data = _private_data(cluster.answers[datasets.CONFIGURATION])
    if not isinstance(signs, Snapshot):
        failed = _failed(signs)
        head_node = failed if isinstance(signs, HeadNodeError) else Check(True)
        return Health(agent, head_node, failed, failed, private_data, [], _ages(cluster))
    is_up: Ping = signs.value
    return Health(
        agent,
        head_node=Check(True),
        scheduler=_scheduler(is_up.controllers),
        accounting=_accounting(is_up),
        private_data=private_data,
        controllers=is_up.controllers,
        snapshots=_ages(cluster),
    )


def _agent(answer: Any) -> Check:
    if not isinstance(answer, Snapshot):
        return _failed(answer)
    agent: Agent = answer.value
    if agent.ping_status == "Online":
        return Check(True)
    heard = f", last heard of at {agent.last_ping.isoformat()}" if agent.last_ping else ""
    return Check(False, f"Systems Manager reports the agent as {agent.ping_status}{heard}.", HeadNodeError.code.name)


def _scheduler(controllers: Sequence[Controller]) -> Check:
    if any(controller.is_up for controller in controllers):
        return Check(True)
    down = ", ".join(f"{controller.host} ({controller.role})" for controller in controllers)
    return Check(False, f"No slurmctld answers{f': {down}' if down else ''}.", ErrorCode.SCHEDULER_UNAVAILABLE.name)


def _accounting(signs: Ping) -> Check | None:
    if signs.accounting_is_up is None:
        return None
    if signs.accounting_is_up:
        return Check(True)
    return Check(False, signs.accounting_message, ErrorCode.ACCOUNTING_UNAVAILABLE.name)


def _private_data(answer: Any) -> Check | None:
    if not isinstance(answer, Snapshot):
        return None
    configuration: Configuration = answer.value
    if words := hidden_from_reader(configuration):
        return Check(False, f"{how_to_show(words, configuration)}.", ErrorCode.READER_NOT_PERMITTED.name)
    return Check(True)


def _failed(fault: Fault) -> Check:
    known = not isinstance(fault, ParseError)
    return Check(False, str(fault) if known else "Slurm's answer to the ping cannot be read.", code_of(fault).name)


def _ages(cluster: Cluster) -> list[SnapshotAge]:
    now = datetime.now(UTC)
    kept = ((dataset, cluster.snapshots.kept(dataset)) for dataset in KEPT)
    return [
        SnapshotAge(str(dataset.key), snapshot.as_of, (now - snapshot.as_of).total_seconds())
        for dataset, snapshot in kept
        if snapshot is not None
    ]
