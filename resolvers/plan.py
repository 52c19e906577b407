"""What an operation needs, worked out from its selection before anything is sent.

The walk over the selection collects the fields of NEEDS with their arguments, by cluster, so that one command fetches
whatever the operation will resolve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    value_from_ast,
    value_from_ast_untyped,
)

from resolvers.needs import NEEDS, NEEDS_BELOW, Need, Place

ResolveInfo: TypeAlias = "GraphQLResolveInfo[Any]"
"""graphql-core's account of the field that is being resolved, and of the operation around it."""


@dataclass(frozen=True)
class Selected:
    """A field that needs something, and its arguments: values of their types, be they literals or variables."""

    need: Need
    arguments: Mapping[str, Any]


ALL_CLUSTERS = None
"""Stands for every cluster in a plan, as no name that a caller can write does; "" stands for the default one."""

Plan = Mapping[str | None, list[Selected]]
"""The selected fields by the name of their cluster, as the caller wrote it."""


def plan(info: ResolveInfo, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None = "") -> Plan:
    """The needs of a selection on `parent`, which belongs to `cluster` unless its fields say otherwise."""
    walk = _Walk(info)
    walk.visit(selection, parent, cluster)
    return walk.selected


def cluster_in(id: str) -> str:
    """The cluster's name in an id such as `lab:123_4`, or "" (a name starts with a letter, a job's id does not)."""
    name, colon, _ = id.partition(":")
    return name if colon and name[:1].isalpha() else ""


class _Walk:
    def __init__(self, info: ResolveInfo) -> None:
        self.selected: dict[str | None, list[Selected]] = defaultdict(list)
        self._fragments = info.fragments
        # Strawberry passes the coerced values, not graphql-core's container of them.
        self._variables = cast(dict[str, Any], info.variable_values)
        self._seen: set[tuple[str, str, str | None]] = set()
        self._below: dict[int, frozenset[Place]] = {}

    def visit(self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None) -> None:
        for field in self._fields(selection, parent, cluster):
            definition = parent.fields.get(field.name.value)
            if definition is None:  # __typename, __schema
                continue
            place = (parent.name, field.name.value)
            arguments = self._arguments(field, definition.args)
            here = _cluster(parent.name, field.name.value, arguments, cluster)
            if place in NEEDS:
                self.selected[here].append(Selected(NEEDS[place], arguments))
            kind = get_named_type(definition.type)
            if field.selection_set and isinstance(kind, GraphQLObjectType):
                if place in NEEDS_BELOW:
                    need = partial(NEEDS_BELOW[place], self._places(field.selection_set, kind))
                    self.selected[here].append(Selected(need, arguments))
                self.visit(field.selection_set, kind, here)

    def _places(self, selection: SelectionSetNode, parent: GraphQLObjectType) -> frozenset[Place]:
        """All fields below a selection, at any depth; each selection is walked once, wherever it is spread."""
        if id(selection) not in self._below:
            places: set[Place] = set()
            for node in selection.selections:
                if self._included(node.directives or ()):
                    places |= self._places_of(node, parent)
            self._below[id(selection)] = frozenset(places)
        return self._below[id(selection)]

    def _places_of(self, node: SelectionNode, parent: GraphQLObjectType) -> frozenset[Place]:
        if isinstance(node, FragmentSpreadNode):
            return self._places(self._fragments[node.name.value].selection_set, parent)
        if isinstance(node, InlineFragmentNode):
            return self._places(node.selection_set, parent)
        assert isinstance(node, FieldNode)  # noqa: S101 - there is no other kind of selection
        place = (parent.name, node.name.value)
        kind = get_named_type(parent.fields[node.name.value].type) if node.name.value in parent.fields else None
        if node.selection_set and isinstance(kind, GraphQLObjectType):
            return self._places(node.selection_set, kind) | {place}
        return frozenset({place})

    def _fields(
        self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None
    ) -> Iterator[FieldNode]:
        """The selected fields, fragments spread; each fragment once per place, so that fan-out costs nothing."""
        for node in selection.selections:
            if not self._included(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set, parent, cluster)
            elif isinstance(node, FragmentSpreadNode):
                place = (node.name.value, parent.name, cluster)
                if place not in self._seen:
                    self._seen.add(place)
                    yield from self._fields(self._fragments[node.name.value].selection_set, parent, cluster)

    def _included(self, directives: Sequence[DirectiveNode]) -> bool:
        conditions = {
            directive.name.value: value_from_ast_untyped(argument.value, self._variables)
            for directive in directives
            for argument in directive.arguments or ()
        }
        return conditions.get("include") is not False and conditions.get("skip") is not True

    def _arguments(self, field: FieldNode, known: Mapping[str, GraphQLArgument]) -> dict[str, Any]:
        """As the field itself gets them: enums are members, times are times, be they literals or variables."""
        values = {
            argument.name.value: value_from_ast(argument.value, known[argument.name.value].type, self._variables)
            for argument in field.arguments or ()
        }
        return {name: value for name, value in values.items() if value is not Undefined}


def _cluster(parent: str, field: str, arguments: Mapping[str, Any], cluster: str | None) -> str | None:
    """The cluster that a field belongs to: what it names, else its parent's."""
    if parent != "Query":
        return cluster
    if field == "clusters":
        return ALL_CLUSTERS
    named = arguments.get("name" if field == "cluster" else "cluster")
    return str(named or (cluster_in(str(arguments.get("id"))) if field == "job" else ""))
