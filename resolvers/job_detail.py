"""A job in detail: its files, why it waits, and what it belongs to."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

from resolvers import datasets
from resolvers.dependency import JobDependency
from resolvers.errors import PriorityFactorsDisabledError
from resolvers.output import JobOutput, OutputFrom, OutputStream, output_range, read_output
from resolvers.script import read_script
from resolvers.waiting import without_capacity
from slurm import dependency, reason
from slurm.capacity import CapacityCode
from slurm.column import Rows
from slurm.reason import ReasonCode
from slurm.sprio import NoPriorityFactors, PriorityFactors
from slurm.states import JobState

if TYPE_CHECKING:
    from resolvers.array import JobArray
    from resolvers.cluster import Cluster
    from resolvers.job import Job


class JobRow(Protocol):
    """What a job's detail is made of, whoever listed the job."""

    cluster: Cluster
    rows: Rows[Any]

    def beside(self, index: int) -> Job: ...  # noqa: D102 - as JobDetail's
    @property
    def job_id(self) -> str: ...  # noqa: D102 - as squeue.Job's
    @property
    def raw_id(self) -> str: ...  # noqa: D102 - as squeue.Job's
    @property
    def state(self) -> JobState: ...  # noqa: D102 - as squeue.Job's
    @property
    def reason(self) -> str | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def queue_name(self) -> str: ...  # noqa: D102 - as squeue.Job's
    @property
    def array_job_id(self) -> str | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def het_job_id(self) -> str | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def dependency(self) -> str | None: ...  # noqa: D102 - as squeue.Job's
    @property
    def stdout_path(self) -> str | None: ...  # noqa: D102 - as Job's
    @property
    def stderr_path(self) -> str | None: ...  # noqa: D102 - as Job's


class JobDetail:
    """The detail of a job, for a class that has what JobRow says."""

    __slots__ = ()

    def beside(self, index: int) -> Any:
        """The job in another row of the same answer."""
        other: Any = copy(self)
        other.index = index
        return other

    async def output(
        self: JobRow,
        stream: OutputStream,
        lines: int | None,
        bytes: int | None,
        start: OutputFrom | None,
        offset: float | None,
    ) -> JobOutput | None:
        """Part of the job's output or errors, as the calling user; None where it cannot be told which file has it."""
        part = output_range(lines, bytes, start, offset)
        path = self.stderr_path if stream is OutputStream.STDERR else self.stdout_path
        return None if path is None else await read_output(self.cluster, path, part)

    async def script(self: JobRow) -> str | None:
        """The batch script, as the calling user; None for a job without one."""
        return await read_script(self.cluster, self.job_id)

    @property
    def reason_code(self: JobRow) -> ReasonCode | None:
        """Why it waits or failed, as a code."""
        return reason.reason_code(self.reason or "")

    @property
    def reason_text(self: JobRow) -> str | None:
        """The same for people, with what EC2 says of the node it waits for; of an ended job what ended it."""
        said = reason.sentence(reason.reason_code(self.reason or ""), self.state)
        node = without_capacity(self)
        sentences = [said] if said else []
        if node and node.capacity_code:
            sentences.append(f"Node {node.name} was not started: {node.capacity_code.description}")
        return " ".join(sentences) or None

    @property
    def capacity_code(self: JobRow) -> CapacityCode | None:
        """Why EC2 does not start the node that it waits for."""
        node = without_capacity(self)
        return node.capacity_code if node else None

    @property
    def queue_position(self: JobRow) -> int | None:
        """Its place among those that wait in its queue."""
        return self.cluster.queue_positions.get(self.raw_id) if self.state is JobState.PENDING else None

    @property
    def array(self: JobRow) -> JobArray | None:
        """The array that it is a task of."""
        return self.cluster.array_of(self)

    @property
    def components(self: JobRow) -> list[Job]:
        """All components of its heterogeneous job."""
        return self.cluster.components_of(self)

    @property
    def dependencies(self: JobRow) -> list[JobDependency]:
        """What it waits for."""
        return [JobDependency(self.cluster, found) for found in dependency.parse(self.dependency or "")]

    @property
    def priority_factors(self: JobRow) -> list[PriorityFactors]:
        """The points of its priority in each queue. Raises PriorityFactorsDisabledError."""
        factors = self.cluster.read(datasets.PRIORITY_FACTORS).value
        if isinstance(factors, NoPriorityFactors):
            raise PriorityFactorsDisabledError(factors.reason, cluster=self.cluster.name)
        return self.cluster.factors_by_raw_id.get(self.raw_id, [])
