"""Arguments that several fields take, described where their types are.

A method that answers a field takes the field's arguments. schema/ makes the GraphQL arguments from its signature: their
names, defaults, types and descriptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from resolvers.described import Id
from resolvers.filters import IDS_LIMIT as IDS_LIMIT
from resolvers.filters import JobFilter, NodeFilter
from resolvers.order import STEPS_LIMIT, JobOrder
from slurm.argument import limited, word
from slurm.states import DescribedEnum

THE_JOBS = f"The jobs, 1 to {IDS_LIMIT}; an array's id means all of its tasks."


LONGEST_WAIT = 20
"""Seconds that a request may wait for jobs to end; API Gateway gives up on a request after 29."""


class EndedWhen(DescribedEnum):
    """When a wait for several jobs is over."""

    ALL = "ALL", "When all of them have ended."
    ANY = "ANY", "When one of them has ended."


@dataclass(frozen=True)
class About:
    """What an argument means."""

    text: str


_DEFAULT = "the only cluster or the configured default."
CLUSTER_NAME = f"The cluster's name; by default {_DEFAULT}"
CLUSTER_OF_IDS = f"The cluster's name; by default that in the first job id, else {_DEFAULT}"
ClusterName = Annotated[str | None, About(CLUSTER_NAME)]
ClusterOfIds = Annotated[str | None, About(CLUSTER_OF_IDS)]
ClusterInName = Annotated[str | None, About(f"The cluster's name; by default that in `name`, else {_DEFAULT}")]
First = Annotated[int | None, About("The number of rows to return at most: 0 to 1000, unless more is configured.")]
After = Annotated[str | None, About("Return the rows after this place: `pageInfo.endCursor` of the previous page.")]
Jobs = Annotated[JobFilter | None, About("Which jobs; all by default.")]
Order = Annotated[
    Sequence[JobOrder] | None,
    About(f"The order, at most {STEPS_LIMIT} steps; by default by id. The first step counts most."),
]
LatestFirst = Annotated[
    Sequence[JobOrder] | None,
    About(
        f"The order, at most {STEPS_LIMIT} steps; by default the job submitted last comes first. "
        "The first step counts most."
    ),
]
Since = Annotated[
    datetime | None,
    About(
        "Jobs that waited, ran or ended at this time or later; by default the latest of the filter's submittedAfter, "
        "endedAfter and updatedAfter, else 24 hours before `until`, or without a limit if the filter names ids. "
        "sacct: --starttime."
    ),
]
Until = Annotated[
    datetime | None, About("Jobs that waited, ran or ended before this time; by default now. sacct: --endtime.")
]
Nodes = Annotated[NodeFilter | None, About("Which nodes; all by default.")]
JOB_ID = "`123`, `123_4`, `123_[5-9]` or `123+0`, with or without the cluster's name."
JobId = Annotated[Id, About(JOB_ID)]
OfUser = Annotated[str | None, About(limited("Only those of this user.", word))]
OfAccount = Annotated[str | None, About(limited("Only those of this account.", word))]
JobIds = Annotated[Sequence[Id], About(THE_JOBS)]
When = Annotated[EndedWhen, About("When the wait is over.")]
Timeout = Annotated[int, About(f"How many seconds to wait at most: 0 to {LONGEST_WAIT}; 0 only looks.")]
QueueName = Annotated[str, About("The queue's name in Slurm, or its id, as `lab:queue1`.")]
NodeName = Annotated[str, About("The node's name in Slurm, or its id, as `lab:queue1-st-small-1`.")]
