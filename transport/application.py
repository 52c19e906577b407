"""The ASGI application: from an HTTP request to the schema and back.

GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.graph import Graph
from transport import audit, cors, graphiql, negotiation, operation
from transport.limit import too_large
from transport.negotiation import GRAPHQL_JSON, JSON
from transport.refusal import RefusedError, RequestError, errors
from transport.request import Receive, Request, Scope, Send
from transport.response import Response, encoded
from transport.trusted import TrustedDocuments

logger = logging.getLogger("slurmql")

_READ = frozenset({OperationType.QUERY})
_CHANGE = frozenset({OperationType.QUERY, OperationType.MUTATION})
_ALLOWED = {"allow": "GET, HEAD, POST, OPTIONS"}
_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""What every response says, unless it says otherwise itself."""


@dataclass(frozen=True)
class Http:
    """What a deployment sets: origins whose pages may call it, whether it shows GraphiQL, its trusted documents, and
    how many seconds a snapshot is good.
    """

    origins: Sequence[str]
    graphiql: bool
    trusted: TrustedDocuments
    ttl: float


class Application:
    """Answers HTTP requests. `begin` makes a request's graph from its ASGI scope: its caller, deadline and id.

    The graph is left as soon as the request is answered and logged; what it read is dropped then.
    """

    def __init__(self, schema: Schema, http: Http, begin: Callable[[Scope], Graph]) -> None:
        self._schema = schema
        self._http = http
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request = await Request.received(scope, receive)
        with self._begin(scope) as graph:
            response = await self._response(request, graph)
            if graph.asked or response.codes:
                seconds = time.perf_counter() - started
                audit.record(graph, response.status, response.codes, len(response.content), seconds)
        response.headers["x-request-id"] = graph.request_id
        cors.allow(request, response, self._http.origins)
        response.headers = {**_SAFE, **response.headers}
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        content = b"" if request.method == "HEAD" else response.content
        await send({"type": "http.response.body", "body": content})

    async def _response(self, request: Request, graph: Graph) -> Response:
        media_type = negotiation.media_type(request.headers.get("accept")) or JSON
        try:
            return await self._routed(request, graph)
        except RefusedError as error:
            return _json(error.status, errors(error.code, str(error)), media_type, error.headers)
        except Exception:
            logger.exception("unforeseen error outside of the schema")
            said = errors("INTERNAL_SERVER_ERROR", "Something went wrong inside slurmql.")
            return _json(500, said, media_type)

    async def _routed(self, request: Request, graph: Graph) -> Response:
        if request.method == "OPTIONS":
            return cors.preflight()
        if request.method not in ("GET", "HEAD", "POST"):
            raise RefusedError(405, "Ask by POST, or by GET.", headers=_ALLOWED)
        _, folder, name = request.path.partition(graphiql.FOLDER)
        if folder and self._http.graphiql and request.method != "POST":
            return graphiql.file(name, packed=request.takes_gzip)
        if folder or not (request.path in ("", "/") or request.path.endswith(("/graphql", "/graphiql"))):
            raise RefusedError(404, "There is nothing here; the API is at /graphql.")
        if request.method != "POST" and not operation.asks(request):
            return self._page(request)
        if request.path.endswith("/graphiql"):  # for the page alone: the gateway lets everybody look there
            raise RefusedError(404, "This is GraphiQL's page; the API is at /graphql.")
        return await self._answer(request, graph)

    def _page(self, request: Request) -> Response:
        if not negotiation.takes_html(request.headers.get("accept")):
            raise RefusedError(400, 'Send a JSON object by POST, such as {"query": "{ jobs { totalCount } }"}.')
        if not self._http.graphiql:
            raise RefusedError(404, "GraphiQL is switched off here; ask by POST.")
        return graphiql.page()

    async def _answer(self, request: Request, graph: Graph) -> Response:
        media_type = negotiation.media_type(request.headers.get("accept"))
        if media_type is None:
            raise RefusedError(406, f"The answer is {JSON} or {GRAPHQL_JSON} (header Accept).")
        asked = operation.read(request)
        trusted, headers = False, {"vary": "Accept, Accept-Encoding, Authorization"}
        try:
            document = self._http.trusted.document(asked)
            trusted = document.trusted
            answer = _formatted(await self._execute(document.text, asked, request.method, graph))
        except RequestError as error:
            answer = errors(error.code, str(error))
        status = 400 if media_type == GRAPHQL_JSON and "data" not in answer else 200
        response = _json(status, answer, media_type, headers)
        if trusted and request.method != "POST" and "errors" not in answer:
            self._let_keep(request, response, graph)
        if request.takes_gzip:
            response.compress()
        if too_large(response):
            advice = "Ask for fewer rows (first) or fewer fields"
            advice += "." if "content-encoding" in response.headers else ", or accept gzip (header Accept-Encoding)."
            said = f"The answer is larger than the 6 MB that Lambda passes on. {advice}"
            return _json(200, {"data": None, **errors("RESPONSE_TOO_LARGE", said)}, media_type, headers)
        return response

    async def _execute(self, document: str, asked: operation.Operation, method: str, graph: Graph) -> ExecutionResult:
        try:
            return await self._schema.execute(
                document,
                variable_values=asked.variables,
                context_value=graph,
                operation_name=asked.name,
                allowed_operation_types=_CHANGE if method == "POST" else _READ,
            )
        except InvalidOperationTypeError as error:
            raise RefusedError(
                405, "By GET one can look; send a mutation by POST.", headers={"allow": "POST"}
            ) from error
        except CannotGetOperationTypeError as error:
            raise RequestError(error.as_http_error_reason(), "OPERATION_RESOLUTION_FAILURE") from error

    def _let_keep(self, request: Request, response: Response, graph: Graph) -> None:
        """Let the client keep the answer while its snapshots are good, and then ask whether it is still the same."""
        tag = f'W/"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
        age = (datetime.now(UTC) - graph.as_of).total_seconds() if graph.as_of else self._http.ttl
        response.headers |= {"etag": tag, "cache-control": f"private, max-age={max(0, int(self._http.ttl - age))}"}
        known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
        if {tag, "*"} & known:
            response.status, response.content = 304, b""
            del response.headers["content-type"]


def _formatted(result: ExecutionResult) -> dict[str, Any]:
    """The answer, as the specification has it: a document that could not be run has no data, not even null."""
    failed = result.errors or []
    answer: dict[str, Any] = {}
    if result.data is not None or any(error.path for error in failed):
        answer["data"] = result.data
    if failed:
        answer["errors"] = [error.formatted for error in failed]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def _json(status: int, value: Any, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(status, encoded(value), {"content-type": f"{media_type}; charset=utf-8", **(headers or {})})
    response.codes = [error["extensions"]["code"] for error in value.get("errors", [])]
    return response
