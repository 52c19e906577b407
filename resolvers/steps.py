"""A job's steps and what they use: from accounting, and while they run from the nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from access.role import Role
from resolvers import datasets
from resolvers.errors import ForbiddenError
from slurm.accounted_step import Step
from slurm.column import Rows
from slurm.efficiency import Efficiency, efficiency
from slurm.sacct import History, HistoryJob
from slurm.sstat import RunningStep
from slurm.states import ENDED

if TYPE_CHECKING:
    from resolvers.job import Job


@dataclass(frozen=True)
class Accounted:
    """A job and its steps from accounting; no job if accounting has not recorded it yet."""

    job: HistoryJob | None
    steps: Sequence[Step]

    @classmethod
    def of(cls, history: History, job: HistoryJob | None) -> Self:
        """One of the history's jobs with its steps."""
        return cls(job, history.steps_of(job) if job is not None else [])


class JobStep(Step):
    """A step. While it runs, what it uses is what the nodes measure, if the caller may see that."""

    __slots__ = ("_cluster", "_running")

    def __init__(self, cluster: str, step: Step, running: RunningStep | None) -> None:
        super().__init__(step.rows, step.index)
        self._cluster = cluster
        self._running = running

    @property
    def id(self) -> str:
        """Unique over all clusters."""
        return f"{self._cluster}:{self.step_id}"

    def __getattribute__(self, name: str) -> Any:
        if name in _MEASURED and self._running is not None:
            return getattr(self._running, name)
        return super().__getattribute__(name)


_MEASURED = {column.name for column in RunningStep.columns()} - {"step_id", "raw_id"}


async def steps(job: Job) -> list[JobStep]:
    """The job's steps. Raises RequestError."""
    if not (_runs(job) and _may_look(job)):
        return [JobStep(job.cluster.name, step, None) for step in (await job.accounted()).steps]
    accounted, running = await asyncio.gather(job.accounted(), _running_steps(job))
    measured = {step.step_id: step for step in running}
    return [JobStep(job.cluster.name, step, measured.get(step.raw_id)) for step in accounted.steps]


async def efficiency_of(job: Job) -> Efficiency:
    """CPU and memory that the job uses or used, as shares of what it was given.

    Unknown before it starts, and after its end until accounting has recorded it. Raises RequestError; ForbiddenError
    for another user's running job, unless the caller is an operator.
    """
    if _runs(job):
        if not _may_look(job):
            raise ForbiddenError(
                f"Only {job.user} and operators may see what job {job.id} uses while it runs. Ask when it has ended."
            )
        accounted, running = await asyncio.gather(job.accounted(), _running_steps(job))
        ended = [step for step in accounted.steps if step.end_time is not None]
        return efficiency(job, [*ended, *running])
    accounted = await job.accounted()
    if accounted.job is None or accounted.job.state not in ENDED:
        return Efficiency(cpu=None, memory=None)
    return efficiency(accounted.job, accounted.steps, accounted.job.cpu_time_seconds)


async def _running_steps(job: Job) -> Rows[RunningStep]:
    return await job.cluster.load(datasets.running_steps(job.raw_id, job.cluster.request.actor))


def _runs(job: Job) -> bool:
    return job.state not in ENDED and bool(job.node_names)


def _may_look(job: Job) -> bool:
    """Whether slurmd shows the caller what a step uses: only its user and Slurm's administrators see that."""
    caller = job.cluster.request.caller
    return caller.role is Role.OPERATOR or caller.cluster_user == job.user
