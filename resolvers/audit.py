"""What the log records of a request: its arguments and results, but no script, no variable, no token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from resolvers.errors import ErrorCode, RequestError
from resolvers.filters import JobFilter
from slurm.argument import camel_case

if TYPE_CHECKING:
    from resolvers.context import RequestContext

_WITH_VALUE: Final = ("ids", "id", "names", "action", "signal", "target", "limit", "dry_run")
"""Fields of inputs that are logged with their values, as is a name that must be given: a queue's or a reservation's. Of
other fields the log only says that they were given."""
_LONGEST: Final = 60
_MOST: Final = 200


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


@dataclass
class Note:
    """The payload of a change; None if it failed."""

    payload: Any = None


@contextmanager
def noted(context: RequestContext, name: str, cluster: str | None, input: object) -> Iterator[Note]:
    """Record a change in the request's context, whether it succeeds or fails."""
    note, started, sent_before = Note(), time.perf_counter(), len(context.commands)
    codes = [ErrorCode.INTERNAL_SERVER_ERROR.name]
    try:
        yield note
        codes = [refusal.code.name for refusal in note.payload.errors]
    except RequestError as error:
        codes = [str(error.extensions["code"])]
        raise
    finally:
        context.changes.append(
            ChangeRecord(
                name=name,
                cluster=cluster,
                asked=_asked(input),
                done=_done(note.payload),
                codes=codes,
                commands=context.commands[sent_before:],
                seconds=time.perf_counter() - started,
            )
        )


def _asked(input: object) -> dict[str, Any]:
    """The input of a change as it may be logged: the values of a few fields, and in `given` the names of all."""
    given = dict(_given(input))
    return {"given": sorted(given), **{name: _short(value) for name, (value, shown) in given.items() if shown}}


def _given(input: object) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """The name of each field that was given, here and in the inputs within, its value, and whether to log that."""
    for line in fields(input):  # type: ignore[arg-type]
        value = getattr(input, line.name)
        if value is line.default or line.name == "cluster":
            continue
        of_jobs = isinstance(input, JobFilter) and line.name == "names"  # jobs' names are their owners' words
        shown = not of_jobs and (line.name in _WITH_VALUE or (line.name == "name" and line.default is MISSING))
        yield camel_case(line.name), (value, shown)
        if is_dataclass(value):
            yield from _given(value)


def _done(payload: Any) -> list[str]:
    """The ids of what was changed; the name of what was deleted."""
    ids = getattr(payload, "ids", None) or [getattr(payload, "id", None) or getattr(payload, "name", None)]
    return [id for id in ids[:_MOST] if id is not None]


def _short(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value[:_MOST]]
    return value if isinstance(value, (bool, int)) else str(getattr(value, "name", value))[:_LONGEST]
