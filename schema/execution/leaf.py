"""Completes columns of scalars and enums: the same values as graphql-core makes, a whole column at once."""

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
from schema.scalars import BIG_INT

_AS_IT_IS: dict[GraphQLLeafType, type] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLBoolean: bool,
    GraphQLInt: int,
    GraphQLFloat: float,
}
"""The Python class whose values each scalar returns unchanged, if numbers are in range."""


def complete_leaves(kind: GraphQLLeafType, values: Sequence[object]) -> Sequence[object]:
    """The values as the response holds them; None stays None. Raises SurpriseError, and whatever the type raises."""
    classes = set(map(type, values)) - {NoneType}
    if not classes:
        return values
    if classes == {int if kind.name == BIG_INT.name else _AS_IT_IS.get(kind)}:
        _check_range(kind, values)
        return values
    check_plain(classes)
    return _coerced(kind, values)


def check_plain(classes: set[type]) -> None:
    """Raise SurpriseError for classes whose values graphql-core would await or raise instead of showing them."""
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
    """Values converted by the type's own function; an object in many rows, such as an enum's member, only once."""
    coerce = kind.coerce_output_value
    known: dict[int, object] = {id(None): None}
    made: list[object] = []
    for value in values:
        at = id(value)
        if at not in known:
            coerced = coerce(value)
            if coerced is None or coerced is Undefined:
                raise SurpriseError("a scalar without a value")
            known[at] = coerced
        made.append(known[at])
    return made
