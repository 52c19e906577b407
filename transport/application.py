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

from headnode.error_codes import ErrorCode
from resolvers.context import RequestContext
from transport import audit, cors, graphiql, negotiation, operation
from transport.limit import too_large
from transport.negotiation import GRAPHQL_JSON, JSON
from transport.refusal import NO_SUBSCRIPTIONS, OperationError, RefusedError, errors
from transport.request import Receive, Request, Scope, Send
from transport.response import Response, encoded
from transport.trusted import TrustedDocuments

logger = logging.getLogger("slurmql")

_READ = frozenset({OperationType.QUERY})
_CHANGE = frozenset({OperationType.QUERY, OperationType.MUTATION})
_ALLOWED = {"allow": "GET, HEAD, POST, OPTIONS"}
_QUERY = 'Send a JSON object by POST, such as {"query": "{ jobs { totalCount } }"}, or the query in the URL: ?query='
_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Headers of every response, unless it sets its own."""


@dataclass(frozen=True)
class Http:
    """What a deployment sets: the origins whose pages may call it, whether it shows GraphiQL and its schema, its
    trusted documents, and for how many seconds a snapshot may be used.
    """

    origins: Sequence[str]
    graphiql: bool
    introspection: bool
    trusted: TrustedDocuments
    ttl: float


class Application:
    """Answers HTTP requests. `begin` makes a request's context from its ASGI scope, with its caller, deadline and id.

    The context ends when the request is answered and logged, and drops what it read.
    """

    def __init__(self, schema: Schema, http: Http, begin: Callable[[Scope], RequestContext]) -> None:
        self._schema = schema
        self._http = http
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request = await Request.received(scope, receive)
        with self._begin(scope) as context:
            response = await self._response(request, context)
            if context.operation or response.codes:
                seconds = time.perf_counter() - started
                audit.record(context, response.status, response.codes, len(response.content), seconds)
        response.headers["x-request-id"] = context.request_id
        cors.allow(request, response, self._http.origins)
        response.headers = {**_SAFE, **response.headers}
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        content = b"" if request.method == "HEAD" else response.content
        await send({"type": "http.response.body", "body": content})

    async def _response(self, request: Request, context: RequestContext) -> Response:
        media_type = negotiation.media_type(request.headers.get("accept")) or JSON
        try:
            return await self._routed(request, context)
        except RefusedError as error:
            return _json(error.status, errors(error.code, str(error)), media_type, error.headers)
        except Exception:
            logger.exception("unforeseen error outside the schema")
            said = errors(ErrorCode.INTERNAL_SERVER_ERROR, "Something went wrong inside slurmql.")
            return _json(500, said, media_type)

    async def _routed(self, request: Request, context: RequestContext) -> Response:
        if request.method == "OPTIONS":
            return cors.preflight()
        if request.method not in ("GET", "HEAD", "POST"):
            raise RefusedError(405, "Send the request by POST or GET.", headers=_ALLOWED)
        if request.headers.get("upgrade", "").lower() == "websocket":
            raise RefusedError(400, NO_SUBSCRIPTIONS)
        if request.path.endswith("/schema.graphql"):
            return self._sdl(request)
        _, folder, name = request.path.partition(graphiql.FOLDER)
        if folder and self._http.graphiql and request.method != "POST":
            return graphiql.file(name, packed=request.takes_gzip)
        if folder or not (request.path in ("", "/") or request.path.endswith(("/graphql", "/graphiql"))):
            raise RefusedError(404, "There is nothing here. The API is at /graphql.")
        if request.method != "POST" and not operation.asks(request):
            return self._page(request)
        if request.path.endswith("/graphiql"):  # only for the page: the gateway lets everyone read this path
            raise RefusedError(404, "This is GraphiQL's page. The API is at /graphql.")
        return await self._answer(request, context)

    def _page(self, request: Request) -> Response:
        if not negotiation.takes_html(request.headers.get("accept")):
            raise RefusedError(400, f"There is no query in this GET. {_QUERY}. {NO_SUBSCRIPTIONS}")
        if not self._http.graphiql:
            raise RefusedError(404, "GraphiQL is switched off here. Send queries by POST.")
        return graphiql.page()

    def _sdl(self, request: Request) -> Response:
        if request.method == "POST":
            raise RefusedError(
                405, "The schema is read by GET. The API is at /graphql.", headers={"allow": "GET, HEAD"}
            )
        if not self._http.introspection:
            said = "This deployment does not show its schema: introspection is switched off."
            raise RefusedError(403, said, ErrorCode.FORBIDDEN)
        headers = {"content-type": "text/plain; charset=utf-8", "vary": "Accept-Encoding"}
        response = Response(200, self._schema.as_str().encode() + b"\n", headers)
        if request.takes_gzip:
            response.compress()
        return response

    async def _answer(self, request: Request, context: RequestContext) -> Response:
        media_type = negotiation.media_type(request.headers.get("accept"))
        if media_type is None:
            said = f"The response can be {JSON} or {GRAPHQL_JSON} (header Accept). {NO_SUBSCRIPTIONS}"
            raise RefusedError(406, said)
        asked = operation.read(request)
        trusted, headers = False, {"vary": "Accept, Accept-Encoding, Authorization"}
        try:
            document = await self._http.trusted.document(asked)
            trusted = document.trusted
            answer = _formatted(await self._execute(document.text, asked, request.method, context))
            if "data" in answer and context.identity:  # it was parsed and validated, for someone who is signed in
                await self._http.trusted.register(document)
        except OperationError as error:
            answer = errors(error.code, str(error), error.reason)
        status = 400 if media_type == GRAPHQL_JSON and "data" not in answer else 200
        response = _json(status, answer, media_type, headers)
        if trusted and request.method != "POST" and "errors" not in answer:
            self._let_keep(request, response, context)
        if request.takes_gzip:
            response.compress()
        if too_large(response):
            advice = "Ask for fewer rows (first) or fewer fields"
            advice += "." if "content-encoding" in response.headers else ", or accept gzip (header Accept-Encoding)."
            said = f"The response is larger than the 6 MB that Lambda allows. {advice}"
            return _json(200, {"data": None, **errors(ErrorCode.RESPONSE_TOO_LARGE, said)}, media_type, headers)
        return response

    async def _execute(
        self, document: str, asked: operation.Operation, method: str, context: RequestContext
    ) -> ExecutionResult:
        try:
            return await self._schema.execute(
                document,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.name,
                allowed_operation_types=_CHANGE if method == "POST" else _READ,
            )
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise OperationError(NO_SUBSCRIPTIONS, ErrorCode.GRAPHQL_VALIDATION_FAILED) from error
            raise RefusedError(
                405, "GET requests are read-only; send mutations by POST.", headers={"allow": "POST"}
            ) from error
        except CannotGetOperationTypeError as error:
            raise OperationError(error.as_http_error_reason(), ErrorCode.OPERATION_RESOLUTION_FAILURE) from error

    def _let_keep(self, request: Request, response: Response, context: RequestContext) -> None:
        """Let the client keep the response while its snapshots may be used; then it can revalidate it by its ETag."""
        tag = f'W/"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
        age = (datetime.now(UTC) - context.as_of).total_seconds() if context.as_of else self._http.ttl
        response.headers |= {"etag": tag, "cache-control": f"private, max-age={max(0, int(self._http.ttl - age))}"}
        known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
        if {tag, "*"} & known:
            response.status, response.content = 304, b""
            del response.headers["content-type"]


def _formatted(result: ExecutionResult) -> dict[str, Any]:
    """The response in the specification's form: without `data`, not even null, if the document could not be run."""
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
