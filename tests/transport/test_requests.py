"""What is no GraphQL request is refused in GraphQL's own form, with a status and a sentence."""

import gzip
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from http_call import PLAIN, ask, call

from schema.__main__ import EXPORT
from transport.operation import BODY_LIMIT
from transport.refusal import NO_SUBSCRIPTIONS

VIEWER = "{ viewer { identity } }"
ANSWER = {"viewer": {"identity": "ada"}}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"5", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"query": "\xff"}', 400),
        ('{"query": "{ viewer { identity } }"}'.encode("utf-16"), 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"variables": ' + b"[" * 100_000, 400),
        (json.dumps([{"query": VIEWER}]).encode(), 400),
        (b'{"query": 7}', 400),
        (b'{"query": ""}', 400),
        (b'{"query": null}', 400),
        (json.dumps({"query": VIEWER, "variables": [1]}).encode(), 400),
        (json.dumps({"query": VIEWER, "variables": "{}"}).encode(), 400),
        (json.dumps({"query": VIEWER, "operationName": 1}).encode(), 400),
        (json.dumps({"query": VIEWER, "extensions": 1}).encode(), 400),
        (json.dumps({"query": VIEWER, "documentId": 1}).encode(), 400),
        (b'{"query": "{ viewer { identity } }", "variables": {"x": NaN}}', 400),
        (b'{"query": "{ viewer { identity } }", "variables": {"x": ' + b"9" * 5000 + b"}}", 400),
        (b'{"query": "' + b" " * BODY_LIMIT + b'"}', 413),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_invalid_body_is_refused(body: bytes, status: int) -> None:
    answer = call(body=body)
    assert answer.status == status
    assert answer.codes == ["BAD_REQUEST"]
    assert 10 < len(answer.json["errors"][0]["message"]) < 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "text/plain; application/json",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=utf-16",
    ],
)
def test_a_form_of_another_site_is_refused(kind: str) -> None:
    answer = call(body=json.dumps({"query": VIEWER}), headers={"content-type": kind})
    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_may_say_that_it_is_utf_8(kind: str) -> None:
    assert call(body=json.dumps({"query": VIEWER}), headers={"content-type": kind}).json["data"] == ANSWER


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused_with_those_there_are(method: str) -> None:
    answer = call(method, json.dumps({"query": VIEWER}))
    assert (answer.status, answer.codes) == (405, ["BAD_REQUEST"])
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("path", ["/favicon.ico", "/graphql/x", "/graphqlx", "/xgraphql/", "//", "/graphiql/x/y"])
def test_elsewhere_is_nothing(path: str) -> None:
    assert call("GET", path=path, query=urlencode({"query": VIEWER})).status == 404


@pytest.mark.parametrize("path", ["", "/", "/graphql", "/prod/graphql"])
def test_the_api_is_where_a_stage_or_a_function_url_puts_it(path: str) -> None:
    assert call(body=json.dumps({"query": VIEWER}), path=path).json["data"] == ANSWER


def test_a_get_may_ask() -> None:
    query = urlencode(
        {"query": "query A($y: Boolean!) { viewer { identity role @skip(if: $y) } } query B { __typename }"}
    )
    answer = call("GET", query=f"{query}&variables=%7B%22y%22%3A+true%7D&operationName=A")
    assert (answer.status, answer.json["data"]) == (200, ANSWER)


def test_head_is_a_get_without_its_body() -> None:
    query = urlencode({"query": VIEWER})
    got, headed = call("GET", query=query), call("HEAD", query=query)
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")


@pytest.mark.parametrize(
    "query",
    [
        "query=%ff",
        "query={viewer{role}}&variables=5",
        "query={viewer{role}}&variables={",
        "query=&x=1",
        "a=" + "&a=" * 60 + "&query=x",
    ],
)
def test_a_get_that_is_no_request_is_refused(query: str) -> None:
    answer = call("GET", query=query)
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_changes_nothing(method: str) -> None:
    answer = call(method, query=urlencode({"query": 'mutation { holdJobs(input: {ids: ["1"]}) { errors { code } } }'}))
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonesuch }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...f } fragment f on Query { ...f }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($x: Int!) { jobs(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ jobs(first: 1000) { nodes { queue { jobs { totalCount } } } } }", "BAD_USER_INPUT"),
        ("{ viewer { role } }" + " " * 70_000, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
def test_a_document_that_cannot_be_run_has_no_data_and_a_status_where_the_media_type_has_one(
    document: str, code: str
) -> None:
    plain = ask(document)
    told = ask(document, {"accept": "application/graphql-response+json"})
    assert (plain.status, told.status) == (200, 400)
    assert plain.codes == told.codes == [code]
    assert "data" not in plain.json


def test_an_unknown_operation_is_told() -> None:
    assert ask("query A { __typename }", operationName="B").codes == ["OPERATION_RESOLUTION_FAILURE"]


def test_a_field_that_fails_is_no_failed_request() -> None:
    answer = ask(
        "{ viewer { identity } nodes(first: -1) { totalCount } }", {"accept": "application/graphql-response+json"}
    )
    assert answer.status == 200
    assert answer.json["data"] == {**ANSWER, "nodes": None}
    assert answer.codes == ["BAD_USER_INPUT"]


def test_what_orjson_cannot_write_is_written_all_the_same() -> None:
    answer = ask("query ($c: String) { cluster(name: $c) { name } }", variables={"c": "\ud800 \u2028 \U0001f600"})
    assert answer.codes == ["NOT_FOUND"]
    assert "\\ud800" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize("query", ["query={viewer{identity}}", "query={__schema{types{name}}}", "documentId=x"])
@pytest.mark.parametrize("path", ["/graphiql", "/prod/graphiql"])
def test_graphiqls_address_answers_no_query(path: str, query: str) -> None:
    """API Gateway lets everybody load the page there: docs/deploy.md."""
    answer = call("GET", query=query, path=path)
    assert (answer.status, "data" in answer.json) == (404, False)
    assert call("POST", json.dumps({"query": VIEWER}), path=path).status == 404


@pytest.mark.parametrize("document", ["subscription { jobs { totalCount } }", "subscription S { nothing }"])
def test_a_subscription_is_told_to_poll(document: str) -> None:
    for answer in (ask(document), call("GET", query=urlencode({"query": document}))):
        assert (answer.status, answer.codes) == (200, ["GRAPHQL_VALIDATION_FAILED"])
        assert answer.json["errors"][0]["message"] == NO_SUBSCRIPTIONS
    assert ask(document, {"accept": "application/graphql-response+json"}).status == 400


def test_what_opens_a_stream_is_told_to_poll() -> None:
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-protocol": "graphql-transport-ws"}
    for answer, status in (
        (call("GET", headers=upgrade), 400),
        (call("GET"), 400),
        (call("GET", headers={"accept": "text/event-stream"}), 400),
        (ask(VIEWER, {"accept": "text/event-stream"}), 406),
        (ask(VIEWER, {"accept": "multipart/mixed"}), 406),
    ):
        assert (answer.status, answer.codes) == (status, ["BAD_REQUEST"])
        assert answer.json["errors"][0]["message"].endswith(NO_SUBSCRIPTIONS)


@pytest.mark.parametrize("path", ["/schema.graphql", "/prod/schema.graphql"])
def test_the_schema_is_read_where_introspection_is_on(path: str) -> None:
    answer = call("GET", path=path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.decode() == EXPORT.read_text()
    assert call("HEAD", path=path).body == b""
    packed = call("GET", headers={"accept-encoding": "gzip"}, path=path)
    assert gzip.decompress(packed.body) == answer.body
    assert (call(path=path).status, call(path=path).headers["allow"]) == (405, "GET, HEAD")
    hidden = call("GET", path=path, http=replace(PLAIN, introspection=False))
    assert (hidden.status, hidden.codes) == (403, ["FORBIDDEN"])
    assert "introspection" in hidden.json["errors"][0]["message"]


@pytest.mark.parametrize("query", ["query=", "variables={}", "operationName=A", "extensions={}"])
def test_a_get_without_a_query_hears_how_to_send_one(query: str) -> None:
    answer = call("GET", query=query)
    assert answer.status == 400
    (error,) = answer.json["errors"]
    assert error["message"].startswith("There is no query in the URL. A GET needs one, such as ?query=")
    example = error["message"].partition("?")[2].partition(".")[0]
    assert call("GET", query=example).json.get("errors", [{}])[0].get("message") != error["message"]


def test_a_get_with_variables_that_are_no_json_hears_which_parameter_is_wrong() -> None:
    (error,) = call("GET", query="query={viewer{role}}&variables={").json["errors"]
    assert error["message"] == "`variables` in the URL must be a JSON object."
