"""A deployment with introspection off reveals nothing of its schema."""

import dataclasses
from typing import Any

import pytest
from graphql import get_introspection_query

from conftest import Api


@pytest.fixture
def closed(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    import handler

    monkeypatch.setattr(handler, "settings", dataclasses.replace(handler.settings, introspection=False))
    return api


INTROSPECTIVE = [
    get_introspection_query(),
    "{ __schema { types { name } } }",
    '{ __type(name: "Job") { fields { name } } }',
    'query { viewer { role } ...F } fragment F on Query { hidden: __type(name: "Query") { name } }',
]


@pytest.mark.parametrize("document", INTROSPECTIVE)
def test_introspection_is_refused_where_it_is_off_and_answered_where_it_is_on(
    document: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    import handler

    assert api.ask(document)["data"]
    monkeypatch.setattr(handler, "settings", dataclasses.replace(handler.settings, introspection=False))
    answer = api.ask(document)
    assert answer.get("data") is None
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Job" not in str(answer)


def test_typename_is_answered(closed: Api) -> None:
    assert closed.data("{ viewer { __typename } }") == {"viewer": {"__typename": "Viewer"}}


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ jbos { totalCount } }", {}),
        ("{ jobs(fist: 1) { totalCount } }", {}),
        ("{ jobs(filter: {stats: []}) { totalCount } }", {}),
        ("{ jobs(filter: {states: [RUNING]}) { totalCount } }", {}),
        ("query ($f: JobFiltr) { jobs(filter: $f) { totalCount } }", {}),
        ("query ($f: JobFilter) { jobs(filter: $f) { totalCount } }", {"f": {"stats": ["what?"]}}),
        ("query ($f: JobFilter) { jobs(filter: $f) { totalCount } }", {"f": {"states": ["RUNING"]}}),
    ],
)
def test_no_error_suggests_a_name_where_it_is_off(
    document: str, variables: dict[str, Any], api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    import handler

    (told,) = api.ask(document, variables)["errors"]
    assert "Did you mean" in told["message"]
    monkeypatch.setattr(handler, "settings", dataclasses.replace(handler.settings, introspection=False))
    (kept_to_itself,) = api.ask(document, variables)["errors"]
    assert kept_to_itself["message"].startswith(told["message"].partition(" Did you mean")[0])
    assert "Did you mean" not in kept_to_itself["message"]
