"""A GraphQL request by POST or GET (GraphQL over HTTP, "Request")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from transport.refusal import RefusedError
from transport.request import Request

BODY_LIMIT: Final = 6 * 1024 * 1024
"""The most bytes of a body that Lambda accepts."""
_MOST_PARAMETERS: Final = 50
_EXAMPLE = 'Send a JSON object, such as {"query": "{ jobs { totalCount } }"}.'
_IN_THE_URL = (
    "There is no query in the URL. A GET needs one, such as ?query=%7Bjobs%7BtotalCount%7D%7D. Or send a JSON object "
    "by POST."
)
_MEMBERS: Final[Mapping[str, tuple[type, str]]] = {
    "query": (str, "a string"),
    "documentId": (str, "a string"),
    "operationName": (str, "a string"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}


@dataclass(frozen=True)
class Operation:
    """What to run: a document or the id of one, the name of its operation, and the variables."""

    query: str | None
    document_id: str | None
    name: str | None
    variables: dict[str, Any] | None


def read(request: Request) -> Operation:
    """The operation in the request. Raises RefusedError."""
    if request.method == "POST":
        return _operation(_posted(request), _EXAMPLE)
    return _operation(_parameters(request.query), _IN_THE_URL)


def asks(request: Request) -> bool:
    """Whether a GET carries an operation."""
    names = {name for name, _ in parse_qsl(request.query, keep_blank_values=True)}
    return bool(names & _MEMBERS.keys())


def _posted(request: Request) -> Any:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json":
        # A form on another site can post text/plain with the user's cookies; JSON needs permission by CORS.
        raise RefusedError(
            415, "Send application/json (header Content-Type).", headers={"accept-post": "application/json"}
        )
    charset = parameters.partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8"):
        raise RefusedError(415, "Send JSON in UTF-8.")
    if len(request.body) > BODY_LIMIT:
        raise RefusedError(413, f"A request may have at most {BODY_LIMIT:,} bytes; this one has {len(request.body):,}.")
    return _decoded(request.body, _EXAMPLE)


def _parameters(query: str) -> dict[str, Any]:
    try:
        given = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise RefusedError(400, f"The URL's parameters must be UTF-8, and at most {_MOST_PARAMETERS}.") from error
    parameters: dict[str, Any] = {name: value for name, value in given if value}
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _decoded(parameters[name].encode(), f"`{name}` in the URL must be a JSON object.")
    return parameters


def _decoded(content: bytes, otherwise: str) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested too deeply
        raise RefusedError(400, otherwise) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _operation(given: Any, without_query: str) -> Operation:
    if isinstance(given, list):
        raise RefusedError(400, "Send one request at a time. One document can ask for many things.")
    if not isinstance(given, dict):
        raise RefusedError(400, _EXAMPLE)
    for name, (kind, description) in _MEMBERS.items():
        if not isinstance(given.get(name), kind | None):
            raise RefusedError(400, f"`{name}` must be {description} or null.")
    query, document_id = given.get("query"), given.get("documentId") or _persisted(given.get("extensions") or {})
    if not query and not document_id:
        raise RefusedError(400, without_query)
    return Operation(query or None, document_id, given.get("operationName") or None, given.get("variables"))


def _persisted(extensions: Mapping[str, Any]) -> str | None:
    """The document's id as Apollo's clients send it. Raises RefusedError, in the words of Apollo's own server."""
    persisted = extensions.get("persistedQuery")
    if not isinstance(persisted, dict):
        return None
    if persisted.get("version", 1) != 1:
        raise RefusedError(400, "Unsupported persisted query version")
    digest = persisted.get("sha256Hash")
    return digest if isinstance(digest, str) else None
