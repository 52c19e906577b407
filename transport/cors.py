"""Pages of other origins may call the API only if the deployment lists them (Fetch standard, "CORS protocol")."""

from collections.abc import Sequence

from transport.request import Request
from transport.response import Response

_METHODS = "GET, POST, OPTIONS"
# The last three belong to a SigV4 signature.
_HEADERS = "authorization, content-type, if-none-match, x-amz-date, x-amz-security-token, x-amz-content-sha256"
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
