"""The server: Systems Manager's operations over HTTP on the loopback interface.

Signatures are not verified, so anybody who reaches the port can run commands as this process's user. Therefore the
server listens only on loopback and answers only requests whose Host is a loopback name.
"""

import json
import logging
import re
import shutil
import socket
import socketserver
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from local.iam import Policy

from .agent import Agent
from .authorization import Authorization
from .commands import Commands, Send
from .documents import Library
from .faults import Faults
from .instance import Instance
from .nodes import Nodes
from .protocol import ApiError, Json

_log = logging.getLogger(__name__)

_ADDRESS = "127.0.0.1"
_TARGET = "AmazonSSM."
_CALLER = re.compile(r"Credential=([^/,]+)/")
_REQUIRED = {
    "SendCommand": ("DocumentName",),
    "GetCommandInvocation": ("CommandId", "InstanceId"),
    "CancelCommand": ("CommandId",),
    "CreateDocument": ("Name", "Content"),
    "GetConnectionStatus": ("Target",),
}


class Endpoint:
    """A Systems Manager endpoint for some instances, all of which are this machine; a context manager.

    instances    the nodes
    faults       what goes wrong and how long things take; may be changed while it runs
    s3_endpoint  where agents upload output if a command names a bucket, such as http://127.0.0.1:5000
    port         the port; 0 means any free one
    directory    the folder of instances that have none of their own; None: a temporary one, removed at the end
    region       the region that it claims to be
    pace         how many seconds one second of SSM's time limits (delivery, execution) lasts; for tests
    policies     what each access key may do; a key without a policy may do anything
    """

    def __init__(
        self,
        instances: Sequence[Instance],
        faults: Faults | None = None,
        s3_endpoint: str | None = None,
        port: int = 0,
        directory: Path | None = None,
        region: str = "eu-west-1",
        pace: float = 1.0,
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self.faults = faults if faults is not None else Faults()
        self.instances = list(instances)
        self._authorization = Authorization(policies or {}, self.instances, region)
        self._temporary = Path(tempfile.mkdtemp(prefix="ssm-")) if directory is None else None
        root = directory or self._temporary or Path()

        def agent(each: Instance) -> Agent:
            return Agent(each, each.directory or root / each.id, region, self.faults, s3_endpoint, pace)

        self._agent = agent
        self._agents = {each.id: agent(each) for each in instances}
        self.documents = Library()
        nodes = Nodes(self.instances)
        self._commands = Commands(self.documents, self._agents, self.faults, region, pace)
        self._operations: dict[str, Callable[[Json], Json]] = {
            "SendCommand": self._commands.send,
            "GetCommandInvocation": self._commands.result,
            "CancelCommand": self._commands.cancel,
            "CreateDocument": self.documents.create,
            "DescribeInstanceInformation": nodes.describe,
            "GetConnectionStatus": nodes.connection,
        }
        self._server = _Server((_ADDRESS, port), self)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens: http://127.0.0.1:PORT."""
        return f"http://{_ADDRESS}:{self._server.server_port}"

    @property
    def sends(self) -> list[Send]:
        """All accepted SendCommands, the oldest first."""
        return self._commands.sends

    @property
    def reboots(self) -> list[str]:
        """The ids of the commands whose script exited with 194, for which a real agent would reboot the node."""
        return [command_id for agent in self._agents.values() for command_id in agent.reboots]

    def add(self, instance: Instance) -> None:
        """Let another node's agent register itself."""
        self.instances.append(instance)
        self._agents[instance.id] = self._agent(instance)

    def start(self) -> Self:
        """Start to answer requests."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and kill the process group of every script that runs."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._commands.stop()
        self._server.server_close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def call(self, caller: str, operation: str, request: Json) -> Json | None:
        """Carry out an operation for an access key and return the answer, None to lose it. Raises ApiError."""
        if self.faults.call_latency:
            time.sleep(self.faults.call_latency)
        if self.faults.throttles():
            raise ApiError("ThrottlingException", "Rate exceeded")
        for member in _REQUIRED.get(operation, ()):
            if request.get(member) is None:
                raise _missing(member)
        self._authorization.check(caller, operation, request)
        carry_out = self._operations.get(operation)
        if carry_out is None:
            raise ApiError("UnknownOperationException", f"The local endpoint has no {operation}.")
        answer = carry_out(request)
        return None if operation == "SendCommand" and self.faults.loses_response() else answer


def _missing(member: str) -> ApiError:
    return ApiError(
        "ValidationException",
        f"1 validation error detected: Value null at '{member[0].lower()}{member[1:]}' "
        "failed to satisfy constraint: Member must not be null",
    )


class _Server(ThreadingHTTPServer):
    """A server that remembers its connections, so that it can close all of them when it stops."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without looking up the host's name as HTTPServer does, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, int(self.server_address[1])

    def server_close(self) -> None:
        """Close the listening socket and every connection."""
        super().server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                _log.debug("a connection was closed already")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Answer one operation of the API."""
        operation = self.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
        caller = _CALLER.search(self.headers.get("Authorization", ""))
        self._guarded(lambda: self.server.endpoint.call(caller[1] if caller else "", operation, self._body()))

    def do_GET(self) -> None:
        """Answer GET /_local/sends and GET /_local/faults."""
        self._guarded(self._local)

    def do_PATCH(self) -> None:
        """Answer PATCH /_local/faults, which changes faults."""
        self._guarded(self._change)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing on standard error."""
        _log.debug(format, *args)

    def _guarded(self, answer: Callable[[], Any]) -> None:
        """Send the answer or, if it fails, the error."""
        try:
            if self.headers.get("Host", "").rpartition(":")[0] not in (_ADDRESS, "localhost"):
                # A web page can make a foreign host name resolve to 127.0.0.1 (DNS rebinding).
                raise ApiError(
                    "AccessDeniedException", "This endpoint answers only requests for its loopback name.", 403
                )
            content = answer()
        except ApiError as error:
            self._send(error.status, error.body())
        except Exception as failure:
            _log.exception("%s failed", self.headers.get("X-Amz-Target"))
            self._send(500, ApiError("InternalServerError", repr(failure)).body())
        else:
            if content is None:
                self.close_connection = True
            else:
                self._send(200, content)

    def _local(self) -> Any:
        match self.path:
            case "/_local/sends":
                return [sent.as_json() for sent in list(self.server.endpoint.sends)]
            case "/_local/faults":
                return self.server.endpoint.faults.as_json()
            case path:
                raise ApiError("NotFound", path, 404)

    def _change(self) -> Any:
        if self.path != "/_local/faults":
            raise ApiError("NotFound", self.path, 404)
        try:
            self.server.endpoint.faults.change(self._body())
        except ValueError as refusal:
            raise ApiError("ValidationException", str(refusal)) from refusal
        return self.server.endpoint.faults.as_json()

    def _body(self) -> Json:
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        except ValueError as failure:
            raise ApiError("SerializationException", str(failure)) from failure
        if not isinstance(body, dict):
            raise ApiError("SerializationException", "The request is not a JSON object.")
        return body

    def _send(self, status: int, content: Any) -> None:
        """Send head and body in one write: with two the second waits for the first one's acknowledgement."""
        body = json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\n"
            "Content-Type: application/x-amz-json-1.1\r\n"
            f"x-amzn-RequestId: {uuid.uuid4()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)
