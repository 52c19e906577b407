"""The commands that docs/clients.md prints are run as they stand there."""

import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs" / "clients.md").read_text()
ANSWER = b'{"data":{"jobs":{"totalCount":12}}}'
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def printed(words: str) -> str:
    """The code on the page that has these words."""
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", PAGE, re.MULTILINE)
    (block,) = [block for block in blocks if words in block]
    return textwrap.dedent(block)


@contextmanager
def gateway(credentials: Credentials) -> Iterator[tuple[str, list[str]]]:
    """An address that answers only requests with a right signature, as an IAM authorizer does, and what it got."""
    bodies: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = re.fullmatch(
                r"AWS4-HMAC-SHA256 Credential=(\S+?), ?SignedHeaders=(\S+?), ?Signature=(\w+)",
                self.headers["Authorization"],
            )
            assert given
            signed = {name: self.headers[name] for name in given[2].split(";")}
            request = AWSRequest("POST", f"http://{self.headers['Host']}{self.path}", signed, body)
            request.context["timestamp"] = self.headers["X-Amz-Date"]
            authority = SigV4Auth(credentials, "execute-api", "eu-west-1")
            expected = authority.signature(
                authority.string_to_sign(request, authority.canonical_request(request)), request
            )
            token = self.headers.get("X-Amz-Security-Token")
            right = given[3] == expected and token == credentials.token and given[1].startswith(f"{KEY}/")
            self.send_response(200 if right else 403)
            self.end_headers()
            self.wfile.write(ANSWER if right else b'{"message":"Forbidden"}')
            bodies.append(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzEXAMPLE/+="], ids=["a long-term key", "a role's session"])
@pytest.mark.parametrize("words", ["--aws-sigv4", "SigV4Auth("], ids=["curl", "botocore"])
def test_a_request_is_signed_rightly(words: str, token: str | None) -> None:
    program = ["bash", "-c"] if words.startswith("--") else [sys.executable, "-c"]
    names = {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        **({"AWS_SESSION_TOKEN": token} if token else {}),
    }
    with gateway(Credentials(KEY, SECRET, token)) as (url, bodies):
        environment = {"PATH": os.environ["PATH"], "ENDPOINT": url, **names}
        ended = subprocess.run([*program, printed(words)], env=environment, capture_output=True, timeout=60)
    assert ended.stdout.strip() == ANSWER, ended.stderr
    assert bodies == ['{"query": "{ jobs { totalCount } }"}']


def test_deploying_signs_in_the_same_way() -> None:
    page = (HERE.parent / "docs" / "deploy.md").read_text()
    (line,) = [line for line in printed("--aws-sigv4").splitlines() if "security-token" in line]
    assert line in page


def test_the_page_prints_the_caches_snippet_as_it_is_tested() -> None:
    snippet = (HERE / "caches" / "src" / "values.ts").read_text()
    assert textwrap.indent(snippet, "    ") in PAGE
