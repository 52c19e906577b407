"""Changing what a job asks for: scontrol(1), update. One line of the table is one input.

Users may change their own waiting jobs and lower the limits of running ones. Slurm accepts lines marked `operators`
only from its operators.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from slurm import argument, job_id
from slurm.argument import assignment, described, invalid, or_nothing
from slurm.command import Command, Question, Reply
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, each_refusal


@dataclass(kw_only=True)
class JobUpdate:
    """What to change of a job; what is null stays as it is."""

    time_limit_seconds: int | None = assignment(
        "TimeLimit",
        argument.time_limit,
        "The time limit in seconds, which Slurm rounds up to minutes. Only operators may raise that of a running job.",
    )
    time_min_seconds: int | None = assignment(
        "TimeMin", argument.time_limit, "The least time limit in seconds that backfill may cut the job down to."
    )
    queue: str | None = assignment("Partition", argument.words, "The queue, or several joined by commas.")
    priority: int | None = assignment(
        "Priority", argument.number, "The priority, fixed from now on; 0 holds the job.", operators=True
    )
    nice: int | None = assignment(
        "Nice", argument.niceness, "What is taken off the priority. Only operators may set less than 0."
    )
    name: str | None = assignment("JobName", argument.text, "The job's name.")
    comment: str | None = assignment("Comment", argument.text, "The job's comment.")
    admin_comment: str | None = assignment(
        "AdminComment", argument.text, "The administrators' comment.", operators=True
    )
    account: str | None = assignment("Account", argument.word, "The account to charge.")
    qos: str | None = assignment("QOS", argument.word, "The quality of service.")
    dependency: str | None = assignment(
        "Dependency", or_nothing(argument.dependency), "What to wait for, as `afterok:123`; empty for nothing."
    )
    begin_time: datetime | None = assignment("StartTime", argument.moment, "Do not start before this time.")
    deadline: datetime | None = assignment(
        "Deadline", argument.moment, "Remove the job if it cannot end before this time.", operators=True
    )
    nodes: int | None = assignment(
        "NumNodes",
        argument.wider(argument.count, f"{argument.NUMBER}(-{argument.NUMBER})?"),  # maxNodes makes a range of it
        "How many nodes, or how many at least if `maxNodes` is given. That of a running job can only be lowered.",
    )
    max_nodes: int | None = described("How many nodes at most; needs `nodes`. scontrol: NumNodes.")
    tasks: int | None = assignment("NumTasks", argument.count, "How many tasks (processes) `srun` starts.")
    cpus: int | None = assignment("NumCPUs", argument.count, "How many CPUs for the whole job.")
    cpus_per_task: int | None = assignment("CPUsPerTask", argument.count, "CPUs for each task.")
    memory_mib: int | None = assignment(
        "MinMemoryNode", argument.number, "Memory on each node in MiB; 0 means all of it."
    )
    features: str | None = assignment(
        "Features",
        or_nothing(argument.constraint),
        "The features that its nodes must have, as `static` or `c5.large|c5.xlarge`; empty for none.",
    )
    node_names: Sequence[str] | None = assignment(
        "ReqNodeList", or_nothing(argument.hosts), "Nodes that it must have; empty for none in particular."
    )
    excluded_node_names: Sequence[str] | None = assignment(
        "ExcNodeList", or_nothing(argument.hosts), "Nodes that it must not have; empty for none in particular."
    )
    licenses: str | None = assignment(
        "Licenses", or_nothing(argument.licenses), "Licenses, as `matlab:2`; empty for none."
    )
    reservation: str | None = assignment(
        "ReservationName", or_nothing(argument.word), "The reservation to run in; empty for none."
    )
    array_limit: int | None = assignment(
        "ArrayTaskThrottle", argument.number, "How many of the array's tasks may run at once; 0 for no limit."
    )
    requeue: bool | None = assignment(
        "Requeue", argument.yes_or_no, "Whether the job goes back to its queue when a node fails or it is preempted."
    )
    stdout_path: str | None = assignment("StdOut", argument.path, "The file for output, of a job that waits.")


UPDATE = Operation(
    "scontrol update job",
    words=("scontrol", "update"),
    options={"JobId": job_id.ARGUMENT, **argument.patterns(JobUpdate)},
    runs_as=RunsAs.CALLER,
    assigns=True,
    needs=("JobId",),
)


def update(jobs: Sequence[str], changes: JobUpdate) -> Question[list[Refusal | None]]:
    """Change each job; for each None, or why not.

    Raises InvalidInputError, with everything that is wrong, before anything is sent; ParseError for what is no job id.
    """
    options, refusals = argument.written(changes)
    argument.require(*refusals, _wrong_node_range(changes))
    argument.require(_without_change(options))
    if changes.max_nodes is not None:
        options["NumNodes"] = f"{changes.nodes}-{changes.max_nodes}"
    commands = tuple(Command(UPDATE, {"JobId": job_id.argument(job), **options}) for job in jobs)
    return Question(commands, partial(read, jobs=jobs))


def for_operators(changes: JobUpdate) -> list[Refusal]:
    """Refusals, for anybody else, of inputs that only operators may set."""
    names = argument.for_operators(changes)
    if changes.nice is not None and changes.nice < 0:
        names.append("nice")
    return [replace(invalid(name, "is for operators alone"), code=RefusalCode.FORBIDDEN) for name in names]


def read(replies: Sequence[Reply], jobs: Sequence[str]) -> list[Refusal | None]:
    """For each job None, or why it was not changed. Raises as `each_refusal` does."""
    return [_about(why, job) if why else None for why, job in zip(each_refusal(replies), jobs, strict=True)]


# Which input Slurm's words are about (slurm_strerror(3)).
_FIELDS = [
    (r"[Ii]nvalid partition", "queue"),
    (r"[Ii]nvalid account", "account"),
    (r"[Ii]nvalid qos", "qos"),
    (r"feature specification", "features"),
    (r"license specification", "licenses"),
    (r"reservation is invalid", "reservation"),
    (r"node name specified", "nodeNames"),
    (r"dependency", "dependency"),
    (r"time limit", "timeLimitSeconds"),
    (r"[Nn]ode count", "nodes"),
]


def _about(why: Refusal, job: str) -> Refusal:
    name = next((name for text, name in _FIELDS if re.search(text, why.message)), None)
    return Refusal(why.code, why.message, ["input", name] if name else None, job)


def _wrong_node_range(changes: JobUpdate) -> Refusal | None:
    if changes.max_nodes is None or (changes.nodes is not None and changes.nodes <= changes.max_nodes < 2**32 - 2):
        return None
    return invalid("max_nodes", "must be at least as many as nodes, which must be given with it")


def _without_change(options: Mapping[str, object]) -> Refusal | None:
    return None if options else Refusal(RefusalCode.INVALID_INPUT, "Name at least one thing to change.", ["input"])
