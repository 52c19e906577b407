"""One table says who may do what: it is complete, it is what is enforced, and the documentation shows it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)

import schema as contract
from access import permissions
from access.caller import Caller
from access.permissions import PERMISSIONS, RIGHTS, Permission, Place, may, why_not
from access.role import Role
from conftest import Api
from local.cluster import Cluster
from resolvers.viewer import OF_JOBS
from schema.mutation import CHANGES

SCHEMA = build_schema(contract.schema.as_str())
TYPES = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType) and kind.name[:2] != "__"]
QUERY, MUTATION = SCHEMA.query_type, SCHEMA.mutation_type
SECURITY = Path(__file__).parents[2] / "docs" / "security.md"

LOOKING = {
    ("Job", "steps"),
    ("Job", "efficiency"),
    ("Job", "cpuTimeSeconds"),
    ("Job", "cpuTimeReservedSeconds"),
    ("Job", "maxRssMib"),
}
"""Fields that cost their own command and show only what the rest of a job shows; for a running job slurmd decides."""


def test_every_field_of_query_and_mutation_is_listed() -> None:
    assert QUERY is not None and MUTATION is not None
    assert {(root.name, field) for root in (QUERY, MUTATION) for field in root.fields} <= set(RIGHTS)


def test_every_field_that_reads_something_of_its_own_is_listed() -> None:
    """Which is what fields do that are awaited: the others show what came with their object."""
    awaited = {(kind.name, field) for kind in TYPES for field in kind.fields if is_awaited(kind.name, field)}
    assert awaited >= LOOKING
    assert awaited - LOOKING <= set(RIGHTS)


def is_awaited(kind: str, field: str) -> bool:
    definition: Any = contract.schema.get_type_by_name(kind)
    name = contract.schema.config.name_converter
    (found,) = [each for each in definition.fields if name.get_graphql_name(each) == field]
    return found.base_resolver is not None and found.base_resolver.is_async


def test_every_change_has_its_right_and_no_right_is_without_a_change() -> None:
    assert {("Mutation", name) for name in CHANGES} == {place for place in RIGHTS if place[0] == "Mutation"}


def test_every_listed_field_exists() -> None:
    assert set(RIGHTS) <= {(kind.name, field) for kind in TYPES for field in kind.fields}


ADA = Caller("ada", "ada", None)
VIEWER = Caller("ada", "ada", Role.VIEWER)
OPERATOR = Caller("ada", "ada", Role.OPERATOR)
ABSENT_OPERATOR = Caller("Ada Lovelace", None, Role.OPERATOR)


@pytest.mark.parametrize("place", RIGHTS, ids=".".join)
def test_each_role_may_what_the_table_says(place: Place) -> None:
    right = RIGHTS[place]
    assert why_not(OPERATOR, place) is None
    assert (why_not(ADA, place) is None) == (right.role is not Role.OPERATOR)
    assert (why_not(VIEWER, place) is None) == (right.role is Role.VIEWER)
    assert (why_not(ABSENT_OPERATOR, place) is None) == (not right.as_account)


def test_each_line_beyond_looking_is_a_permission() -> None:
    assert set(PERMISSIONS) == {place for place in RIGHTS if place[0] != "Query"}
    assert set(PERMISSIONS.values()) == set(Permission)
    assert PERMISSIONS["Mutation", "cancelJobs"] is Permission["CANCEL_JOBS"]
    assert PERMISSIONS["Job", "script"].name == "JOB_SCRIPT"


def test_every_right_about_jobs_is_one_that_jobs_show() -> None:
    about_jobs = {place for place, right in RIGHTS.items() if right.own}
    assert set(OF_JOBS) == about_jobs | {("Mutation", "suspendJobs"), ("Mutation", "resumeJobs")}


@pytest.mark.parametrize("place", PERMISSIONS, ids=".".join)
def test_what_is_shown_as_possible_is_what_the_table_allows(place: Place) -> None:
    right = RIGHTS[place]
    for caller in (ADA, VIEWER, OPERATOR, ABSENT_OPERATOR):
        assert may(caller, place) == (why_not(caller, place) is None)
        assert not may(caller, place, "grace") or not right.own or caller.role is Role.OPERATOR
    assert may(ADA, place, "ada") == (right.role is Role.USER)
    assert may(OPERATOR, place, "grace") == (not (right.own and right.as_account))
    assert not may(VIEWER, place, "ada")


def test_what_is_taken_from_the_table_is_not_shown_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "RIGHTS", {})
    assert [place for place in PERMISSIONS if may(OPERATOR, place, "ada")] == []


def test_nobody_may_use_an_unlisted_field() -> None:
    assert why_not(OPERATOR, ("Mutation", "rebootEverything")) == "Nobody may use Mutation.rebootEverything."


def value(given: GraphQLArgument | GraphQLInputField) -> str:
    """Something of the right type, in GraphQL's notation."""
    kind = get_nullable_type(given.type)
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        needed = {name: each for name, each in named.fields.items() if is_required_input_field(each)}
        chosen = needed or dict(islice(named.fields.items(), named.is_one_of))
        one = f"{{{', '.join(f'{name}: {value(each)}' for name, each in chosen.items())}}}"
    elif isinstance(named, GraphQLEnumType):
        one = next(iter(named.values))
    else:
        one = {"Int": "1", "Boolean": "true"}.get(
            named.name, '"2030-01-01T00:00:00Z"' if named.name == "DateTime" else '"1"'
        )
    return f"[{one}]" if isinstance(kind, GraphQLList) else one


def document(root: GraphQLObjectType, name: str) -> str:
    field = root.fields[name]
    given = [f"{key}: {value(each)}" for key, each in field.args.items() if is_required_argument(each)]
    arguments = f"({', '.join(given)})" if given else ""
    selection = "errors { code }" if root is MUTATION else "__typename"
    below = f"{{ {selection} }}" if isinstance(get_named_type(field.type), GraphQLObjectType) else ""
    return f"{'mutation' if root is MUTATION else ''} {{ it: {name}{arguments} {below} }}"


def codes(answer: dict[str, Any]) -> list[str]:
    """Of errors, and of refusals in a payload."""
    payload = ((answer["data"] or {}).get("it") or {}) if "data" in answer else {}
    told = [error["extensions"]["code"] for error in answer.get("errors", [])]
    return told + ([error["code"] for error in payload.get("errors", [])] if isinstance(payload, dict) else [])


def fields(root: GraphQLObjectType | None) -> list[Any]:
    assert root is not None
    return [pytest.param(root, name, id=f"{root.name}.{name}") for name in root.fields]


@pytest.mark.parametrize(("root", "name"), [*fields(QUERY), *fields(MUTATION)])
def test_a_field_that_is_taken_from_the_table_is_refused_and_nothing_is_sent(
    root: GraphQLObjectType, name: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So this table decides for every field."""
    monkeypatch.setattr(permissions, "RIGHTS", {each: RIGHTS[each] for each in RIGHTS if each != (root.name, name)})
    before = api.commands()
    assert codes(api.ask(document(root, name), groups="slurmql-operators")) == ["FORBIDDEN"]
    assert api.commands() == before


@pytest.mark.parametrize(("root", "name"), fields(MUTATION))
@pytest.mark.parametrize("who", ["viewer", "user"])
def test_a_change_beyond_the_callers_role_is_refused_before_anything_is_sent(
    root: GraphQLObjectType, name: str, who: str, api: Api
) -> None:
    if who == "user" and RIGHTS[root.name, name].role is not Role.OPERATOR:
        return  # theirs to make
    before = api.commands()
    assert codes(api.ask(document(root, name), groups="slurmql-viewers" if who == "viewer" else "")) == ["FORBIDDEN"]
    assert api.commands() == before


@pytest.mark.parametrize(("root", "name"), [*fields(QUERY), *fields(MUTATION)])
def test_a_caller_who_is_not_signed_in_gets_an_error_and_nothing_is_sent(
    root: GraphQLObjectType, name: str, api: Api
) -> None:
    before = api.commands()
    assert codes(api.ask(document(root, name), user=None)) == ["UNAUTHENTICATED"]
    assert api.commands() == before


@pytest.fixture(scope="module")
def own_job(lab: Cluster) -> Iterator[str]:
    user = lab.users[0].name
    job = lab.run("sbatch", "--parsable", "--hold", user=user, input="#!/bin/bash\ntrue\n").stdout.strip()
    yield job
    lab.run("scancel", job, user=user)


@pytest.mark.parametrize("field", ["script", "output { path }"])
def test_a_jobs_field_that_is_taken_from_the_table_is_refused(
    field: str, api: Api, own_job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f'{{ job(id: "{own_job}") {{ {field} }} }}'
    assert api.codes(asked) == []
    monkeypatch.setattr(permissions, "RIGHTS", {each: RIGHTS[each] for each in RIGHTS if each[0] != "Job"})
    assert api.codes(asked) == ["FORBIDDEN"]


def test_the_documentation_shows_the_table() -> None:
    lines = [
        f"| `{kind}.{field}` | {right.role.name} | {right.what} | {right.bounds} |".replace("|  |", "| |")
        for (kind, field), right in RIGHTS.items()
    ]
    text = SECURITY.read_text()
    assert [line for line in lines if line not in text] == []
