"""Lambda's Runtime API on this machine: AWS's own runtime client fetches events from it and runs an artefact's handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from local.gateway import ADDRESS, LAMBDA_SECONDS

VERSION = "/2018-06-01/runtime"
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:slurmql"


class SandboxError(Exception):
    """The handler failed, or could not be loaded; the text is what the runtime client reported."""


class Sandbox:
    """One sandbox of a Lambda function: a process of AWS's runtime client over the artefact; a context manager.

    `python` is the interpreter with its options and runs awslambdaric, which it must be able to import; `environment`
    is the process's whole environment. `started` is when the process was started (time.monotonic).
    """

    def __init__(
        self, task: Path, python: list[str], environment: Mapping[str, str], errors: Path, seconds: float = 60
    ) -> None:
        self._task = task
        self._python = python
        self._environment = environment
        self._errors = errors
        self._seconds = seconds
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._replies: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = _Server((ADDRESS, 0), self._request_handler())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()
        self.started = time.monotonic()
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*self._python, "-m", "awslambdaric", "handler.handler"],
                cwd=self._task,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env={
                    **self._environment,
                    "AWS_LAMBDA_RUNTIME_API": f"{ADDRESS}:{self._server.server_address[1]}",
                    "AWS_LAMBDA_FUNCTION_NAME": "slurmql",
                    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                    "LAMBDA_TASK_ROOT": str(self._task),
                },
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(None)  # a thread may wait for the next event
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The handler's answer to the event. Raises SandboxError, also when the process has ended or says nothing."""
        self._events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        give_up = time.monotonic() + self._seconds
        while time.monotonic() < give_up:
            try:
                kind, body = self._replies.get(timeout=0.2)
            except queue.Empty:
                if self._process.poll() is None:
                    continue
                break
            answer: dict[str, Any] = json.loads(body)
            if kind == "response":
                return answer
            raise SandboxError(answer)
        raise SandboxError(self._errors.read_text(errors="replace")[-2000:])

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        sandbox = self

        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet

            def do_GET(self) -> None:
                """The next event, which the client waits for."""
                if (next_event := sandbox._events.get()) is None:
                    return
                request_id, event = next_event
                deadline = int((time.time() + LAMBDA_SECONDS) * 1000)
                self.reply(
                    200,
                    event,
                    {
                        "Content-Type": "application/json",  # without one, the client dies of SIGSEGV
                        "Lambda-Runtime-Aws-Request-Id": request_id,
                        "Lambda-Runtime-Deadline-Ms": str(deadline),
                        "Lambda-Runtime-Invoked-Function-Arn": _FUNCTION,
                        "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                    },
                )

            def do_POST(self) -> None:
                """`.../invocation/ID/response`, `.../invocation/ID/error` or `/init/error`."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sandbox._replies.put((self.path.rpartition("/")[2], body))
                self.reply(202, b"{}", {})

            def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return RequestHandler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The client is gone, as its process is killed in the end."""
