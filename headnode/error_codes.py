"""Every error code that a client can meet, in `extensions.code` or in a health check, and what to do about it.

`make schema` writes the table in docs/errors.md from it.
"""

from enum import Enum


class ErrorCode(Enum):
    """A kind of error: what it means, and what the caller can do."""

    def __init__(self, means: str, advice: str) -> None:
        self.means = means
        self.advice = advice

    UNAUTHENTICATED = ("The gateway vouches for nobody.", "Sign in.")
    FORBIDDEN = (
        "Your role, or your account on the cluster, may not do this; or you have no access to the cluster; or only "
        "the job's own user and operators may see it; or your account may not read the file.",
        "Ask as somebody who may.",
    )
    BAD_USER_INPUT = (
        "An argument is wrong, and `extensions.argument` names it; or the document passes a limit, and "
        "`extensions.requested` and `extensions.limit` have the figures.",
        "Correct it; nothing was sent.",
    )
    NOT_FOUND = (
        "There is no such cluster, and the message names those there are; or the scheduler has forgotten the job's "
        "script.",
        "Check the name.",
    )
    CLUSTER_UNREACHABLE = (
        "There is no head node, no SSM agent or no permission, or the head node's program failed; the message says "
        "which, and the API's log has the program's own words.",
        "Ask the administrator.",
    )
    SCHEDULER_UNAVAILABLE = (
        "slurmctld does not answer, or slurmdbd where accounting is asked; `extensions.scheduler` has Slurm's own "
        "words.",
        "Try again.",
    )
    ACCOUNTING_UNAVAILABLE = (
        "In `Health.accounting`: slurmdbd does not answer, though the scheduler does.",
        "Try again; jobs, queues and nodes can still be read.",
    )
    ACCOUNTING_DISABLED = (
        "The cluster keeps no accounts; the message says what to switch on.",
        "Ask the administrator.",
    )
    FAIR_SHARE_DISABLED = (
        "The cluster does not rank its jobs by shares; the message says what to switch on.",
        "Ask the administrator.",
    )
    PRIORITY_FACTORS_DISABLED = (
        "The cluster ranks its jobs by their order alone; the message says what to switch on.",
        "Ask the administrator.",
    )
    FILE_UNREADABLE = (
        "The cluster's file system does not give the file; the message has its words.",
        "Try again, or ask the administrator.",
    )
    TIMEOUT = ("No answer came within the request's time. A read was cancelled; nothing was changed.", "Try again.")
    OUTCOME_UNKNOWN = (
        "A change was sent and no answer came: it may have been made.",
        "Look, or retry with the same idempotency key.",
    )
    THROTTLED = ("AWS takes no more requests at the moment.", "Try again later.")
    RESPONSE_TOO_LARGE = (
        "The answer needs a bucket that is not configured or cannot be reached; or the request asks for more than "
        "2 MiB of output; or the answer is over the 6 MB that Lambda passes on.",
        "Ask for less, accept gzip, or ask the administrator.",
    )
    GRAPHQL_PARSE_FAILED = ("The document is not GraphQL.", "Correct it.")
    GRAPHQL_VALIDATION_FAILED = ("The document does not fit this schema.", "Correct it.")
    OPERATION_RESOLUTION_FAILURE = (
        "The document has several operations and none is named, or not the named one.",
        "Give `operationName`.",
    )
    PERSISTED_QUERY_NOT_FOUND = (
        "The document is not one of those that this API trusts.",
        "Send the document, or have it listed.",
    )
    PERSISTED_QUERY_NOT_SUPPORTED = ("This API keeps no trusted documents.", "Send the document.")
    BAD_REQUEST = ("The HTTP request is not a GraphQL request; its status is 4xx.", "Send JSON with a `query`.")
    INTERNAL_SERVER_ERROR = (
        "A defect of slurmql; its log has the details under the response's `x-request-id`.",
        "Report it.",
    )
