"""What the log records of a request: its arguments and results, but no script, no variable, no token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from resolvers.errors import ErrorCode, RequestError

if TYPE_CHECKING:
    from resolvers.context import RequestContext

_WITH_VALUE: Final = ("ids", "names", "action", "signal", "limit", "dry_run")
"""Fields of inputs that are logged with their values. Of other fields the log only says that they were given. Arguments
that are not inputs are logged with their values."""
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
def noted(context: RequestContext, name: str, cluster: str | None, arguments: Mapping[str, Any]) -> Iterator[Note]:
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
                asked=_asked(arguments),
                done=_done(note.payload),
                codes=codes,
                commands=context.commands[sent_before:],
                seconds=time.perf_counter() - started,
            )
        )


def _asked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a change as they may be logged: the values of a few, and in `given` the names of all."""
    shown = {name: value for name, value in arguments.items() if value is not None and name != "input"}
    given, request = dict(shown), arguments.get("input")
    if is_dataclass(request):
        values = {line.name: getattr(request, line.name) for line in fields(request)}
        given |= {name: value for name, value in values.items() if value is not None}
        shown |= {name: given[name] for name in _WITH_VALUE if name in given}
    return {"given": sorted(map(_camel_case, given)), **{_camel_case(name): _short(shown[name]) for name in shown}}


def _done(payload: Any) -> list[str]:
    """The ids of what was changed; the name of what was deleted."""
    ids = getattr(payload, "ids", None) or [getattr(payload, "id", None) or getattr(payload, "name", None)]
    return [id for id in ids[:_MOST] if id is not None]


def _short(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value[:_MOST]]
    return value if isinstance(value, (bool, int)) else str(getattr(value, "name", value))[:_LONGEST]


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
