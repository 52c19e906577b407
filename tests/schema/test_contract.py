"""The rules of the schema that hold for all of it (docs/clients.md): connections, and ids for caches."""

import re
from collections.abc import Iterator
from dataclasses import fields

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
    is_object_type,
)

from schema import schema as contract
from schema.planned import DEFINITION
from slurm.job_update import JobUpdate
from slurm.reservation import NewReservation, ReservationEnd, ReservationNodes
from slurm.sbatch import JobMemory, Submission

VALUES = {
    "Query": "the root",
    "Mutation": "the root",
    "Agent": "part of Head",
    "Check": "part of Health",
    "Configuration": "one for each cluster: merge it into the cluster",
    "Controller": "part of Health",
    "CpuCounts": "a value",
    "Efficiency": "part of Job",
    "Head": "one for each cluster: merge it into the cluster",
    "Health": "one for each cluster: merge it into the cluster",
    "JobDependency": "part of Job",
    "JobOutput": "part of Job: some lines of a file",
    "JobStateCount": "a value",
    "JobsEnded": "an answer, not a thing",
    "NodeStateCount": "a value",
    "PageInfo": "a value",
    "PriorityFactors": "part of Job",
    "SnapshotAge": "part of Health",
    "Statistics": "one for each cluster: merge it into the cluster",
    "TresPriority": "part of PriorityFactors",
    "UserError": "what happened once",
}
"""The types of which a cache keeps no objects of their own, and why; besides connections, edges and payloads."""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return contract._schema


def objects(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [
        kind
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
    ]


def test_every_type_has_an_id_or_is_a_value(schema: GraphQLSchema) -> None:
    parts = ("Connection", "Edge", "Payload")
    without = {kind.name for kind in objects(schema) if "id" not in kind.fields and not kind.name.endswith(parts)}
    assert without == set(VALUES)
    for kind in objects(schema):
        if "id" in kind.fields and not kind.name.endswith("Payload"):
            assert str(kind.fields["id"].type) == "ID!", kind.name


def test_every_connection_is_as_relay_has_it(schema: GraphQLSchema) -> None:
    connections = [kind for kind in objects(schema) if kind.name.endswith("Connection")]
    assert len(connections) >= 5
    for kind in connections:
        item = get_named_type(kind.fields["nodes"].type)
        edge = get_named_type(kind.fields["edges"].type)
        assert isinstance(edge, GraphQLObjectType)
        assert str(kind.fields["nodes"].type) == f"[{item.name}!]!"
        assert str(kind.fields["edges"].type) == f"[{edge.name}!]!"
        assert {name: str(field.type) for name, field in edge.fields.items()} == {
            "cursor": "String!",
            "node": f"{item.name}!",
        }
        assert str(kind.fields["pageInfo"].type) == "PageInfo!"
        assert str(kind.fields["totalCount"].type) == "Int!"
        assert str(kind.fields["asOf"].type) == "DateTime!"
    info = schema.type_map["PageInfo"]
    assert isinstance(info, GraphQLObjectType)
    assert {name: str(field.type) for name, field in info.fields.items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def test_whatever_returns_a_connection_takes_first_and_after(schema: GraphQLSchema) -> None:
    for kind in objects(schema):
        for name, field in kind.fields.items():
            if get_named_type(field.type).name.endswith("Connection"):
                assert {"first", "after"} <= set(field.args), f"{kind.name}.{name}"
                assert isinstance(field.args["first"].default_value, int), f"{kind.name}.{name}"


def test_a_list_of_objects_that_is_no_page_says_how_long_it_can_be(schema: GraphQLSchema) -> None:
    unbounded = []
    for kind in objects(schema):
        if kind.name.endswith(("Connection", "Payload")):
            continue
        for name, field in kind.fields.items():
            listed = is_list_type(get_nullable_type(field.type)) and is_object_type(get_named_type(field.type))
            bounded = re.search("at most|as many as|one for each", field.description or "", re.IGNORECASE)
            if listed and not bounded:
                unbounded.append(f"{kind.name}.{name}: {field.description}")
    assert unbounded == []


def numbers(schema: GraphQLSchema) -> list[tuple[str, str, str]]:
    """Each input field that takes a number: its type's name, its own and its scalar's."""
    return [
        (kind.name, name, get_named_type(field.type).name)
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLInputObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in ("Int", "BigInt")
    ]


def test_whatever_is_shown_as_a_big_number_is_also_taken_as_one(schema: GraphQLSchema) -> None:
    shown = {
        name
        for kind in objects(schema)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name == "BigInt"
    }
    found = {f"{kind}.{name}" for kind, name, scalar in numbers(schema) if scalar == "BigInt"}
    assert found == {
        f"{kind}.{name}"
        for kind, name, _ in numbers(schema)
        if name in shown or name.endswith(("Seconds", "Mib")) or kind == "BigIntRange"
    }
    for name, field in schema.type_map["JobFilter"].fields.items():  # type: ignore[attr-defined] # JobFilter is an input
        if str(field.type).endswith("Range"):
            assert (str(field.type) == "BigIntRange") == (name in shown), name


WITHOUT_LIMIT = {
    "cluster": "one of the deployment's names",
    "user": "a filter: compared with what Slurm shows",
    "account": "a filter: compared with what Slurm shows",
    "queue": "a filter: compared with what Slurm shows",
    "nodeName": "a filter: compared with what Slurm shows",
    "nameContains": "a filter: compared with what Slurm shows",
    "comment": "a filter: compared with what Slurm shows",
    "atLeast": "a filter: compared with what Slurm shows",
    "atMost": "a filter: compared with what Slurm shows",
    "name": "compared with what Slurm shows",
    "after": "a cursor of the API's own",
}
"""The arguments, and the input fields without a checker, that may have any value of their type."""


def test_every_limit_of_an_input_is_in_its_description(schema: GraphQLSchema) -> None:
    """The text comes from the checker, so a new option cannot lack it; without a checker a number must be in it."""
    silent, checked = [], 0
    for place, name, line in given(schema):
        kind = line.extensions[DEFINITION].metadata.get("kind") if isinstance(line, GraphQLInputField) else None
        if get_named_type(line.type).name not in ("Int", "BigInt", "String"):
            continue
        checked += kind is not None
        if kind is not None:
            told = bool(kind.limit) and kind.limit.lower() in (line.description or "").lower()
        else:
            told = name in WITHOUT_LIMIT or re.search(r"\d|at least", line.description or "") is not None
        if not told:
            silent.append(f"{place}: {line.description}")
    assert silent == []
    assert checked > 60


@pytest.mark.parametrize("table", [Submission, JobMemory, JobUpdate, NewReservation, ReservationEnd, ReservationNodes])
def test_what_is_beyond_the_limit_is_refused_and_what_is_at_it_is_not(table: type) -> None:
    for line in fields(table):
        numbers = re.fullmatch(r"from (-?\d+) to (\d+)|at least (\d+)", getattr(line.metadata.get("kind"), "limit", ""))
        if numbers:
            low, high = numbers[1] or numbers[3], numbers[2]
            kind = line.metadata["kind"]
            for right in filter(None, (low, high)):
                assert re.fullmatch(kind.pattern, kind(int(right))), line.name
            for wrong in (int(low) - 1, *([int(high) + 1] if high else [])):
                with pytest.raises(ValueError, match="must be"):
                    kind(wrong)


def given(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLInputField | GraphQLArgument]]:
    """Each argument of a field that takes no input type, and each field of an input: its place, its name, itself."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", name, field) for name, field in kind.fields.items())
        elif isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            for field, line in kind.fields.items():
                yield from ((f"{kind.name}.{field}({name})", name, argument) for name, argument in line.args.items())


def test_every_list_that_is_an_input_says_how_long_it_may_be(schema: GraphQLSchema) -> None:
    """tests/resolvers/test_filters.py and tests/slurm/test_argument.py exceed it."""
    lists = [(place, line) for place, _, line in given(schema) if is_list_type(get_nullable_type(line.type))]
    assert len(lists) > 30
    bounded = re.compile(r"at most \d+|1 to \d+", re.IGNORECASE)
    assert [place for place, line in lists if not bounded.search(line.description or "")] == []


def test_what_names_the_cluster_by_default_is_said_where_it_is_true(schema: GraphQLSchema) -> None:
    """An id can only name it where there is one."""
    places = dict.fromkeys(place for place, name, _ in given(schema) if name == "cluster")
    assert len(places) > 20
    for place, name, line in given(schema):
        if name == "cluster" or place == "Query.cluster(name)":
            kind, _, rest = place.partition(".")
            of = schema.type_map[kind]
            assert isinstance(of, GraphQLObjectType | GraphQLInputObjectType)
            inputs = of.fields[rest.partition("(")[0]].args if isinstance(of, GraphQLObjectType) else of.fields
            says = line.description or ""
            assert ("first job id" in says) == bool({"id", "ids", "jobs"} & set(inputs)), place
            assert ("`name`" in says) == (place in ("Query.node(cluster)", "Query.queue(cluster)")), place


def test_every_payload_has_the_id_of_what_it_changed(schema: GraphQLSchema) -> None:
    payloads = [kind for kind in objects(schema) if kind.name.endswith("Payload")]
    assert len(payloads) == 14
    for kind in payloads:
        ids = {name: str(field.type) for name, field in kind.fields.items() if name in ("id", "ids")}
        assert ids in ({"id": "ID"}, {"ids": "[ID!]!"}), kind.name
