"""GraphQL types made from the tables of slurm/ and resolvers/, so that a field is written once.

Names become camelCase, types follow the parsers' and the dataclasses' annotations, descriptions are the tables' own.
"""

import dataclasses
from collections.abc import Callable
from enum import Enum
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, get_args, get_type_hints

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from slurm.column import Record


def enum(cls: type[Enum], name: str | None = None) -> Any:
    """Make an enum of ours a GraphQL enum; each member's `description` describes its value."""
    strawberry.enum(cls, name=name or cls.__name__, description=_first_line(cls))
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = cls[value.name].description  # type: ignore[attr-defined]
    return cls


def input_type(cls: type, name: str | None = None, ids: tuple[str, ...] = ()) -> Any:
    """Make a dataclass a GraphQL input; each field's `about` describes it. Fields named in `ids` are IDs."""
    hints = get_type_hints(cls)
    namespace: dict[str, Any] = {"__annotations__": {}, "__doc__": cls.__doc__}
    for line in dataclasses.fields(cls):
        annotation = _graphql(hints[line.name])
        namespace["__annotations__"][line.name] = _as_id(annotation) if line.name in ids else annotation
        default = {} if line.default is dataclasses.MISSING else {"default": line.default}
        # With its metadata the line remains one of its table, for whoever reads tables.
        namespace[line.name] = strawberry.field(description=line.metadata["about"], metadata=line.metadata, **default)
    # A subclass: what the resolvers get is an instance of their own dataclass.
    made = type(name or cls.__name__, (cls,), namespace)
    return strawberry.input(made, name=name or cls.__name__, description=_first_line(cls))


def figures(table: type) -> Callable[[type], Any]:
    """Make a class a GraphQL type with a field for each of the dataclass's; each field's `about` describes it."""
    hints = get_type_hints(table)

    def make(cls: type) -> Any:
        for line in dataclasses.fields(table):
            cls.__annotations__[line.name] = _graphql(hints[line.name])
            setattr(cls, line.name, strawberry.field(description=line.metadata["about"]))
        return strawberry.type(cls, description=cls.__doc__)

    return make


def record(table: type[Record]) -> Callable[[type], Any]:
    """Make a class a GraphQL type with a field for each column of the table, the class's own fields before them.

    Objects of the type are the table's records; the default resolver reads their attributes.
    """

    def make(cls: type) -> Any:
        columns = {column.name: column for column in table.columns() if column.name not in _HIDDEN}
        cls.__annotations__ |= {name: _graphql(column.type) for name, column in columns.items()}
        for name, column in columns.items():
            setattr(cls, name, strawberry.field(description=column.about))
        return strawberry.type(cls, description=cls.__doc__)

    return make


_HIDDEN = ("order", "raw_id", "output_columns", "slurm_user", "reader")
"""Columns that only sort and look up, and those that others are made of."""


def _graphql(annotation: Any) -> Any:
    """The annotation in Strawberry's words: lists for sequences, GraphQL types for the plain ones they stand for."""
    arguments = get_args(annotation)
    if not arguments:
        return TYPES.get(annotation, annotation)
    converted = tuple(_graphql(argument) for argument in arguments)
    if NoneType in arguments:
        return reduce(or_, converted)
    return list[converted[0]]  # type: ignore[valid-type] # a type made at run time


def _as_id(annotation: Any) -> Any:
    optional = NoneType in get_args(annotation)
    return list[strawberry.ID] | None if optional else list[strawberry.ID]


TYPES: dict[Any, Any] = {NoneType: None}
"""GraphQL types for the plain types that the tables name; the schema's modules add theirs."""


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").split("\n", 1)[0]
