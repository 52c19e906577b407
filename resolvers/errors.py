"""The errors of a request: each has a sentence that a user can act on, and a code for programs (`extensions.code`)."""

from collections.abc import Mapping
from typing import Any

from headnode.error_codes import ErrorCode as ErrorCode  # for schema/, which may not import headnode/
from headnode.errors import HeadNodeError
from headnode.snapshots import Fault
from slurm.command import (
    AccountingDisabledError,
    PermissionDeniedError,
    ProgramRefusedError,
    SchedulerBusyError,
    SlurmError,
)
from slurm.errors import ParseError, SeparatorError
from slurm.fair_share import FairShareDisabledError
from slurm.private_data import HiddenError
from slurm.sstat import NotPermittedError

LONGEST_TEXT = 2000
"""Characters of Slurm's own text in an error."""


class RequestError(Exception):
    """An error whose message is meant for the caller; any other exception is masked."""

    code = ErrorCode.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.extensions = {"code": self.code.name, **extensions}


class UnauthenticatedError(RequestError):
    """No authorizer vouches for the caller."""

    code = ErrorCode.UNAUTHENTICATED


class ForbiddenError(RequestError):
    """The caller may not do this."""

    code = ErrorCode.FORBIDDEN


class BadInputError(RequestError):
    """An argument is wrong; nothing was sent."""

    code = ErrorCode.BAD_USER_INPUT


class NotFoundError(RequestError):
    """What the caller names does not exist."""

    code = ErrorCode.NOT_FOUND


class TooLargeError(RequestError):
    """The request asks for more than one answer can hold."""

    code = ErrorCode.RESPONSE_TOO_LARGE


class FileUnreadableError(RequestError):
    """A file system of the cluster does not return a file."""

    code = ErrorCode.FILE_UNREADABLE


class PriorityFactorsDisabledError(RequestError):
    """The cluster does not rank its jobs by factors."""

    code = ErrorCode.PRIORITY_FACTORS_DISABLED


class NotRememberedError(RequestError):
    """The scheduler does not know the job, and nobody else could: it may have forgotten it."""

    code = ErrorCode.JOB_NOT_REMEMBERED

    def __init__(self, cluster: str, id: str) -> None:
        super().__init__(
            f"The scheduler of {cluster} does not know job {id}. It forgets a job minutes after its end (MinJobAge), "
            f"and {cluster} keeps no accounts: the job may have ended, or there never was one of that id. To know of "
            "past jobs, switch accounting on.",
            cluster=cluster,
            jobId=id,
        )


class UnreadableError(RequestError):
    """Slurm printed something that this release of the API cannot read."""

    code = ErrorCode.UNREADABLE_OUTPUT


class UnavailableError(RequestError):
    """Something could not be read; the code says whether the cluster or its scheduler is the reason."""

    def __init__(self, code: ErrorCode, message: str, **extensions: Any) -> None:
        super().__init__(message, **extensions)
        self.extensions["code"] = code.name


_CODES: Mapping[type[Exception], ErrorCode] = {
    ProgramRefusedError: ErrorCode.CLUSTER_UNREACHABLE,
    SchedulerBusyError: ErrorCode.THROTTLED,
    AccountingDisabledError: ErrorCode.ACCOUNTING_DISABLED,
    FairShareDisabledError: ErrorCode.FAIR_SHARE_DISABLED,
    NotPermittedError: ErrorCode.FORBIDDEN,
    HiddenError: ErrorCode.READER_NOT_PERMITTED,
    PermissionDeniedError: ErrorCode.READER_NOT_PERMITTED,
    SlurmError: ErrorCode.SCHEDULER_UNAVAILABLE,
    SeparatorError: ErrorCode.UNTRUSTED_OUTPUT,
}
"""The codes of faults by their classes; the first class that fits counts."""


def code_of(fault: Fault) -> ErrorCode:
    """The code of a fault."""
    if isinstance(fault, HeadNodeError):
        return fault.code
    return next((code for kind, code in _CODES.items() if isinstance(fault, kind)), ErrorCode.UNREADABLE_OUTPUT)


def unavailable(cluster: str, fault: Fault) -> RequestError:
    """The error for a fault, with the scheduler's own words if it said any."""
    match code_of(fault):
        case ErrorCode.FORBIDDEN:
            return ForbiddenError(f"{cluster}: {fault}.", cluster=cluster)
        case ErrorCode.ACCOUNTING_DISABLED | ErrorCode.FAIR_SHARE_DISABLED as code:
            return UnavailableError(code, f"{cluster}: {fault}", cluster=cluster)
        case ErrorCode.READER_NOT_PERMITTED as code if isinstance(fault, HiddenError):
            return UnavailableError(code, f"{cluster}: {fault}", cluster=cluster)
        case ErrorCode.READER_NOT_PERMITTED as code:
            message = (
                f"{cluster}: Slurm does not show this to the account that reads for this API ({fault}). Set the "
                "stack's parameter Reader to SlurmUser, or change PrivateData in slurm.conf."
            )
            return UnavailableError(code, message, cluster=cluster, scheduler=str(fault))
        case ErrorCode.SCHEDULER_UNAVAILABLE as code:
            message = f"The scheduler of {cluster} does not answer: {fault}"
            return UnavailableError(code, message, cluster=cluster, scheduler=str(fault))
        case ErrorCode.UNTRUSTED_OUTPUT as code:
            message = (
                f"What Slurm on {cluster} printed may be forged: a record does not have exactly its fields. Try again; "
                "if the error stays, ask the administrator."
            )
            return UnavailableError(code, message, cluster=cluster)
        case _ if isinstance(fault, ParseError):
            message = f"Slurm on {cluster} printed something that this release of the API cannot read: {fault}."
            return UnreadableError(message, cluster=cluster, scheduler=shown(fault.text))
        case code if isinstance(fault, ProgramRefusedError):
            return UnavailableError(code, f"The head node of {cluster} refused: {fault}.", cluster=cluster)
        case code:
            return UnavailableError(code, str(fault), cluster=cluster)


def shown(text: str) -> str:
    """Slurm's own text, cut to what an error may hold."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
