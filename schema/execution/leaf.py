"""Columns of scalars and enums, completed: each value as graphql-core would, a whole column at once."""

from collections.abc import Sequence
from math import isfinite
from types import GeneratorType, NoneType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

from schema.execution.surprise import SurpriseError

_AS_IT_IS: dict[GraphQLLeafType, type] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLBoolean: bool,
    GraphQLInt: int,
    GraphQLFloat: float,
}
"""The Python class whose values these scalars give unchanged; of numbers, those in their range."""


def complete_leaves(kind: GraphQLLeafType, values: Sequence[object]) -> Sequence[object]:
    """The values as a response holds them, None for None. Raises SurpriseError, and whatever the type refuses with."""
    classes = set(map(type, values)) - {NoneType}
    if not classes:
        return values
    if classes == {_AS_IT_IS.get(kind)}:
        _check_range(kind, values)
        return values
    check_plain(classes)
    return _coerced(kind, values)


def check_plain(classes: set[type]) -> None:
    """Raise SurpriseError if values of one of the classes would be awaited or raised, not shown."""
    for cls in classes:
        if issubclass(cls, Exception | GeneratorType) or hasattr(cls, "__await__") or cls is type(Undefined):
            raise SurpriseError("a value that is awaited, raised or undefined")


def _check_range(kind: GraphQLLeafType, values: Sequence[Any]) -> None:
    if kind is GraphQLInt:
        numbers = [value for value in values if value is not None]
        if min(numbers) < GRAPHQL_MIN_INT or max(numbers) > GRAPHQL_MAX_INT:
            raise SurpriseError("an integer of more than 32 bits")
    elif kind is GraphQLFloat and not all(value is None or isfinite(value) for value in values):
        raise SurpriseError("a number that is not finite")


def _coerced(kind: GraphQLLeafType, values: Sequence[object]) -> list[object]:
    """Each by the type's own function; an object that stands in many rows, such as an enum's member, once."""
    coerce = kind.coerce_output_value
    known: dict[int, object] = {id(None): None}
    made: list[object] = []
    for value in values:
        at = id(value)
        if at not in known:
            coerced = coerce(value)
            if coerced is None or coerced is Undefined:
                raise SurpriseError("a scalar that gives nothing")
            known[at] = coerced
        made.append(known[at])
    return made
