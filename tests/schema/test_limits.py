"""What asks for too much is refused before it is validated; what a dashboard asks is not."""

import time
from collections.abc import Mapping
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from graphql import get_introspection_query, validate

from own_loop import finish
from resolvers.limits import Limits
from schema import documents, limits, schema
from schema.execution.counting import INTROSPECTION
from schema.limits import CHARACTERS, TooMuchError, cost, parsed

LIMITS = Limits(100_000, 15)
ENOUGH = 0.05
"""Seconds of CPU time within which a document must be refused."""


def priced(document: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> int:
    return cost(schema._schema, parsed(document), name, variables, LIMITS)


def answered(document: str) -> list[Any]:
    """The errors of the whole way, without any data behind it."""
    answer = schema.execute(document, context_value=SimpleNamespace(limits=LIMITS, introspection=True))
    return finish(answer).errors or []


def fan_out(levels: int) -> str:
    """Each fragment spreads the next twice."""
    steps = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(levels))
    return f"{{ ...f0 }} {steps} fragment f{levels} on Query {{ viewer {{ role }} }}"


def ladder(rungs: int) -> str:
    return "{ nodes { nodes { " + "jobs { nodes { " * rungs + "name" + " } }" * rungs + " } } }"


HOSTILE = {
    **{f"fan-out to 2^{levels}": fan_out(levels) for levels in (18, 20, 22)},
    **{f"the same field {times} times": "{" + " jobs { totalCount }" * times + "}" for times in (100, 200, 300, 490)},
    "1,000 aliases of a list": "{" + "".join(f" a{n}: jobs {{ totalCount }}" for n in range(1000)) + "}",
    "5,000 unknown fields": "{" + "".join(f" x{n}" for n in range(5000)) + "}",
    "1,000 @skip": "{" + " viewer { role @skip(if: true) }" * 1000 + "}",
    "fan-out by fields": "{ queues { ...f0 } }"
    + "".join(
        f"fragment f{n} on Queue {{ nodes {{ nodes {{ a: queues {{ ...f{n + 1} }} b: queues {{ ...f{n + 1} }} }} }} }}"
        for n in range(6)
    )
    + "fragment f6 on Queue { name }",
    "the same field in repeated ones": "{" + (" jobs {" + " totalCount" * 25 + " }") * 25 + "}",
    "repeated in a fragment that nothing spreads": "{ viewer { role } } fragment f on Query {"
    + " jobs { totalCount }" * 300
    + "}",
    "__schema 300 times": "{" + " __schema { types { name } }" * 300 + "}",
    "lists in lists": ladder(4),
    "jobs of the queues of jobs": "{ jobs(first: 1000) { nodes { queue { jobs { nodes { name } } } } } }",
    "counts of the queues of jobs": "{ jobs(first: 1000) { nodes { queue { jobs { totalCount } } } } }",
    "deep": ladder(7),
    "deep by inline fragments": "{ " + "... { " * 900 + "viewer { role }" + " }" * 900 + " }",
    "a circle through fields": "{ nodes { nodes { ...f } } } fragment f on Node { jobs { nodes { ...f } } }",
    "comments": "{ viewer { role } }\n" + "#\n" * 30_000,
    "long": "{ viewer { role } }" + " " * CHARACTERS,
    "brackets": "{" * 60_000,
}

fresh = count()
IN_OBJECTS = {"n": 1000.0, "of": {"states": "RUNNING", "nodeCount": {"atLeast": 1.0}}}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_a_document_that_fans_out_is_refused_at_once(document: str) -> None:
    taken = []
    for _ in range(5):  # none of them is known from before
        anew = document + f" #{next(fresh)}" if len(document) < 50_000 else document
        start = time.process_time()  # the processor's, however busy others keep it
        errors = answered(anew)
        taken.append(time.process_time() - start)
        assert {error.extensions["code"] for error in errors} <= {"BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED"}
        assert errors
    assert min(taken) < ENOUGH, taken


DASHBOARD = """query ($first: Int = 1000, $states: [JobState!]) {
  viewer { identity role }
  jobs(first: $first, filter: {states: $states}) {
    totalCount asOf countsByState { state count } pageInfo { hasNextPage endCursor }
    nodes { id jobId name user state account queueName priority submitTime startTime endTime timeLimitSeconds
      reason reasonCode reasonText exitCode workDir nodeNames queue { name state } nodes { name state } } }
  queues { name state nodeCounts { state count } nodes(first: 5) { nodes { name state jobs { id user } } } }
  nodes(first: 300) { totalCount nodes { id name state reason queues { name } jobs { id user } } }
}"""


def test_a_whole_dashboard_passes() -> None:
    assert priced(DASHBOARD) < LIMITS.cost / 2
    lists = DASHBOARD[DASHBOARD.index("jobs(") :].replace("$first", "100").replace("$states", "[RUNNING]")
    assert priced(f"{{ clusters {{ name {lists} }}") < LIMITS.cost


def test_graphiqls_first_query_passes() -> None:
    document = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    assert priced(document) == 0
    assert answered(document) == []


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        ("{ viewer { role } }", {}, 1),
        ("{ __typename }", {}, 0),
        ("{ jobs { totalCount } }", {}, 100),
        ("{ jobs { nodes { id } } }", {}, 100 + 100),
        ("{ jobs(first: 7) { nodes { id } } }", {}, 100 + 7),
        ("{ jobs(first: 7) { nodes { id queue { name } } } }", {}, 100 + 7 * 2),
        ("{ jobs(first: 7) { nodes { id nodes { name } } } }", {}, 100 + 7 * 6),
        ("{ jobs(first: 7) { countsByState { count } pageInfo { endCursor } } }", {}, 100 + 5 + 1),
        ("{ jobs(first: 7) { edges { cursor node { id } } } }", {}, 100 + 7 * 2),
        ("{ jobs(first: 0) { nodes { id } } }", {}, 100),
        ("{ jobs(first: null) { nodes { id } } }", {}, 100 + 100),
        ("{ jobs(first: -5) { nodes { id } } }", {}, 100),
        ("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": 3}, 100 + 3),
        ("query ($n: Int = 4) { jobs(first: $n) { nodes { id } } }", {}, 100 + 4),
        ("query ($n: Int = 4) { jobs(first: $n) { nodes { id } } }", {"n": 5}, 100 + 5),
        ("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": "many"}, 100 + 100),
        ("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": 1000.0}, 100 + 1000),
        ("query ($n: Int = 1000) { jobs(first: $n) { nodes { id } } }", {"n": None}, 100 + 100),
        ("query ($n: Int! = 1000) { jobs(first: $n) { nodes { id } } }", {}, 100 + 1000),
        ("query ($n: Int! = 4) { jobs(first: $n) { nodes { id } } }", {"n": 1000.0}, 100 + 1000),
        ("query ($n: Int = 4) { nodes(first: $n) { nodes { id } } }", {"n": None}, 100 + 500),
        ("query ($n: Int, $of: JobFilter) { jobs(first: $n, filter: $of) { nodes { id } } }", IN_OBJECTS, 100 + 1000),
        ("{ queues { name nodes(first: 3) { nodes { name } } } }", {}, 5 * (1 + 100 + 3)),
        ("{ a: viewer { role } b: viewer { role } viewer { role } viewer { identity } }", {}, 3),
        ("{ ...f ...f } fragment f on Query { viewer { role } }", {}, 1),
        ('{ ... on Query { viewer { role } } ... { queue(name: "x") { name } } }', {}, 2),
        ("query ($y: Boolean!) { viewer @skip(if: $y) { role } }", {"y": True}, 0),
        ("query ($y: Boolean!) { viewer @include(if: $y) { role } }", {"y": True}, 1),
        ("query ($y: Boolean!) { ... @include(if: $y) { viewer { role } } }", {"y": False}, 0),
        ("{ viewer @skip(if: true) { role } viewer { identity } }", {}, 1),
        ('mutation { holdJobs(input: {ids: ["1"]}) { jobs { id } errors { code } } }', {}, 1 + 5 + 5),
    ],
)
def test_the_cost_is_reckoned_from_pages_and_lists(document: str, variables: dict[str, Any], expected: int) -> None:
    assert validate(schema._schema, parsed(document)) == []
    assert priced(document, variables) == expected


def test_only_the_variables_of_the_operation_that_runs_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others would take as long again, each of them."""
    looked = Mock(return_value=[])
    monkeypatch.setattr(limits, "get_variable_values", looked)
    operations = " ".join(f"query Q{n}($n: Int) {{ jobs(first: $n) {{ totalCount }} }}" for n in range(50))
    priced(operations, {"n": 1}, "Q7")
    assert looked.call_count == 1


@pytest.mark.parametrize(
    "document",
    [
        "{ a: __schema { queryType { name } } b: __schema { queryType { name } } }",
        "{ ...f b: __schema { queryType { name } } } fragment f on Query { __schema { queryType { name } } }",
        '{ __type(name: "Job") { name } a: __schema { types { name } } ... { b: __schema { types { name } } } }',
    ],
)
def test_the_schema_is_answered_once_in_a_document(document: str) -> None:
    (error,) = answered(document)
    assert error.extensions == {"code": "BAD_USER_INPUT", "requested": 2, "limit": 1}
    assert "Select it once" in error.message


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } __schema { types { name } } }",
        "{ __schema { queryType { name } } b: __schema @skip(if: true) { types { name } } }",
    ],
)
def test_what_is_one_answer_counts_once(document: str) -> None:
    assert answered(document) == []


def test_introspection_has_a_limit_of_its_own() -> None:
    types = " ".join(f"t{number}: types {{ fields {{ name }} }}" for number in range(50))
    (error,) = answered(f"{{ __schema {{ {types} }} }}")
    assert error.extensions == {"code": "COST_EXCEEDED", "limit": INTROSPECTION}
    assert "__schema" in error.message


def test_each_operation_has_its_own_cost() -> None:
    document = "query A { viewer { role } } query B { jobs { totalCount } }"
    assert (priced(document, name="A"), priced(document, name="B")) == (1, 100)


def test_the_refusal_has_the_figure_the_limit_and_what_to_do() -> None:
    with pytest.raises(TooMuchError) as caught:
        priced("{ jobs(first: 1000) { nodes { queue { jobs(first: 1000) { nodes { id } } } } } }")
    assert caught.value.extensions == {"code": "BAD_USER_INPUT", "requested": 1_102_100, "limit": 100_000}
    assert "1,102,100" in caught.value.message
    assert "smaller pages" in caught.value.message


@pytest.mark.parametrize(
    "document",
    [
        "{ nonesuch { a { b } } }",
        "{ ...nonesuch }",
        "{ ...f } fragment f on Nonesuch { a { b } }",
        "{ ...f } fragment f on Query { ...f }",
        "{ jobs(first: $n) { nodes { id } } }",
        "{ viewer { role { deep { er } } } }",
        "subscription { jobs { totalCount } }",
        "fragment f on Job { id }",
        "type Query { a: Int }",
    ],
)
def test_an_invalid_document_is_left_to_validation(document: str) -> None:
    assert priced(document) >= 0


def test_a_document_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    validate_document = Mock(return_value=[])
    monkeypatch.setattr(documents, "validate_document", validate_document)
    for _ in range(3):
        answered("{ viewer { role } } # once")
    assert validate_document.call_count == 1
