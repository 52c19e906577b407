"""Every change leaves an account of itself with the request, for the log."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, Final

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.utils.str_converters import to_camel_case

from resolvers.audit import ChangeRecord
from resolvers.errors import RequestError

_TELLING: Final = ("ids", "names", "action", "signal", "limit", "dry_run")
"""Fields of inputs whose values are told; of all others only that they were given. Other arguments are told."""
_LONGEST: Final = 60
_MOST: Final = 200


class Audited(FieldExtension):
    """Notes what was asked for, and what came of it."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info[Any, Any], **arguments: Any
    ) -> Any:
        """Make the change; whatever comes of it is noted."""
        graph, started = info.context, time.perf_counter()
        sent_before = len(graph.commands)
        payload, codes = None, ["INTERNAL_SERVER_ERROR"]
        try:
            payload = await next_(source, info, **arguments)
            codes = [refusal.code.name for refusal in payload.errors]
        except RequestError as error:
            codes = [str(error.extensions["code"])]
            raise
        finally:
            graph.changes.append(
                ChangeRecord(
                    name=info.field_name,
                    cluster=arguments.get("cluster"),
                    asked=_asked(arguments),
                    done=_done(payload),
                    codes=codes,
                    commands=graph.commands[sent_before:],
                    seconds=time.perf_counter() - started,
                )
            )
        return payload


change = partial(strawberry.mutation, extensions=[Audited()])
"""A field of Mutation."""


def _asked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a change as they may be told: the values of a few, and in `given` the names of all."""
    told = {name: value for name, value in arguments.items() if value is not None and name not in ("cluster", "input")}
    given, request = dict(told), arguments.get("input")
    if is_dataclass(request):
        values = {line.name: getattr(request, line.name) for line in fields(request)}
        given |= {name: value for name, value in values.items() if value is not None}
        told |= {name: given[name] for name in _TELLING if name in given}
    values = {to_camel_case(name): _told(value) for name, value in told.items()}
    return {"given": sorted(map(to_camel_case, given)), **values}


def _done(payload: Any) -> list[str]:
    """The ids of what a change's payload shows as changed."""
    changed: list[Any] = []
    for name in ("job", "jobs", "nodes", "queue", "reservation"):
        value = getattr(payload, name, None)
        changed += value if isinstance(value, (list, tuple)) else [value] if value is not None else []
    deleted = getattr(payload, "name", None)
    return [str(each.id) for each in changed[:_MOST]] + ([deleted] if deleted else [])


def _told(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_told(each) for each in value[:_MOST]]
    return value if isinstance(value, (bool, int)) else str(getattr(value, "name", value))[:_LONGEST]
