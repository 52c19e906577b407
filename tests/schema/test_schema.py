"""The contract: exported, described in full, kept as promised, and with every need of its fields declared."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    get_named_type,
    get_nullable_type,
    graphql_sync,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
    is_specified_scalar_type,
)

import schema as contract
from conftest import Api
from local.cluster import Cluster
from resolvers.errors import ErrorCode
from resolvers.plan import FIELD_PLAN
from schema.reference import error_page, reference
from slurm.refusal import RefusalCode

HERE = Path(__file__).parent
EXPORT = Path(contract.__file__).with_name("schema.graphql")
REFERENCE = HERE.parents[1] / "docs" / "reference.md"
ERRORS = HERE.parents[1] / "docs" / "errors.md"
RELEASED = HERE / "released.graphql"
SDL = contract.schema.as_str()

DIFFERENCES = {
    # A value that cannot be read is null with an error, so the other clusters are still answered.
    "Field Query.jobs changed type from JobConnection! to JobConnection.",
    "Field Query.queues changed type from [Queue!]! to [Queue!].",
    "Field Query.nodes changed type from NodeConnection! to NodeConnection.",
    "Field Cluster.jobs changed type from JobConnection! to JobConnection.",
    "Field Cluster.queues changed type from [Queue!]! to [Queue!].",
    "Field Cluster.nodes changed type from NodeConnection! to NodeConnection.",
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SDL)


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        kind
        for kind in schema.type_map.values()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]


def test_the_export_is_current() -> None:
    assert EXPORT.read_text() == SDL + "\n", "run make schema"


def test_the_reference_is_current_and_has_a_line_for_everything(schema: GraphQLSchema) -> None:
    page = REFERENCE.read_text()
    assert page == reference(schema), "run make schema"
    for kind in own_types(schema):
        assert f"## {kind.name}\n" in page
    lines = page.splitlines()
    told = {(line.split("`")[1]) for line in lines if line.lstrip().startswith("- `")}
    assert {name.rpartition(".")[2].partition("(")[0] for name, _ in descriptions(schema) if "." in name} <= told


def test_the_page_of_errors_is_current_and_has_a_line_for_every_code() -> None:
    page = ERRORS.read_text()
    assert page == error_page(page), "run make schema"
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    assert {f"| {code.name}" for code in (*ErrorCode, *RefusalCode)} <= set(rows)
    assert error_page(page.replace("| TIMEOUT |", "| TIME_OUT |")) == page


def test_everything_has_a_description(schema: GraphQLSchema) -> None:
    assert [name for name, description in descriptions(schema) if not (description or "").strip()] == []


def test_no_description_is_indented(schema: GraphQLSchema) -> None:
    """GraphiQL and generated clients show descriptions as they are; graphql-core removes only what all lines share."""
    raw = dict(descriptions(contract.schema._schema))
    assert {name for name, _ in descriptions(schema)} <= set(raw)
    for name, description in raw.items():
        assert description == cleandoc(description or ""), name
        assert "  " not in (description or ""), name


def test_the_description_of_an_argument_that_has_a_limit_says_it(schema: GraphQLSchema) -> None:
    """Numbers and lists have one. (Ids and names are as long as Slurm's; a mutation's `input` has its own fields.)"""
    limited = {
        f"{kind.name}.{name}({argument}:)": given.description or ""
        for kind in own_types(schema)
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        for argument, given in field.args.items()
        if is_list_type(get_nullable_type(given.type)) or get_named_type(given.type).name in ("Int", "BigInt", "Float")
    }
    assert len(limited) > 10
    assert [place for place, description in limited.items() if not re.search(r"\d", description)] == []


def descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Every type, field, argument and enum value with its description."""
    for kind in own_types(schema):
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", line.description) for name, line in kind.fields.items())
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                for argument, given in field.args.items():
                    yield f"{kind.name}.{name}({argument}:)", given.description


def test_each_list_says_how_often_to_ask(schema: GraphQLSchema) -> None:
    says, lists = set(), set()
    for kind in own_types(schema):
        if isinstance(kind, GraphQLObjectType):
            for name, line in kind.fields.items():
                place, shown = f"{kind.name}.{name}", str(get_nullable_type(line.type))
                if "suggestedPollSeconds" in (line.description or ""):
                    says.add(place)
                item = get_named_type(line.type)
                of_things = "[" in shown and isinstance(item, GraphQLObjectType) and "id" in item.fields
                if shown.endswith("Connection") or (
                    of_things and not kind.name.endswith(("Connection", "Payload")) and kind.name != "JobsEnded"
                ):
                    lists.add(place)
    named = {"Queue.jobs", "Queue.nodes", "JobArray.tasks", "Account.associations", "Node.jobs", "Query.clusters"}
    assert says == lists > {*named, "Query.jobs", "Cluster.qos"}
    for name in ("Query", "Cluster"):
        kind = schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert "suggestedPollSeconds" in kind.fields


def test_what_every_client_relies_on_is_promised() -> None:
    """What docs/clients.md builds on: the end of a job, pages, waiting in one call, rights, how often to ask."""
    promised = build_schema((HERE / "promised.graphql").read_text())
    needs = {
        "Query": {"jobsEnded", "suggestedPollSeconds"},
        "Cluster": {"id", "suggestedPollSeconds"},
        "Viewer": {"id", "can"},
        "Job": {"id", "phase", "succeeded", "exitCode", "viewerCan"},
        "Node": {"id", "viewerCan"},
        "Queue": {"id", "viewerCan"},
        "JobConnection": {"edges", "nodes", "pageInfo", "totalCount"},
        "NodeConnection": {"edges", "nodes", "pageInfo", "totalCount"},
        "PageInfo": {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"},
        "JobsEnded": {"done", "jobs", "notRemembered"},
    }
    for name, fields in needs.items():
        kind = promised.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert fields <= set(kind.fields), name


def test_promised_fields_exist(schema: GraphQLSchema) -> None:
    promised = build_schema((HERE / "promised.graphql").read_text())
    assert {change.description for change in find_breaking_changes(promised, schema)} == DIFFERENCES


@pytest.mark.skipif(not RELEASED.exists(), reason="nothing has been released")
def test_no_client_of_the_last_release_breaks(schema: GraphQLSchema) -> None:
    """A release copies schema.graphql to released.graphql; between releases that file stays as it is.

    A release that removes what was deprecated removes it from that file, too (docs/versioning.md).
    """
    released = build_schema(RELEASED.read_text())
    assert [change.description for change in find_breaking_changes(released, schema)] == []


def inputs(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLArgument | GraphQLInputField]]:
    """Every argument and every field of an input, by its name."""
    for kind in own_types(schema):
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", line) for name, line in kind.fields.items())
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                yield from ((f"{kind.name}.{name}({argument}:)", given) for argument, given in field.args.items())


def test_a_mutation_takes_one_input_and_returns_one_payload(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        title = f"{name[0].upper()}{name[1:]}"
        taken = {argument: str(given.type) for argument, given in field.args.items()}
        assert (taken, str(field.type)) == ({"input": f"{title}Input!"}, f"{title}Payload!")
        kind = schema.type_map[f"{title}Input"]
        assert isinstance(kind, GraphQLInputObjectType)
        assert str(kind.fields["cluster"].type) == "String"


def test_nothing_is_null_by_default(schema: GraphQLSchema) -> None:
    """So that what a caller leaves out and null differ."""
    assert [name for name, given in inputs(schema) if given.default_value is None] == []
    assert "= null" not in SDL


CHOICES = re.compile(
    r"exactly one|\beither\b|give this or|give these,|not (with|beside|together)|cannot be given|must not both", re.I
)


def test_what_excludes_each_other_is_a_type_and_not_a_sentence(schema: GraphQLSchema) -> None:
    """It is a @oneOf input, which every client's compiler checks."""
    told = [name for name, given in inputs(schema) if CHOICES.search(given.description or "")]
    assert told == []
    for before in ("Give this or `endTime`.", "Its nodes. Not with `nodes`.", "Give exactly one of ids and filter."):
        assert CHOICES.search(before)


def test_of_a_choice_nothing_is_required_and_clients_learn_that_it_is_one(schema: GraphQLSchema) -> None:
    choices = {
        kind.name: kind for kind in own_types(schema) if isinstance(kind, GraphQLInputObjectType) and kind.is_one_of
    }
    assert {"Script", "JobMemory", "JobsToCancel", "ReservationEnd", "ReservationNodes"} <= set(choices)
    for kind in choices.values():
        assert len(kind.fields) > 1
        assert not any(is_required_input_field(line) for line in kind.fields.values())
    asked = graphql_sync(contract.schema._schema, "{ __schema { types { name isOneOf } } }")
    assert asked.data is not None
    assert {kind["name"] for kind in asked.data["__schema"]["types"] if kind["isOneOf"]} == set(choices)


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("  rawState: String!", "  rawStatus: String!", "Field Job.rawState was removed."),
        ("jobId: String!", "jobId: String", "Field Job.jobId changed type from String! to String."),
        ("  NODE_FAIL", "  NODE_FAILED", "Enum value JobState.NODE_FAIL was removed."),
    ],
)
def test_a_breaking_change_is_noticed(was: str, becomes: str, told: str) -> None:
    changed = build_schema(SDL.replace(was, becomes))
    assert told in [change.description for change in find_breaking_changes(build_schema(SDL), changed)]


# One way to each type; what stands at the end is one field, alone, so that nothing but its own needs is fetched.
WAYS = {
    "Query": "{ %s }",
    "Viewer": "{ viewer { %s } }",
    "Cluster": "{ cluster { %s } }",
    "JobConnection": "{ jobs { %s } }",
    "JobEdge": "{ jobs { edges { %s } } }",
    "NodeConnection": "{ nodes { %s } }",
    "NodeEdge": "{ nodes { edges { %s } } }",
    "Head": "{ cluster { head { %s } } }",
    "Agent": "{ cluster { head { agent { %s } } } }",
    "Instance": "{ cluster { head { instance { %s } } } }",
    "Reservation": "{ cluster { reservations { %s } } }",
    "License": "{ cluster { licenses { %s } } }",
    "Switch": "{ cluster { topology { %s } } }",
    "Qos": "{ cluster { qos { %s } } }",
    "AccountConnection": "{ cluster { accounts { %s } } }",
    "AccountEdge": "{ cluster { accounts { edges { %s } } } }",
    "Account": "{ cluster { accounts { nodes { %s } } } }",
    "AssociationConnection": "{ cluster { associations { %s } } }",
    "AssociationEdge": "{ cluster { associations { edges { %s } } } }",
    "Association": "{ cluster { associations { nodes { %s } } } }",
    "Statistics": "{ cluster { statistics { %s } } }",
    "Configuration": "{ cluster { configuration { %s } } }",
    "Health": "{ cluster { health { %s } } }",
    "Check": "{ cluster { health { scheduler { %s } } } }",
    "Controller": "{ cluster { health { controllers { %s } } } }",
    "SnapshotAge": "{ cluster { jobs { totalCount } health { snapshots { %s } } } }",
    "Job": "{ jobs { nodes { %s } } }",
    "JobsEnded": '{ jobsEnded(ids: ["1"], timeoutSeconds: 0) { %s } }',
    "Queue": "{ queues { %s } }",
    "Node": "{ nodes { nodes { %s } } }",
    "JobStep": '{ jobHistory(filter: {user: "ada"}) { nodes { steps { %s } } } }',
    "Efficiency": '{ jobHistory(filter: {user: "ada"}) { nodes { efficiency { %s } } } }',
    "PageInfo": "{ jobs { pageInfo { %s } } }",
    "JobStateCount": "{ jobs { countsByState { %s } } }",
    "NodeStateCount": "{ queues { nodeCounts { %s } } }",
    "CpuCounts": "{ queues { cpuCounts { %s } } }",
    "JobArray": "{ jobs { nodes { array { %s } } } }",
    "JobDependency": "{ jobs { nodes { dependencies { %s } } } }",
    "JobOutput": "{ jobs { nodes { output { %s } } } }",
    "PriorityFactors": '{ jobs(cluster: "annex") { nodes { priorityFactors { %s } } } }',
    "TresPriority": '{ jobs(cluster: "annex") { nodes { priorityFactors { tres { %s } } } } }',
}
CHANGES = {"Mutation", "UserError", *(name for name in build_schema(SDL).type_map if name.endswith("Payload"))}
ELSEWHERE = {"FairShareConnection", "FairShareEdge", "FairShare"}
"""These need a cluster that ranks jobs by shares: tests/end_to_end/test_facts.py has one."""
ARGUMENTS = {"id": '"1"', "ids": '["1"], timeoutSeconds: 0', "name": '"queue1"'}


TOLD = {"FORBIDDEN", "PRIORITY_FACTORS_DISABLED"}
"""What may be said of a job instead: it is another user's, or its cluster is not made so."""


def field_of(kind: str, name: str) -> GraphQLField:
    """The field as it is executed, with what the plan knows of it."""
    found = contract.schema._schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    field: GraphQLField = found.fields[name]
    return field


def leaf(kind: GraphQLNamedType) -> str:
    """A selection of one field that needs nothing but its object."""
    if not isinstance(kind, GraphQLObjectType):
        return ""
    for name, field in kind.fields.items():
        if (
            is_leaf_type(get_named_type(field.type))
            and not field_of(kind.name, name).extensions[FIELD_PLAN].reads.anything
        ):
            return f"{{ {name} }}"
    raise AssertionError(f"{kind.name} has no field of its own")


def selection(name: str, field: GraphQLField) -> str:
    given = [f"{key}: {ARGUMENTS[key]}" for key, argument in field.args.items() if is_required_argument(argument)]
    return f"{name}{'(' + ', '.join(given) + ')' if given else ''} {leaf(get_named_type(field.type))}"


def single_fields() -> list[Any]:
    return [
        pytest.param(WAYS[kind.name] % selection(name, field), id=f"{kind.name}.{name}")
        for kind in own_types(build_schema(SDL))
        if isinstance(kind, GraphQLObjectType) and kind.name not in CHANGES | ELSEWHERE
        for name, field in kind.fields.items()
        if get_named_type(field.type).name not in ELSEWHERE
    ]


@pytest.fixture(scope="module")
def a_job(lab: Cluster) -> Iterator[str]:
    """So that there is something to be linked to."""
    user, script = lab.users[0].name, "#!/bin/bash\nsleep 300\n"
    job = lab.run("sbatch", "--parsable", "--constraint=static", user=user, input=script).stdout.strip()
    yield job
    lab.run("scancel", job, user=user)


@pytest.mark.parametrize("document", single_fields())
def test_every_field_can_be_selected_alone(document: str, api: Api, a_job: str) -> None:
    """A field that reads a dataset which it does not declare would fail here: nothing else asks for it."""
    assert set(api.codes(document)) <= TOLD


def test_a_dataset_that_is_not_declared_fails(api: Api, a_job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(field_of("Job", "queue").extensions, FIELD_PLAN)
    assert "INTERNAL_SERVER_ERROR" in api.codes("{ jobs { nodes { queue { name } } } }")
