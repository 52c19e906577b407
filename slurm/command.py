"""What to run on the head node, and how to read what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from slurm.operation import Operation

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """One operation for the head node, with the values of one request.

    `options` maps the operation's options to their values ("" for a flag). An option whose value is the number n
    stands for the job id in the n-th reply of the same bundle. `key` is sbatch's idempotency key. The program on the
    head node checks every value again.
    """

    operation: Operation
    options: Mapping[str, str | int] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    key: str | None = None

    def as_data(self) -> dict[str, Any]:
        """The operation as the request to the head node has it."""
        return {
            "operation": self.operation.name,
            "options": {
                name: {"job_of": value} if isinstance(value, int) else value for name, value in self.options.items()
            },
            "arguments": list(self.arguments),
            "environment": dict(self.environment),
            "stdin": self.stdin,
            "key": self.key,
        }


@dataclass(frozen=True)
class Reply:
    """How a command ended: its exit code, output and errors (bytes that are not UTF-8 are U+FFFD), and seconds.

    `refusal` says why the program on the head node did not run it, in which case there is no exit code; its
    `refusal_code` is invalid, forbidden, conflict, timed_out, unavailable, throttled, forgotten, or unknown (it may
    have been done). A submission's job is `forgotten` if slurmctld no longer lists it; a command that names it by this
    reply is refused.
    """

    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    refusal: str | None = None
    refusal_code: str | None = None
    forgotten: bool = False


@dataclass(frozen=True)
class Question(Generic[T]):
    """Commands, and the function that makes one value of their replies (in the same order)."""

    commands: tuple[Command, ...]
    read: Callable[[Sequence[Reply]], T]


class SlurmError(Exception):
    """Slurm did not do what it was asked; `str()` is in Slurm's own words."""


class SchedulerUnavailableError(SlurmError):
    """slurmctld cannot be reached or did not answer in time."""


class SchedulerBusyError(SlurmError):
    """slurmctld limits how often an account may ask (slurm.conf: SlurmctldParameters=rl_enable)."""


class NotShownError(SlurmError):
    """The cluster does not show this, and would say the same if asked again at once."""


class PermissionDeniedError(NotShownError):
    """slurmctld does not show this to the account that asks."""


class AccountingDisabledError(NotShownError):
    """The cluster keeps no accounts: slurm.conf's AccountingStorageType is accounting_storage/none."""


class ProgramRefusedError(SlurmError):
    """The program on the head node would not run the command."""


# Also printed with exit code 0: squeue and scontrol go on after a failed attempt (ood_core checks the same).
_UNAVAILABLE = re.compile(
    r"Unable to contact slurm controller|Socket timed out|Connection refused|slurmctld.*(down|not running)"
    r"|Zero Bytes were transmitted|Unable to establish controller machine|Connection timed out"
    r"|Protocol authentication error|Could not establish a configuration source|Slurm backup controller"
)


_DENIED = "Access/permission denied"


def words(reply: Reply) -> str:
    """What the command said of its failure: stderr, else stdout (scontrol show prints errors there), else its code."""
    said = reply.stderr.strip() or reply.stdout.strip()
    return re.sub(r"(?m)^\w+: (?:error: |fatal: )?", "", said)[:2000] or f"exit code {reply.exit_code}"


def require_scheduler(reply: Reply) -> None:
    """Raise SchedulerUnavailableError or SchedulerBusyError if the command could not ask slurmctld."""
    if reply.refusal is not None and reply.refusal_code == "throttled":
        raise SchedulerBusyError(reply.refusal)
    if reply.refusal is not None and reply.refusal_code in ("timed_out", "unavailable"):
        raise SchedulerUnavailableError(reply.refusal)
    if _UNAVAILABLE.search(reply.stderr):
        raise SchedulerUnavailableError(words(reply))


def require_success(reply: Reply) -> str:
    """The output of a reply that succeeded.

    Raises SchedulerUnavailableError if slurmctld could not be asked, ProgramRefusedError if the program on the head
    node refused, PermissionDeniedError, SlurmError for any other failure.
    """
    require_scheduler(reply)
    if reply.refusal is not None:
        raise ProgramRefusedError(reply.refusal)
    if reply.exit_code != 0:
        raise (PermissionDeniedError if _DENIED in reply.stderr else SlurmError)(words(reply))
    return reply.stdout
