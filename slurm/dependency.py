"""What a job waits for: squeue's Dependency, as `afterok:123(unfulfilled),singleton(unfulfilled)` (sbatch(1), -d)."""

import re
from dataclasses import dataclass
from typing import TypeVar

from slurm.errors import ParseError
from slurm.states import DescribedEnum
from slurm.text import NO_WORD

E = TypeVar("E", bound=DescribedEnum)


class DependencyKind(DescribedEnum):
    """What must have happened to the other job."""

    AFTER = "AFTER", "The other job must have started or been cancelled; if `minutes` is given, at least that long ago."
    AFTERANY = "AFTERANY", "The other job must have ended, in any way."
    AFTERBURSTBUFFER = "AFTERBURSTBUFFER", "The other job must have ended, and its burst buffer must be staged out."
    AFTERCORR = "AFTERCORR", "The task of the other array with the same number must have ended with exit code 0."
    AFTERNOTOK = "AFTERNOTOK", "The other job must have failed."
    AFTEROK = "AFTEROK", "The other job must have ended with exit code 0."
    EXPAND = "EXPAND", "The job's resources will be added to the other job's."
    SINGLETON = "SINGLETON", "All earlier jobs of the same user and name must have ended."
    UNKNOWN = "UNKNOWN", "A kind this API does not know; the raw dependency has the scheduler's own word."


class DependencyState(DescribedEnum):
    """How a dependency stands. Slurm leaves out those that are fulfilled."""

    UNFULFILLED = "UNFULFILLED", "Not fulfilled yet."
    FULFILLED = "FULFILLED", "Fulfilled."
    FAILED = "FAILED", "Cannot be fulfilled."
    UNKNOWN = "UNKNOWN", "A state this API does not know."


@dataclass(frozen=True, slots=True)
class Dependency:
    """One thing that a job waits for.

    `job_id` is the other job's number, None for SINGLETON; `task` its array task. Where `all_tasks` is set the whole
    array is meant (Slurm: `123_*`). `minutes` must pass after the other job's start (AFTER). `any_suffices` tells
    that this dependency is one of several alternatives (`?`), of which one will do.
    """

    kind: DependencyKind
    job_id: str | None = None
    task: int | None = None
    all_tasks: bool = False
    minutes: int | None = None
    state: DependencyState = DependencyState.UNFULFILLED
    any_suffices: bool = False


_JOB = re.compile(r"(?P<job>\d{1,10})(?:_(?P<task>\d{1,10}|\*))?(?:\+(?P<minutes>\d{1,10}))?")
_TERM = re.compile(r"(?P<kind>[a-z_]+)(?P<jobs>(?::[\d_*+]+)*)(?:\((?P<state>[a-z_]+)\))?")


def parse(text: str) -> list[Dependency]:
    """The dependencies that `text` lists, in its order; none for a placeholder (`(null)`, empty).

    Reads what squeue and scontrol print from 20.11 to 26.05, where each job has its own kind and state, and what
    sbatch takes (`afterok:123:124`). Raises ParseError for anything else.
    """
    if text in NO_WORD:
        return []
    alternatives = "?" in text
    dependencies: list[Dependency] = []
    for term in re.split(r"[,?]", text):
        match = _TERM.fullmatch(term)
        jobs = [_JOB.fullmatch(job) for job in match["jobs"].split(":")[1:]] if match else []
        if match is None or not all(jobs):
            raise ParseError("dependency", text)
        dependencies.extend(_dependencies(match, [job for job in jobs if job], alternatives))
    return dependencies


def _dependencies(term: re.Match[str], jobs: list[re.Match[str]], any_suffices: bool) -> list[Dependency]:
    kind = _member(DependencyKind, term["kind"])
    state = _member(DependencyState, term["state"] or "unfulfilled")
    if not jobs:
        return [Dependency(kind, state=state, any_suffices=any_suffices)]
    return [
        Dependency(
            kind,
            job["job"],
            task=int(job["task"]) if job["task"] not in (None, "*") else None,
            all_tasks=job["task"] == "*",
            minutes=None if job["minutes"] is None else int(job["minutes"]),
            state=state,
            any_suffices=any_suffices,
        )
        for job in jobs
    ]


def _member(kinds: type[E], word: str) -> E:
    return kinds.__members__.get(word.upper(), kinds["UNKNOWN"])
