"""Every error code that a client can meet, in `extensions.code` or in a health check, and what to do about it.

`make schema` writes the table in docs/errors.md from it; links are relative to that page.
"""

from enum import Enum


class ErrorCode(Enum):
    """A kind of error: what it means, and what the caller can do."""

    def __init__(self, means: str, advice: str) -> None:
        self.means = means
        self.advice = advice

    UNAUTHENTICATED = (
        "The gateway vouches for nobody.",
        "Sign in.",
    )
    FORBIDDEN = (
        "Your role or account does not allow this, or you have no access to the cluster ([who "
        "may](security.md#who-may-do-what)); or only the job's own user and operators may see it; or your account "
        "on the cluster may not read the file.",
        "Ask somebody who may.",
    )
    BAD_USER_INPUT = (
        "An argument is wrong, and `extensions.argument` names it; or the document exceeds a "
        "[limit](reading.md#limits), and `extensions.requested` and `limit` have the numbers.",
        "Correct it; nothing was sent.",
    )
    COST_EXCEEDED = (
        "The answer has more objects or values than the [limit](reading.md#limits) allows. Only making it shows that, "
        "and nothing of it is shown. In a mutation, the field that `path` begins with and those before it were "
        "executed, those after it were not.",
        "Ask for smaller pages (`first`), or for fewer lists within lists.",
    )
    NOT_FOUND = (
        "There is no such cluster, and the message names those that exist; or the scheduler has forgotten the "
        "job's script.",
        "Correct the name.",
    )
    CLUSTER_UNREACHABLE = (
        "No head node, no SSM agent, no permission, no Python on the head node, clocks that differ, or the head node's "
        "program failed (the API's log has the traceback) or was killed; the message says which. Nothing was changed.",
        "Ask the administrator.",
    )
    SCHEDULER_UNAVAILABLE = (
        "slurmctld does not answer, or slurmdbd for what accounting knows; `extensions.scheduler` has Slurm's own "
        "words.",
        "Try again.",
    )
    ACCOUNTING_UNAVAILABLE = (
        "slurmdbd does not answer; only `health` has this code.",
        "Try again.",
    )
    ACCOUNTING_DISABLED = (
        "The cluster keeps no accounts; the message says what to switch on.",
        "Ask the administrator.",
    )
    JOB_NOT_REMEMBERED = (
        "The scheduler does not know the job, and the cluster keeps no accounts: the job may have ended, or never "
        "existed.",
        "Check the id. To know of past jobs, switch accounting on.",
    )
    FAIR_SHARE_DISABLED = (
        "The cluster does not rank its jobs by shares; the message says what to switch on.",
        "Ask the administrator.",
    )
    READER_NOT_PERMITTED = (
        "slurm.conf's `PrivateData` hides this from the account that reads for this API; the message names the words "
        "of `PrivateData` and the account.",
        "Ask the administrator to set the stack's parameter [Reader](deploy.md#2-the-stack).",
    )
    UNREADABLE_OUTPUT = (
        "Slurm printed something that this release of the API cannot read. If the error has no path, all other records "
        "are in the answer: `extensions` has the `dataset`, how many `recordsLeftOut`, the `fields` that are null, and "
        "Slurm's own text in `scheduler`.",
        "Report it with `extensions.scheduler`.",
    )
    UNTRUSTED_OUTPUT = (
        "A record of sacct or sinfo did not have exactly its fields, twice in a row for a query: somebody may have "
        "[written the separator into a text](security.md#what-somebody-could-do). Nothing of that output is answered.",
        "Try again; if the error stays, ask the administrator.",
    )
    PRIORITY_FACTORS_DISABLED = (
        "The cluster ranks jobs only by the order in which they came; the message says what to switch on.",
        "Ask the administrator.",
    )
    FILE_UNREADABLE = (
        "The cluster's file system does not return the file; the message has its words.",
        "Try again, or ask the administrator.",
    )
    TIMEOUT = (
        "No answer within the request's time, and the read was cancelled; or the time did not suffice to make the "
        "answer; or too little time was left to send the change. Nothing was changed.",
        "Try again.",
    )
    OUTCOME_UNKNOWN = (
        "A change was sent, and no answer came or none that can be read: it may have been made. "
        "`extensions.idempotencyKey` has a submission's key.",
        "Retry a submission with that key; look before you repeat anything else.",
    )
    THROTTLED = (
        "AWS or slurmctld (`rl_enable`) accepts no more requests at the moment.",
        "Try again later.",
    )
    RESPONSE_TOO_LARGE = (
        "An answer needs a bucket that is not configured or cannot be reached; or one request asks for more than 2 "
        "MiB of output; or the answer exceeds the 6 MB that Lambda passes on.",
        "Ask for less, accept gzip, or ask the administrator.",
    )
    GRAPHQL_PARSE_FAILED = (
        "The document is not GraphQL.",
        "Correct it.",
    )
    GRAPHQL_VALIDATION_FAILED = (
        "The document or its variables do not fit this schema.",
        "Correct it.",
    )
    OPERATION_RESOLUTION_FAILURE = (
        "The document has several operations, and the request names none of them.",
        "Give `operationName`.",
    )
    PERSISTED_QUERY_NOT_FOUND = (
        "The document is not [trusted](http.md#trusted-documents) or not [registered](http.md#registered-documents) "
        "here; `extensions.reason` says which.",
        "Send the document itself, with its SHA-256 if it is to be registered, or have it listed.",
    )
    PERSISTED_QUERY_NOT_SUPPORTED = (
        "This API keeps no documents.",
        "Send the document itself.",
    )
    BAD_REQUEST = (
        "The HTTP request is not a GraphQL request (status 4xx).",
        "Send JSON with a `query`.",
    )
    INTERNAL_SERVER_ERROR = (
        "A defect of slurmql; its log has the details under `x-request-id`.",
        "Report it.",
    )
