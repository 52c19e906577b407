"""What makes the priority of waiting jobs, as sprio prints it (sprio(1)). Everywhere numbers of points, added up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from slurm import framing
from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.errors import ParseError
from slurm.operation import Operation, RunsAs
from slurm.text import BigInt, verbatim
from slurm.tres import tres


@dataclass(frozen=True, slots=True)
class TresPriority:
    """The points for one resource that a job asks for, as ("cpu", 62)."""

    name: str
    points: BigInt


@dataclass(frozen=True, slots=True)
class NoPriorityFactors:
    """The cluster has none, and why."""

    reason: str


def _points(value: str) -> BigInt:
    """Raises ParseError. Not `text.integer`: -2 is a number of points here."""
    if not re.fullmatch(r"-?\d{1,20}", value):
        raise ParseError("number of points", value)
    return int(value)


def _tres_points(value: str) -> list[TresPriority]:
    return [TresPriority(name, _points(points)) for name, points in tres(value).items()]


class PriorityFactors(Record):
    """The points of a waiting job in one of its queues. A job that is not eligible yet (held, begin time) has none."""

    raw_id = Column(
        verbatim,
        "%i",
        about="The number that slurmctld knows the job by; an array's waiting tasks have one. sprio: %i.",
    )
    queue_name = Column(
        verbatim,
        "%r",
        about="The queue (Slurm: partition); a job that may start in several has factors for each. sprio: %r.",
    )
    priority = Column(
        _points, "%Y", about="The whole priority in this queue, in points; higher starts first. sprio: %Y."
    )
    age = Column(_points, "%A", about="Points for how long it has been eligible. sprio: %A.")
    association = Column(_points, "%B", about="Points of its account and user. sprio: %B.")
    fair_share = Column(
        _points, "%F", about="Points for how little its account and user have used of their share. sprio: %F."
    )
    job_size = Column(_points, "%J", about="Points for its size. sprio: %J.")
    queue = Column(_points, "%P", about="Points of the queue (Slurm: partition). sprio: %P.")
    qos = Column(_points, "%Q", about="Points of its quality of service. sprio: %Q.")
    site = Column(_points, "%S", about="Points that the site's own rule or an administrator adds. sprio: %S.")
    tres = Column(_tres_points, "%T", about="Points, one for each resource that it asks for. sprio: %T.")
    nice = Column(_points, "%N", about="What its nice value takes away, in points; negative adds. sprio: %N.")


SPRIO = Operation(
    "sprio",
    words=("sprio", "--local", "--noheader"),
    environment={"SPRIO_FORMAT": f"(%[A-Za-z]{framing.SEPARATOR})+"},
    runs_as=RunsAs.READER,
)


def priority_factors() -> Question[Rows[PriorityFactors] | NoPriorityFactors]:
    """The factors of all waiting jobs that are eligible, a row for each of their queues.

    Most clusters that were not set up for it have none: ParallelCluster leaves PriorityType to Slurm, whose default
    is priority/basic up to 23.02 and priority/multifactor since 23.11.
    """
    separator = framing.separator()
    columns = "".join(f"{source}{separator}" for source in PriorityFactors.sources())
    return Question((Command(SPRIO, environment={"SPRIO_FORMAT": columns}),), partial(read, separator=separator))


def read(replies: Sequence[Reply], separator: str) -> Rows[PriorityFactors] | NoPriorityFactors:
    """One row a line, none without a waiting job. Raises what `require_success` raises, and ParseError.

    None of these columns holds text that a user chooses; they are framed all the same, as a partition may have any
    name.
    """
    (reply,) = replies
    if reply.exit_code == 1 and "not running a supported priority plugin" in reply.stderr:
        return NoPriorityFactors(
            "The cluster starts jobs in the order they came (PriorityType=priority/basic); an administrator can choose"
            " priority/multifactor in slurm.conf."
        )
    return Rows.readable(PriorityFactors, *framing.split(require_success(reply), PriorityFactors.sources(), separator))
