"""What Slurm knows of an attempt to submit a job: slurmctld is asked first, then accounting."""

import re
import time
from typing import Any, Dict, List, Optional, Tuple

from headnode.program.accounts import Account, plain_environment
from headnode.program.attempt import UNDER_WAY, Attempt
from headnode.program.operations import OPERATIONS
from headnode.program.processes import SECONDS, Process, run
from headnode.program.refused import Refused
from headnode.program.sessions import is_running

LOOK_SECONDS = 5.0  # the longest a look may take
LOOKS = (0.0, 0.3, 1.0)  # seconds before each look: slurmctld may still be working on the submission
RECENT = 60.0
MARGIN = 5.0  # seconds: clocks may differ, and slurmctld's times are coarse
ALIVE = ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED", "RESIZING", "COMPLETING", "STOPPED", "SIGNALING")

# What became of an earlier attempt. Without a job, the submission can be made.
NO_JOB, LISTED, FORGOTTEN = "no job", "listed", "forgotten"


class ListedJob:
    """A job that slurmctld lists: its id (an array's own), the session that submitted it, when, and its requeues."""

    def __init__(self, job: str, session: str, submitted: str, restarts: str) -> None:
        self.job = job
        self.session = int(session)
        self.submitted = int(submitted)
        self.restarts = int(restarts)


def find_job(user: Account, attempt: Attempt, looks: "Tuple[float, ...]" = LOOKS) -> bool:
    """Whether slurmctld lists the job of an sbatch that has ended; sets the attempt's job. Raises Refused."""
    for seconds in looks:
        time.sleep(seconds)
        attempt.job = of_session(listed(user, {"user": user.entry.pw_name}), attempt)
        if attempt.job is not None:
            return True
    return False


def outcome_of(user: Account, attempt: Attempt) -> str:
    """NO_JOB, LISTED, or FORGOTTEN if slurmctld no longer lists the job; sets the attempt's job.

    NO_JOB means that sbatch never asked slurmctld, or that Slurm lost the job. Raises Refused if Slurm cannot be asked,
    or does not know.

    slurmctld lists an ended job for MinJobAge at least. If it was killed before it had saved its state (SIGKILL, or
    the machine failed), it does not know the jobs of the last seconds, and may give their ids to others.
    """
    if attempt.session is None:
        return NO_JOB  # sbatch was never started
    wait_for_end(attempt)
    age = time.time() - attempt.began
    namesakes: "List[ListedJob]" = []  # jobs with the id that the attempt's job had
    if attempt.job is not None:
        namesakes = listed(user, {"jobs": attempt.job})
        is_listed = of_session(namesakes, attempt) is not None
    else:
        is_listed = find_job(user, attempt, LOOKS if age < RECENT else LOOKS[:1])
    if is_listed:
        return LISTED
    kept_for, started_at = memory(user)
    would_list = kept_for == 0 or age < kept_for - MARGIN
    if started_at < (attempt.ended or attempt.began) - 1.0:  # the slurmctld that sbatch asked still runs
        if attempt.job is not None:
            return FORGOTTEN
        if would_list:
            return NO_JOB
    records = accounted(user, attempt)
    if records:
        return outcome_in_accounting(attempt, records)
    if would_list:
        return NO_JOB
    if attempt.job is not None and records is None and not namesakes:
        return FORGOTTEN
    raise Refused(
        "Slurm no longer knows whether the first submission made a job; look for it, or use a new key", "unknown"
    )


def outcome_in_accounting(attempt: Attempt, records: "List[Tuple[str, str]]") -> str:
    """The outcome for a job that accounting knows and slurmctld does not list. Raises Refused."""
    attempt.job = records[0][0]
    if any(state not in ALIVE for _, state in records):
        return FORGOTTEN
    if all(state == "PENDING" for _, state in records):
        return NO_JOB
    message = "Slurm lost job %s after it had started; use a new key to submit it again"
    raise Refused(message % attempt.job, "unknown")


def wait_for_end(attempt: Attempt) -> None:
    """Wait for an sbatch whose program was killed. Raises Refused after SECONDS."""
    give_up = time.time() + SECONDS
    while attempt.job is None and is_running(attempt.session or 0, attempt.began):
        if time.time() > give_up:
            raise Refused(UNDER_WAY, "unknown")
        time.sleep(0.05)


def listed(user: Account, options: "Dict[str, str]") -> "List[ListedJob]":
    """The jobs that slurmctld lists. Raises Refused."""
    listing = ask(user, "squeue", options, {"SQUEUE_FORMAT2": "ArrayJobID:~,AllocSID:~,SubmitTime:~,RestartCnt:~"})
    if listing.exit_code != 0:
        if listing.refusal is None and b"Invalid job id specified" in listing.stderr:
            return []
        raise Refused("the scheduler did not say whether the submission made a job", "unknown")
    rows = re.findall(r"^(\d+)~(\d+)~(\d+)~(\d+)~$", text(listing.stdout), re.MULTILINE | re.ASCII)
    return [ListedJob(*row) for row in rows]


def of_session(rows: "List[ListedJob]", attempt: Attempt) -> "Optional[str]":
    """The job that was submitted from the attempt's session, at its time: Linux reuses session numbers."""
    jobs = [
        row.job
        for row in rows
        if row.session == attempt.session
        and row.submitted > attempt.began - MARGIN
        and (row.restarts or row.submitted < attempt.latest() + MARGIN)  # a requeued job has a later submit time
    ]
    return min(jobs, key=int) if jobs else None


def memory(user: Account) -> "Tuple[float, float]":
    """How long slurmctld lists an ended job (0: for ever), and when this slurmctld started. Raises Refused."""
    shown = ask(user, "scontrol show config", {}, {})
    values = dict(re.findall(r"^(MinJobAge|BOOT_TIME)\s*= (\d+)", text(shown.stdout), re.MULTILINE | re.ASCII))
    if len(values) < 2:
        raise Refused("the scheduler did not say whether the submission made a job", "unknown")
    return float(values["MinJobAge"]), float(values["BOOT_TIME"])


def accounted(user: Account, attempt: Attempt) -> "Optional[List[Tuple[str, str]]]":
    """Id and state of the attempt's job (of each task) in accounting; None if the cluster has no accounting.

    Since 21.08 sacct shows the submission's command. Without it, we recognise only a job whose id we know, by the time
    of its submission.
    """
    delimiter = "~" + attempt.tag[:8]
    options = {"delimiter": delimiter, "allocations": ""}
    if attempt.job is not None:
        options["jobs"] = attempt.job
    else:
        times = (attempt.began - 60.0, attempt.latest() + 60.0)
        options["starttime"], options["endtime"] = [
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(each)) for each in times
        ]
        options["user"] = user.entry.pw_name
    columns = ["JobID", "Submit", "State", "SubmitLine"]
    while True:
        shown = ask(user, "sacct", dict(options, format=",".join(columns)), {})
        if shown.exit_code == 0:
            break
        if b"is disabled" in shown.stderr:
            return None
        if b"SubmitLine" not in shown.stderr or len(columns) < 4:
            raise Refused("accounting did not say whether the submission made a job", "unknown")
        columns.pop()
    values = [value.strip() for value in text(shown.stdout).split(delimiter)]
    wide = len(columns)
    return ours([values[at : at + wide] for at in range(0, len(values) - wide + 1, wide)], attempt)


def ours(rows: "List[List[str]]", attempt: Attempt) -> "List[Tuple[str, str]]":
    """Id and state in the rows of the attempt's job. Another key's job may have the same id."""
    found = []
    for job, submitted, state, *words in rows:
        command = "".join(words).partition(" ")[0]
        in_time = submitted.isdigit() and attempt.began - 1.0 <= float(submitted) <= attempt.latest() + 1.0
        same = attempt.job is not None and in_time and not re.match(r"slurmql/[0-9a-f]{16}/sbatch\Z", command)
        if command == attempt.argv0 or same:
            found.append((job.split("_")[0].split("+")[0], (state.split() or [""])[0]))
    return found


def ask(user: Account, name: str, options: "Dict[str, str]", environment: "Dict[str, str]") -> Process:
    """Run one of the document's operations as the user, who may see their own jobs whatever slurm.conf hides."""
    operation = OPERATIONS[name]
    asked: "Dict[str, Any]" = {"options": options, "arguments": [], "environment": environment}
    account = Account(user.entry, plain_environment())
    account.environment.update(operation.variables(asked))
    process = Process(operation.argv(asked, []), account, seconds=LOOK_SECONDS)
    run([process])
    return process


def text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace")
