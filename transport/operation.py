"""A GraphQL request, as POST or GET carry it (GraphQL over HTTP, "Request")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from transport.refusal import RefusedError
from transport.request import Request

BODY_LIMIT: Final = 6 * 1024 * 1024
"""Bytes of a body; Lambda takes no more."""
_EXAMPLE = 'Send a JSON object, such as {"query": "{ jobs { totalCount } }"}.'
_MEMBERS: Final[Mapping[str, tuple[type, str]]] = {
    "query": (str, "a string"),
    "documentId": (str, "a string"),
    "operationName": (str, "a string"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}


@dataclass(frozen=True)
class Operation:
    """What is asked: a document or the id of one, which of its operations, and with which variables."""

    query: str | None
    document_id: str | None
    name: str | None
    variables: dict[str, Any] | None


def read(request: Request) -> Operation:
    """The operation that the request asks for. Raises RefusedError."""
    if request.method == "POST":
        return _operation(_posted(request))
    return _operation(_parameters(request.query))


def asks(request: Request) -> bool:
    """Whether a GET asks for anything."""
    names = {name for name, _ in parse_qsl(request.query, keep_blank_values=True)}
    return bool(names & _MEMBERS.keys())


def _posted(request: Request) -> Any:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json":
        # A form of another site could post text/plain with the user's cookies; JSON needs CORS's leave.
        raise RefusedError(
            415, "Send application/json (header Content-Type).", headers={"accept-post": "application/json"}
        )
    charset = parameters.partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8"):
        raise RefusedError(415, "Send JSON in UTF-8.")
    if len(request.body) > BODY_LIMIT:
        raise RefusedError(413, f"A request may have {BODY_LIMIT:,} bytes; this one has {len(request.body):,}.")
    return _decoded(request.body)


def _parameters(query: str) -> dict[str, Any]:
    try:
        given = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise RefusedError(400, "The URL's parameters must be UTF-8, and few.") from error
    parameters: dict[str, Any] = {name: value for name, value in given if value}
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _decoded(parameters[name].encode())
    return parameters


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or nested too deeply
        raise RefusedError(400, _EXAMPLE) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _operation(given: Any) -> Operation:
    if isinstance(given, list):
        raise RefusedError(400, "Send one request at a time; a document can ask for many things at once.")
    if not isinstance(given, dict):
        raise RefusedError(400, _EXAMPLE)
    for name, (kind, description) in _MEMBERS.items():
        if not isinstance(given.get(name), kind | None):
            raise RefusedError(400, f"`{name}` must be {description} or null.")
    query, document_id = given.get("query"), given.get("documentId") or _persisted(given.get("extensions") or {})
    if not query and not document_id:
        raise RefusedError(400, _EXAMPLE)
    return Operation(query or None, document_id, given.get("operationName") or None, given.get("variables"))


def _persisted(extensions: Mapping[str, Any]) -> str | None:
    """The document's id as Apollo's clients send it."""
    persisted = extensions.get("persistedQuery")
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    return digest if isinstance(digest, str) else None
