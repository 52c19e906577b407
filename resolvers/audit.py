"""What a log tells of a request: what was asked and what was done, but no text of a script, no variable, no token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OperationSummary:
    """An operation: its name, `query` or `mutation`, and the fields that it selects at its root."""

    name: str | None
    kind: str
    fields: Sequence[str]


@dataclass(frozen=True)
class ChangeRecord:
    """A change: what was asked for, which jobs, nodes ... it touched, and the codes of what was refused.

    `commands` are the ids of its SSM commands.
    """

    name: str
    cluster: str | None
    asked: Mapping[str, Any]
    done: Sequence[str]
    codes: Sequence[str]
    commands: Sequence[str]
    seconds: float
