"""What a request can be told: a sentence to act on, and a code for programs (`extensions.code`)."""

from typing import Any

from headnode.errors import HeadNodeError
from headnode.snapshots import Fault
from slurm.command import AccountingDisabledError, PermissionDeniedError, ProgramRefusedError, SlurmError
from slurm.fair_share import FairShareDisabledError
from slurm.private_data import HiddenError
from slurm.sstat import NotPermittedError

READER_NOT_PERMITTED = "READER_NOT_PERMITTED"
"""The code for what Slurm hides from the account that reads."""

LONGEST_TEXT = 2000
"""Characters of Slurm's own text in an error."""


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


class UnreadableError(RequestError):
    """Slurm printed something that this release of the API cannot read."""

    code = "UNREADABLE_OUTPUT"


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
    elif isinstance(fault, HiddenError):
        error = UnavailableError(f"{cluster}: {fault}", cluster=cluster)
        error.extensions["code"] = READER_NOT_PERMITTED
    elif isinstance(fault, PermissionDeniedError):
        message = (
            f"{cluster}: Slurm does not show this to the account that reads for this API ({fault}). Set the stack's "
            "parameter Reader to SlurmUser, or change PrivateData in slurm.conf."
        )
        error = UnavailableError(message, cluster=cluster, scheduler=str(fault))
        error.extensions["code"] = READER_NOT_PERMITTED
    elif isinstance(fault, NotPermittedError):
        error = ForbiddenError(f"{cluster}: {fault}.", cluster=cluster)
    elif isinstance(fault, SlurmError):
        message = f"The scheduler of {cluster} does not answer: {fault}"
        error = UnavailableError(message, cluster=cluster, scheduler=str(fault))
        error.extensions["code"] = "SCHEDULER_UNAVAILABLE"
    else:
        error = UnreadableError(
            f"Slurm on {cluster} printed something that this release of the API cannot read: {fault}.",
            cluster=cluster,
            scheduler=shown(fault.text),
        )
    return error


def shown(text: str) -> str:
    """Slurm's own text, cut to what an error may hold."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
