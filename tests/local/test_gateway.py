"""The local API Gateway: what it makes of HTTP, and of the make-believe token."""

import asyncio
import base64
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local.gateway import BODY_LIMIT, Context, Gateway, PortTakenError, claims

Event = dict[str, Any]


class Handler:
    """A Lambda handler that keeps the events it gets and returns what the test wants."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.contexts: list[Context] = []
        self.response: dict[str, Any] = {"statusCode": 200, "headers": {}, "body": "ok"}

    def __call__(self, event: Event, context: Any) -> dict[str, Any]:
        self.events.append(event)
        self.contexts.append(context)
        return self.response


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def gateway(handler: Handler) -> Iterator[Gateway]:
    with Gateway(handler, "demo") as running:
        yield running


def request(
    gateway: Gateway, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any, bytes]:
    """Status, headers and body of the answer."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_request_becomes_an_event_of_payload_2(gateway: Gateway, handler: Handler) -> None:
    request(gateway, "POST", "/graphql?a=1&b=%20x", b"\xff\x00", **{"Content-Type": "application/json", "X-Thing": "y"})
    (event,) = handler.events
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/graphql", "a=1&b=%20x")
    assert event["requestContext"]["http"]["method"] == "POST"
    assert (event["headers"]["content-type"], event["headers"]["x-thing"]) == ("application/json", "y")
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\x00", True)


def test_status_headers_and_body_come_back(gateway: Gateway, handler: Handler) -> None:
    handler.response = {"statusCode": 418, "headers": {"x-request-id": "7"}, "body": "é"}
    status, headers, body = request(gateway, "GET", "/")
    assert (status, headers["x-request-id"], body.decode()) == (418, "7", "é")


def test_a_body_in_base64_comes_back_as_bytes(gateway: Gateway, handler: Handler) -> None:
    encoded = base64.b64encode(b"\x00\xff").decode()
    handler.response = {"statusCode": 200, "headers": {}, "body": encoded, "isBase64Encoded": True}
    assert request(gateway, "GET", "/")[2] == b"\x00\xff"


def test_every_invocation_has_its_id_and_its_time(gateway: Gateway, handler: Handler) -> None:
    request(gateway, "GET", "/")
    request(gateway, "GET", "/")
    first, second = handler.contexts
    assert first.aws_request_id != second.aws_request_id
    assert 0 < first.get_remaining_time_in_millis() <= 30_000


def test_a_body_that_api_gateway_would_not_take_is_refused(gateway: Gateway, handler: Handler) -> None:
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), 30) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode())
        assert b" 413 " in connection.recv(100)
    assert handler.events == []


def test_requests_are_handled_at_once_each_with_an_event_loop() -> None:
    together = threading.Barrier(5)

    def handler(event: Event, context: Any) -> dict[str, Any]:
        together.wait(30)
        loop = asyncio.get_event_loop()
        return {
            "statusCode": 200,
            "headers": {},
            "body": json.dumps(loop.run_until_complete(asyncio.sleep(0, id(loop)))),
        }

    found: list[bytes] = []
    with Gateway(handler, "demo") as gateway:
        threads = [
            threading.Thread(target=lambda: found.append(request(gateway, "GET", "/")[2]))
            for _ in range(together.parties)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(found)) == together.parties


def test_it_listens_on_loopback_only(gateway: Gateway) -> None:
    assert gateway.url.startswith("http://127.0.0.1:")


def test_a_taken_port_is_reported(gateway: Gateway, handler: Handler) -> None:
    port = int(gateway.url.rpartition(":")[2])
    with pytest.raises(PortTakenError) as caught:
        Gateway(handler, "demo", port)
    assert str(caught.value) == f"port {port} is taken: stop what listens there, or choose another with PORT="


def test_a_port_that_was_used_just_now_is_free_again(handler: Handler) -> None:
    with Gateway(handler, "demo") as first:
        port = int(first.url.rpartition(":")[2])
        request(first, "GET", "/")
    with Gateway(handler, "demo", port) as second:
        assert request(second, "GET", "/")[0] == 200


@pytest.mark.parametrize(
    ("authorization", "name", "groups"),
    [
        (None, "demo", "[]"),
        ("", "demo", "[]"),
        ("Bearer ", "demo", "[]"),
        ("Bearer ada", "ada", "[]"),
        ("Bearer ada;groups=", "ada", "[]"),
        ("Bearer ada;groups=staff", "ada", "[staff]"),
        ("Bearer ada;groups=staff,slurmql-operators", "ada", "[staff slurmql-operators]"),
        ("Bearer ada;role=OPERATOR", "ada", "[]"),
        ("Bearer Ada Lovelace", "Ada Lovelace", "[]"),
    ],
)
def test_a_token_names_a_user_and_groups(authorization: str | None, name: str, groups: str) -> None:
    assert claims(authorization, "demo") == {"username": name, "cognito:groups": groups}


def test_the_claims_stand_where_a_jwt_authorizer_puts_them(gateway: Gateway, handler: Handler) -> None:
    request(gateway, "GET", "/", Authorization="Bearer ada;groups=staff")
    assert handler.events[0]["requestContext"]["authorizer"] == {
        "jwt": {"claims": {"username": "ada", "cognito:groups": "[staff]"}}
    }
