"""How sbatch ended, and what that says of the job."""

import re
from typing import List, Sequence

from headnode.program.processes import Process

TAKEN = "taken"
REFUSED = "refused"
NOT_SENT = "not sent"  # as it seems; Slurm is asked nevertheless
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
UNSPECIFIED = "Unspecified error"  # slurm_strerror(-1): what a job_submit plugin returns that gives no reason
ID = re.compile(r"^([0-9]{1,10})(?:;[A-Za-z0-9_.-]+)?$", re.MULTILINE | re.ASCII)


def ending(sbatch: Process, refusals: "Sequence[str]") -> str:
    """TAKEN, REFUSED, NOT_SENT or UNKNOWN. `refusals` are the texts with which slurmctld itself says no.

    A lost reply has many texts, which differ between releases, and a warning may begin with `error:`, too. So only
    known refusals are a no. sbatch reports every failure to submit in one line; an error without that line is from
    before, as of a wrong option, unless it is about the connection.
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
    died = 128 < sbatch.exit_code < 255  # a shell in sbatch's place reports its child's signal so
    if not died and COMPLAINT.search(said) and not LOST.search(said) and failures <= {UNSPECIFIED}:
        return NOT_SENT
    return UNKNOWN


def printed_ids(sbatch: Process) -> "List[str]":
    """The lines that may be the job's id. A plugin or a wrapper around sbatch can print such a line, too."""
    return ID.findall(sbatch.stdout.decode("utf-8", "replace"))


def remarks(sbatch: Process, job: str, most: int) -> str:
    """What sbatch said besides the job's id."""
    lines = sbatch.stdout.decode("utf-8", "replace").splitlines()
    for position in reversed(range(len(lines))):
        match = ID.match(lines[position])
        if match and match.group(1) == job:
            del lines[position]
            break
    return "\n".join(sbatch.stderr.decode("utf-8", "replace").splitlines() + lines)[:most]
