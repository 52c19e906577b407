"""What a request can be told: a sentence to act on, and a code for programs (`extensions.code`)."""

from typing import Any

from headnode.errors import HeadNodeError
from headnode.snapshots import Fault
from slurm.command import AccountingDisabledError, ProgramRefusedError, SlurmError
from slurm.fair_share import FairShareDisabledError
from slurm.sstat import NotPermittedError


class RequestError(Exception):
    """An error whose message is meant for the caller; any other exception is masked."""

    code = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.extensions = {"code": self.code, **extensions}


class UnauthenticatedError(RequestError):
    """No authorizer vouches for a caller."""

    code = "UNAUTHENTICATED"


class ForbiddenError(RequestError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class BadInputError(RequestError):
    """An argument is wrong; nothing was sent."""

    code = "BAD_USER_INPUT"


class NotFoundError(RequestError):
    """There is no such thing."""

    code = "NOT_FOUND"


class TooLargeError(RequestError):
    """More is asked for than one answer holds."""

    code = "RESPONSE_TOO_LARGE"


class FileUnreadableError(RequestError):
    """A file system of the cluster does not give a file."""

    code = "FILE_UNREADABLE"


class PriorityFactorsDisabledError(RequestError):
    """The cluster does not rank its jobs by factors."""

    code = "PRIORITY_FACTORS_DISABLED"


class UnavailableError(RequestError):
    """What was asked for could not be read; the code says whether the cluster or its scheduler is the reason."""


def unavailable(cluster: str, fault: Fault) -> RequestError:
    """The error that tells a caller of a fault, with the scheduler's own words where it said any."""
    error: RequestError
    if isinstance(fault, HeadNodeError):
        error = UnavailableError(str(fault), cluster=cluster)
        error.extensions["code"] = fault.code
    elif isinstance(fault, ProgramRefusedError):
        error = UnavailableError(f"The head node of {cluster} refused: {fault}.", cluster=cluster)
        error.extensions["code"] = "CLUSTER_UNREACHABLE"
    elif isinstance(fault, AccountingDisabledError):
        error = UnavailableError(f"{cluster}: {fault}", cluster=cluster)
        error.extensions["code"] = "ACCOUNTING_DISABLED"
    elif isinstance(fault, FairShareDisabledError):
        error = UnavailableError(f"{cluster}: {fault}", cluster=cluster)
        error.extensions["code"] = "FAIR_SHARE_DISABLED"
    elif isinstance(fault, NotPermittedError):
        error = ForbiddenError(f"{cluster}: {fault}.", cluster=cluster)
    elif isinstance(fault, SlurmError):
        message = f"The scheduler of {cluster} does not answer: {fault}"
        error = UnavailableError(message, cluster=cluster, scheduler=str(fault))
        error.extensions["code"] = "SCHEDULER_UNAVAILABLE"
    else:
        raise fault  # text that no Slurm prints: a defect, to be masked and logged
    return error
