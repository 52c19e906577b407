"""Details of a job: its files, why it waits, and what it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.arguments import About
from resolvers.dependency import JobDependency
from resolvers.errors import PriorityFactorsDisabledError
from resolvers.output import (
    DEFAULT_BYTES,
    TOGETHER_LIMIT,
    JobOutput,
    OutputStream,
    output_range,
    read_output,
)
from resolvers.reads import JobPart, Parts, reads, reads_by, related_jobs
from resolvers.script import read_script
from resolvers.waiting import without_capacity
from slurm import dependency, reason, squeue
from slurm.capacity import CapacityCode
from slurm.column import Rows
from slurm.output_file import LONGEST_CHARACTER, READ_LIMIT
from slurm.reason import ReasonCode
from slurm.sprio import NoPriorityFactors, PriorityFactors
from slurm.states import JobState
from slurm.text import BigInt

if TYPE_CHECKING:
    from resolvers.array import JobArray
    from resolvers.cluster import Cluster
    from resolvers.job import Job


class JobRow(Protocol):
    """What the details of a job are made of, from squeue or from sacct."""

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
    def node_names(self) -> Sequence[str]: ...  # noqa: D102 - as squeue.Job's
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


Stream = Annotated[OutputStream, About("Which of the job's two files.")]
Lines = Annotated[int | None, About("Return at most this many whole lines, 1 or more; by default all.")]
Bytes = Annotated[
    int | None,
    About(
        f"Return at most this many bytes, {LONGEST_CHARACTER} to {READ_LIMIT}; {DEFAULT_BYTES} by default. All "
        f"outputs of one request may have {TOGETHER_LIMIT} together."
    ),
]
Offset = Annotated[
    BigInt | None,
    About(
        "Read from this byte on, 0 to 10^15 - 1: 0 for the beginning of the file, `nextOffset` of the previous part to "
        "follow it. By default the part is the end of the file."
    ),
]


def _output(
    cluster: Cluster,
    below: Parts,
    stream: OutputStream,
    lines: int | None,
    bytes: int | None,
    offset: int | None,
) -> list[Dataset[Any]]:
    """The configuration, which decides a file's path. Raises BadInputError, so that nothing is sent."""
    output_range(lines, bytes, offset)
    return [datasets.CONFIGURATION]


_WAITING = (squeue.Job.state, squeue.Job.reason, squeue.Job.queue_name)
"""The columns that say which nodes a job waits for."""


class JobDetail:
    """The details of a job, for a class with the members of JobRow."""

    __slots__ = ()

    def beside(self, index: int) -> Any:
        """The job in another row of the same answer."""
        other: Any = copy(self)
        other.index = index
        return other

    @reads_by(_output, parts=[JobPart.FILES])
    async def output(
        self: JobRow,
        stream: Stream = OutputStream.STDOUT,
        lines: Lines = None,
        bytes: Bytes = None,
        offset: Offset = None,
    ) -> JobOutput | None:
        """Part of the job's output or errors, read as the calling user; None if the file is not known."""
        part = output_range(lines, bytes, offset)
        path = self.stderr_path if stream is OutputStream.STDERR else self.stdout_path
        return None if path is None else await read_output(self.cluster, path, part)

    @reads(columns=[squeue.Job.job_id])
    async def script(self: JobRow) -> str | None:
        """The batch script, read as the calling user; None for a job without one."""
        return await read_script(self.cluster, self.job_id)

    @property
    @reads(columns=[squeue.Job.reason])
    def reason_code(self: JobRow) -> ReasonCode | None:
        """Why it waits or failed, as a code."""
        return reason.reason_code(self.reason or "")

    @property
    @reads(datasets.NODES, columns=(*_WAITING, squeue.Job.node_names))
    def reason_text(self: JobRow) -> str | None:
        """What it waits for, with EC2's reason for the node that it waits for; what ended it, if it has ended."""
        said = reason.sentence(reason.reason_code(self.reason or ""), self.state, has_run=bool(self.node_names))
        node = without_capacity(self)
        sentences = [said] if said else []
        if node and node.capacity_code:
            sentences.append(f"Node {node.name} was not started: {node.capacity_code.description}")
        return " ".join(sentences) or None

    @property
    @reads(datasets.NODES, columns=_WAITING)
    def capacity_code(self: JobRow) -> CapacityCode | None:
        """Why EC2 does not start a node that it waits for."""
        node = without_capacity(self)
        return node.capacity_code if node else None

    @property
    @reads(datasets.JOBS)
    def queue_position(self: JobRow) -> int | None:
        """Its place among the jobs waiting in its queue."""
        return self.cluster.queue_positions.get(self.raw_id) if self.state is JobState.PENDING else None

    @property
    @reads_by(related_jobs, columns=[squeue.Job.array_job_id], parts=[JobPart.ARRAY])
    def array(self: JobRow) -> JobArray | None:
        """The array that it is a task of."""
        return self.cluster.array_of(self)

    @property
    @reads_by(related_jobs, columns=[squeue.Job.het_job_id, squeue.Job.order])
    def components(self: JobRow) -> list[Job]:
        """All components of its heterogeneous job."""
        return self.cluster.components_of(self)

    @property
    def dependencies(self: JobRow) -> list[JobDependency]:
        """What it waits for."""
        return [JobDependency(self.cluster, found) for found in dependency.parse(self.dependency or "")]

    @property
    @reads(datasets.PRIORITY_FACTORS, columns=[squeue.Job.raw_id])
    def priority_factors(self: JobRow) -> list[PriorityFactors]:
        """The points of its priority in each queue. Raises PriorityFactorsDisabledError."""
        factors = self.cluster.read(datasets.PRIORITY_FACTORS).value
        if isinstance(factors, NoPriorityFactors):
            raise PriorityFactorsDisabledError(factors.reason, cluster=self.cluster.name)
        return self.cluster.factors_by_raw_id.get(self.raw_id, [])
