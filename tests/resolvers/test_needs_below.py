"""What a field needs because of what is selected below it; and the arguments that needs get."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, validate

from access.caller import Caller
from access.role import Role
from headnode.dataset import Dataset, each_once
from resolvers import datasets, needs, plan
from resolvers.filters import JobFilter
from resolvers.order import JobOrder, JobOrderField, OrderDirection
from schema import schema
from slurm import squeue
from slurm.states import JobState

SCHEMA = schema._schema
ADA = Caller("ada", "ada", Role.USER)


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
    monkeypatch.setattr(plan, "NEEDS_BELOW", {("Query", "job"): None})
    monkeypatch.setattr(plan, "partial", lambda need, places: below.append(places))
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


@pytest.mark.parametrize(
    ("document", "brief"),
    [
        ("{ jobs { totalCount countsByState { count } } }", True),
        (
            "{ jobs { nodes { __typename id user reasonText queue { name } nodes { name } array { taskCount } } } }",
            True,
        ),
        ("{ jobs { nodes { cluster { name } } } }", True),
        ("{ jobs { nodes { stdoutPath } } }", False),
        ("{ jobs { nodes { queue { jobs { nodes { comment } } } } } }", False),
        ("{ jobs { nodes { ...more } } } fragment more on Job { array { tasks { nodes { exitCode } } } }", False),
        ("{ queues { jobs { nodes { state } } } }", True),
        ("{ queues { jobs { nodes { dependencies { jobId } } } } }", False),
        ("{ nodes { nodes { jobs { timeLimitSeconds } } } }", True),
        ("{ nodes { nodes { jobs { workDir } } } }", False),
    ],
)
def test_jobs_are_asked_for_in_brief_where_that_tells_all_that_is_selected(document: str, brief: bool) -> None:
    cluster: Any = SimpleNamespace(check_jobs=lambda *given: None, check_nodes=lambda *given: None)
    asked = [
        dataset.is_brief
        for selected in planned(document)
        for dataset in selected.need(cluster, ADA, selected.arguments)
        if dataset == datasets.JOBS
    ]
    assert all(asked) is brief


@pytest.mark.parametrize("field", JobOrderField)
def test_jobs_in_brief_can_be_ordered_by_everything(field: JobOrderField) -> None:
    (column,) = (column for column in squeue.Job.columns() if column.name == field.value)
    assert squeue.in_brief(column)


def test_of_a_dataset_that_is_needed_in_brief_and_in_full_the_latter_is_asked_for() -> None:
    orders: list[list[Dataset[Any]]] = [
        [datasets.JOBS, datasets.JOBS_IN_BRIEF],
        [datasets.JOBS_IN_BRIEF, datasets.QUEUES, datasets.JOBS],
    ]
    for needed in orders:
        (jobs,) = (each for each in each_once(needed) if each == datasets.JOBS)
        assert jobs is datasets.JOBS


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
