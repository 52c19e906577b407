"""Jobs submitted with sbatch, with an idempotency key or without."""

import json
import os
import time
from typing import Any, Dict

from headnode.program.accounts import PLAIN_ENVIRONMENT, Account, caller_entry
from headnode.program.claims import Claim, claims_of, forget_old_claims
from headnode.program.files import Reading
from headnode.program.login import login
from headnode.program.operations import Operation
from headnode.program.outcome import find_submitted, job_id, outcome_unknown
from headnode.program.processes import Process, run
from headnode.program.refused import Refused

SCRIPT_LIMIT = 4 << 20  # bytes: slurmctld's default max_script_size


def submit(request: "Dict[str, Any]", operation: Operation, asked: "Dict[str, Any]") -> "Dict[str, Any]":
    """sbatch as the calling user, in the user's login environment and home or the given folder.

    The script is a text, or the path of a file that the user may read.
    """
    argv = operation.argv(asked, [])
    variables = operation.variables(asked)
    if len(asked["arguments"]) + (asked["stdin"] is not None) != 1:
        raise Refused("sbatch needs one script, as a text or as a path")
    account = login(caller_entry(request["user"]))
    account.folder = asked["options"].get("chdir", account.folder)
    for path in asked["arguments"]:
        require_script(path, account)
    account.environment.update(variables)
    sbatch = Process(argv, account, stdin=asked["stdin"], session=True)
    if "test-only" in asked["options"]:
        # It makes no job: there is no key to claim, and no job's environment that these variables would get into.
        account.environment.update(PLAIN_ENVIRONMENT)
        run([sbatch])
        return sbatch.reply()
    if asked["key"] is not None:
        return submit_once(sbatch, asked)
    run([sbatch])
    if outcome_unknown(sbatch):
        # A script may ask sbatch to wait for the job's end: sbatch prints the id before.
        job = job_id(sbatch.stdout.decode("ascii", "replace"))
        if job:
            return {"exit_code": 0, "stdout": job, "stderr": "", "seconds": sbatch.seconds}
        raise Refused("the scheduler did not say whether it took the job", "unknown")
    return sbatch.reply()


def require_script(path: str, account: Account) -> None:
    """Refuse what sbatch would read without end: it takes all of a file into memory before it looks at it."""
    script = Reading({"path": path, "limit": "0"}, account)
    run([script])
    about = json.loads(script.stdout.partition(b"\n")[0].decode() or "{}")
    if about.get("error") == "special":
        raise Refused("the script is not a file, but a device or a pipe")
    if about.get("size", 0) > SCRIPT_LIMIT:
        raise Refused("the script has %d bytes, and Slurm takes %d" % (about["size"], SCRIPT_LIMIT))


def submit_once(sbatch: Process, asked: "Dict[str, Any]") -> "Dict[str, Any]":
    """Submit unless the user's key has a job already; then reply with that job.

    The claim is a root-owned file, locked while sbatch runs. sbatch writes the job id into it itself, so the id is kept
    even if this program is killed in between. Only the loss of sbatch or of slurmctld's answer leaves a claim without a
    job; then Slurm is asked what became of it.
    """
    import hashlib

    content = json.dumps([asked[name] for name in ("options", "arguments", "stdin", "environment")], sort_keys=True)
    digest = hashlib.sha256(content.encode("utf-8")).hexdigest()
    name = hashlib.sha256(asked["key"].encode("utf-8")).hexdigest()
    folder = claims_of(sbatch.account.entry.pw_uid)
    try:
        forget_old_claims(folder)
        claim = Claim(folder, name)
    finally:
        os.close(folder)
    try:
        return submit_claimed(sbatch, claim, digest)
    finally:
        os.close(claim.descriptor)


def submit_claimed(sbatch: Process, claim: Claim, digest: str) -> "Dict[str, Any]":
    """Submit while the claim is locked, unless it has a job already. `digest` is that of what is submitted."""
    claim.lock()
    first_claimed_at, claimed_digest, printed = claim.read()
    if claimed_digest is not None:
        if claimed_digest != digest:
            raise Refused("the idempotency key was used for another submission", "conflict")
        job = job_id(printed) or find_submitted(sbatch.account, printed, first_claimed_at)
        if job:
            return submitted(claim, job)
    claimed_at = time.time()
    claim.begin(claimed_at, digest)
    sbatch.target = claim.descriptor
    run([sbatch])
    printed = claim.read()[2]
    job = job_id(printed)
    if job is None and outcome_unknown(sbatch):
        job = find_submitted(sbatch.account, printed, claimed_at)
        if job is None:
            raise Refused("the scheduler did not say whether it took the job; retry with the same key", "unknown")
    if job:
        return submitted(claim, job)
    claim.forget()  # a clear no: the key is free again
    return sbatch.reply()


def submitted(claim: Claim, job: str) -> "Dict[str, Any]":
    """The reply with the claim's job, which is kept for the next time."""
    claim.add(job)
    return {"exit_code": 0, "stdout": job, "stderr": "", "seconds": 0.0}
