"""What became of a submission."""

import re
import time
from typing import Optional

from headnode.program.accounts import Account, plain_environment
from headnode.program.processes import Process, run
from headnode.program.refused import Refused


def outcome_unknown(sbatch: Process) -> bool:
    """Whether slurmctld may have taken the job although sbatch did not say so: it ran out of time, or was killed.

    It is a clear no if sbatch itself prints an error, or that its release has no such option.
    """
    if sbatch.refusal is not None:
        return sbatch.refusal.code == "timed_out"
    refused = b"error: " in sbatch.stderr or b"unrecognized option" in sbatch.stderr
    return sbatch.exit_code != 0 and (not refused or b"Socket timed out" in sbatch.stderr)


def job_id(printed: str) -> "Optional[str]":
    """The job id that sbatch printed."""
    match = re.search(r"^(\d+)(;.*)?$", printed.strip(), re.MULTILINE)
    return match.group(1) if match else None


def find_submitted(user: Account, printed: str, claimed_at: float) -> "Optional[str]":
    """The job that a lost sbatch submitted: slurmctld knows the session that each job was submitted from."""
    session = re.search(r"^session (\d+)$", printed, re.MULTILINE)
    if session is None:
        return None  # sbatch was never started
    if time.time() - claimed_at > 240:  # slurmctld forgets finished jobs after MinJobAge, 300 s by default
        raise Refused(
            "what became of the first submission is no longer known; look for the job, or use a new key", "unknown"
        )
    account = Account(user.entry, plain_environment())
    columns = "ArrayJobID:|,AllocSID:|,SubmitTime:|"
    listing = Process(["squeue", "-h", "-a", "-t", "all", "-u", user.entry.pw_name, "-O", columns], account)
    run([listing])
    if listing.exit_code != 0:
        raise Refused("the scheduler cannot be asked what became of the first submission", "unknown")
    # A session's number comes back after millions of processes, so older jobs do not count. slurmctld's clock is coarse
    # and may be behind ours.
    rows = re.findall(r"^(\d+)\|(\d+)\|(\d+)\|$", listing.stdout.decode("ascii", "replace"), re.MULTILINE)
    jobs = [int(job) for job, sid, submitted in rows if sid == session.group(1) and int(submitted) > claimed_at - 5]
    return str(min(jobs)) if jobs else None
