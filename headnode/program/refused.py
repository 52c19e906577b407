"""Why the program refuses an operation."""

from typing import Any, Dict


class Refused(Exception):  # noqa: N818 - most are not errors of the program
    """The operation is refused; the message says why.

    Codes: invalid, forbidden, conflict, forgotten, timed_out, unavailable, throttled; with unknown, the operation may
    have had its effect.
    """

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code

    def reply(self) -> "Dict[str, Any]":
        return {"refusal": str(self), "code": self.code}
