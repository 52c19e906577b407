"""A call of the application as Mangum makes it, with a cluster behind it that nothing is asked of."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from access.caller import signed_in
from access.configuration import access
from headnode.deadline import Deadline
from headnode.settings import ClusterSettings, Settings
from headnode.snapshots import Snapshots
from own_loop import finish
from resolvers.context import RequestContext
from schema import schema
from transport.application import Application, Http
from transport.request import Message, Scope
from transport.trusted import TrustedDocuments

PLAIN = Http(origins=(), graphiql=True, introspection=True, trusted=TrustedDocuments(), ttl=5.0)
SETTINGS = Settings(clusters={"lab": ClusterSettings("lab", "lab")}, default_cluster="lab", document="slurmql")
CLAIMS = {"username": "ada", "cognito:groups": "[slurmql-operators]"}


@dataclass(frozen=True)
class Answer:
    """A response; `body` as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)

    @property
    def codes(self) -> list[str]:
        """The codes of the errors it tells."""
        return [error["extensions"]["code"] for error in self.json.get("errors", [])]


def call(
    method: str = "POST",
    body: str | bytes = "",
    headers: Mapping[str, str] | None = None,
    query: str = "",
    path: str = "/graphql",
    http: Http = PLAIN,
    begin: Callable[[Scope], RequestContext] | None = None,
) -> Answer:
    """The application's response; a POST's body is JSON unless the headers say otherwise."""
    given = {**({"content-type": "application/json"} if method == "POST" else {}), **(headers or {})}
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body.encode() if isinstance(body, str) else body}

    async def send(message: Message) -> None:
        sent.append(message)

    finish(Application(schema, http, begin or _begin)(scope, receive, send))
    start, content = sent
    said = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], said, content["body"])


def ask(document: str, headers: Mapping[str, str] | None = None, http: Http = PLAIN, **also: Any) -> Answer:
    """The response to a POST of a document."""
    return call(body=json.dumps({"query": document, **also}), headers=headers, http=http)


def _begin(scope: Scope) -> RequestContext:
    event = {"requestContext": {"authorizer": {"jwt": {"claims": CLAIMS}}}}
    ada = signed_in(event, access("", ["lab"]))
    return RequestContext({"lab": cast(Snapshots, None)}, SETTINGS, ada, Deadline.after(10), "request-1")
