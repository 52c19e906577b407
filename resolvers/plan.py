"""What an operation needs, worked out from its selection before anything is sent.

Every field that needs more than its parent has stands in NEEDS; the walk over the selection collects them all, so that
one command fetches whatever the operation will resolve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.language import BooleanValueNode

ResolveInfo: TypeAlias = "GraphQLResolveInfo[Any]"
"""graphql-core's account of the field that is being resolved, and of the operation around it."""

JOBS, QUEUES, NODES, CONFIGURATION, JOB, ACCOUNT = "jobs", "queues", "nodes", "configuration", "job", "account"

NEEDS: Mapping[tuple[str, str], str] = {
    ("Query", "viewer"): ACCOUNT,
    ("Query", "jobs"): JOBS,
    ("Query", "job"): JOB,
    ("Query", "queues"): QUEUES,
    ("Query", "queue"): QUEUES,
    ("Query", "nodes"): NODES,
    ("Query", "node"): NODES,
    ("Cluster", "slurmVersion"): CONFIGURATION,
    ("Cluster", "jobs"): JOBS,
    ("Cluster", "job"): JOB,
    ("Cluster", "queues"): QUEUES,
    ("Cluster", "queue"): QUEUES,
    ("Cluster", "nodes"): NODES,
    ("Cluster", "node"): NODES,
    ("Job", "queue"): QUEUES,
    ("Job", "queues"): QUEUES,
    ("Job", "nodes"): NODES,
    ("Queue", "nodes"): NODES,
    ("Queue", "nodeCounts"): NODES,
    ("Queue", "jobs"): JOBS,
    ("Node", "queues"): QUEUES,
    ("Node", "jobs"): JOBS,
}


@dataclass(frozen=True)
class Need:
    """A dataset by name; for JOB the id that is asked for, as the caller wrote it."""

    dataset: str
    id: str | None = None


ALL_CLUSTERS = "*"
"""Stands for every cluster in a plan; "" stands for the default one."""

Plan = Mapping[str, set[Need]]
"""Needs by the name of the cluster, as the caller wrote it."""


def plan(info: ResolveInfo, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str = "") -> Plan:
    """The needs of a selection on `parent`, which belongs to `cluster` unless its fields say otherwise."""
    walk = _Walk(info)
    walk.visit(selection, parent, cluster)
    return walk.needs


def cluster_in(id: str) -> str:
    """The cluster's name in an id such as `lab:123_4`, or "" (a name starts with a letter, a job's id does not)."""
    name, colon, _ = id.partition(":")
    return name if colon and name[:1].isalpha() else ""


class _Walk:
    def __init__(self, info: ResolveInfo) -> None:
        self.needs: dict[str, set[Need]] = defaultdict(set)
        self._fragments = info.fragments
        # Strawberry passes the coerced values, not graphql-core's container of them.
        self._variables = cast(Mapping[str, Any], info.variable_values)
        self._seen: set[tuple[str, str, str]] = set()

    def visit(self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str) -> None:
        for field in self._fields(selection, parent, cluster):
            definition = parent.fields.get(field.name.value)
            if definition is None:  # __typename, __schema
                continue
            here = self._cluster(field, parent.name, cluster)
            if dataset := NEEDS.get((parent.name, field.name.value)):
                self.needs[here].add(Need(dataset, self._argument(field, "id") if dataset == JOB else None))
            kind = get_named_type(definition.type)
            if field.selection_set and isinstance(kind, GraphQLObjectType):
                self.visit(field.selection_set, kind, here)

    def _fields(self, selection: SelectionSetNode, parent: GraphQLObjectType, cluster: str) -> Iterator[FieldNode]:
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

    def _cluster(self, field: FieldNode, parent: str, cluster: str) -> str:
        if parent != "Query":
            return cluster
        if field.name.value == "clusters":
            return ALL_CLUSTERS
        if field.name.value == "cluster":
            return self._argument(field, "name") or ""
        named = self._argument(field, "cluster")
        return named or (cluster_in(self._argument(field, "id") or "") if field.name.value == "job" else "")

    def _included(self, directives: Sequence[Any]) -> bool:
        conditions = {d.name.value: self._value(d.arguments[0].value) for d in directives if d.arguments}
        return conditions.get("include", True) is not False and conditions.get("skip", False) is not True

    def _argument(self, field: FieldNode, name: str) -> str | None:
        node = next((argument.value for argument in field.arguments or () if argument.name.value == name), None)
        value = None if node is None else self._value(node)
        return None if value is None else str(value)

    def _value(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, StringValueNode | IntValueNode | BooleanValueNode):
            return node.value
        return None
