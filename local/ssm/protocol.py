"""AWS's JSON 1.1 protocol: the errors and times in its answers.

Source: the SSM service model (2014-11-06) and the AWS JSON 1.1 protocol page of Smithy.
"""

import re
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
"""A JSON object of a request or an answer."""

# Errors whose shape in the service model has a member called Message; in all others it is "message".
_CAPITAL_MESSAGE = frozenset({
    "DocumentAlreadyExists",
    "InternalServerError",
    "InvalidDocument",
    "InvalidDocumentContent",
    "InvalidDocumentSchemaVersion",
    "InvalidDocumentVersion",
    "InvalidInstanceId",
    "InvalidParameters",
    "MaxDocumentSizeExceeded",
})  # fmt: skip

INSTANCE_ID = re.compile(r"(^i-(\w{8}|\w{17})\Z)|(^mi-\w{17}\Z)")
_INSTANCE_ID_AS_AWS_PRINTS_IT = r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)"


class ApiError(Exception):
    """An error of the API: `kind` is its `__type`, `status` the HTTP status."""

    def __init__(self, kind: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.status = status

    def body(self) -> Json:
        """Return the JSON object of the answer."""
        member = "Message" if self.kind in _CAPITAL_MESSAGE else "message"
        return {"__type": self.kind, member: self.message}


def violation(value: object, member: str, constraint: str) -> ApiError:
    """Return the ValidationException for one member of a request, in AWS's words."""
    return ApiError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' "
        f"failed to satisfy constraint: Member must {constraint}",
    )


def check_instance_id(value: object, member: str) -> str:
    """Return the instance id, or raise ValidationException if it does not look like one."""
    if not isinstance(value, str) or not INSTANCE_ID.match(value):
        raise violation(value, member, f"satisfy regular expression pattern: {_INSTANCE_ID_AS_AWS_PRINTS_IT}")
    return value


def check_command_id(value: object) -> str:
    """Return the command id, or raise ValidationException if it is not 36 characters long."""
    if not isinstance(value, str) or len(value) < 36:
        raise violation(value, "commandId", "have length greater than or equal to 36")
    if len(value) > 36:
        raise violation(value, "commandId", "have length less than or equal to 36")
    return value


def check_between(request: Json, name: str, low: int, high: int, default: int) -> int:
    """Return the integer member `name`, or raise ValidationException if it is not in low..high."""
    value = request.get(name, default)
    member = name[0].lower() + name[1:]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ApiError("SerializationException", f"{name} is not an integer")
    if value < low:
        raise violation(value, member, f"have value greater than or equal to {low}")
    if value > high:
        raise violation(value, member, f"have value less than or equal to {high}")
    return value


def iso_milliseconds(moment: float) -> str:
    """Return a time (seconds since 1970) as GetCommandInvocation writes it: 2026-01-02T03:04:05.678Z."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def elapsed(seconds: float) -> str:
    """Return a duration in seconds as GetCommandInvocation writes it: PT0.003S."""
    return f"PT{round(max(seconds, 0.0), 3):g}S"
