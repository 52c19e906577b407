"""Requests that are refused before the schema runs."""

from collections.abc import Mapping
from typing import Any, Final

from headnode.error_codes import ErrorCode

NO_SUBSCRIPTIONS: Final = (
    "There are no subscriptions and no WebSockets here. Poll: send the query again after `suggestedPollSeconds`, "
    "a field of Query."
)


class RefusedError(Exception):
    """The HTTP request is refused, with a status, a code for programs and a message for people."""

    def __init__(
        self,
        status: int,
        message: str,
        code: ErrorCode = ErrorCode.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class OperationError(Exception):
    """The operation cannot be run: a request error, in GraphQL's terms. `reason` is for people.

    It goes into `extensions.reason` if clients compare the message itself, as those that persist queries do.
    """

    def __init__(self, message: str, code: ErrorCode, reason: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


def errors(code: ErrorCode, message: str, reason: str | None = None) -> dict[str, Any]:
    """A GraphQL response with one error and nothing else."""
    extensions = {"code": code.name, **({"reason": reason} if reason else {})}
    return {"errors": [{"message": message, "extensions": extensions}]}
