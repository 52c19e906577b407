"""How well a job uses what it was given: CPU and memory, as seff(1) of Slurm's contribs reckons them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Efficiency:
    """Shares of what was allocated, 1.0 for all of it; None where either side is not known.

    A share can lie above 1: threads may run on CPUs beyond the job's where nothing confines them.
    """

    cpu: float | None
    memory: float | None


class Allocation(Protocol):
    """What a job was given: squeue.Job and sacct.HistoryJob."""

    @property
    def elapsed_seconds(self) -> int | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def cpu_count(self) -> int | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def memory_mib(self) -> int | None: ...  # noqa: D102 - as squeue.Job's


class Use(Protocol):
    """What a step used: sacct.Step and sstat.RunningStep."""

    @property
    def cpu_time_seconds(self) -> float | None: ...  # noqa: D102 - as sacct.Step's
    @property
    def max_rss_mib(self) -> int | None: ...  # noqa: D102 - as sacct.Step's
    @property
    def total_rss_mib(self) -> int | None: ...  # noqa: D102 - as sacct.Step's


def efficiency(job: Allocation, steps: Iterable[Use], cpu_time_seconds: float | None = None) -> Efficiency:
    """CPU: CPU time / (elapsed time x CPUs). Memory: the most that a step used / the job's memory.

    `cpu_time_seconds` is the whole job's where it is known (sacct.HistoryJob), else the steps' are summed. A step's
    memory is that of all its tasks at the last look, or the most that one task had, whichever is more. Steps that run
    side by side are not added up: when they peaked is not known.
    """
    used = list(steps)
    if cpu_time_seconds is None:
        cpu_time_seconds = _sum(step.cpu_time_seconds for step in used)
    peaks = [amount for step in used for amount in (step.max_rss_mib, step.total_rss_mib) if amount is not None]
    return Efficiency(
        cpu=_share(cpu_time_seconds, (job.elapsed_seconds or 0) * (job.cpu_count or 0)),
        memory=_share(max(peaks, default=None), job.memory_mib or 0),
    )


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _share(used: float | None, given: int) -> float | None:
    return used / given if used is not None and given > 0 else None
