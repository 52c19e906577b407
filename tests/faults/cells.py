"""One cell of the matrix: a request in the middle of a fault, and what must hold of its answer and afterwards."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faults.sandbox import Answered, SandboxGoneError
from faults.world import COLUMNS, World

GATEWAY = 29.0
"""Seconds after which API Gateway gives up."""
NEXT_WITHIN = 12.0
"""Seconds that the request after the fault may take."""
TYPED = frozenset({
    "CLUSTER_UNREACHABLE", "OUTCOME_UNKNOWN", "RESPONSE_TOO_LARGE", "SCHEDULER_UNAVAILABLE", "THROTTLED", "TIMEOUT",
})  # fmt: skip
"""What may be said in place of an answer."""
JOBS = "{ jobs(first: 1000) { nodes { name } } }"
LARGE = "query ($id: ID!) { job(id: $id) { script } }"
SUBMIT = """mutation ($name: String!, $key: String, $script: String!) { submitJob(input: {
  script: {text: $script}, name: $name, hold: true, idempotencyKey: $key }) {
  id job { id } errors { code message } } }"""
CANCEL = "mutation ($id: ID!) { cancelJobs(input: {jobs: {ids: [$id]} }) { ids errors { code message } } }"
PREFIX = "cell-"
"""What the names of the cells' jobs begin with."""
SMALL_SCRIPT = "#!/bin/sh\nsleep 300\n"


@dataclass
class Cell:
    """What came of one request. `wrong` has what should not be so, in a few words each."""

    column: str
    answer: str = ""
    seconds: float = 0.0
    jobs: int | None = None
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        jobs = "" if self.jobs is None else f", {self.jobs} job{'' if self.jobs == 1 else 's'}"
        wrong = f" **{'; '.join(self.wrong)}**" if self.wrong else ""
        return f"{self.answer} {self.seconds:.1f} s{jobs}{wrong}"


@dataclass(frozen=True)
class Rule:
    """What a fault allows: Lambda's time, the time for the answer, the codes, and whether slurmctld may lose jobs."""

    seconds: float = 30.0
    within: float = GATEWAY
    read: frozenset[str] | None = None
    """The codes that a read may have; empty: only the right answer will do; None: any typed one."""
    change: frozenset[str] | None = None
    words: str = ""
    """What every error must say."""
    large: bool = False
    """The request or the answer is too large for SSM."""
    loses_jobs: bool = False
    known: bool = False
    """The key was used before the fault: its job is the answer, whatever else is refused."""
    forgotten: bool = False
    """In the end slurmctld has forgotten the job, which was cancelled."""
    elsewhere: bool = False
    """The next request goes to another sandbox."""


class Case:
    """A cell in the making: prepared before the fault, asked in it, judged after it."""

    def __init__(self, world: World, column: str, rule: Rule) -> None:
        self.world = world
        self.rule = rule
        self.column = column
        self.cell = Cell(column)
        self.name = f"{PREFIX}{uuid.uuid4().hex[:12]}"
        self.answered: Answered | None = None
        self.submitted = False
        """There is a job that the user submitted here."""
        self.job = world.submit(self.name) if column == "cancel" else ""
        self.key = uuid.uuid4().hex if column == "submit with key" else None
        self.script = SMALL_SCRIPT
        self.known = ""
        if rule.large:  # what gzip cannot make small
            self.script = SMALL_SCRIPT + "".join(f"# {uuid.uuid4().hex}\n" for _ in range(4000))
        if rule.known and self.key:
            self.known = _submitted(self._ask(30.0))

    def ask(self) -> None:
        """Make the request while the fault lasts."""
        try:
            self.answered = self._ask(self.rule.seconds)
        except SandboxGoneError as error:
            self.cell.answer, self.cell.seconds = "none", time.monotonic()
            self.cell.wrong.append(str(error))
            return
        cell, answered = self.cell, self.answered
        cell.seconds = answered.seconds
        cell.answer = ", ".join(dict.fromkeys(answered.codes)) or "right"
        if answered.seconds > min(self.rule.within, self.rule.seconds):
            cell.wrong.append(f"later than {min(self.rule.within, self.rule.seconds):g} s")
        if answered.status != 200:
            cell.wrong.append(f"status {answered.status}")
        allowed = self.rule.read if self.column == "read" else self.rule.change
        if self.known:
            allowed = frozenset()
        for code in dict.fromkeys(answered.codes):
            if code not in TYPED | (allowed or frozenset()):
                cell.wrong.append(f"not a fault's code: {answered.said[:100]}")
            elif allowed is not None and code not in allowed:
                cell.wrong.append(f"not {' or '.join(sorted(allowed)) or 'right'}: {answered.said[:100]}")
        if answered.codes and self.rule.words not in answered.said:
            cell.wrong.append(f"it does not speak of '{self.rule.words}': {answered.said[:100]}")
        if not answered.codes and not self._is_right(answered):
            cell.wrong.append("not the right answer")

    def judge(self) -> Cell:
        """After the fault: a retry, what the cluster knows, and the next request."""
        try:
            if self.answered is not None:
                self._afterwards(self.answered)
            column = COLUMNS[(COLUMNS.index(self.column) + self.rule.elsewhere) % len(COLUMNS)]
            following = self.world.sandboxes[column].ask(JOBS, user=self.world.user)
            if following.codes or not self._sees(following, "witness"):
                self.cell.wrong.append(f"the next request: {', '.join(following.codes) or 'no witness'}")
            elif self.submitted and not self._sees(following, self.name):
                self.cell.wrong.append("the next request does not see the job")
            elif following.seconds > NEXT_WITHIN:
                self.cell.wrong.append(f"the next request took {following.seconds:.0f} s")
        except SandboxGoneError as error:
            self.cell.wrong.append(f"the next request: {error}")
        return self.cell

    def _ask(self, seconds: float) -> Answered:
        sandbox, user = self.world.sandboxes[self.column], self.world.user
        match self.column:
            case "read" if self.rule.large:
                return sandbox.ask(LARGE, seconds, user, id=self.world.large_witness)
            case "read":
                return sandbox.ask(JOBS, seconds, user)
            case "cancel":
                return sandbox.ask(CANCEL, seconds, user, id=self.job)
            case _:
                return sandbox.ask(SUBMIT, seconds, user, name=self.name, key=self.key, script=self.script)

    def _is_right(self, answered: Answered) -> bool:
        data: Mapping[str, Any] = answered.body["data"]
        if self.column == "read" and self.rule.large:
            return bool(data["job"] and len(data["job"]["script"]) > 80_000)
        if self.column == "read":
            return self._sees(answered, "witness")
        if self.column == "cancel":
            return [_local(id) for id in data["cancelJobs"]["ids"]] == [self.job]
        return bool(data["submitJob"]["id"]) and (not self.known or _submitted(answered) == self.known)

    def _sees(self, answered: Answered, name: str) -> bool:
        return name in [job["name"] for job in answered.body["data"]["jobs"]["nodes"]]

    def _afterwards(self, first: Answered) -> None:
        if self.column == "cancel":
            self._after_cancel(first)
        elif self.column == "read":
            return
        elif self.rule.forgotten:
            self._after_forgotten(first)
        else:
            self._after_submission(first)

    def _after_submission(self, first: Answered) -> None:
        """With a key, a retry finds the job or makes it; without one, only what was said to be unknown may exist."""
        cell, made = self.cell, self.world.jobs_named(self.name)
        key = self.key or _key(first)
        if not self.rule.loses_jobs and not first.codes and len(made) != 1:
            cell.wrong.append(f"{len(made)} jobs after success")
        denied = first.codes and "OUTCOME_UNKNOWN" not in first.codes and not _submitted(first)
        if denied and made and not self.known:
            cell.wrong.append(f"{first.codes[0]}, but the job was submitted")
        if key is None:
            time.sleep(0.5)
            made = self.world.jobs_named(self.name)
            cell.jobs = len(made)
            if len(made) > 1:
                cell.wrong.append(f"{len(made)} jobs")
            self.submitted = not first.codes and not self.rule.loses_jobs
            return
        self.key = key
        again = self._ask(30.0)
        made = self.world.jobs_named(self.name)
        cell.jobs = len(made)
        if again.codes:
            cell.wrong.append(f"a retry with the key: {again.codes[0]}: {again.said[:100]}")
        elif len(made) != 1:
            cell.wrong.append(f"{len(made)} jobs for one key")
        elif _submitted(again) not in made:
            cell.wrong.append("the key answers with another job")
        else:
            self.submitted = True

    def _after_forgotten(self, first: Answered) -> None:
        """The key still answers with its job, which does not run twice."""
        if self.key is None or first.codes:
            return
        again = self._ask(30.0)
        if again.codes:
            self.cell.wrong.append(f"a retry with the key: {again.codes[0]}: {again.said[:100]}")
        elif _submitted(again) != _submitted(first):
            self.cell.wrong.append("the key answers with another job")
        made = self.world.jobs_named(self.name)
        self.cell.jobs = 1 + len(made)
        if made:
            self.cell.wrong.append("the job was submitted twice")

    def _after_cancel(self, first: Answered) -> None:
        state = self.world.jobs_named(self.name).get(self.job)
        loses_jobs = self.rule.loses_jobs or self.rule.forgotten
        if not loses_jobs:
            if not first.codes and state != "CANCELLED":
                self.cell.wrong.append(f"the job is {state} after success")
            if first.codes and "OUTCOME_UNKNOWN" not in first.codes and state == "CANCELLED":
                self.cell.wrong.append(f"{first.codes[0]}, but the job was cancelled")
        again = self._ask(30.0)
        allowed = {"ALREADY_FINISHED", "NOT_FOUND"} if loses_jobs else {"ALREADY_FINISHED"}
        if set(again.codes) - allowed:
            self.cell.wrong.append(f"a retry: {again.codes[0]}: {again.said[:100]}")
        state = self.world.jobs_named(self.name).get(self.job)
        if state != "CANCELLED" and not loses_jobs:
            self.cell.wrong.append(f"the job is {state} after a retry")


def _local(id: str) -> str:
    """The scheduler's own id in one that is unique over all clusters."""
    return id.partition(":")[2]


def _submitted(answered: Answered) -> str:
    """The job of a submission, though it may not have been readable afterwards; empty if none was made."""
    payload = (answered.body.get("data") or {}).get("submitJob") or {}
    return _local(payload.get("id") or "")


def _key(answered: Answered) -> str | None:
    """The key that the API made for a submission without one, of which nobody knows what became."""
    for error in answered.body.get("errors", []):
        if "OUTCOME_UNKNOWN" in error["extensions"]["code"]:
            key: str | None = error["extensions"].get("idempotencyKey")
            return key
    return None
