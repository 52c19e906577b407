"""How sbatch ended, and whether there is a job."""

import re
from typing import List, Sequence

from headnode.program.processes import Process

TAKEN = "taken"
REFUSED = "refused"
NOT_SENT = "not sent"  # probably; we look in Slurm to be sure
UNKNOWN = "unknown"
FAILED = re.compile(r"^.*error: Batch job submission failed: (.*)$", re.MULTILINE)
COMPLAINT = re.compile(
    r"^\S+: (error|fatal): |unrecognized option|invalid option|ambiguous|(requires|doesn't allow) an argument",
    re.MULTILINE,
)
LOST = re.compile(
    r"timed out|Zero Bytes|Connection (reset|refused|aborted)|Broken pipe|(send|receive|shutdown) failure"
    r"|Unexpected message|Insane message|Protocol authentication|Header lengths|zero length message"
)
UNSPECIFIED = "Unspecified error"  # slurm_strerror(-1): a job_submit plugin refused without a reason
ID = re.compile(r"^([0-9]{1,10})(?:;[A-Za-z0-9_.-]+)?$", re.MULTILINE | re.ASCII)


def ending(sbatch: Process, refusals: "Sequence[str]") -> str:
    """TAKEN, REFUSED, NOT_SENT or UNKNOWN. `refusals` are the error texts with which slurmctld refuses a job.

    Only these texts count as REFUSED: sbatch reports a lost reply in many ways, which differ between releases, and a
    warning may begin with `error:`, too. sbatch reports every failed submission in one line. An error without that line
    comes from before the submission, such as a wrong option, unless it is about the connection.
    """
    if sbatch.child is None:
        return REFUSED
    if sbatch.refusal is not None or sbatch.exit_code is None or sbatch.exit_code < 0:
        return UNKNOWN
    if sbatch.exit_code == 0:
        return TAKEN
    said = sbatch.stderr.decode("utf-8", "replace")
    failures = {failure.strip() for failure in FAILED.findall(said)}
    if failures and failures <= set(refusals):
        return REFUSED
    died = 128 < sbatch.exit_code < 255  # how a shell that wraps sbatch reports its child's signal
    if not died and COMPLAINT.search(said) and not LOST.search(said) and failures <= {UNSPECIFIED}:
        return NOT_SENT
    return UNKNOWN


def printed_ids(sbatch: Process) -> "List[str]":
    """The lines that may be the job's id. A plugin or a wrapper of sbatch can print such lines, too."""
    return ID.findall(sbatch.stdout.decode("utf-8", "replace"))


def remarks(sbatch: Process, job: str, most: int) -> str:
    """What sbatch printed besides the job's id."""
    lines = sbatch.stdout.decode("utf-8", "replace").splitlines()
    for position in reversed(range(len(lines))):
        match = ID.match(lines[position])
        if match and match.group(1) == job:
            del lines[position]
            break
    return "\n".join(sbatch.stderr.decode("utf-8", "replace").splitlines() + lines)[:most]
