"""How often to ask: one sentence in the description of every list."""

from typing import Final

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
)

POLL: Final = "To follow it, ask again after `suggestedPollSeconds`."
SUGGESTED_POLL_SECONDS: Final = (
    "How many seconds to wait before you send the same query again, at least 1. Usually it is the time for which "
    "answers are kept (SLURMQL_TTL, 5 by default), because the answer does not change before. If the cluster answers "
    "slowly, it is five times as long as its newest answer took, at most 60. Read it with each poll."
)
_PARTS = ("Connection", "Payload", "JobsEnded")
"""The ends of the names of types whose lists are part of a list or of an answer that is given once."""


def lists_say_when_to_ask_again(schema: GraphQLSchema) -> None:
    """Add the sentence to the description of each connection and each list of objects that have an id."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind) and not kind.name.endswith(_PARTS):
            for field in kind.fields.values():
                if is_followed(field.type):
                    field.description = f"{field.description} {POLL}"


def is_followed(kind: GraphQLOutputType) -> bool:
    """Whether it is `[Queue!]` or `JobConnection`."""
    named = get_named_type(kind)
    if is_list_type(get_nullable_type(kind)):
        return isinstance(named, GraphQLObjectType) and "id" in named.fields
    return named.name.endswith("Connection")
