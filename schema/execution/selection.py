"""Compiles what a document selects of the objects in a list: each field is a column, and a way to complete it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from types import NoneType
from typing import TypeAlias, cast

from graphql import (
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from strawberry.types.field import StrawberryField

from resolvers.page_rows import PageRows
from schema.execution.counted import Counted
from schema.execution.leaf import check_plain, complete_leaves
from schema.execution.rows import Row, rows_of
from schema.execution.surprise import SurpriseError

Values: TypeAlias = Sequence[object]
Complete: TypeAlias = Callable[[Values, Counted], Values]
"""From a column of the resolvers' values to a column of the response. It counts objects before it makes them.

StoppedError means that they are too many, any other exception: fall back.
"""
Collect: TypeAlias = Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields]
"""graphql-core's own collection of fields: it spreads fragments, applies @skip and @include, merges equal keys."""

FIELDS_LIMIT = 1000
"""Nested fragments can select more fields than fit into memory; normal execution meets them one by one."""


@dataclass(frozen=True)
class _Column:
    """A selected field: its key in the response, the attribute with its values, and how they are completed.

    `kept_as` is its type if nothing else decides how values are completed: then it is done once per snapshot. That has
    no objects; `listed` says that its values are lists.
    """

    key: str
    attribute: str
    complete: Complete
    kept_as: GraphQLOutputType | None = None
    listed: bool = False


@dataclass(frozen=True)
class Selection:
    """The fields that are selected of an object type's objects."""

    type_name: str
    columns: Sequence[_Column]

    @cached_property
    def flat(self) -> bool:
        """Whether each field is a single scalar, so that nothing below depends on how often an object occurs."""
        return all(column.attribute == _TYPENAME or (column.kept_as and not column.listed) for column in self.columns)

    def rows(self, objects: Values, counted: Counted) -> list[Row]:
        """The rows of the response for the objects, which are counted. Exceptions mean the same as of `Complete`."""
        if not len(objects):
            return []
        if not isinstance(objects, PageRows):
            check_plain(set(map(type, objects)))
        columns = [self._values(column, objects, counted) for column in self.columns]
        return rows_of([column.key for column in self.columns], columns, len(objects))

    def _values(self, column: _Column, objects: Values, counted: Counted) -> Values:
        if column.attribute == _TYPENAME:
            return [self.type_name] * len(objects)
        values = self._completed(column, objects, counted)
        if column.kept_as and column.listed:
            counted.items(values)
        return values

    def _completed(self, column: _Column, objects: Values, counted: Counted) -> Values:
        if column.kept_as is None and column.listed:
            name = column.attribute
            read = objects.each(name) if isinstance(objects, PageRows) else map(attrgetter(name), objects)
            return column.complete(counted.read(read), counted)
        if not isinstance(objects, PageRows):
            return column.complete(list(map(attrgetter(column.attribute), objects)), counted)
        if column.kept_as is None:
            return column.complete(objects.values(column.attribute), counted)
        return objects.completed(column.attribute, column.kept_as, lambda values: column.complete(values, counted))


_TYPENAME = "__typename"


def compile_items(kind: GraphQLOutputType, nodes: FieldDetailsList, collect: Collect) -> Complete:
    """How to complete the items of a list. Raises SurpriseError if a selected field is not plain."""
    return _Compiler(collect).complete(kind, nodes)


class _Compiler:
    def __init__(self, collect: Collect) -> None:
        self._collect = collect
        self._fields = 0

    def selection(self, kind: GraphQLObjectType, nodes: FieldDetailsList) -> Selection:
        """What is selected of objects of that type."""
        if kind.is_type_of:
            raise SurpriseError("a type with is_type_of")
        fields, deferred, _ = self._collect(kind, nodes)
        if deferred:
            raise SurpriseError("@defer")
        self._fields += len(fields)
        if self._fields > FIELDS_LIMIT:
            raise SurpriseError("too many fields")
        return Selection(kind.name, [self._column(kind, key, selected) for key, selected in fields.items()])

    def _column(self, kind: GraphQLObjectType, key: str, nodes: FieldDetailsList) -> _Column:
        check_directives(nodes)
        name = nodes[0].node.name.value
        if name == _TYPENAME:
            return _Column(key, _TYPENAME, lambda values, _: values)
        field = kind.fields.get(name)
        if field is None:
            raise SurpriseError("a field that the type does not have")
        leaf = is_leaf_type(get_named_type(field.type))
        complete, listed = self.complete(field.type, nodes), is_list_type(get_nullable_type(field.type))
        return _Column(key, _attribute(field), complete, field.type if leaf else None, listed)

    def complete(self, kind: GraphQLOutputType, nodes: FieldDetailsList) -> Complete:
        """How values of that type are completed."""
        if is_non_null_type(kind):
            return _not_null(self._complete_nullable(kind.of_type, nodes))
        return self._complete_nullable(kind, nodes)

    def _complete_nullable(self, kind: GraphQLOutputType, nodes: FieldDetailsList) -> Complete:
        if is_leaf_type(kind):
            return _leaves(kind)
        if is_list_type(kind):
            return _lists(self.complete(kind.of_type, nodes), not is_leaf_type(get_named_type(kind)))
        if is_object_type(kind):
            return _objects(self.selection(kind, nodes))
        raise SurpriseError("an interface or a union")


def check_directives(nodes: FieldDetailsList) -> None:
    """Raise SurpriseError if a node has a directive other than @skip and @include, which are applied by then."""
    for details in nodes:
        if details.defer_usage is not None or details.fragment_variable_values is not None:
            raise SurpriseError("@defer, or a fragment with variables")
        if any(directive.name.value not in ("skip", "include") for directive in details.node.directives or ()):
            raise SurpriseError("a directive")


def _attribute(field: GraphQLField) -> str:
    """The attribute that Strawberry would read for the field. Raises SurpriseError if it would do anything else."""
    definition = field.extensions.get("strawberry-definition")
    if not getattr(field.resolve, "_is_default", False) or type(definition) is not StrawberryField:
        raise SurpriseError("a field with a resolver")
    if field.args or definition.default_resolver is not getattr:
        raise SurpriseError("a field with arguments")
    return definition.python_name


def _not_null(complete: Complete) -> Complete:
    def complete_not_null(values: Values, counted: Counted) -> Values:
        if isinstance(values, PageRows):  # objects, all of them
            return complete(values, counted)
        if NoneType in set(map(type, values)):
            raise SurpriseError("a null in a field that cannot be null")
        return complete(values, counted)

    return complete_not_null


def _leaves(kind: GraphQLLeafType) -> Complete:
    return lambda values, _: complete_leaves(kind, values)


def _lists(complete: Complete, of_objects: bool) -> Complete:
    """Complete all items of all lists together, and a list that is in many rows only once."""

    def complete_lists(values: Values, counted: Counted) -> Values:
        distinct = cast(dict[int, Values], _distinct(values)[0])
        if not {type(each) for each in distinct.values()} <= {list, tuple}:
            raise SurpriseError("a list of another kind")
        below = counted.among(values, distinct).within(distinct.values()) if of_objects else counted
        items = complete([item for each in distinct.values() for item in each], below)
        made: dict[int, Values | None] = {id(None): None}
        start = 0
        for at, each in distinct.items():
            made[at] = items[start : start + len(each)]
            start += len(each)
        return [made[id(value)] for value in values]

    return complete_lists


def _objects(selection: Selection) -> Complete:
    """Complete an object that is in many rows, such as a queue, only once."""

    width = len(selection.columns)

    def complete_objects(values: Values, counted: Counted) -> Values:
        if isinstance(values, PageRows):
            counted.objects(values.indexes, False, width)
            return selection.rows(values, counted)
        distinct, nullable = _distinct(values)
        counted.objects(values, nullable, width)
        below = Counted(counted.budget) if selection.flat else counted.among(values, distinct)
        made: dict[int, Row | None] = {id(None): None}
        made.update(zip(distinct, selection.rows(list(distinct.values()), below), strict=True))
        return [made[id(value)] for value in values]

    return complete_objects


def _distinct(values: Iterable[object]) -> tuple[dict[int, object], bool]:
    """Each object among the values once, by identity; whether None is among them, too. `values` keeps them alive."""
    distinct = {id(value): value for value in values}
    nullable = id(None) in distinct
    distinct.pop(id(None), None)
    return distinct, nullable
