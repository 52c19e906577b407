"""Requests that are refused before the schema runs."""

from collections.abc import Mapping
from typing import Any

from headnode.error_codes import ErrorCode


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
    """The operation cannot be run: a request error, in GraphQL's terms."""

    def __init__(self, message: str, code: ErrorCode) -> None:
        super().__init__(message)
        self.code = code


def errors(code: ErrorCode, message: str) -> dict[str, Any]:
    """A GraphQL response with one error and nothing else."""
    return {"errors": [{"message": message, "extensions": {"code": code.name}}]}
