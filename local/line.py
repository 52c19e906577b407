"""A connection to AWS that can be made to fail: a request hangs, breaks or gets a 5xx, before or after the work.

It is an HTTP proxy in front of the SSM endpoint and of moto's server. A sandbox whose AWS_ENDPOINT_URL is a line's
address has its own troubles, independent of other sandboxes.
"""

import contextlib
import http.client
import socket
import socketserver
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from local.iam.requests import understood

_ADDRESS = "127.0.0.1"
_SSM = "AmazonSSM."
_NOT_PASSED_ON = {"connection", "expect", "content-length", "transfer-encoding", "keep-alive", "date", "server"}
_UPSTREAM_SECONDS = 60.0


class Kind(Enum):
    """What happens to a request."""

    HANG = "hang"  # it arrives, and no answer comes
    CUT_BEFORE = "cut before"  # the connection ends before the work is done
    CUT_AFTER = "cut after"  # the connection ends after the work is done
    FAIL_BEFORE = "fail before"  # status 500 instead of the work
    FAIL_AFTER = "fail after"  # status 500 instead of the answer
    SLOW = "slow"  # the answer takes `seconds`
    REFUSE = "refuse"  # status 403: the role lost its permission
    THROTTLE = "throttle"  # status 400: too many requests


@dataclass
class Trouble:
    """What goes wrong with the next `times` requests, or with all if None, for operations such as `ssm:SendCommand`,
    `ec2:DescribeInstances`, `s3:PutObject` and `dynamodb:*`.
    """

    kind: Kind
    operations: Collection[str]
    times: int | None = None
    seconds: float = 1.0
    over: threading.Event = field(default_factory=threading.Event)

    def meets(self, operation: str) -> bool:
        """Whether it affects an operation."""
        service = operation.partition(":")[0]
        return operation in self.operations or f"{service}:*" in self.operations


class Line:
    """The proxy; a context manager. `url` is the value for AWS_ENDPOINT_URL."""

    def __init__(self, ssm: str, aws: str) -> None:
        self._ssm, self._aws = ssm, aws
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        self.passed: list[str] = []
        """The operations that were carried out, the oldest first."""
        self._server = _Server((_ADDRESS, 0), self)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{_ADDRESS}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mend()
        self._server.shutdown()
        self._server.server_close()

    def break_down(self, kind: Kind, *operations: str, times: int | None = None, seconds: float = 1.0) -> None:
        """Give the operations this trouble from now on."""
        with self._lock:
            self._troubles.append(Trouble(kind, operations, times, seconds))

    def mend(self) -> None:
        """End all troubles and close connections that hang."""
        with self._lock:
            troubles, self._troubles = self._troubles, []
        for each in troubles:
            each.over.set()

    def trouble(self, operation: str) -> Trouble | None:
        """What happens to this request."""
        with self._lock:
            for each in self._troubles:
                if each.meets(operation) and each.times != 0:
                    if each.times is not None:
                        each.times -= 1
                    return each
        return None

    def upstream(self, operation: str) -> str:
        """The server that does the work."""
        return self._ssm if operation.startswith("ssm:") else self._aws


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], line: Line) -> None:
        self.line = line
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without looking up the host's name as HTTPServer does, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore that a client is gone, which the troubles cause on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def answer(self) -> None:
        """Pass one request on unless there is trouble."""
        line = self.server.line
        body = self._body()
        operation = self._operation(body)
        trouble = line.trouble(operation)
        match trouble.kind if trouble else None:
            case Kind.HANG:
                assert trouble  # noqa: S101 - for the type checker
                trouble.over.wait()
                self._cut()
            case Kind.CUT_BEFORE:
                self._cut()
            case Kind.FAIL_BEFORE:
                self._fail(operation)
            case Kind.REFUSE:
                self._fail(operation, 403, "AccessDeniedException")
            case Kind.THROTTLE:
                self._fail(operation, 400, "ThrottlingException")
            case kind:
                status, headers, content = self._passed_on(operation, body)
                if kind is Kind.SLOW:
                    assert trouble  # noqa: S101 - for the type checker
                    trouble.over.wait(trouble.seconds)
                if kind is Kind.CUT_AFTER:
                    self._cut()
                elif kind is Kind.FAIL_AFTER:
                    self._fail(operation)
                else:
                    self._send(status, headers, content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing on standard error."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _operation(self, body: bytes) -> str:
        target = self.headers.get("X-Amz-Target", "")
        if target.startswith(_SSM):
            return f"ssm:{target.removeprefix(_SSM)}"
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = understood(self.command, url.path, url.query, headers, body)
        return request.action if request else "unknown:unknown"

    def _passed_on(self, operation: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(
            self.server.line.upstream(operation).removeprefix("http://"), timeout=_UPSTREAM_SECONDS
        )
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        headers["Content-Length"] = str(len(body))
        with contextlib.closing(upstream):
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.server.line.passed.append(operation)
            return answer.status, answer.getheaders(), content

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string(int(time.time())))
        for name, value in headers:
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, operation: str, status: int = 500, kind: str = "InternalServerError") -> None:
        """The service's own answer for a failure."""
        match operation.partition(":")[0]:
            case "ec2":
                body = f"<Response><Errors><Error><Code>{kind}</Code></Error></Errors></Response>"
                content_type = "text/xml"
            case "s3":
                body, content_type = f"<Error><Code>{kind}</Code></Error>", "application/xml"
            case _:
                body, content_type = f'{{"__type": "{kind}"}}', "application/x-amz-json-1.1"
        self._send(status, [("Content-Type", content_type)], body.encode())

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
