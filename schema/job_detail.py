"""Details of a job: its output, its array, its dependencies, its priority."""

from datetime import datetime

import strawberry

from resolvers import array, dependency, jobs_ended, output
from schema.counts import JobStateCount
from schema.links import JobLink
from schema.page import JobConnection
from schema.scalars import BigInt
from schema.types_from_tables import made_from
from slurm import sprio
from slurm.dependency import DependencyKind, DependencyState
from slurm.states import JobPhase

SCRIPT = (
    "The batch script as it was submitted; null for a job without one. Only the job's owner and operators may see it "
    "(FORBIDDEN). scontrol: write batch_script."
)
OUTPUT = (
    "Part of the file that the job writes its output or errors to. The API reads it as the caller's own account; if "
    "that may not read the file, the error is FORBIDDEN. Null if the job has no such file, or while its path is "
    "unknown, as for the waiting tasks of an array. For a job that the scheduler has forgotten, the path comes from "
    "accounting (Slurm 24.05 or newer); on older releases `message` says that it is unknown. One more command reads "
    "the outputs of all jobs in a list."
)
STDOUT_PATH = (
    "The file that the job writes its output to, with sbatch's patterns (%j ...) filled in; null for a job without a "
    "script, and while the path is not known, as for the waiting tasks of an array. Once the scheduler has forgotten "
    "the job, accounting has the path since Slurm 24.05; null before. squeue, sacct: StdOut."
)
STDERR_PATH = (
    "The file that the job writes its errors to; the same as `stdoutPath` unless the job names another. squeue, sacct: "
    "StdErr."
)
REASON_CODE = (
    "Why the job waits or failed, as a code; null when Slurm gives no reason. For an ended job accounting has the last "
    "reason why it waited. squeue: Reason; sacct: Reason."
)
REASON_TEXT = (
    "A sentence for people. While the job waits: why, and what to do about it; if EC2 does not start a node for it, "
    "why not. After the job ended: what ended it. Null while it runs, if it completed, and if somebody cancelled it. "
    "Accounting also has null if Slurm cancelled it because its dependency failed. squeue: Reason, State; sinfo: "
    "Reason."
)
CAPACITY_CODE = (
    "Why EC2 does not start a node that the job waits for: a node that Slurm names as unavailable, or the node in the "
    "job's queues that failed last (other nodes of the queue may still start). Null if there is none. sinfo: Reason."
)
QUEUE_POSITION = (
    "The job's place among the jobs waiting in its queue, by priority; 1 is next, but smaller jobs may start earlier "
    "(backfill). Each waiting task of an array counts. Jobs that are held, depend on other jobs or have a later begin "
    "time do not count and have no place. If the job waits in several queues, its best place. Null if the job does not "
    "wait, or if the caller does not see all jobs."
)
ARRAY = "The array that the job belongs to; null if it is not a task of an array."
COMPONENTS = (
    "All components of the heterogeneous job that this job belongs to, in order; empty for any other job. At most 128, "
    "which is Slurm's limit."
)
DEPENDENCIES = (
    "The dependencies of the job that are not fulfilled yet, at most as many as were given. squeue: Dependency."
)
PRIORITY_FACTORS = (
    "The factors of the job's priority, one for each queue that it waits in; empty if the job does not wait or is not "
    "eligible yet. Null with PRIORITY_FACTORS_DISABLED if the cluster ranks jobs only by the order in which they came "
    "(PriorityType=priority/basic). sprio."
)


@made_from(output.JobOutput)
class JobOutput:
    """Part of a job's output, or why there is none, read from its file with the caller's own rights.

    Bytes that are not UTF-8 become U+FFFD.
    """

    path: str | None = strawberry.field(
        description="The file's path on the cluster; null if nobody knows it any more, and `message` says why."
    )
    exists: bool = strawberry.field(description="Whether the file exists; a job that has not started has none yet.")
    text: str | None = strawberry.field(
        description="The text; null if there is no such file or it is not a text file, such as /dev/null. A character "
        "that is cut off at the end comes with the next part."
    )
    message: str | None = strawberry.field(description="Why there is no text; null if there is.")
    offset: BigInt = strawberry.field(description="Where in the file the text begins, in bytes.")
    next_offset: BigInt = strawberry.field(
        description="Where it ends, in bytes. Pass it as `offset` to get what is written after that."
    )
    size: BigInt | None = strawberry.field(description="The file's size in bytes; null if there is no text.")
    modified_time: datetime | None = strawberry.field(description="When it was last written; null if there is no text.")
    is_shorter: bool = strawberry.field(
        description="Whether the file is now shorter than the given offset because it was written again, for example "
        "by a requeued job. Start again at 0."
    )


@made_from(array.JobArray)
class JobArray:
    """A whole array. In lists of jobs: the tasks that the scheduler remembers; `isComplete` says whether these are all.

    For the array of `job(id:)`, all tasks count, with those that only accounting still knows, if the cluster keeps
    accounts. Each task in a shared row counts. Tasks that were cancelled by their number while they waited leave no
    record in Slurm: they do not count. squeue: JobArrayID, State; sacct: JobID, State.
    """

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:123`.")
    job_id: str = strawberry.field(description="The array's id in Slurm. squeue: ArrayJobID.")
    task_count: int = strawberry.field(description="How many tasks are known.")
    is_complete: bool = strawberry.field(
        description="Whether no task is missing of those that Slurm has a record of. False where the scheduler may "
        "have forgotten tasks and accounting was not asked, or is not kept: `job(id:)` asks it. slurm.conf: MinJobAge."
    )
    phase: JobPhase = strawberry.field(
        description="WAITING while all known tasks wait, ENDED once all have ended, else ACTIVE."
    )
    succeeded: bool | None = strawberry.field(
        description="Whether every task that Slurm has a record of succeeded. Null until all have ended, and if it is "
        "not known of one of them, or if one may be missing."
    )
    counts_by_state: list[JobStateCount] = strawberry.field(
        description="How many tasks are in each state, the most frequent first, one for each state."
    )
    tasks: JobConnection = strawberry.field(
        description="A page of the tasks that the scheduler remembers; if it has forgotten the queried task, a page "
        "of all tasks in accounting. The waiting tasks share one row, and the connection counts rows."
    )


@made_from(jobs_ended.JobsEnded)
class JobsEnded:
    """What is known of the jobs that a caller waits for."""

    done: bool = strawberry.field(
        description="Whether the wait is over, as `when` says. A job that neither the scheduler nor accounting "
        "remembers counts as ended."
    )
    jobs: list[JobLink] = strawberry.field(
        description="The jobs, of an array its tasks: at most 200, those that have not ended first."
    )
    not_remembered: list[strawberry.ID] = strawberry.field(
        description="Those of `ids` that neither the scheduler nor accounting knows, or not to this caller; an array "
        "or a set of tasks also if only some of its tasks are known. Without accounting, nobody knows how a job ended "
        "that the scheduler has forgotten (slurm.conf: MinJobAge)."
    )
    as_of: datetime = strawberry.field(
        description="When the data was requested from the cluster. Nothing in it is older."
    )


@made_from(dependency.JobDependency)
class JobDependency:
    """One thing that a job waits for. sbatch: --dependency."""

    kind: DependencyKind = strawberry.field(description="What must have happened to the other job.")
    state: DependencyState = strawberry.field(description="Whether it is fulfilled.")
    job_id: str | None = strawberry.field(
        description="The other job's id, `123` or, for a task of an array, `123_4`; null for SINGLETON."
    )
    all_tasks: bool = strawberry.field(description="Whether it means all tasks of the array with that id.")
    minutes: BigInt | None = strawberry.field(
        description="How many minutes must pass after the other job's start (AFTER); null for none."
    )
    any_suffices: bool = strawberry.field(
        description="Whether this is one of several alternatives, any one of which is enough."
    )
    job: JobLink | None = strawberry.field(
        description="The other job; null if the scheduler has forgotten it, and for SINGLETON."
    )


@made_from(sprio.TresPriority)
class TresPriority:
    """The points of a job's priority for one resource that it asks for. sprio: %T."""

    name: str = strawberry.field(description="The resource, as `cpu` or `gres/gpu`.")
    points: BigInt = strawberry.field(description="Points of priority.")


@made_from(sprio.PriorityFactors)
class PriorityFactors:
    """The points of a waiting job's priority in one of its queues; their sum is the priority. sprio."""
