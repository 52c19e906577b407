"""Pages of other origins may call the API only if the deployment lists them (Fetch standard, "CORS protocol")."""

from collections.abc import Sequence

from transport.request import Request
from transport.response import Response

_METHODS = "GET, POST, OPTIONS"
_HEADERS = ", ".join(
    (
        *("authorization", "content-type", "if-none-match"),
        *("x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),  # of a SigV4 signature
        # What Apollo's clients, urql, Relay and others send besides: a browser asks whether it may.
        *("apollo-require-preflight", "graphql-require-preflight", "x-requested-with"),
        *("x-apollo-operation-name", "x-apollo-operation-id", "x-apollo-operation-type"),
        *("apollographql-client-name", "apollographql-client-version"),
        *("graphql-client-name", "graphql-client-version"),
        *("x-graphql-client-name", "x-graphql-client-version"),
        *("traceparent", "tracestate", "baggage"),  # W3C Trace Context and Baggage
    )
)
_EXPOSED = "etag, x-request-id"
_SECONDS = "7200"


def preflight() -> Response:
    """The response to OPTIONS; `allow` adds what the origin may do."""
    return Response(204, headers={"allow": "GET, HEAD, POST, OPTIONS"})


def allow(request: Request, response: Response, origins: Sequence[str]) -> None:
    """Add the headers that let the requesting page read the response, if its origin is allowed."""
    if not origins:
        return
    response.headers["vary"] = ", ".join(filter(None, (response.headers.get("vary"), "Origin")))
    origin = request.headers.get("origin")
    if origin is None or not {origin, "*"} & set(origins):
        return
    response.headers["access-control-allow-origin"] = origin
    if request.method == "OPTIONS":
        response.headers["access-control-allow-methods"] = _METHODS
        response.headers["access-control-allow-headers"] = _HEADERS
        response.headers["access-control-max-age"] = _SECONDS
    else:
        response.headers["access-control-expose-headers"] = _EXPOSED
