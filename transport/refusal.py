"""What is refused before the schema is asked."""

from collections.abc import Mapping
from typing import Any

from headnode.error_codes import ErrorCode


class RefusedError(Exception):
    """The request is refused: a status, a code for programs, a sentence for people."""

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
    """The request is GraphQL, but asks for what cannot be run: an error of the request, in GraphQL's terms."""

    def __init__(self, message: str, code: ErrorCode) -> None:
        super().__init__(message)
        self.code = code


def errors(code: ErrorCode, message: str) -> dict[str, Any]:
    """A GraphQL answer that has nothing but an error."""
    return {"errors": [{"message": message, "extensions": {"code": code.name}}]}
