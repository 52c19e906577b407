"""What can go wrong between the Lambda and the head node. Each class names the code that clients see."""

from headnode.error_codes import ErrorCode


class HeadNodeError(Exception):
    """The head node could not be asked; `str()` is a sentence that a user can act on."""

    code = ErrorCode.CLUSTER_UNREACHABLE


class ClusterUnreachableError(HeadNodeError):
    """No head node, no agent, or no permission."""


class UnknownInstanceError(ClusterUnreachableError):
    """SSM does not manage the instance, or it is stopped: nothing was sent."""


class DeadlineError(HeadNodeError):
    """The head node did not answer within the request's time; nothing was changed."""

    code = ErrorCode.TIMEOUT


class OutcomeUnknownError(HeadNodeError):
    """A change was sent, and no answer came: it may or may not have been made."""

    code = ErrorCode.OUTCOME_UNKNOWN


class ThrottledError(HeadNodeError):
    """AWS refuses more requests at the moment."""

    code = ErrorCode.THROTTLED


class ResponseTooLargeError(HeadNodeError):
    """The head node's answer did not fit and could not go through S3."""

    code = ErrorCode.RESPONSE_TOO_LARGE
