"""Changing what a job asks for: scontrol(1), update. One line of the table is one input.

Users may change their own waiting jobs and lower the limits of running ones. Slurm accepts lines marked `operators`
only from its operators. What clears a value was tried on Slurm 22.05 and 24.11.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from slurm import argument, job_id
from slurm.argument import LEFT, Updated, cleared, invalid, kept
from slurm.command import Command, Question, Reply
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, each_refusal
from slurm.text import BigInt

_NO_DEADLINE = "uts4294967294"
"""Slurm's NO_VAL, which is no deadline: `scontrol show job` prints "None"."""
_ALWAYS = "give a number; Slurm always has one for a job"


@dataclass(kw_only=True)
class JobUpdate:
    """What to change of a job. What is left out stays as it is; null clears it."""

    time_limit_seconds: Updated[BigInt] = cleared(
        "TimeLimit",
        argument.time_limit,
        "The time limit in seconds, which Slurm rounds up to minutes. Only operators may raise that of a running job.",
        by="UNLIMITED",
        null="no limit",
    )
    time_min_seconds: Updated[BigInt] = cleared(
        "TimeMin",
        argument.time_limit,
        "The least time limit in seconds that backfill may cut the job down to.",
        by="0:00",
    )
    queue: Updated[str] = kept(
        "Partition", argument.words, "The queue, or several joined by commas.", why="a job always has a queue; name one"
    )
    priority: Updated[BigInt] = kept(
        "Priority",
        argument.big_number,
        "The priority, fixed from now on; 0 holds the job.",
        why="Slurm does not go back to a priority that it computes; give a number",
        operators=True,
    )
    nice: Updated[BigInt] = cleared(
        "Nice",
        argument.niceness,
        "What is taken off the priority. Only operators may set less than 0.",
        by="0",
        null="0",
    )
    name: Updated[str] = cleared("JobName", argument.text, "The job's name.", null="an empty name")
    comment: Updated[str] = cleared("Comment", argument.text, "The job's comment.")
    admin_comment: Updated[str] = cleared("AdminComment", argument.text, "The administrators' comment.", operators=True)
    account: Updated[str] = cleared("Account", argument.word, "The account to charge.", null="the user's default")
    qos: Updated[str] = kept(
        "QOS",
        argument.word,
        "The quality of service.",
        why="Slurm 24.11 does not go back to the user's default; name a QOS",
    )
    dependency: Updated[str] = cleared("Dependency", argument.dependency, "What to wait for, as `afterok:123`.")
    begin_time: Updated[datetime] = cleared(
        "StartTime", argument.moment, "Do not start before this time.", by="now", null="now"
    )
    deadline: Updated[datetime] = cleared(
        "Deadline",
        argument.moment,
        "Remove the job if it cannot end before this time.",
        by=_NO_DEADLINE,
        operators=True,
    )
    nodes: Updated[int] = kept(
        "NumNodes",
        argument.wider(argument.count, f"{argument.NUMBER}(-{argument.NUMBER})?"),  # maxNodes makes a range of it
        "How many nodes, or how many at least if `maxNodes` is given. For a running job, the number can only be "
        "lowered.",
        why=_ALWAYS,
    )
    max_nodes: Updated[int] = argument.described(
        "How many nodes at most, at least `nodes`, which it needs. Not null. scontrol: NumNodes.", LEFT
    )
    tasks: Updated[int] = kept("NumTasks", argument.count, "How many tasks (processes) `srun` starts.", why=_ALWAYS)
    cpus: Updated[int] = kept("NumCPUs", argument.count, "How many CPUs for the whole job.", why=_ALWAYS)
    cpus_per_task: Updated[int] = cleared("CPUsPerTask", argument.count, "CPUs for each task.", by="1", null="1")
    memory_mib: Updated[BigInt] = kept(
        "MinMemoryNode",
        argument.big_number,
        "Memory on each node in MiB; 0 means all of it.",
        why="Slurm cannot go back to the queue's default; give a number, or 0 for all of each node's memory",
    )
    features: Updated[str] = cleared(
        "Features", argument.constraint, "The features that its nodes must have, as `static` or `c5.large|c5.xlarge`."
    )
    node_names: Updated[Sequence[str]] = cleared("ReqNodeList", argument.hosts, "Nodes that it must have.")
    excluded_node_names: Updated[Sequence[str]] = cleared("ExcNodeList", argument.hosts, "Nodes that it must not have.")
    licenses: Updated[str] = cleared("Licenses", argument.licenses, "Licenses, as `matlab:2`.")
    reservation: Updated[str] = cleared("ReservationName", argument.word, "The reservation to run in.")
    array_limit: Updated[int] = cleared(
        "ArrayTaskThrottle",
        argument.number,
        "How many of the array's tasks may run at once; 0 for no limit.",
        by="0",
        null="no limit",
    )
    requeue: Updated[bool] = kept(
        "Requeue",
        argument.yes_or_no,
        "Whether the job goes back to its queue when a node fails or it is preempted.",
        why="Slurm cannot go back to the cluster's default; give true or false",
    )
    stdout_path: Updated[str] = kept(
        "StdOut",
        argument.path,
        "The file for output, of a job that waits.",
        why="a job always has a file for its output; sbatch's default is slurm-%j.out",
    )


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
    if changes.max_nodes is not LEFT:
        options["NumNodes"] = f"{changes.nodes}-{changes.max_nodes}"
    commands = tuple(Command(UPDATE, {"JobId": job_id.argument(job), **options}) for job in jobs)
    return Question(commands, partial(read, jobs=jobs))


def for_operators(changes: JobUpdate) -> list[Refusal]:
    """Refusals, for anybody else, of inputs that only operators may set."""
    names = argument.for_operators(changes)
    if isinstance(changes.nice, int) and changes.nice < 0:
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
    least, most = changes.nodes, changes.max_nodes
    if most is LEFT:
        return None
    if most is None:
        return invalid("max_nodes", "cannot be null: give as many as nodes for exactly so many")
    if isinstance(least, int) and least <= most < 2**32 - 2:
        return None
    return invalid("max_nodes", "must be at least as many as nodes, which must be given with it")


def _without_change(options: Mapping[str, object]) -> Refusal | None:
    return None if options else Refusal(RefusalCode.INVALID_INPUT, "Name at least one thing to change.", ["input"])
