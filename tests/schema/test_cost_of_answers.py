"""What an answer costs is counted while it is made: no document gets more than its limit, whatever the cluster has."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import orjson
import pytest
from graphql import get_named_type
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scripted_head_node import CONFIG, Scripted, request, rows, says, settings

from headnode import deadline
from own_loop import finish
from resolvers.budget import PAGE, VALUES, Budget, StoppedError
from resolvers.page_rows import PageRows
from schema import schema
from schema.execution.counted import Counted
from schema.execution.counting import AWAITED, CountingExecutor
from schema.execution.executor import CompiledExecutor

PARTITION = "PartitionName={} AllowGroups=ALL AllowAccounts=ALL AllocNodes=ALL Nodes={} MaxTime=UNLIMITED State=UP\n"


def cluster(jobs: int) -> Scripted:
    """A cluster of three nodes and two queues. All jobs run on one node; they are alone, tasks or components."""
    ids = ["{0}", "1000_{0}", "2000+{0}"]
    listed = [
        {
            "JobArrayID": ids[number % 3].format(number + 1),
            "Partition": "a,b",
            "NodeList": "n1",
            "Dependency": f"afterok:{3 * (number % 9) + 1}(unfulfilled),afterok:1(unfulfilled)",
            "UserName": "grace",
        }
        for number in range(jobs)
    ]
    nodes = [
        {"NodeList": f"n{number}", "StateComplete": "mixed", "PartitionName": queue}
        for number in range(1, 4)
        for queue in "ab"
    ]
    return Scripted(
        {
            "scontrol show config": says(CONFIG.format("cloud")),
            "reader": says("nobody"),
            "account": says("ada"),
            "squeue": rows(*listed),
            "scontrol show partition": says("".join(PARTITION.format(name, "n[1-3]") for name in "ab")),
            "scontrol show node": says(""),
            "sinfo": rows(*nodes),
        }
    )


@contextmanager
def execution(executor: Any) -> Iterator[None]:
    """Operations are executed by that class."""
    ours, schema.execution_context_class = schema.execution_context_class, executor
    try:
        yield
    finally:
        schema.execution_context_class = ours


def answer(
    node: Scripted,
    document: str,
    variables: Mapping[str, Any] | None = None,
    executor: Any = CompiledExecutor,
    seconds: float = 20,
    **limits: int,
) -> tuple[Any, list[dict[str, Any]]]:
    """The data and the errors."""
    with execution(executor), request(node, settings(**limits), seconds=seconds) as context:
        result = finish(schema.execute(document, dict(variables or {}), context_value=context))
        return result.data, [error.formatted for error in result.errors or []]


def codes(errors: list[dict[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


def objects(value: Any) -> int:
    """How many objects an answer has, without the one at the root."""
    if isinstance(value, dict):
        return sum(objects(each) + isinstance(each, dict) for each in value.values())
    if isinstance(value, list):
        return sum(objects(each) + isinstance(each, dict) for each in value)
    return 0


def values(value: Any) -> int:
    """How many values the objects of an answer have: fields, and items of lists of scalars."""
    if isinstance(value, dict):
        return sum(1 + values(each) for each in value.values())
    if isinstance(value, list):
        return sum(values(each) + (not isinstance(each, dict)) for each in value)
    return 0


JOBS_OF_JOBS = 'node(name: "n1") { jobs { nodes { jobs { nodes { jobs { nodes { jobs { id } } } } } } } }'
BY_QUEUES = "query ($n: Int) { jobs(first: $n) { nodes { queue { jobs(first: $n) { nodes { id } } } } } }"
EXPENSIVE = {
    "jobs of the nodes of jobs": ("{ " + JOBS_OF_JOBS + " }", {}, "COST_EXCEEDED"),
    "a number that is a float": (BY_QUEUES, {"n": 1000.0}, "BAD_USER_INPUT"),
    "components of components": (
        '{ node(name: "n1") { jobs { components { components { components { components { id } } } } } } }',
        {},
        "COST_EXCEEDED",
    ),
    "values": (
        '{ node(name: "n1") { jobs { nodes { jobs { '
        + " ".join(f"a{number}: nodeNames" for number in range(100))
        + " } } } } }",
        {},
        "COST_EXCEEDED",
    ),
    "errors": (
        '{ node(name: "n1") { jobs { nodes { jobs { ' + " ".join(f"a{n}: script" for n in range(11)) + " } } } } }",
        {},
        "COST_EXCEEDED",
    ),
    "pages": (
        '{ node(name: "n1") { jobs { nodes { jobs { queue { jobs(first: 0) { totalCount } } } } } } }',
        {},
        "COST_EXCEEDED",
    ),
}


def main(name: str, compiled: bool) -> None:
    """Answer an expensive document and print what the answer took: a process of its own, so that memory counts."""
    document, variables, _ = EXPENSIVE[name]
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    node = cluster(96)
    answer(node, "{ jobs { totalCount } queues { name } nodes { totalCount } }")
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    data, errors = answer(node, document, variables, CompiledExecutor if compiled else CountingExecutor)
    orjson.dumps([data, errors])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps([data, codes(errors), grown, time.process_time() - started]))


@pytest.mark.parametrize(
    ("name", "compiled"), [*((name, True) for name in EXPENSIVE), ("jobs of the nodes of jobs", False)]
)
def test_an_expensive_document_is_stopped_early(name: str, compiled: bool) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, here.parent, here.parents[1])))
    program = f"import test_cost_of_answers; test_cost_of_answers.main({name!r}, {compiled})"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    data, said, grown, seconds = json.loads(ran.stdout)
    assert (data, said) == (None, [EXPENSIVE[name][2]])
    assert grown < 300, f"{grown:.0f} MB"
    assert not compiled or seconds < 2, f"{seconds:.1f} s"


def test_the_lists_of_a_page_are_read_only_as_long_as_there_is_room() -> None:
    read: list[int] = []

    class Row:
        def __init__(self, index: int) -> None:
            self.index = index

        @property
        def parts(self) -> list[object]:
            read.append(self.index)
            return [object()] * 10

    with pytest.raises(StoppedError):
        Counted(Budget(50)).read(PageRows(range(100), Row).each("parts"))
    assert read == [0, 1, 2, 3, 4, 5]


def test_a_mutation_says_what_was_done_though_its_answer_is_too_large() -> None:
    below = "jobs { id nodes { jobs { nodes { jobs { id } } } } } errors { code }"
    changes = [f'{name}: holdJobs(input: {{ids: ["{id}"]}}) {{ {below} }}' for name, id in (("one", 1), ("two", 4))]
    node = cluster(96)
    node.printed = {**node.printed, "scontrol hold": says("")}
    data, (error,) = answer(node, f"mutation {{ {' '.join(changes)} }}", cost_limit=8000)
    assert (data, error["extensions"]) == (None, {"code": "COST_EXCEEDED", "limit": 8000})
    assert error["path"] == ["one", "jobs"]
    assert [name for asked in node.asked for name in asked].count("scontrol hold") == 1
    assert "one and what comes before it was executed, what comes after it was not." in error["message"]


MANY = "{ jobs(first: 1000) { nodes { id queue { name } } } }"


@pytest.mark.parametrize("executor", [CompiledExecutor, CountingExecutor])
def test_a_query_past_its_deadline_is_stopped(executor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWERING", -100)
    data, errors = answer(cluster(600), MANY, executor=executor)
    assert (data, codes(errors)) == (None, ["TIMEOUT"])
    data, errors = answer(cluster(96), MANY, executor=executor)  # too few to look at the clock
    assert (len(data["jobs"]["nodes"]), errors) == (96, [])


def test_a_mutation_past_its_deadline_says_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWERING", -100)
    node = cluster(600)
    node.printed = {**node.printed, "scontrol hold": says("")}
    data, errors = answer(
        node, 'mutation { holdJobs(input: {ids: ["1"]}) { jobs { queue { name } queues { name } } } }'
    )
    assert (objects(data), errors) == (1 + 200 * 4, [])


def test_an_answer_as_large_as_its_limit_is_given_and_one_larger_is_not() -> None:
    """From the page down: a field of the root, which is awaited, a page, the jobs and each one's queue."""
    for executor in (CompiledExecutor, CountingExecutor):
        whole = AWAITED + PAGE + 2 * 96
        data, errors = answer(cluster(96), MANY.replace("1000", "96"), executor=executor, cost_limit=whole)
        assert (objects(data), errors) == (1 + 2 * 96, [])
        data, errors = answer(cluster(96), MANY.replace("1000", "96"), executor=executor, cost_limit=whole - 1)
        assert (data, codes(errors)) == (None, ["COST_EXCEEDED"])


LINKS = {
    "Query": ["jobs", "nodes", "queues", "node", "queue"],
    "JobConnection": ["nodes", "edges"],
    "JobEdge": ["node"],
    "NodeConnection": ["nodes", "edges"],
    "NodeEdge": ["node"],
    "Job": ["queue", "queues", "nodes", "array", "components", "dependencies", "cluster"],
    "JobArray": ["tasks", "countsByState"],
    "JobDependency": ["job"],
    "Node": ["queues", "jobs"],
    "Queue": ["jobs", "nodes"],
    "Cluster": ["jobs", "queues"],
}
GIVEN = {"node": 'name: "n1"', "queue": 'name: "a"'}
NUMBERS = st.sampled_from([0, 1, 3, 20, 96, 1000, 96.0, 1000.0, None, "96", True, 1.5, [96]])
DEFAULTS = st.sampled_from(["", " = 96", " = 1000", " = null", " = 3"])


class Documents:
    """Random documents that follow links, with pages of any size, and their variables."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.variables: dict[str, Any] = {}
        self.definitions: list[str] = []
        self.aliases = 0

    def document(self) -> str:
        body = self.selection("Query", self.draw(st.integers(2, 9)))
        return f"query ({', '.join(self.definitions)}) {body}" if self.definitions else body

    def selection(self, kind: str, depth: int) -> str:
        fields = cast(Any, schema._schema.type_map[kind]).fields
        links = (
            self.draw(st.lists(st.sampled_from(LINKS[kind]), min_size=1, max_size=2)) if depth and kind in LINKS else []
        )
        below = [self.link(name, fields[name], depth) for name in links]
        leaves = self.draw(st.sampled_from(["", "a: __typename b: __typename", "id", "nodeNames"]))
        plain = leaves if leaves.partition(":")[0] in fields or ":" in leaves else ""
        return "{ __typename " + " ".join([plain, *below]) + " }"

    def link(self, name: str, field: Any, depth: int) -> str:
        arguments = [GIVEN[name]] if name in GIVEN and "name" in field.args else []
        if "first" in field.args and self.draw(st.booleans()):
            arguments.append(f"first: {self.first()}")
        self.aliases += 1
        given = f"({', '.join(arguments)})" if arguments else ""
        return f"l{self.aliases}: {name}{given} {self.selection(get_named_type(field.type).name, depth - 1)}"

    def first(self) -> str:
        if self.draw(st.booleans()):
            return str(self.draw(st.sampled_from([0, 3, 96, 1000])))
        name = f"n{len(self.definitions)}"
        self.definitions.append(f"${name}: Int{self.draw(DEFAULTS)}")
        if self.draw(st.booleans()):
            self.variables[name] = self.draw(NUMBERS)
        return f"${name}"


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    made = Documents(draw)
    return made.document(), made.variables


NODE = cluster(96)
LIMIT = 2000


@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents(), st.booleans())
def test_no_document_gets_more_than_its_limit(made: tuple[str, dict[str, Any]], early: bool) -> None:
    """Neither if the static look comes first, nor if it overlooks everything."""
    document, variables = made
    answers = []
    for executor in (CompiledExecutor, CountingExecutor):
        with nullcontext() if early else patch("schema.documents.cost", return_value=0):
            data, errors = answer(NODE, document, variables, executor, cost_limit=LIMIT)
        event(f"{executor.__name__}: {codes(errors)[:1]}")
        assert objects(data) <= LIMIT
        assert values(data) <= LIMIT * VALUES
        assert set(codes(errors)) <= {"COST_EXCEEDED", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}, errors
        if "COST_EXCEEDED" in codes(errors):
            assert (data, len(errors)) == (None, 1)
        else:
            answers.append([data, errors])
    assert all(each == answers[0] for each in answers)
