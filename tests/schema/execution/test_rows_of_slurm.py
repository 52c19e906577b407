"""Rows of Slurm's own columns: the same answer from columns as from one object after the other."""

import json
from collections.abc import Sequence
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    get_named_type,
    is_leaf_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

import schema as contract
from own_loop import finish
from resolvers.cluster import Cluster
from resolvers.job import Job
from resolvers.page_rows import PageRows
from resolvers.pages import Edge, Edges, Ordering
from schema.execution import COMPILED, executor_class, tally
from slurm import squeue
from slurm.column import Rows

KIND = contract.schema._schema.type_map["Job"]
assert isinstance(KIND, GraphQLObjectType)
EDGE = contract.schema._schema.type_map["JobEdge"]
assert isinstance(EDGE, GraphQLObjectType)
SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Root",
        {
            name: GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(kind))))
            for name, kind in (("jobs", KIND), ("edges", EDGE))
        },
    )
)
COLUMNS = {column.name for column in squeue.Job.columns()} | {"id"}
LEAVES = [
    name
    for name, field in KIND.fields.items()
    if is_leaf_type(get_named_type(field.type)) and field.extensions["strawberry-definition"].python_name in COLUMNS
]
LINKS = ["queue { name: __typename }", "queues { __typename }", "nodes { name: __typename }"]
TEXTS = {
    "JobArrayID": st.sampled_from(["1", "98", "2_3", "2_[5-9]", "4+1"]),
    "Name": st.text(max_size=3),
    "State": st.sampled_from(["PENDING", "RUNNING", "COMPLETED", "NEW_ONE"]),
    "Partition": st.sampled_from(["queue1", "gpu", "queue1,gpu", "gone"]),
    "NodeList": st.sampled_from(["", "n[1-3]", "n1,gone"]),
    "NumCPUs": st.sampled_from(["1", "2", "4294967294"]),
    "exit_code": st.just("0:0"),
    **dict.fromkeys(["SubmitTime", "StartTime", "EndTime"], st.sampled_from(["1790000000", "N/A", "1"])),
}
BAD = st.sampled_from(["", "", "", "?"])
"""What the other columns hold; the question mark is refused by most parsers."""


@st.composite
def answers(draw: st.DrawFn) -> PageRows[Job]:
    count = draw(st.integers(0, 9))
    sources = squeue.Job.sources()
    others = draw(BAD)
    texts = {source: [draw(TEXTS.get(source, st.just(others))) for _ in range(count)] for source in sources}
    rows = Rows(squeue.Job, texts)
    cluster: Any = SimpleNamespace(
        name="lab",
        queues_by_name={name: SimpleNamespace() for name in ("queue1", "gpu")},
        nodes_by_name={f"n{number}": SimpleNamespace() for number in range(3)},
    )
    indexes = draw(st.permutations(range(count)))[: draw(st.integers(0, 9))]
    return PageRows(indexes, lambda index: Job(cluster, rows, index))


def answer(executor: Any, document: str, jobs: Sequence[Job], edges: Sequence[Edge[Job]] = ()) -> str:
    async def run() -> Any:
        result: Any = execute(SCHEMA, parse(document), {"jobs": jobs, "edges": edges}, executor_class=executor)
        return await result if isawaitable(result) else result

    result = finish(run())
    return json.dumps([result.data, [error.formatted for error in result.errors or ()]])


@settings(max_examples=100)
@given(answers(), st.lists(st.sampled_from(LEAVES + LINKS), min_size=1, max_size=8, unique=True))
def test_columns_answer_as_objects_do(jobs: PageRows[Job], selected: list[str]) -> None:
    document = f"{{ jobs {{ {' '.join(selected)} }} }}"
    for _ in range(2):  # the second time from what was kept
        assert answer(executor_class(), document, jobs) == answer(
            StrawberryGraphQLCoreExecutionContext, document, list(jobs)
        )


def edges_of(jobs: PageRows[Job], rows: Rows[Any] | None = None) -> Edges[Job]:
    last = [[number] for number in range(9)]
    return Edges(jobs, Ordering("", (), last, rows=rows))


@settings(max_examples=50)
@given(answers(), st.lists(st.sampled_from(LEAVES + LINKS), min_size=1, max_size=8, unique=True))
def test_edges_answer_as_objects_do(jobs: PageRows[Job], selected: list[str]) -> None:
    document = f"{{ edges {{ cursor again: cursor node {{ {' '.join(selected)} }} __typename }} }}"
    assert answer(executor_class(), document, jobs, edges_of(jobs)) == answer(
        StrawberryGraphQLCoreExecutionContext, document, jobs, list(edges_of(jobs))
    )


def test_edges_are_compiled_and_their_cursors_are_made_once() -> None:
    rows = Rows(squeue.Job, {source: ["1", "1"] for source in squeue.Job.sources()})
    jobs: PageRows[Job] = PageRows([1, 0], lambda index: Job(cast(Cluster, SimpleNamespace()), rows, index))
    before = tally[COMPILED]
    for _ in range(2):
        answer(executor_class(), "{ edges { cursor node { name } } }", jobs, edges_of(jobs, rows))
    assert tally[COMPILED] == before + 2
    assert edges_of(jobs, rows).values("cursor")[0] is edges_of(jobs, rows).values("cursor")[0]


def test_they_are_compiled() -> None:
    rows = Rows(squeue.Job, {source: ["1"] for source in squeue.Job.sources()})
    before = tally[COMPILED]
    cluster = cast(Cluster, SimpleNamespace())
    answer(executor_class(), "{ jobs { jobId name } }", PageRows([0], lambda index: Job(cluster, rows, index)))
    assert tally[COMPILED] == before + 1
