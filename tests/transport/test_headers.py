"""Media types, CORS, safety, compression."""

import dataclasses
import json

import pytest
from http_call import PLAIN, Answer, ask, call
from hypothesis import given
from hypothesis import strategies as st

from transport import limit
from transport.application import Http
from transport.limit import too_large
from transport.negotiation import media_type, takes_gzip, takes_html
from transport.response import GZIP_FROM, Response, encoded

VIEWER = "{ viewer { identity } }"
GRAPHQL = "application/graphql-response+json"
LONG = "{ __schema { types { name description } } }"
PAGES = dataclasses.replace(PLAIN, origins=("https://dashboard.example.org", "http://localhost:3000"))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json", GRAPHQL),
        (f"application/json, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"{GRAPHQL};q=0", None),
        (f"{GRAPHQL}; charset=utf-8, application/json; charset=utf-8;q=0.9", GRAPHQL),
        ("Application/GraphQL-Response+JSON", GRAPHQL),
        ("text/html, */*;q=0.8", "application/json"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        ("application/json;q=²", None),
        (";;,,q=1", None),
    ],
)
def test_the_media_type_is_the_requested_one(accept: str | None, chosen: str | None) -> None:
    assert media_type(accept) == chosen
    answer = ask(VIEWER, {} if accept is None else {"accept": accept})
    assert answer.status == (200 if chosen else 406)
    assert answer.headers["content-type"] == f"{chosen or 'application/json'}; charset=utf-8"


@given(st.text(st.characters(codec="latin-1")))
def test_any_header_is_understood_somehow(header: str) -> None:
    assert media_type(header) in (None, "application/json", GRAPHQL)
    assert takes_gzip(header) in (True, False)
    assert takes_html(header) in (True, False)


@pytest.mark.parametrize(
    "answer",
    [ask(VIEWER), ask("{"), call(body="5"), call("PUT"), call("OPTIONS"), call("GET", path="/x"), call("GET")],
    ids=lambda answer: str(answer.status),
)
def test_every_answer_is_safe_and_names_its_request(answer: Answer) -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] == "request-1"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("http", [PLAIN, PAGES])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://dashboard.example.org.evil.example", "*"])
def test_pages_of_other_origins_may_not_read_the_answer(origin: str, http: Http) -> None:
    for answer in (
        ask(VIEWER, {"origin": origin}, http),
        call("OPTIONS", headers={"origin": origin, "access-control-request-method": "POST"}, http=http),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


SENT_BY_CLIENTS = {
    *("authorization", "content-type", "apollo-require-preflight", "x-apollo-operation-name"),
    *("apollographql-client-name", "apollographql-client-version", "graphql-client-name", "graphql-client-version"),
    *("traceparent", "tracestate"),
}


@pytest.mark.parametrize("origin", PAGES.origins)
def test_pages_of_the_named_origins_may(origin: str) -> None:
    asked = call("OPTIONS", headers={"origin": origin, "access-control-request-method": "POST"}, http=PAGES)
    assert (asked.status, asked.body) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == origin
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert set(asked.headers["access-control-allow-headers"].split(", ")) >= SENT_BY_CLIENTS
    answer = ask(VIEWER, {"origin": origin}, PAGES)
    assert answer.headers["access-control-allow-origin"] == origin
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    assert call(body="5", headers={"origin": origin}, http=PAGES).headers["access-control-allow-origin"] == origin


def test_any_origin_may_if_the_deployment_says_so() -> None:
    answer = ask(VIEWER, {"origin": "https://x.example"}, dataclasses.replace(PLAIN, origins=("*",)))
    assert answer.headers["access-control-allow-origin"] == "https://x.example"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_a_long_answer_is_compressed_for_whom_takes_it(accepted: str, packed: bool) -> None:
    plain, answer = ask(LONG), ask(LONG, {"accept-encoding": accepted})
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert (len(answer.body) < len(plain.body) / 2) is packed
    assert answer.json == plain.json
    assert "Accept-Encoding" in answer.headers["vary"]


def test_a_short_answer_is_not_compressed() -> None:
    answer = ask(VIEWER, {"accept-encoding": "gzip"})
    assert len(answer.body) < GZIP_FROM
    assert "content-encoding" not in answer.headers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


@given(JSON)
def test_orjson_says_what_json_says(value: object) -> None:
    assert json.loads(encoded(value)) == json.loads(json.dumps(value))


@given(st.text(st.characters(blacklist_categories=["Cs"])), st.booleans())
def test_responses_that_are_too_large_for_lambda_are_recognised(text: str, ascii: bool) -> None:
    """Against the runtime's own encoding, before Python 3.12 and since."""
    content = encoded({"data": text}) * (6 * 1024 * 1024 // max(1, len(encoded({"data": text}))))
    size = len(json.dumps(content.decode(), ensure_ascii=ascii).encode())
    if size > 6 * 1024 * 1024:
        assert too_large(Response(200, content))


def test_responses_that_fit_lambda_pass() -> None:
    assert not too_large(Response(200, b"x" * 6_200_000))
    assert not too_large(Response(200, b"x" * 4_600_000, {"content-encoding": "gzip"}))
    assert too_large(Response(200, b"x" * 4_750_000, {"content-encoding": "gzip"}))


def test_an_answer_too_large_for_lambda_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, packed = ask(LONG), ask(LONG, {"accept-encoding": "gzip"})
    monkeypatch.setattr(limit, "LIMIT", limit.REST + len(plain.body))  # quotes count double
    refused = ask(LONG)
    assert (refused.status, refused.codes, refused.json["data"]) == (200, ["RESPONSE_TOO_LARGE"], None)
    assert "gzip" in refused.json["errors"][0]["message"]
    assert ask(LONG, {"accept-encoding": "gzip"}).json == plain.json
    monkeypatch.setattr(limit, "LIMIT", limit.REST + len(packed.body))  # base64 is a third longer
    refused = ask(LONG, {"accept-encoding": "gzip"})
    assert refused.codes == ["RESPONSE_TOO_LARGE"]
    assert "gzip" not in refused.json["errors"][0]["message"]
