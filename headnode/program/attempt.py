"""One run of sbatch, by what its job can be recognised."""

import binascii
import json
import os
import time
from typing import Any, Dict, Optional

KEPT = ("digest", "began", "tag", "session", "job", "ended", "said")


class Attempt:
    """One run of sbatch. squeue shows a job's session (AllocSID), sacct the words that it was submitted with.

    `began` and `ended` are when sbatch was started and was over, in epoch seconds. `said` is what it said besides the
    job's id. A job is `forgotten` if slurmctld no longer lists it, though it was submitted.
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
        """The latest time at which sbatch may have submitted the job. sbatch itself tries for two minutes."""
        return self.ended or self.began + 120.0

    def beginning(self) -> bytes:
        """The line of a claim that is written before sbatch is started."""
        return line({"digest": self.digest, "began": self.began, "tag": self.tag})

    def end(self) -> bytes:
        """The line of a claim that is written when the job is known."""
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
    """The attempt of a claim's lines; a line that was not written to its end does not count."""
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
