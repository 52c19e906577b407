"""Arguments that several fields take, described where their types are.

A method that answers a field takes the field's arguments, by their names and with their defaults: schema/ makes the
GraphQL arguments from its signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from resolvers.described import Id
from resolvers.filters import JobFilter, NodeFilter
from resolvers.order import JobOrder
from slurm.job_action import SignalTarget

IDS_LIMIT = 200
"""Jobs that one change may name: each is a command on the head node."""


@dataclass(frozen=True)
class About:
    """What an argument means; `name` is its name in GraphQL where Python reserves that word."""

    text: str
    name: str | None = None


ClusterName = Annotated[
    str | None, About("The cluster's name; without one the only cluster, or the configured default.")
]
First = Annotated[int | None, About("How many to give at most: 0 to 1000, unless configured higher.")]
After = Annotated[str | None, About("Give those behind this place: `pageInfo.endCursor` of the page before.")]
Jobs = Annotated[JobFilter | None, About("Which jobs; all by default.")]
Order = Annotated[Sequence[JobOrder] | None, About("The order; by id by default. The first step counts most.")]
LatestFirst = Annotated[
    Sequence[JobOrder] | None,
    About("The order; those submitted last first by default. The first step counts most."),
]
Since = Annotated[
    datetime | None,
    About(
        "Jobs that waited, ran or ended at this time or later; by default 24 hours before `until`, and "
        "without limit if the filter names ids. sacct: --starttime."
    ),
]
Until = Annotated[
    datetime | None, About("Jobs that waited, ran or ended before this time; by default now. sacct: --endtime.")
]
Nodes = Annotated[NodeFilter | None, About("Which nodes; all by default.")]
JobId = Annotated[Id, About("`123`, `123_4`, `123_[5-9]` or `123+0`, with or without the cluster's name.")]
JobIds = Annotated[Sequence[Id], About(f"The jobs, at most {IDS_LIMIT}; an array's id means all of its tasks.")]
SignalName = Annotated[str, About("The signal's name or number: TERM, USR1, 9 ... scancel: --signal.")]
Target = Annotated[SignalTarget, About("Which of each job's processes it is for.")]
OfUser = Annotated[str | None, About("Those of this user alone.")]
OfAccount = Annotated[str | None, About("Those of this account alone.")]
ReservationName = Annotated[str, About("The reservation's name.")]
QueueName = Annotated[str, About("The queue's name.")]
NodeName = Annotated[str, About("The node's name in Slurm.")]
