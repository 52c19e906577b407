"""What an operation reads, found in its selection before anything is sent.

The walk over the selection collects the fields that read something (resolvers/reads.py) with their arguments, by
cluster, so that one command fetches everything that the operation will resolve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
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

from headnode.dataset import each_once
from headnode.snapshots import Dataset
from resolvers.datasets import CONFIGURATION
from resolvers.private_data import hiding
from resolvers.reads import JobPart, Parts, Reads

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

ResolveInfo: TypeAlias = "GraphQLResolveInfo[Any]"
"""graphql-core's info object: the field that is being resolved, and the operation around it."""


ALL_CLUSTERS = None
"""Means every cluster in a plan; no caller can write it as a name. "" means the default cluster."""

Scope: TypeAlias = Callable[[Mapping[str, Any]], str | None]
"""From the arguments of a field at the root to its cluster."""


@dataclass(frozen=True)
class FieldPlan:
    """What the plan knows of a field: what it reads, how its arguments reach the resolver, and its scope at the root.

    schema/ puts it into the extensions of each field, under FIELD_PLAN.
    """

    reads: Reads
    python_arguments: Callable[[dict[str, Any]], dict[str, Any]]
    scope: Scope | None = None


FIELD_PLAN: Final = "slurmql"
_NO_PLAN = FieldPlan(Reads(), dict)


@dataclass(frozen=True)
class Selected:
    """A selected field that reads something: its arguments as the resolver gets them, the parts of jobs below it."""

    reads: Reads
    below: Parts
    arguments: Mapping[str, Any]


def datasets_of(view: Cluster, selected: Iterable[Selected]) -> list[Dataset[Any]]:
    """The datasets that the selected fields read, each once. Raises BadInputError."""
    wanted = (each.reads.wanted(view, each.below, each.arguments) for each in selected)
    found = each_once(dataset for datasets in wanted for dataset in datasets)
    if any(map(hiding, found)) and view.snapshots.kept(CONFIGURATION) is None:
        return each_once([*found, CONFIGURATION])
    return found


Plan = Mapping[str | None, list[Selected]]
"""The selected fields by the name of their cluster, as the caller wrote it."""


def selected_by_cluster(
    info: ResolveInfo, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None = ""
) -> Plan:
    """The fields of a selection on `parent` that read something, which belong to `cluster` unless they name another."""
    walk = _Walk(info)
    walk.visit(selection, parent, cluster)
    return walk.selected


def named_cluster(arguments: Mapping[str, Any]) -> str:
    """The cluster that a field at the root names, by its argument `cluster` or by its first id; "" if by neither.

    A node and a queue are named by their id or their name.
    """
    first = next(iter(arguments.get("ids") or ()), None) or arguments.get("id") or arguments.get("name")
    return str(arguments.get("cluster") or cluster_in(str(first or "")))


def cluster_in(id: str) -> str:
    """The cluster's name in an id such as `lab:123_4`, or "" (a name starts with a letter, a job's id does not)."""
    name, colon, _ = id.partition(":")
    return name if colon and name[:1].isalpha() else ""


class _Walk:
    def __init__(self, info: ResolveInfo) -> None:
        self.selected: dict[str | None, list[Selected]] = defaultdict(list)
        self._fragments = info.fragments
        # Strawberry passes the coerced values, without graphql-core's container.
        self._variables = cast(dict[str, Any], info.variable_values)
        self._seen: set[tuple[str, str, str | None]] = set()
        self._below: dict[int, Parts] = {}

    def visit(self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str | None) -> None:
        for field in self._fields(selection, parent, cluster):
            definition = parent.fields.get(field.name.value)
            if definition is None:  # __typename, __schema
                continue
            planned, kind = _field_plan(definition), get_named_type(definition.type)
            arguments = self._arguments(field, definition.args)
            here = planned.scope(arguments) if planned.scope else cluster
            below = field.selection_set if isinstance(kind, GraphQLObjectType) else None
            if planned.reads.anything:
                parts = self._parts(below, kind) if below and planned.reads.by else frozenset()
                self.selected[here].append(Selected(planned.reads, parts, planned.python_arguments(arguments)))
            if below:
                self.visit(below, kind, here)

    def _parts(self, selection: SelectionSetNode, parent: GraphQLObjectType) -> Parts:
        """The parts of jobs that a selection reads; each selection is walked once, wherever it is spread."""
        if id(selection) not in self._below:
            parts: set[JobPart] = set()
            for node in selection.selections:
                if self._included(node.directives or ()):
                    parts |= self._parts_of(node, parent)
            self._below[id(selection)] = frozenset(parts)
        return self._below[id(selection)]

    def _parts_of(self, node: SelectionNode, parent: GraphQLObjectType) -> Parts:
        if isinstance(node, FragmentSpreadNode):
            return self._parts(self._fragments[node.name.value].selection_set, parent)
        if isinstance(node, InlineFragmentNode):
            return self._parts(node.selection_set, parent)
        assert isinstance(node, FieldNode)  # noqa: S101 - there is no other kind of selection
        definition = parent.fields.get(node.name.value)
        if definition is None:  # __typename
            return frozenset()
        own, kind = _field_plan(definition).reads.parts, get_named_type(definition.type)
        if node.selection_set and isinstance(kind, GraphQLObjectType):
            return self._parts(node.selection_set, kind) | own
        return own

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
        """The values that the field itself gets: enum members, datetimes, whether from literals or variables."""
        values = {
            argument.name.value: value_from_ast(argument.value, known[argument.name.value].type, self._variables)
            for argument in field.arguments or ()
        }
        return {name: value for name, value in values.items() if value is not Undefined}


def _field_plan(field: GraphQLField) -> FieldPlan:
    planned = field.extensions.get(FIELD_PLAN)
    return planned if isinstance(planned, FieldPlan) else _NO_PLAN
