"""What a job waits for, linked to the other job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resolvers import datasets
from resolvers.reads import reads
from slurm.dependency import Dependency, DependencyKind, DependencyState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.job import Job


@dataclass(frozen=True)
class JobDependency:
    """One thing that a job waits for."""

    cluster: Cluster
    found: Dependency

    @property
    def kind(self) -> DependencyKind:
        """What must have happened to the other job."""
        return self.found.kind

    @property
    def state(self) -> DependencyState:
        """Whether it is fulfilled."""
        return self.found.state

    @property
    def job_id(self) -> str | None:
        """The id of the other job, or of the task that it means."""
        return self.found.job_id if self.found.task is None else f"{self.found.job_id}_{self.found.task}"

    @property
    def all_tasks(self) -> bool:
        """Whether it means a whole array."""
        return self.found.all_tasks

    @property
    def minutes(self) -> int | None:
        """How long after the other job's start."""
        return self.found.minutes

    @property
    def any_suffices(self) -> bool:
        """Whether it is one of several alternatives."""
        return self.found.any_suffices

    @property
    @reads(datasets.JOBS)
    def job(self) -> Job | None:
        """The other job; None if the scheduler has forgotten it."""
        if self.job_id is None:
            return None
        return self.cluster.remembered_job(self.job_id)
