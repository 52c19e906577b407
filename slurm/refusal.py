"""Why Slurm, or a rule, refused a change: Slurm's own words, sorted into a few codes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slurm.command import Reply, SchedulerUnavailableError, require_scheduler, words
from slurm.states import DescribedEnum


class RefusalCode(DescribedEnum):
    """What kind of refusal it is."""

    INVALID_INPUT = "INVALID_INPUT", "The input is wrong; `field` says where."
    NOT_FOUND = "NOT_FOUND", "There is no such job, node, queue, reservation, cluster or script."
    FORBIDDEN = "FORBIDDEN", "The caller may not do this."
    ALREADY_FINISHED = "ALREADY_FINISHED", "The job has ended, so there is nothing left to do."
    CONFLICT = (
        "CONFLICT",
        "It does not fit the present state of the job, node or reservation, or the idempotency key's first use.",
    )
    LIMIT_EXCEEDED = (
        "LIMIT_EXCEEDED",
        "A limit of the account, the QOS or the cluster is reached, or more jobs match than `limit` allows.",
    )
    OUTCOME_UNKNOWN = (
        "OUTCOME_UNKNOWN",
        "Slurm's answer was lost: the change may have been made. Look at the job or node.",
    )
    REJECTED_BY_SCHEDULER = (
        "REJECTED_BY_SCHEDULER",
        "The scheduler said no for another reason; the message has its words.",
    )


@dataclass(frozen=True)
class Refusal:
    """One thing that was refused: a code, a sentence, the path of the input it is about, the job it is about."""

    code: RefusalCode
    message: str
    field: Sequence[str] | None = None
    id: str | None = None


class InvalidInputError(Exception):
    """Inputs that cannot be right, each with the path of its field; nothing was sent."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


class OutcomeUnknown(Exception):  # noqa: N818 - not an error of ours: Slurm did not say
    """The change may or may not have been made; `str()` says what to do."""


# Slurm's texts (slurm_strerror(3)), as sbatch, scancel and scontrol print them; the first match counts.
_CODES = [
    (r"Invalid job id specified", RefusalCode.NOT_FOUND),
    (r"Unknown job signal", RefusalCode.INVALID_INPUT),
    (r"Access/permission denied|Invalid user id|not permitted to use", RefusalCode.FORBIDDEN),
    (r"already completing or completed|already finished", RefusalCode.ALREADY_FINISHED),
    (
        r"Job is pending execution|Job is not pending|can not be altered now|Requested operation is presently disabled"
        r"|no longer pending execution|Job is in held state|Job is not (running|suspended)|Invalid node state"
        r"|Requested nodes are busy|Duplicate reservation name",
        RefusalCode.CONFLICT,
    ),
    (r"violates accounting/QOS policy|(QOS|Assoc)\w*Limit|job submit limit", RefusalCode.LIMIT_EXCEEDED),
]

_PROGRAM_CODES = {
    "forbidden": RefusalCode.FORBIDDEN,
    "conflict": RefusalCode.CONFLICT,
    "invalid": RefusalCode.INVALID_INPUT,
}


# slurmctld may have done what it was asked to, and the client did not get its reply (slurm_strerror(3)).
_LOST = re.compile(
    r"Zero Bytes were transmitted|Connection reset by peer|Broken pipe|Socket timed out|Insane message length"
    r"|[Rr]eceive failure|Header lengths are longer|Received (zero length message|message length)"
    r"|Incompatible versions of client and server code|Protocol authentication error|Connection timed out reading"
)


def refusal(reply: Reply) -> Refusal | None:
    """Why a change was refused, or None if it was made.

    scancel says no on stderr with exit code 0 too. Raises SchedulerUnavailableError if slurmctld could not be asked,
    OutcomeUnknown if the change may have been made.
    """
    if reply.refusal_code in ("unknown", "timed_out"):
        raise OutcomeUnknown(reply.refusal)
    if reply.exit_code is not None and (reply.exit_code < 0 or _LOST.search(reply.stderr)):
        raise OutcomeUnknown(f"The scheduler's answer was lost: {words(reply)}")
    require_scheduler(reply)
    if reply.refusal is not None:
        return Refusal(_PROGRAM_CODES.get(reply.refusal_code or "", RefusalCode.INVALID_INPUT), reply.refusal)
    if reply.exit_code == 0 and "error: " not in reply.stderr:
        return None
    said = _reasons(reply)
    code = next((code for text, code in _CODES if re.search(text, said)), RefusalCode.REJECTED_BY_SCHEDULER)
    return Refusal(code, said)


def each_refusal(replies: Sequence[Reply]) -> list[Refusal | None]:
    """For each reply None, or why its change was not made.

    A change whose outcome is unknown does not hide the others. If that is so of all, raises what `refusal` raises.
    """
    found = [_refusal_or_fault(reply) for reply in replies]
    faults = [each for each in found if isinstance(each, Exception)]
    if faults and len(faults) == len(found):
        raise faults[0]
    return [_as_refusal(each) for each in found]


def _refusal_or_fault(reply: Reply) -> Refusal | OutcomeUnknown | SchedulerUnavailableError | None:
    try:
        return refusal(reply)
    except (OutcomeUnknown, SchedulerUnavailableError) as fault:
        return fault


def _as_refusal(found: Refusal | OutcomeUnknown | SchedulerUnavailableError | None) -> Refusal | None:
    match found:
        case OutcomeUnknown():
            return Refusal(RefusalCode.OUTCOME_UNKNOWN, str(found))
        case SchedulerUnavailableError():
            return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, str(found))
    return found


def _reasons(reply: Reply) -> str:
    """The lines that say why: without what scancel reports of its progress, and without what scontrol says twice."""
    if errors := re.findall(r"(?m)^scancel: error: (.+)$", reply.stderr):
        return "\n".join(errors)
    lines = words(reply).splitlines()
    return "\n".join(line for line in lines if not line.startswith("slurm_suspend error:") or len(lines) == 1)
