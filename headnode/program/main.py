"""The program: one request from stdin, one answer to stdout.

It runs only the operations of the document's list, never through a shell. Reads run as an account without rights.
Changes run as the calling user, or for an operator as Slurm's administrator. It trusts the Lambda about who is calling,
but not about what to run: it checks every option again, and refuses some things whatever the list says.

argv[1]:  the list of operations as JSON; argv[2]: settings as JSON. Both are in the document.
Request:  base64url of gzip of JSON. {"expires": epoch seconds, "user": name or null, "administer": bool,
           "put": presigned URL or null, "steps": [[operation, ...], ...]}: the operations of a step run together, the
           steps one after the other; or {"get": presigned URL, "sha256": hex} if the request itself is in S3. URLs must
           be in the bucket of SETTINGS; a request expires within the hour.
Operation: {"operation": name in the list, "options": {name: text}, "arguments": [text], "environment": {name: text},
           "stdin": text, "key": idempotency key}; an option may be {"job_of": n}: the job id in reply n.
Answer:   {"started": epoch seconds, "replies": [{"exit_code", "stdout", "stderr", "seconds"} or {"refusal", "code"}]},
           one reply for each operation in order; {"started", "error": text, "expired" or "unread": true} if the request
           itself is refused and none of it ran; {"error": text} if the answer is lost;
           {"put": sha256 of the object} if the answer was too large for stdout and went to S3. It is base64 of gzip of
           JSON, and more gzip members may follow. A number n in place of a text refers to the nth of them.
           A submission's stdout is only the job's id; its stderr has the rest of sbatch's output. "forgotten": true in
           that reply means that slurmctld no longer lists the job.
It always exits with 0: 194 would reboot the node, and 137, 168 and 169 have a meaning for the SSM agent.
"""

import json
import os
import sys
import time
import zlib
from typing import Any, Dict, List, Optional, Tuple

from headnode.program.answer import pack
from headnode.program.operations import list_operations
from headnode.program.refused import Refused
from headnode.program.request import unpack, well_formed
from headnode.program.settings import SETTINGS
from headnode.program.steps import down_before, perform

AHEAD = 3600.0  # the longest that a request may be valid, in seconds: a captured request expires within the hour


def answer(text: str) -> "Tuple[Dict[str, Any], Optional[str]]":
    """The answer to a request, and the URL that it goes to if it is large."""
    started = time.time()
    try:
        request = well_formed(unpack(text))
    except (ValueError, TypeError, AttributeError, OSError, zlib.error, RecursionError, Refused) as error:
        return {"error": "the request cannot be read: %s" % error, "unread": True, "started": started}, None
    if started > request["expires"]:
        return {"error": "the request came too late", "expired": True, "started": started}, None
    if request["expires"] > started + AHEAD:
        too_long = "the request is valid for too long, or the clocks differ by an hour"
        return {"error": too_long, "unread": True, "started": started}, None
    replies: "List[Dict[str, Any]]" = []
    down = None
    for step in request["steps"]:
        down = down or down_before(step)
        replies.extend(perform(request, replies, step, down))
    return {"started": started, "replies": replies}, request.get("put")


def main() -> None:
    os.umask(0o077)  # files made here are for root only; commands have their account's umask
    list_operations(json.loads(sys.argv[1]))
    SETTINGS.update(json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
    print(pack(*answer(sys.stdin.read().strip())))


if __name__ == "__main__":
    main()
