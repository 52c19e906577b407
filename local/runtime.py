"""Lambda's Runtime API on this machine: AWS's own runtime client fetches events from it and runs an artefact's handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import importlib.util
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

from local.gateway import ADDRESS, LAMBDA_SECONDS

VERSION = "/2018-06-01/runtime"
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:slurmql"


PATIENCE = 60.0
"""Seconds to wait for an answer."""
_Item = TypeVar("_Item")


class SandboxError(Exception):
    """The handler failed or could not be loaded; the text is the runtime client's report."""


def link_client(folder: Path) -> None:
    """Fill the folder with links to AWS's runtime client and nothing else, like Lambda's /var/runtime."""
    found = importlib.util.find_spec("awslambdaric")
    if found is None or found.origin is None:
        raise SandboxError("awslambdaric is not installed")
    installed = Path(found.origin).parents[1]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("awslambdaric", "simplejson", "snapshot_restore_py", "snapshot_restore_py.py"):
        if (installed / name).exists():
            (folder / name).symlink_to(installed / name)
    for native in installed.glob("runtime_client*.so"):
        (folder / native.name).symlink_to(native)


class Sandbox:
    """One sandbox of a Lambda function: AWS's runtime client runs the artefact in a process. A context manager.

    `client` is a folder that link_client filled; the process can import it, the artefact and the standard library only.
    `options` are options of the interpreter; the process's output goes to the file `said`.
    """

    def __init__(
        self, task: Path, client: Path, environment: Mapping[str, str], said: Path, options: Sequence[str] = ()
    ) -> None:
        self._task = task
        self._client = client
        self._environment = environment
        self._said = said
        self._options = options
        self._ready = False
        self._init: queue.Queue[float] = queue.Queue()
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._replies: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = _Server((ADDRESS, 0), self._request_handler())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [f"{sys.base_prefix}/bin/python3", "-S", *self._options, "-m", "awslambdaric", "handler.handler"],
                cwd=self._task,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={
                    "PATH": os.defpath,
                    "PYTHONPATH": str(self._client),
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
        self._events.put(None)  # wakes a thread that waits for the next event
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
        """The handler's answer to the event. Raises SandboxError, also if the process ends or answers too late."""
        self._events.put((request_id or str(uuid.uuid4()), json.dumps(event).encode()))
        kind, body = self._next(self._replies)
        answer: dict[str, Any] = json.loads(body)
        if kind == "response":
            return answer
        raise SandboxError(answer)

    def init(self) -> float:
        """CPU seconds that the process used until it asked for its first event. Can be called once."""
        return self._next(self._init)

    def _next(self, arriving: "queue.Queue[_Item]") -> _Item:
        give_up = time.monotonic() + PATIENCE
        alive = True
        while alive and time.monotonic() < give_up:
            alive = self._process.poll() is None  # if it has ended, all its messages have arrived
            with contextlib.suppress(queue.Empty):
                return arriving.get(timeout=0.1)
        raise SandboxError(self._said.read_text(errors="replace")[-2000:])

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        sandbox = self

        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet

            def do_GET(self) -> None:
                """Wait for the next event and send it to the client."""
                if not sandbox._ready:
                    sandbox._ready = True
                    sandbox._init.put(_cpu_seconds(sandbox._process.pid))
                if (next_event := sandbox._events.get()) is None:
                    return
                request_id, event = next_event
                deadline = int((time.time() + LAMBDA_SECONDS) * 1000)
                self.reply(
                    200,
                    event,
                    {
                        "Content-Type": "application/json",  # without this header the client crashes (SIGSEGV)
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


def _cpu_seconds(process: int) -> float:
    """User and system time of a process, proc_pid_stat(5)."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf(os.sysconf_names["SC_CLK_TCK"])


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore that the client is gone: its process is killed at the end."""
