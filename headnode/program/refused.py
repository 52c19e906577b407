"""Why something is not done."""

from typing import Any, Dict


class Refused(Exception):  # noqa: N818 - most of them are no errors of the program
    """The operation is not run; the message says why.

    Codes: invalid, forbidden, conflict, timed_out, unavailable, throttled, and unknown: it may have been done.
    """

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code

    def reply(self) -> "Dict[str, Any]":
        return {"refusal": str(self), "code": self.code}
