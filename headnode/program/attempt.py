"""One run of sbatch, and what its job can be recognised by."""

import binascii
import json
import os
import time
from typing import Any, Dict, Optional

LATEST = 120.0  # seconds for which sbatch tries to submit, and may start other processes
UNDER_WAY = "a submission with the same key is still under way"
KEPT = ("digest", "began", "tag", "session", "job", "ended", "said")


class Attempt:
    """One run of sbatch. squeue shows a job's session (AllocSID), and sacct the command that submitted it.

    `began` and `ended` are when sbatch started and ended, in epoch seconds. `said` is what it printed besides the job's
    id. A job is `forgotten` if it was submitted and slurmctld no longer lists it.
    """

    def __init__(
        self,
        digest: "Optional[str]" = None,
        began: "Optional[float]" = None,
        tag: "Optional[str]" = None,
        session: "Optional[int]" = None,
        job: "Optional[str]" = None,
        ended: "Optional[float]" = None,
        said: str = "",
    ) -> None:
        self.digest = digest
        self.began = time.time() if began is None else began
        self.tag = tag or binascii.hexlify(os.urandom(8)).decode()
        self.session = session
        self.job = job
        self.ended = ended
        self.said = said
        self.forgotten = False

    @property
    def argv0(self) -> str:
        """The first word of the command, which becomes the first word of sacct's SubmitLine."""
        return "slurmql/%s/sbatch" % self.tag

    def latest(self) -> float:
        """The latest time at which sbatch may have submitted the job."""
        return self.ended or self.began + LATEST

    def beginning(self) -> bytes:
        """The line that goes into a claim before sbatch starts."""
        return line({"digest": self.digest, "began": self.began, "tag": self.tag})

    def end(self) -> bytes:
        """The line that goes into a claim when the job is known."""
        return line({"session": self.session, "job": self.job, "ended": self.ended, "said": self.said})

    def reply(self) -> "Dict[str, Any]":
        """The reply of the sbatch that submitted the job."""
        reply: "Dict[str, Any]" = {"exit_code": 0, "stdout": self.job, "stderr": self.said}
        reply["seconds"] = round((self.ended or self.began) - self.began, 4)
        if self.forgotten:
            reply["forgotten"] = True
        return reply


def line(values: "Dict[str, Any]") -> bytes:
    """One line of a claim."""
    return (json.dumps(values) + "\n").encode("ascii")


def from_lines(text: str) -> "Optional[Attempt]":
    """The attempt in a claim's lines, without a line that was only written in part."""
    values: "Dict[str, Any]" = {}
    for each in text.splitlines():
        try:
            found = json.loads(each)
        except ValueError:
            continue
        if isinstance(found, dict):
            values.update(found)
    kept = {name: values[name] for name in KEPT if name in values}
    return Attempt(**kept) if kept.get("digest") else None
