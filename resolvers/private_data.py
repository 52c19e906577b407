"""What PrivateData hides from the account that reads is an error, and never an empty list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headnode.snapshots import Dataset, Fault, Snapshot
from slurm import sacct, squeue
from slurm.column import Rows
from slurm.command import PermissionDeniedError
from slurm.configuration import Configuration
from slurm.fair_share import FairShareDisabledError
from slurm.private_data import HiddenError, hidden_from_reader, how_to_show
from slurm.reservation import Reservation

_USE = frozenset({"usage", "users", "accounts"})
_WORDS: Mapping[Any, frozenset[str]] = {
    "jobs": frozenset({"jobs"}),
    "priority factors": frozenset({"jobs"}),
    "queues": frozenset({"nodes", "partitions"}),
    "nodes": frozenset({"nodes"}),
    "reservations": frozenset({"reservations"}),
    "qos": _USE,
    "associations": _USE,
    "fair shares": _USE,
}
"""The words of PrivateData that hide a dataset, or part of it, by its key."""
_OF_KIND = {"job": frozenset({"jobs"})}
"""Likewise of the datasets that are about one thing."""


def hiding(dataset: Dataset[Any]) -> frozenset[str]:
    """The words of PrivateData that may hide part of a dataset. The configuration says whether they do."""
    if isinstance(dataset.key, tuple):
        return _OF_KIND.get(dataset.key[0], frozenset())
    return _WORDS.get(dataset.key, frozenset())


def shown(
    dataset: Dataset[Any], answer: Snapshot[Any] | Fault, configuration: Configuration | None
) -> Snapshot[Any] | Fault:
    """The answer, or a HiddenError in its place."""
    if configuration is None:
        return answer
    words = hiding(dataset) & hidden_from_reader(configuration)
    if not words:
        return answer
    why = how_to_show(words, configuration)
    if isinstance(answer, Snapshot):
        return HiddenError(f"{why}.") if _may_be_hidden(answer.value, configuration) else answer
    if isinstance(answer, (PermissionDeniedError, FairShareDisabledError)):
        return HiddenError(f"{why} ({answer}).")
    return answer


def _may_be_hidden(value: Any, configuration: Configuration) -> bool:
    """Whether nothing shows that the reader sees what belongs to other users.

    Of reservations the reader sees those that it may use itself: they show nothing.
    """
    if isinstance(value, sacct.History):
        return _may_be_hidden(value.jobs, configuration)
    if isinstance(value, Rows) and issubclass(value.record, (squeue.Job, sacct.HistoryJob)):
        return set(value.values(value.record.user)) <= {configuration.reader}
    return isinstance(value, Rows) and (len(value) == 0 or issubclass(value.record, Reservation))
