"""An HTTP request, read from ASGI."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Self

from transport import negotiation

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A request: `headers` by lower-case name, `query` as it is in the URL, the whole body.

    `takes_bytes` is false if it came through a REST API, which returns only text unless it is configured otherwise (API
    Gateway, "Binary media types for REST APIs"), and which can compress by itself. Only its events have no `version`.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    takes_bytes: bool

    @classmethod
    async def received(cls, scope: Scope, receive: Receive) -> Self:
        """The request in an ASGI scope."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return cls(
            method=scope["method"].upper(),
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            takes_bytes="version" in scope.get("aws.event", {"version": None}),
        )

    @property
    def takes_gzip(self) -> bool:
        """Whether the response may be compressed."""
        return self.takes_bytes and negotiation.takes_gzip(self.headers.get("accept-encoding"))
