"""Events of API Gateway's HTTP APIs (payload 2.0) and REST APIs (1.0), as the gateway sends them to the handler."""

import base64
import copy
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest

from conftest import Api
from local.gateway import Context

QUERY = "{ viewer { identity } }"
ANSWER = {"data": {"viewer": {"identity": "ada"}}, "extensions": {"cost": {"requested": 1, "limit": 100_000}}}
CANCEL = 'mutation { cancelJobs(input: {jobs: {ids: ["1"]} }) { errors { code } } }'

Event = dict[str, Any]


def http_api(method: str = "POST", body: str | None = None, query: str = "", headers: Any = (), **claims: Any) -> Event:
    """Payload 2.0 with a JWT authorizer, or without any if there are no claims."""
    authorizer = {"authorizer": {"jwt": {"claims": claims, "scopes": None}}} if claims else {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/graphql",
        "rawQueryString": query,
        "headers": {
            "content-type": "application/json",
            "host": "x.execute-api.eu-west-1.amazonaws.com",
            **dict(headers),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "x",
            "domainName": "x.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": method,
                "path": "/graphql",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1795341600000,
            **authorizer,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def rest_api(method: str = "POST", body: str | None = None, query: str = "", headers: Any = (), **claims: Any) -> Event:
    """Payload 1.0 with a Cognito authorizer, or without any if there are no claims."""
    parameters = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
    decoded = {name: unquote_plus(value) for name, value in parameters.items()}  # as the gateway hands them over
    sent = {"Content-Type": "application/json", "Host": "x.execute-api.eu-west-1.amazonaws.com", **dict(headers)}
    return {
        "resource": "/graphql",
        "path": "/graphql",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": decoded or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in decoded.items()} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "x",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test", "user": None},
            "path": "/prod/graphql",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/graphql",
            "stage": "prod",
            **({"authorizer": {"claims": claims}} if claims else {}),
        },
        "body": body,
        "isBase64Encoded": False,
    }


BOTH = pytest.mark.parametrize("event", [http_api, rest_api])
Make = Callable[..., Event]


def ask(api: Api, event: Event) -> tuple[int, Any]:
    """The status, and the body: read as JSON where it is."""
    response = api.handler(event, Context())
    body = response["body"]
    if response.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    headers = {name.lower(): value for name, value in headers_of(response).items()}
    return response["statusCode"], json.loads(body) if "json" in headers["content-type"] else body


def headers_of(response: dict[str, Any]) -> dict[str, str]:
    single = {name: values[-1] for name, values in (response.get("multiValueHeaders") or {}).items()}
    return {**single, **(response.get("headers") or {})}


def body(document: str, **variables: Any) -> str:
    return json.dumps({"query": document, "variables": variables})


@BOTH
def test_a_post_is_answered(event: Make, api: Api) -> None:
    assert ask(api, event(body=body(QUERY), username="ada")) == (200, ANSWER)


@BOTH
def test_a_body_in_base64_is_answered(event: Make, api: Api) -> None:
    encoded = base64.b64encode(body(QUERY).encode()).decode()
    assert ask(api, {**event(body=encoded, username="ada"), "isBase64Encoded": True}) == (200, ANSWER)


@BOTH
def test_characters_beyond_ascii_arrive(event: Make, api: Api) -> None:
    document = "query ($id: ID!) { job(id: $id) { id } }"
    status, answer = ask(api, event(body=json.dumps({"query": document, "variables": {"id": "é😀"}}), username="ada"))
    assert status == 200
    assert "'é😀' is not a job id" in answer["errors"][0]["message"]


@BOTH
def test_a_get_with_parameters_is_answered(event: Make, api: Api) -> None:
    document = "query Who($yes: Boolean!) { viewer { identity role @skip(if: $yes) } }"
    query = urlencode({"query": document, "variables": '{"yes": true}', "operationName": "Who"})
    headers = {"accept": "application/json"}
    assert ask(api, event("GET", query=query, headers=headers, username="ada")) == (200, ANSWER)


@BOTH
def test_a_change_by_get_is_refused_and_nothing_is_sent(event: Make, api: Api) -> None:
    """A link that someone is made to follow must not cancel their jobs."""
    before = api.commands()
    headers = {"accept": "application/json"}
    status, answer = ask(api, event("GET", query=urlencode({"query": CANCEL}), headers=headers, username="ada"))
    assert status >= 400
    assert "data" not in answer or answer["data"] is None
    assert api.commands() == before


@BOTH
def test_a_browser_gets_graphiql(event: Make, api: Api) -> None:
    status, page = ask(api, event("GET", headers={"accept": "text/html,application/xhtml+xml"}, username="ada"))
    assert status == 200
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "graphiql" in page.lower()


@BOTH
@pytest.mark.parametrize("document", [QUERY, "{ jobs { totalCount } }", CANCEL, "{ clusters { jobs { totalCount } } }"])
def test_without_an_authorizers_claims_nobody_is_signed_in_and_nothing_is_sent(
    event: Make, document: str, api: Api
) -> None:
    before = api.commands()
    headers = {"authorization": "Bearer ada", "Authorization": "Bearer ada;groups=slurmql-operators", "x-user": "ada"}
    status, answer = ask(api, event(body=body(document), headers=headers))
    assert status == 200
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAUTHENTICATED"}
    assert not any((answer["data"] or {}).values())
    assert api.commands() == before


WHO = "{ viewer { identity clusterUser role } }"


@pytest.mark.parametrize("place", ["authorizer", "lambda"])
def test_a_lambda_authorizers_context_names_the_caller(place: str, api: Api) -> None:
    event = rest_api(body=body(WHO))
    context = {"principalId": "portal", "username": "ada", "groups": "slurmql-operators", "integrationLatency": 7}
    event["requestContext"]["authorizer"] = {"lambda": context} if place == "lambda" else context
    assert ask(api, event)[1]["data"]["viewer"] == {"identity": "ada", "clusterUser": "ada", "role": "OPERATOR"}


@pytest.mark.parametrize("place", ["identity", "iam"])
def test_an_iam_principal_without_a_rule_may_look(place: str, api: Api) -> None:
    arn = "arn:aws:sts::111122223333:assumed-role/HpcPortal/ada"
    event = rest_api(body=body(WHO))
    event["requestContext"] |= (
        {"authorizer": {"iam": {"userArn": arn}}} if place == "iam" else {"identity": {"userArn": arn}}
    )
    assert ask(api, event)[1]["data"]["viewer"] == {"identity": arn, "clusterUser": None, "role": "VIEWER"}


FORGED = {
    "Authorization": "Bearer ada;groups=slurmql-operators",
    "X-Forwarded-User": "ada",
    "X-Remote-User": "ada",
    "X-Amzn-Oidc-Identity": "ada",
    "X-Amzn-Oidc-Data": "e30.eyJ1c2VybmFtZSI6ImFkYSJ9.e30",
    "X-Amzn-Request-Context": '{"authorizer": {"claims": {"username": "ada"}}}',
    "X-Amz-Security-Token": "ada",
    "X-User": "ada",
    "Cookie": "username=ada",
}


@BOTH
def test_headers_sign_nobody_in(event: Make, api: Api) -> None:
    before = api.commands()
    asked = event(body=body(WHO), headers={**FORGED, **{name.lower(): value for name, value in FORGED.items()}})
    assert ask(api, asked)[1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert api.commands() == before


@BOTH
def test_headers_make_nobody_else_of_a_caller(event: Make, api: Api) -> None:
    asked = event(body=body(WHO), headers=FORGED, username="nobody-here")
    assert ask(api, asked)[1]["data"]["viewer"] == {"identity": "nobody-here", "clusterUser": None, "role": "VIEWER"}


@BOTH
def test_groups_in_the_token_give_the_role(event: Make, api: Api) -> None:
    claims = {"sub": "ada", "cognito:groups": "[slurmql-viewers]"}
    _, answer = ask(api, event(body=body("{ viewer { identity clusterUser role } }"), **claims))
    assert answer["data"]["viewer"] == {"identity": "ada", "clusterUser": None, "role": "VIEWER"}


HOSTILE = {
    "nested groups": {"username": "ada", "groups": "[" * 5000},
    "a nested name": {"username": "[" * 5000},
    "a list in lists": {"username": json.loads("[" * 900 + "]" * 900), "groups": json.loads("[" * 900 + "]" * 900)},
    "half of a surrogate pair": {"username": "\ud800", "groups": "\udfff"},
    "controls": {"username": "a\0\n\x1b[31m", "groups": "\0"},
    "a megabyte": {"username": "a" * 1_000_000, "groups": "[" + "a " * 500_000 + "]"},
    "numbers": {"username": 10**4000, "groups": [1e400, None, True]},
}


@BOTH
@pytest.mark.parametrize("claims", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("document", [WHO, "{ jobs(first: 1) { totalCount } }", CANCEL])
def test_whatever_the_claims_hold_the_answer_is_typed(
    event: Make, claims: dict[str, Any], document: str, api: Api
) -> None:
    status, answer = ask(api, event(body=body(document), **claims))
    assert status == 200
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"UNAUTHENTICATED", "FORBIDDEN"}
    if document == WHO and not codes:
        assert answer["data"]["viewer"]["role"] in ("VIEWER", "USER")


@BOTH
@pytest.mark.parametrize("blank", ["\u00a0", "\x0b", "\u3000", "\uff0c"])
def test_only_a_blank_or_a_comma_makes_two_groups_of_one(event: Make, blank: str, api: Api) -> None:
    for groups in (f"[x{blank}slurmql-operators]", f"x,{blank}slurmql-operators", [f"{blank}slurmql-operators"]):
        _, answer = ask(api, event(body=body(WHO), username="ada", groups=groups))
        assert answer["data"]["viewer"]["role"] == "USER"


@BOTH
@pytest.mark.parametrize(
    "content", ["", "{", "null", "[]", "7", '"x"', "{}", '{"query": 7}', '{"query": ""}', "\udcff"]
)
def test_an_invalid_body_is_the_callers_mistake(event: Make, content: str, api: Api) -> None:
    before = api.commands()
    raw = content.encode("utf-8", "surrogateescape")
    made = {**event(body=base64.b64encode(raw).decode(), username="ada"), "isBase64Encoded": True}
    status, answer = ask(api, made)
    assert status in (200, 400)
    assert all(error["extensions"]["code"] != "INTERNAL_SERVER_ERROR" for error in answer["errors"])
    assert "Traceback" not in json.dumps(answer)
    assert api.commands() == before


@BOTH
def test_an_answer_names_its_request(event: Make, api: Api) -> None:
    """So a caller can name the line of the log."""
    context = Context()
    response = api.handler(event(body=body(QUERY), username="ada"), context)
    assert headers_of(response)["x-request-id"] == context.aws_request_id


@BOTH
def test_the_event_is_left_as_it_came(event: Make, api: Api) -> None:
    sent = event(body=body(QUERY), username="ada")
    before = copy.deepcopy(sent)
    ask(api, sent)
    assert sent == before


def test_a_rest_api_gets_text_since_it_would_pass_on_base64_as_it_is(api: Api) -> None:
    document = body("{ __schema { types { name description } } }")
    accepting = {"accept-encoding": "gzip"}
    packed = api.handler(http_api(body=document, headers=accepting, username="ada"), Context())
    plain = api.handler(rest_api(body=document, headers=accepting, username="ada"), Context())
    assert packed["isBase64Encoded"] and not plain["isBase64Encoded"]
    assert json.loads(gzip.decompress(base64.b64decode(packed["body"]))) == json.loads(plain["body"])


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        7,
        "ping",
        {"warmer": True, "concurrency": 3},
        {"key1": "value1", "key2": "value2", "key3": "value3"},  # the console's first test event
        {"version": "0", "id": "6a7e8feb", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}},
        {"Records": [{"messageId": "19dd0b57", "eventSource": "aws:sqs", "body": "{}"}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}}]},
        {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}}}]},
        {"requestContext": {}},
        {"version": "2.0", "requestContext": {}},
        {"version": "2.0", "requestContext": {"http": {"method": "POST"}}},
        {"resource": "/graphql", "requestContext": {}},
        {**http_api(body="abcde"), "isBase64Encoded": True},
    ],
    ids=lambda event: json.dumps(event)[:60],
)
def test_an_event_that_is_no_request_gets_an_answer(event: Any, api: Api) -> None:
    before = api.commands()
    response = api.handler(event, Context())
    assert response["statusCode"] == 400
    (error,) = json.loads(response["body"])["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "no HTTP request" in error["message"]
    assert api.commands() == before


def test_a_web_socket_of_api_gateway_is_told_to_poll(api: Api) -> None:
    context = {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "L0SM9cOFvHcCIhw=", "stage": "prod"}
    response = api.handler({"headers": {"Host": "x"}, "requestContext": context, "isBase64Encoded": False}, Context())
    assert response["statusCode"] == 400
    assert "Poll" in json.loads(response["body"])["errors"][0]["message"]
