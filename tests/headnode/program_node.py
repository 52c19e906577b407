"""A head node without Slurm, on which the program is run as the SSM agent runs it; and a bucket for it."""

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from headnode import document
from headnode.joining import joined
from headnode.replies import unpack
from local.cluster.users import demo_users

SOURCE = joined()
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
PRINT_ARGV = "printf '%s\\0' \"$@\""
SCRIPT = "#!/bin/sh\ntrue\n"


class Node:
    """A head node: `bin` holds what stands in Slurm's place. `operations` and `settings` are those of the document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations = document.operations()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.user = demo_users(folder / "users", print)[0].name
        self.settings: dict[str, Any] = {"path": f"{self.bin}:/usr/bin:/bin", "state": str(folder / "state")}
        if os.geteuid() != 0:
            self.settings["denied"] = ["root"]
        for name in ("squeue", "sinfo", "sbatch", "scancel", "scontrol"):
            self.command(name, PRINT_ARGV)

    def command(self, name: str, *lines: str) -> None:
        """Put a script in a command's place."""
        path = self.bin / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)

    def answer(self, text: str, source: str = SOURCE, environment: dict[str, str] | None = None) -> dict[str, Any]:
        """What the program answers to a line on stdin; it must end with 0 and print one short line."""
        result = subprocess.run(
            [PYTHON, "-I", "-S", "-c", source, self.operations, json.dumps(self.settings)],
            input=text,
            env=environment or {},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.count("\n") == 1
        assert len(result.stdout) <= 24_000
        return unpack(base64.b64decode(result.stdout))

    def ask(self, *operations: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
        """The replies to operations that run together."""
        replies: list[dict[str, Any]] = self.answer(packed(self.request(*operations, **request)))["replies"]
        return replies

    def request(self, *operations: dict[str, Any], **request: Any) -> dict[str, Any]:
        """A request for the node's user."""
        return {"expires": time.time() + 60, "user": self.user, "put": None, "steps": [list(operations)], **request}


@pytest.fixture
def node() -> Iterator[Node]:
    """A head node in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="program-", dir="/tmp"))
    folder.chmod(0o755)  # the reader's account must find the commands
    yield Node(folder)
    shutil.rmtree(folder)


@pytest.fixture
def bucket(node: Node) -> Iterator["Bucket"]:
    """The bucket that the node's document names, under `/slurmql/`."""
    with a_bucket() as bucket:
        node.settings["bucket"] = [f"{bucket.url}/slurmql/"]
        yield bucket


def packed(request: Any) -> str:
    """The request as the document's parameter."""
    return base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode(), mtime=0)).decode()


def argv(reply: dict[str, Any]) -> list[str]:
    """What the command was called with."""
    assert reply.get("exit_code") == 0, reply
    arguments: list[str] = reply["stdout"].split("\0")[:-1]
    return arguments


@dataclass
class Bucket:
    """An HTTP server on the loopback interface that takes PUTs and gives them back."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    location: str = ""
    """Where it sends everybody on to, with a status that says so."""


@contextmanager
def a_bucket() -> Iterator[Bucket]:
    """A bucket that serves."""
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if bucket.status == 200:
                bucket.objects[self.path] = body
            self.head(bucket.status)

        def do_GET(self) -> None:
            self.head((200 if self.path in bucket.objects else 404) if bucket.status == 200 else bucket.status)
            self.wfile.write(bucket.objects.get(self.path, b""))

        def head(self, status: int) -> None:
            self.send_response(status)
            if bucket.location:
                self.send_header("Location", bucket.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bucket.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield bucket
        server.shutdown()
