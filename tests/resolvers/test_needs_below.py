"""What a field needs because of what is selected below it; and the arguments that needs get."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, validate

from resolvers import needs, plan
from resolvers.filters import JobFilter
from resolvers.order import JobOrder, JobOrderField, OrderDirection
from schema import schema
from slurm.states import JobState

SCHEMA = schema._schema


def planned(document: str, **variables: Any) -> list[plan.Selected]:
    """What a query that validates needs of the default cluster."""
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    (operation,) = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    info = cast(plan.ResolveInfo, SimpleNamespace(fragments=fragments, variable_values=variables))
    assert SCHEMA.query_type is not None
    return plan.plan(info, operation.selection_set, SCHEMA.query_type)[""]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[needs.Place]]:
    """The fields below each job that is asked for by id."""
    below: list[frozenset[needs.Place]] = []
    monkeypatch.setattr(plan, "NEEDS_BELOW", {("Query", "job"): below.append})
    return below


@pytest.mark.parametrize(
    ("selection", "fields"),
    [
        ("state", {("Job", "state")}),
        ("renamed: state", {("Job", "state")}),
        ("queue { name }", {("Job", "queue"), ("Queue", "name")}),
        ("... on Job { state } ... { user }", {("Job", "state"), ("Job", "user")}),
        ("state user @skip(if: true)", {("Job", "state")}),
        ("state ... @include(if: false) { user }", {("Job", "state")}),
        ("__typename state", {("Job", "__typename"), ("Job", "state")}),
    ],
)
def test_a_field_is_told_of_all_that_is_selected_below_it(
    seen: list[frozenset[needs.Place]], selection: str, fields: set[needs.Place]
) -> None:
    planned(f"{{ job(id: 1) {{ {selection} }} }}")
    assert seen == [fields]


def test_a_fragment_stands_below_every_field_that_spreads_it(seen: list[frozenset[needs.Place]]) -> None:
    planned("{ a: job(id: 1) { ...f } b: job(id: 2) { user ...f } } fragment f on Job { state }")
    assert seen == [{("Job", "state")}, {("Job", "state"), ("Job", "user")}]


def test_nested_fragments_below_do_not_multiply_the_work(seen: list[frozenset[needs.Place]]) -> None:
    """2 ** 40 spreads, were each followed."""
    fragments = "".join(f"fragment f{n} on Job {{ ...f{n + 1} ...f{n + 1} }}\n" for n in range(40))
    planned("{ job(id: 1) { ...f0 } }\n" + fragments + "fragment f40 on Job { state }")
    assert seen == [{("Job", "state")}]


def test_only_what_tells_of_a_jobs_use_needs_its_accounts() -> None:
    assert needs.job_use(frozenset({("Job", "state"), ("Job", "exitCode")})) is None
    assert needs.job_use(frozenset({("Job", "state"), ("Job", "maxRssMib")})) is not None


def test_arguments_are_values_of_their_types_be_they_literals_or_variables() -> None:
    literals = """{ jobs(
      filter: {states: RUNNING, ids: 4, submittedAfter: "2026-11-22T24:00Z"}, orderBy: {field: ID}
    ) { totalCount } }"""
    variables = """query ($states: [JobState!], $after: DateTime, $order: [JobOrder!]) {
      jobs(filter: {states: $states, ids: ["4"], submittedAfter: $after}, orderBy: $order) { totalCount } }"""
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    order = [{"field": JobOrderField.ID, "direction": OrderDirection.ASC}]
    for (selected,) in (
        planned(literals),
        planned(variables, states=[JobState.RUNNING], after=midnight, order=order),
    ):
        assert needs.job_filter(selected.arguments["filter"]) == JobFilter(
            ids=["4"], states=[JobState.RUNNING], submitted_after=midnight
        )
        assert needs.job_order(selected.arguments["orderBy"]) == [JobOrder(field=JobOrderField.ID)]
