"""What belongs to a job: its output, its array, what it waits for, what makes its priority."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from resolvers.output import DEFAULT_BYTES, TOGETHER_LIMIT, OutputFrom, OutputStream
from schema import arguments
from schema.counts import JobStateCount
from schema.enums import DependencyKind, DependencyState
from schema.links import JobLink
from schema.page import JobConnection
from schema.table import TYPES, record
from slurm import sprio
from slurm.output_file import LONGEST_CHARACTER, READ_LIMIT

Stream = Annotated[OutputStream, strawberry.argument(description="Which of the job's two files.")]
Lines = Annotated[
    int | None,
    strawberry.argument(description="No more than so many whole lines, 1 or more; as many as there are by default."),
]
Bytes = Annotated[
    int | None,
    strawberry.argument(
        description=f"No more than so many bytes, {LONGEST_CHARACTER} to {READ_LIMIT}; {DEFAULT_BYTES} by default. All "
        f"outputs of one request may have {TOGETHER_LIMIT}."
    ),
]
From = Annotated[
    OutputFrom | None,
    strawberry.argument(name="from", description="Which end is read; the end by default, with an offset the start."),
]
Offset = Annotated[
    float | None,
    strawberry.argument(description="Read from this byte on: `nextOffset` of the part before. A whole number."),
]

SCRIPT = (
    "The batch script, as it was submitted; null for a job without one. Only the job's owner and operators may see it "
    "(FORBIDDEN). scontrol: write batch_script."
)
OUTPUT = (
    "Part of the file that takes the job's output or errors, read with the rights of the caller's account alone "
    "(FORBIDDEN). Null for a job without such a file, and while it has none yet, as an array's waiting tasks. Once the "
    "scheduler has forgotten the job, accounting has the path since Slurm 24.05; before, `message` says so. The "
    "outputs of all jobs of a list are read together, by one more command."
)
STDOUT_PATH = (
    "The file that takes the job's output, sbatch's patterns (%j ...) filled in; null for a job without a script, and "
    "while it cannot be told, as for an array's waiting tasks. Once the scheduler has forgotten the job, accounting "
    "has it since Slurm 24.05; null before. squeue, sacct: StdOut."
)
STDERR_PATH = (
    "The file that takes the job's errors, likewise; that of its output, unless it named one. squeue, sacct: StdErr."
)
REASON_CODE = (
    "Why the job waits or failed, as a code; null when Slurm gives no reason. For an ended job accounting has the last "
    "reason why it waited. squeue: Reason; sacct: Reason."
)
REASON_TEXT = (
    "For people: why the job waits and what can be done, and if it waits for a node that EC2 does not start, why not; "
    "once the job has ended, what ended it. Null while it runs, if it completed, and if somebody cancelled it; for a "
    "dependency that failed accounting has null, too. squeue: Reason, State; sinfo: Reason."
)
CAPACITY_CODE = (
    "Why EC2 starts no instance for a node that the job waits for: one that Slurm names as unavailable, else that of "
    "the job's queues that failed last (others of the queue may still do). Null if there is none. sinfo: Reason."
)
QUEUE_POSITION = (
    "The job's place among those that wait in its queue, by priority; 1 is next, though smaller jobs may be started "
    "before (backfill). Waiting tasks of arrays count each; jobs that are held, depend on others or have a later begin "
    "time do not count and have none. The best place, if it waits in several queues. Null for a job that does not "
    "wait, and for whoever does not see all jobs."
)
ARRAY = "The array that the job is a task of; null outside arrays."
COMPONENTS = "All components of the heterogeneous job that this is one of, in their order; empty for any other job."
DEPENDENCIES = "What the job waits for, as far as it is not fulfilled yet. squeue: Dependency."
PRIORITY_FACTORS = (
    "What makes the job's priority, for each queue that it waits in; empty for a job that does not wait or is not "
    "eligible yet. Null with PRIORITY_FACTORS_DISABLED where the cluster ranks jobs by their order alone "
    "(PriorityType=priority/basic). sprio."
)


@strawberry.type(description="Part of a job's output, or why there is none. Text that is not UTF-8 is U+FFFD.")
class JobOutput:
    """Part of a job's output."""

    # Sizes are Float: GraphQL's Int ends at 2 GiB.
    path: str | None = strawberry.field(
        description="The file's path on the cluster; null if nobody knows it any more, and `message` says why."
    )
    exists: bool = strawberry.field(description="Whether the file is there: a job that has not started has none yet.")
    text: str | None = strawberry.field(
        description="The text; null if there is no such file or it holds no text, as /dev/null. A character of which "
        "only the beginning is there comes with the next part."
    )
    message: str | None = strawberry.field(description="Why there is no text; null if there is.")
    offset: float = strawberry.field(description="Where in the file the text begins, in bytes.")
    next_offset: float = strawberry.field(
        description="Where it ends, in bytes: pass it as `offset` to get what is written from now on."
    )
    size: float | None = strawberry.field(description="The file's size in bytes; null if there is no text.")
    modified_time: datetime | None = strawberry.field(description="When it was last written; null if there is no text.")
    is_shorter: bool = strawberry.field(
        description="Whether the file has become shorter than the given offset: it was written anew, as by a requeued "
        "job. Read on from 0."
    )


@strawberry.type(
    description="An array as a whole. For a task that the scheduler lists, as far as it remembers the others "
    "(MinJobAge); for a past one, as accounting has them."
)
class JobArray:
    """An array as a whole."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:123`.")
    job_id: str = strawberry.field(description="The array's id in Slurm. squeue: ArrayJobID.")
    task_count: int = strawberry.field(description="How many tasks there are, each one in a shared row counted.")
    counts_by_state: list[JobStateCount] = strawberry.field(
        description="How many tasks are in each state, each one in a shared row counted, the most frequent first."
    )

    @strawberry.field(
        graphql_type=JobConnection,
        description="A page of its tasks. Those that wait share one row, and the connection counts rows.",
    )
    def tasks(
        self: Any,
        filter: arguments.Jobs = None,
        order_by: arguments.Order = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """Its tasks; `self` is the resolvers' JobArray."""
        return self.tasks(filter, order_by, first, after)


@strawberry.type(description="One thing that a job waits for. sbatch: --dependency.")
class JobDependency:
    """One thing that a job waits for."""

    kind: DependencyKind = strawberry.field(description="What must have become of the other job.")
    state: DependencyState = strawberry.field(description="How it stands.")
    job_id: str | None = strawberry.field(
        description="The other job's id, `123` or, for a task of an array, `123_4`; null for SINGLETON."
    )
    all_tasks: bool = strawberry.field(description="Whether all tasks of the array with that id are meant.")
    minutes: int | None = strawberry.field(
        description="How many minutes must pass after the other job's start (AFTER); null for none."
    )
    any_suffices: bool = strawberry.field(
        description="Whether this is one of several alternatives of which one will do."
    )
    job: JobLink | None = strawberry.field(
        description="The other job; null if the scheduler has forgotten it, and for SINGLETON."
    )


@strawberry.type(description="The points that a job's priority has for one resource it asks for. sprio: %T.")
class TresPriority:
    """The points for one resource."""

    name: str = strawberry.field(description="The resource, as `cpu` or `gres/gpu`.")
    points: int = strawberry.field(description="Points of priority.")


TYPES[sprio.TresPriority] = TresPriority


@record(sprio.PriorityFactors)
class PriorityFactors:
    """The points that make a waiting job's priority in one of its queues: they add up. sprio."""
