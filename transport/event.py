"""Events that are no HTTP request: a warmer's, the console's test event, a record of SQS, SNS or EventBridge."""

import logging
from typing import Any

from headnode.error_codes import ErrorCode
from transport.negotiation import JSON
from transport.refusal import NO_SUBSCRIPTIONS, errors
from transport.response import encoded

logger = logging.getLogger("slurmql")

_MOST = 10
_MESSAGE = "This event is no HTTP request of API Gateway. Nothing was done with it."


def answer_to_other_event(event: Any) -> dict[str, Any]:
    """The answer, in the form that API Gateway expects: one of its WebSocket APIs may have sent the event."""
    names = sorted(str(name)[:60] for name in event)[:_MOST] if isinstance(event, dict) else type(event).__name__
    logger.info("an event that is no HTTP request", extra={"event": names})
    context = event.get("requestContext") if isinstance(event, dict) else None
    is_web_socket = isinstance(context, dict) and "connectionId" in context
    said = f"{_MESSAGE} {NO_SUBSCRIPTIONS}" if is_web_socket else _MESSAGE
    return {
        "statusCode": 400,
        "headers": {"content-type": f"{JSON}; charset=utf-8"},
        "body": encoded(errors(ErrorCode.BAD_REQUEST, said)).decode(),
        "isBase64Encoded": False,
    }
