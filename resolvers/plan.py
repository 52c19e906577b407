"""What an operation needs, worked out from its selection before anything is sent.

The walk over the selection collects the fields of NEEDS with their arguments, by cluster, so that one command fetches
whatever the operation will resolve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    value_from_ast_untyped,
)

from resolvers.needs import NEEDS, Need

ResolveInfo: TypeAlias = "GraphQLResolveInfo[Any]"
"""graphql-core's account of the field that is being resolved, and of the operation around it."""


@dataclass(frozen=True)
class Selected:
    """A field that needs something, and its arguments: literals and variables as they were given."""

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

    def visit(self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None) -> None:
        for field in self._fields(selection, parent, cluster):
            definition = parent.fields.get(field.name.value)
            if definition is None:  # __typename, __schema
                continue
            arguments = self._arguments(field)
            here = _cluster(parent.name, field.name.value, arguments, cluster)
            if need := NEEDS.get((parent.name, field.name.value)):
                self.selected[here].append(Selected(need, arguments))
            kind = get_named_type(definition.type)
            if field.selection_set and isinstance(kind, GraphQLObjectType):
                self.visit(field.selection_set, kind, here)

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
        conditions = {directive.name.value: self._arguments(directive).get("if") for directive in directives}
        return conditions.get("include") is not False and conditions.get("skip") is not True

    def _arguments(self, node: FieldNode | DirectiveNode) -> dict[str, Any]:
        values = {
            argument.name.value: value_from_ast_untyped(argument.value, self._variables)
            for argument in node.arguments or ()
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
