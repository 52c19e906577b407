"""A local API Gateway: HTTP requests become HTTP API events (payload 2.0) and go through the Lambda's own handler.

Authentication is simulated, and only here: `Authorization: Bearer NAME` signs NAME in, `Bearer NAME;groups=a,b` adds
groups, and a request without the header comes from the demo user. The handler gets the claims that API Gateway's JWT
authorizer would pass on.
"""

import asyncio
import base64
import socket
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

ADDRESS = "127.0.0.1"
LAMBDA_SECONDS = 30.0
BODY_LIMIT = 10 * 1024 * 1024
"""The largest body that API Gateway accepts, in bytes."""


class PortTakenError(Exception):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken: stop what listens there, or choose another with PORT=")


def require_free(port: int) -> None:
    """Raise PortTakenError if something listens on the port of the loopback interface."""
    with socket.socket() as probe:
        # Like the server: a port that was just closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
            probe.listen()
        except OSError as error:
            raise PortTakenError(port) from error


class Context:
    """The context object that the Lambda runtime passes to a handler."""

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._end = time.monotonic() + LAMBDA_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the invocation."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def claims(authorization: str | None, demo_user: str) -> dict[str, str]:
    """The claims of the simulated token; a list is one string as API Gateway writes it: `[a b]`."""
    token = (authorization or "").removeprefix("Bearer ").strip() or demo_user
    name, _, rest = token.partition(";")
    groups = rest.removeprefix("groups=").replace(",", " ") if rest.startswith("groups=") else ""
    return {"username": name, "cognito:groups": f"[{groups}]"}


class Gateway:
    """Serves `handler` on the loopback interface; a context manager. Port 0 means any. Raises PortTakenError."""

    def __init__(self, handler: Handler, demo_user: str, port: int = 0) -> None:
        require_free(port)
        self._server = _Server((ADDRESS, port), _request_handler(handler, demo_user))
        self.url = f"http://{ADDRESS}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _request_handler(handler: Handler, demo_user: str) -> type[BaseHTTPRequestHandler]:
    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Lambda has one event loop; here each connection's thread has its own.
            asyncio.set_event_loop(asyncio.new_event_loop())

        def finish(self) -> None:
            super().finish()
            asyncio.get_event_loop().close()

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > BODY_LIMIT:
                self.close_connection = True  # or the unread body would be taken for the next request
                self.send_error(413)
                return
            response = handler(self.event(self.rfile.read(length)), Context())
            body = response.get("body") or ""
            content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
            self.send_response(response["statusCode"])
            for name, value in response.get("headers", {}).items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def event(self, body: bytes) -> dict[str, Any]:
            url = urlsplit(self.path)
            return {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": url.path,
                "rawQueryString": url.query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {
                    "requestId": str(uuid.uuid4()),
                    "stage": "$default",
                    "http": {
                        "method": self.command,
                        "path": url.path,
                        "protocol": "HTTP/1.1",
                        "sourceIp": self.client_address[0],
                        "userAgent": self.headers.get("User-Agent", ""),
                    },
                    "authorizer": {"jwt": {"claims": claims(self.headers.get("Authorization"), demo_user)}},
                },
                "body": base64.b64encode(body).decode(),
                "isBase64Encoded": True,
            }

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: requests would clutter the terminal of `make run`."""

    return RequestHandler
