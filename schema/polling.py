"""How often to ask: one sentence in the description of every list of a cluster."""

from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin

K = TypeVar("K", bound=type)

POLL: Final = "To follow it, ask again after `suggestedPollSeconds`."
SUGGESTED_POLL_SECONDS: Final = (
    "How many seconds to wait before you send the same query again, at least 1. Usually it is the time for which "
    "answers are kept (SLURMQL_TTL, 5 by default), because the answer does not change before. If the cluster answers "
    "slowly, it is five times as long as its newest answer took, at most 60. Read it with each poll."
)


def lists_say_when_to_ask_again(kind: K) -> K:
    """Add the sentence to the description of each list and connection of a GraphQL type, except of clusters."""
    definition: Any = kind.__strawberry_definition__  # type: ignore[attr-defined]
    for field in definition.fields:
        if _is_list(kind.__annotations__[field.python_name]):
            field.description = f"{field.description} {POLL}"
    return kind


def _is_list(annotation: Any) -> bool:
    """Whether it is `list[Queue]` or `JobConnection`, or may be null beside that."""
    shown = next((each for each in get_args(annotation) if NoneType in get_args(annotation) and each), annotation)
    if get_origin(shown) is list:
        return str(get_args(shown)[0].__name__) != "Cluster"
    return str(getattr(shown, "__name__", "")).endswith("Connection")
