"""One real cluster pair for the whole run, and the API over it as its callers see it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from headnode import shared, snapshots
from local import packages
from local.cluster import Cluster
from local.gateway import Context, Handler, claims
from local.runtime import Sandbox, link_client
from local.ssm import Endpoint
from local.stack import Stack
from local.suite import Chroot, entered

pytest.register_assert_rewrite("program_node")  # fixtures, which modules of tests/headnode name as a plugin
settings.register_profile("slurmql", deadline=None)
settings.load_profile("slurmql")


@pytest.fixture(scope="session")
def chroot() -> Chroot | None:
    """Where the Slurm under test runs: a suite's folder if SLURMQL_SUITE names one; None: this machine's own Slurm."""
    packages.install(print, packages.ACCOUNTING)
    suite = os.environ.get("SLURMQL_SUITE")
    return entered(suite, print) if suite else None


@pytest.fixture(scope="session")
def stack(chroot: Chroot | None) -> Iterator[Stack]:
    """Two real Slurms behind one SSM endpoint, `lab` and (no accounting) `annex`; the Lambda's variables are set."""
    directory = Path(tempfile.mkdtemp(prefix="slurmql-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        clusters = [
            Cluster(
                directory / "lab",
                "lab",
                accounting=True,
                suspend_after=20,
                settings={"Licenses": "matlab:4", "AllowSpecResourcesUsage": "YES"},
                chroot=chroot,
            ),
            Cluster(
                directory / "annex",
                "annex",
                chroot=chroot,
                settings={
                    "PriorityType": "priority/multifactor",
                    "PriorityWeightAge": "100",
                    "PriorityWeightJobSize": "1000",
                    "PriorityWeightPartition": "100",
                    "PriorityWeightTRES": "CPU=2000",
                },
            ),
        ]
        with Stack(directory, clusters) as stack, pytest.MonkeyPatch.context() as patch:
            for name, value in stack.environment.items():
                patch.setenv(name, value)
            yield stack
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def lab(stack: Stack) -> Cluster:
    """The default cluster."""
    return stack.clusters["lab"]


@dataclass(frozen=True)
class Api:
    """The Lambda's handler, called as API Gateway calls it."""

    handler: Handler
    ssm: Endpoint

    def ask(
        self, document: str, variables: Mapping[str, Any] | None = None, user: str | None = "ada", groups: str = ""
    ) -> dict[str, Any]:
        """The whole answer to a GraphQL document, signed in as `user` (None: not at all)."""
        body = _json({"query": document, "variables": variables or {}})
        response = self.handler(event(body, user, groups), Context())
        assert response["statusCode"] == 200, response
        answer: dict[str, Any] = json.loads(response["body"])
        return answer

    def data(self, document: str, variables: Mapping[str, Any] | None = None, **who: str) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = self.ask(document, variables, **who)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def codes(self, document: str, variables: Mapping[str, Any] | None = None, **who: str) -> list[str]:
        """The codes of an answer's errors."""
        errors = self.ask(document, variables, **who).get("errors", [])
        return [error["extensions"]["code"] for error in errors]

    def commands(self) -> int:
        """How many SSM commands were sent until now."""
        return len(self.ssm.sends)


@pytest.fixture(scope="session")
def entry(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    """The Lambda's entry: this tree's, or that of the artefact in SLURMQL_ARTEFACT, in a sandbox of its own."""
    if task := os.environ.get("SLURMQL_ARTEFACT"):
        client, said = tmp_path_factory.mktemp("client"), tmp_path_factory.mktemp("sandbox") / "said"
        link_client(client)
        with Sandbox(Path(task), client, stack.environment, said) as sandbox:
            yield lambda event, context: sandbox.invoke(event, context.aws_request_id)
    else:
        import handler

        yield handler.handler


@pytest.fixture
def api(stack: Stack, entry: Handler, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API with no snapshot kept, here and, as the sandboxes share them, anywhere.

    No test gets a full dataset because an earlier test needed it, so each shows that what it asks for suffices.
    """
    import handler

    for module in (snapshots, shared):
        monkeypatch.setattr(module, "ALL_COLUMNS_FOR", 0.0)
    for each in handler.clusters.values():
        each.drop()
    return Api(entry, stack.ssm)


def _json(value: Any) -> str:
    """As browsers write it: no character is escaped but a lone surrogate, which has no bytes in UTF-8."""
    plain = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if any("\ud800" <= character <= "\udfff" for character in plain) else plain


def event(body: str, user: str | None = "ada", groups: str = "") -> dict[str, Any]:
    """An HTTP API event (payload 2.0) with the claims that a JWT authorizer passes, or without an authorizer."""
    token = f"Bearer {user};groups={groups}" if groups else f"Bearer {user}"
    authorizer = {"authorizer": {"jwt": {"claims": claims(token, "")}}} if user is not None else {}
    http = {
        "method": "POST",
        "path": "/graphql",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "pytest",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/graphql",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"requestId": "test", "stage": "$default", "http": http, **authorizer},
        "body": body,
        "isBase64Encoded": False,
    }
