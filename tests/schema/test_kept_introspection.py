"""Introspection: graphql-core's own answer, made once."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import execute_sync, get_introspection_query, parse

from own_loop import finish
from resolvers.limits import Limits
from schema import introspection, schema
from schema.execution.executor import CompiledExecutor
from schema.execution.recent import Recent

GRAPHIQL = get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
)
TYPES = 'fragment types on Query { ... { __type(name: "Job") { name fields { name } } } }'


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The operations that are executed from now on; nothing is kept from before."""
    monkeypatch.setattr(introspection, "_answers", Recent(introspection.KEPT))
    execute, counted = CompiledExecutor.execute_operation, []

    def count(executor: CompiledExecutor, *given: Any) -> Any:
        counted.append(executor.operation)
        return execute(executor, *given)

    monkeypatch.setattr(CompiledExecutor, "execute_operation", count)
    return counted


def answer(
    document: str, variables: Mapping[str, Any] | None = None, name: str | None = None, shown: bool = True
) -> Any:
    context = SimpleNamespace(limits=Limits(100_000, 15), introspection=shown)
    given = dict(variables or {})
    return finish(schema.execute(document, given, context_value=context, operation_name=name))


@pytest.mark.parametrize(
    "document",
    [
        GRAPHIQL,
        "{ __schema { types { name } } __typename }",
        "{ ...types __schema { queryType { name } } } " + TYPES,
        '{ a: __type(name: "Job") { name } b: __type(name: "Nonesuch") { name } }',
        "{ __schema @skip(if: true) { types { name } } }",
    ],
)
def test_the_same_introspection_is_made_once_and_is_graphql_cores(document: str, executed: list[Any]) -> None:
    answers = [answer(document) for _ in range(3)]
    assert len(executed) == 1
    expected: Any = execute_sync(schema._schema, parse(document))
    for each in answers:
        assert (str(each.data), each.errors, expected.errors) == (str(expected.data), None, None)


def test_each_operation_of_a_document_has_its_own_answer(executed: list[Any]) -> None:
    document = "query A { __schema { queryType { name } } } query B { __schema { mutationType { name } } }"
    for _ in range(2):
        assert answer(document, name="A").data == {"__schema": {"queryType": {"name": "Query"}}}
        assert answer(document, name="B").data == {"__schema": {"mutationType": {"name": "Mutation"}}}
    assert len(executed) == 2


def test_an_answer_that_depends_on_variables_is_not_kept(executed: list[Any]) -> None:
    document = "query ($yes: Boolean!) { __schema { queryType { kind name @include(if: $yes) } } }"
    for yes in (True, False, True):
        assert ("name" in answer(document, {"yes": yes}).data["__schema"]["queryType"]) is yes
    assert len(executed) == 3


def test_only_a_few_are_kept_and_only_introspection(executed: list[Any]) -> None:
    for number in [*range(introspection.KEPT + 1), 0]:
        answer(f"{{ a{number}: __schema {{ queryType {{ name }} }} }}")
    assert len(executed) == introspection.KEPT + 2
    for _ in range(2):
        answer("{ __typename }")
    assert len(executed) == introspection.KEPT + 4


def test_a_kept_answer_is_not_shown_where_introspection_is_off(executed: list[Any]) -> None:
    assert answer(GRAPHIQL).data
    hidden = answer(GRAPHIQL, shown=False)
    assert hidden.data is None
    assert {error.extensions["code"] for error in hidden.errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert len(executed) == 1
