"""Jobs submitted with sbatch, with an idempotency key or without."""

import json
import time
from typing import Any, Dict, Sequence

from headnode.program.accounts import PLAIN_ENVIRONMENT, Account, caller_entry
from headnode.program.attempt import Attempt
from headnode.program.claims import Claim, NoClaim
from headnode.program.files import Reading
from headnode.program.known_jobs import FORGOTTEN, LOOKS, NO_JOB, find_job, outcome_of
from headnode.program.login import login
from headnode.program.operations import Operation
from headnode.program.outcome import NOT_SENT, REFUSED, TAKEN, UNKNOWN, ending, printed_ids, remarks
from headnode.program.processes import Process, run
from headnode.program.refused import Refused

SCRIPT_LIMIT = 4 << 20  # bytes: slurmctld's default max_script_size
REMARKS_LIMIT = 4096  # characters of sbatch's output besides the job's id


def submit(request: "Dict[str, Any]", operation: Operation, asked: "Dict[str, Any]") -> "Dict[str, Any]":
    """Run sbatch as the calling user, in the user's login environment, in their home or the given folder.

    The script is a text, or the path of a file that the user may read.
    """
    argv = operation.argv(asked, [])
    variables = operation.variables(asked)
    if len(asked["arguments"]) + (asked["stdin"] is not None) != 1:
        raise Refused("sbatch needs exactly one script: a text or a path")
    account = login(caller_entry(request["user"]))
    account.folder = asked["options"].get("chdir", account.folder)
    for path in asked["arguments"]:
        require_script(path, account)
    account.environment.update(variables)
    sbatch = Process(argv, account, stdin=asked["stdin"], session=True)
    if "test-only" in asked["options"]:
        # It makes no job, so there is no key to claim, and these variables cannot get into a job's environment.
        account.environment.update(PLAIN_ENVIRONMENT)
        run([sbatch])
        return sbatch.reply()
    claim = NoClaim() if asked["key"] is None else Claim(account.entry.pw_uid, asked["key"])
    try:
        return submit_once(sbatch, claim, digest_of(asked), operation.refusals)
    finally:
        claim.close()


def require_script(path: str, account: Account) -> None:
    """Refuse a script that never ends or is too large: sbatch reads a whole file into memory before it checks it."""
    script = Reading({"path": path, "limit": "0"}, account)
    run([script])
    about = json.loads(script.stdout.partition(b"\n")[0].decode() or "{}")
    if about.get("error") == "special":
        raise Refused("the script is a device or a pipe, not a file")
    if about.get("size", 0) > SCRIPT_LIMIT:
        raise Refused("the script has %d bytes; Slurm accepts at most %d" % (about["size"], SCRIPT_LIMIT))


def digest_of(asked: "Dict[str, Any]") -> str:
    """A short fingerprint of what is submitted."""
    import hashlib

    content = json.dumps([asked[name] for name in ("options", "arguments", "stdin", "environment")], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def submit_once(sbatch: Process, claim: Claim, digest: str, refusals: "Sequence[str]") -> "Dict[str, Any]":
    """Submit, unless the claim has a job already: then reply with that job.

    sbatch's session and start time are in the claim before sbatch asks slurmctld for anything. So we find the job even
    if this program or sbatch dies, or slurmctld's answer is lost.
    """
    earlier = claim.read()
    if earlier is not None:
        if earlier.digest != digest:
            raise Refused("the idempotency key was used for another submission", "conflict")
        known = earlier.job
        outcome = outcome_of(sbatch.account, earlier)
        if outcome != NO_JOB:
            earlier.forgotten = outcome == FORGOTTEN
            if known is None:
                earlier.ended = time.time()
            claim.keep(earlier)
            return earlier.reply()
    attempt = Attempt(digest)
    sbatch.argv0 = attempt.argv0
    sbatch.announce = claim.announce
    claim.begin(attempt)
    run([sbatch])
    attempt.ended = time.time()
    attempt.session = sbatch.child and sbatch.child.pid
    if has_job(sbatch, attempt, refusals):
        claim.keep(attempt)
        return attempt.reply()
    claim.forget()  # the job was certainly refused: the key is free again
    return sbatch.reply()


def has_job(sbatch: Process, attempt: Attempt, refusals: "Sequence[str]") -> bool:
    """Whether sbatch made a job; sets the attempt's job. Raises Refused if nobody knows."""
    how = ending(sbatch, refusals)
    if how == REFUSED:
        return False
    printed = printed_ids(sbatch)
    if how == TAKEN and len(printed) == 1:
        attempt.job = printed[0]
    elif not find_job(sbatch.account, attempt, LOOKS if how == UNKNOWN else LOOKS[:1]):
        if how == NOT_SENT:
            return False
        if how == UNKNOWN or not printed:
            raise Refused("the scheduler did not say whether it took the job; retry with the same key", "unknown")
        attempt.job = printed[-1]  # sbatch prints the id last
    attempt.said = remarks(sbatch, attempt.job or "", REMARKS_LIMIT)
    return True
