"""A line to AWS and its troubles, on a stand-in for the services behind it."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.line import Kind, Line

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request"}
GET_ITEM = {**SIGNED, "X-Amz-Target": "DynamoDB_20120810.GetItem"}


@pytest.fixture
def done() -> list[str]:
    """What the service did."""
    return []


@pytest.fixture
def line(done: list[str]) -> Iterator[Line]:
    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            done.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{service.server_port}"
        with Line(url, url) as running:
            yield running
        service.shutdown()


def ask(line: Line, headers: dict[str, str], timeout: float = 5) -> int:
    """The status of an answer."""
    connection = http.client.HTTPConnection(line.url.removeprefix("http://"), timeout=timeout)
    connection.request("POST", "/", json.dumps({"TableName": "t"}), headers)
    return connection.getresponse().status


def test_without_trouble_everything_passes(line: Line, done: list[str]) -> None:
    assert ask(line, GET_ITEM) == ask(line, {"X-Amz-Target": "AmazonSSM.SendCommand"}) == 200
    assert line.passed == ["dynamodb:GetItem", "ssm:SendCommand"]
    assert len(done) == 2


@pytest.mark.parametrize(("kind", "work"), [(Kind.FAIL_BEFORE, 0), (Kind.FAIL_AFTER, 1)])
def test_it_fails_before_the_work_or_after_it(kind: Kind, work: int, line: Line, done: list[str]) -> None:
    line.break_down(kind, "dynamodb:GetItem", times=1)
    assert ask(line, GET_ITEM) == 500
    assert len(done) == work
    assert ask(line, GET_ITEM) == 200


@pytest.mark.parametrize(("kind", "work"), [(Kind.CUT_BEFORE, 0), (Kind.CUT_AFTER, 1)])
def test_it_breaks_before_the_work_or_after_it(kind: Kind, work: int, line: Line, done: list[str]) -> None:
    line.break_down(kind, "dynamodb:*", times=1)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(line, GET_ITEM)
    assert len(done) == work
    assert ask(line, {"X-Amz-Target": "AmazonSSM.SendCommand"}) == 200


def test_it_hangs_until_it_is_mended(line: Line, done: list[str]) -> None:
    line.break_down(Kind.HANG, "dynamodb:*")
    with pytest.raises(TimeoutError):
        ask(line, GET_ITEM, timeout=0.3)
    line.mend()
    assert ask(line, GET_ITEM) == 200
    assert len(done) == 1


def test_it_is_slow(line: Line) -> None:
    line.break_down(Kind.SLOW, "dynamodb:*", seconds=0.3)
    began = time.monotonic()
    assert ask(line, GET_ITEM) == 200
    assert time.monotonic() - began >= 0.3
