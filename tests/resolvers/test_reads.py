"""What a field reads: declared at the field, from its arguments and from what is selected below it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from graphql import FragmentDefinitionNode, GraphQLObjectType, OperationDefinitionNode, parse, validate
from strawberry.utils.str_converters import to_snake_case

from headnode.dataset import Dataset, each_once
from resolvers import datasets, plan
from resolvers.filters import JobFilter
from resolvers.order import JobOrder, JobOrderField, OrderDirection
from resolvers.reads import JobPart, Parts
from schema import schema
from slurm import squeue
from slurm.states import JobState

SCHEMA = schema._schema
DETAIL, ACCOUNTING, RUNNING = JobPart.DETAIL, JobPart.ACCOUNTING, JobPart.RUNNING_STEPS


def planned(document: str, **variables: Any) -> list[plan.Selected]:
    """What a query that validates selects of the default cluster."""
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    (operation,) = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    info = cast(plan.ResolveInfo, SimpleNamespace(fragments=fragments, variable_values=variables))
    assert SCHEMA.query_type is not None
    return plan.selected_by_cluster(info, operation.selection_set, SCHEMA.query_type)[""]


def below_jobs(document: str) -> list[Parts]:
    """The parts of each job that is looked up by id."""
    return [selected.below for selected in planned(document) if "id" in selected.arguments]


@pytest.mark.parametrize(
    ("selection", "parts"),
    [
        ("state", set()),
        ("__typename state", set()),
        ("workDir", {DETAIL}),
        ("renamed: workDir", {DETAIL}),
        ("queue { name }", set()),
        ("queue { jobs { nodes { workDir } } }", {DETAIL}),
        ("... on Job { state } ... { workDir }", {DETAIL}),
        ("state workDir @skip(if: true)", set()),
        ("state ... @include(if: false) { workDir }", set()),
        ("cpuTimeSeconds", {ACCOUNTING}),
        ("steps { name }", {ACCOUNTING, RUNNING}),
        ("efficiency { cpu } workDir", {ACCOUNTING, RUNNING, DETAIL}),
    ],
)
def test_a_field_knows_the_parts_of_jobs_that_are_selected_below_it(selection: str, parts: set[JobPart]) -> None:
    assert below_jobs(f"{{ job(id: 1) {{ {selection} }} }}") == [parts]


def test_a_fragment_stands_below_every_field_that_spreads_it() -> None:
    document = "{ a: job(id: 1) { ...f } b: job(id: 2) { steps { name } ...f } } fragment f on Job { workDir }"
    assert below_jobs(document) == [{DETAIL}, {DETAIL, ACCOUNTING, RUNNING}]


def test_nested_fragments_below_do_not_multiply_the_work() -> None:
    """2 ** 40 spreads, were each followed."""
    fragments = "".join(f"fragment f{n} on Job {{ ...f{n + 1} ...f{n + 1} }}\n" for n in range(40))
    assert below_jobs("{ job(id: 1) { ...f0 } }\n" + fragments + "fragment f40 on Job { workDir }") == [{DETAIL}]


HIDDEN = {"order", "raw_id", "hold"}
IN_BRIEF = {column.name for column in squeue.Job.columns() if squeue.in_brief(column)} - HIDDEN | {
    "id",
    "cluster",
    "queue",
    "queues",
    "nodes",
    "array",
    "components",
    "reason_code",
    "reason_text",
    "capacity_code",
    "priority_factors",
    "script",
    "steps",
    "efficiency",
    "cpu_time_seconds",
    "cpu_time_reserved_seconds",
    "max_rss_mib",
    "viewer_can",
}


def test_fields_computed_from_brief_columns_read_no_others() -> None:
    """A declaration that names one column too many costs all columns of all jobs."""
    job = cast(GraphQLObjectType, SCHEMA.type_map["Job"])
    fields = [(to_snake_case(name), field.extensions[plan.FIELD_PLAN]) for name, field in job.fields.items()]
    assert {name for name, planned in fields if DETAIL not in planned.reads.parts} == IN_BRIEF


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
        ("{ jobs { nodes { ...more } } } fragment more on Job { array { tasks { nodes { workDir } } } }", False),
        ("{ jobs { nodes { phase succeeded exitCode updateTime } } }", True),
        ('{ jobs(filter: {phases: [ENDED], succeeded: false, names: ["a"]}) { totalCount } }', True),
        ('{ jobs(filter: {comment: "a"}) { totalCount } }', False),
        ("{ queues { jobs(filter: {gpuCount: {atLeast: 1}}) { totalCount } } }", False),
        ("{ jobs { nodes { array { tasks(filter: {gpuCount: {atMost: 0}}) { totalCount } } } } }", False),
        ("{ queues { jobs { nodes { state } } } }", True),
        ("{ queues { jobs { nodes { dependencies { jobId } } } } }", False),
        ("{ nodes { nodes { jobs { timeLimitSeconds } } } }", True),
        ("{ nodes { nodes { jobs { workDir } } } }", False),
    ],
)
def test_jobs_are_read_in_brief_if_that_has_all_selected_fields(document: str, brief: bool) -> None:
    cluster: Any = SimpleNamespace(check_jobs=lambda *given: None, check_named=lambda *given: None)
    asked = [
        dataset.is_brief
        for selected in planned(document)
        for dataset in selected.reads.wanted(cluster, selected.below, selected.arguments)
        if dataset == datasets.JOBS
    ]
    assert all(asked) is brief


@pytest.mark.parametrize("field", JobOrderField)
def test_jobs_in_brief_can_be_ordered_by_everything(field: JobOrderField) -> None:
    (column,) = (column for column in squeue.Job.columns() if column.name == field.value)
    assert squeue.in_brief(column)


def test_a_dataset_needed_in_brief_and_in_full_is_read_in_full() -> None:
    orders: list[list[Dataset[Any]]] = [
        [datasets.JOBS, datasets.JOBS_IN_BRIEF],
        [datasets.JOBS_IN_BRIEF, datasets.QUEUES, datasets.JOBS],
    ]
    for needed in orders:
        (jobs,) = (each for each in each_once(needed) if each == datasets.JOBS)
        assert jobs is datasets.JOBS


def test_arguments_are_values_of_their_types_be_they_literals_or_variables() -> None:
    literals = """{ jobs(
      filter: {states: RUNNING, ids: 4, submittedAfter: "2026-11-23T00:00:00Z"}, orderBy: {field: ID}
    ) { totalCount } }"""
    variables = """query ($states: [JobState!], $after: DateTime, $order: [JobOrder!]) {
      jobs(filter: {states: $states, ids: ["4"], submittedAfter: $after}, orderBy: $order) { totalCount } }"""
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    order = [{"field": JobOrderField.ID, "direction": OrderDirection.ASC}]
    wanted = JobFilter(ids=["4"], states=[JobState.RUNNING], submitted_after=midnight)
    for (selected,) in (
        planned(literals),
        planned(variables, states=[JobState.RUNNING], after=midnight, order=order),
    ):
        assert isinstance(selected.arguments["filter"], JobFilter)
        assert vars(selected.arguments["filter"]) == vars(wanted)
        assert [vars(step) for step in selected.arguments["order_by"]] == [vars(JobOrder(field=JobOrderField.ID))]
