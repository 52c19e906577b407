"""What of a cluster's answers cannot be read, while the rest is answered: one error for each dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headnode.snapshots import Dataset, Fault, Snapshot
from resolvers.errors import UnreadableError, shown
from slurm.argument import camel_case
from slurm.column import Rows
from slurm.errors import Unreadable
from slurm.sacct import History
from slurm.statistics import Counted

_MOST = 10
"""Texts of Slurm that one error names."""


def unreadable(value: Any) -> Sequence[Unreadable]:
    """What of a dataset's value cannot be read, and is left out or None in it."""
    if isinstance(value, History):
        return (*value.jobs.unreadable, *value.steps.unreadable)
    return value.unreadable if isinstance(value, (Rows, Counted)) else ()


def errors(cluster: str, answers: Mapping[Dataset[Any], Snapshot[Any] | Fault]) -> list[UnreadableError]:
    """An error for each kind of dataset of which something cannot be read."""
    found: dict[str, dict[Unreadable, None]] = {}
    for dataset, answer in answers.items():
        if isinstance(answer, Snapshot) and (of_value := unreadable(answer.value)):
            name = dataset.key[0] if isinstance(dataset.key, tuple) else dataset.key
            found.setdefault(str(name), {}).update(dict.fromkeys(of_value))
    return [_error(cluster, name, list(of_name)) for name, of_name in found.items()]


def _error(cluster: str, name: str, found: Sequence[Unreadable]) -> UnreadableError:
    lost = sum(each.record_lost for each in found)
    fields = sorted({camel_case(each.field) for each in found if each.field and not each.record_lost})
    effects = []
    if lost:
        effects.append(f"{lost} record{'s are' if lost > 1 else ' is'} left out")
    if fields:
        effects.append(f"{', '.join(fields)} {'are' if len(fields) > 1 else 'is'} null in some records")
    return UnreadableError(
        f"This release of the API cannot read all that Slurm on {cluster} printed of {name}: {' and '.join(effects)}. "
        f"The first of it: {found[0]}.",
        cluster=cluster,
        dataset=name,
        recordsLeftOut=lost,
        fields=fields,
        scheduler=[shown(each.text) for each in found if each.text is not None][:_MOST],
    )
