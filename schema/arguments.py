"""Arguments that several fields take."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.enums import SignalTarget
from schema.inputs import JobFilter, JobOrder, NodeFilter

Cluster = Annotated[
    str | None,
    strawberry.argument(description="The cluster's name; without one the only cluster, or the configured default."),
]
First = Annotated[
    int | None, strawberry.argument(description="How many to give at most: 0 to 1000, unless configured higher.")
]
After = Annotated[
    str | None,
    strawberry.argument(description="Give those behind this place: `pageInfo.endCursor` of the page before."),
]
Jobs = Annotated[JobFilter | None, strawberry.argument(description="Which jobs; all by default.")]
Order = Annotated[
    list[JobOrder] | None, strawberry.argument(description="The order; by id by default. The first step counts most.")
]
LatestFirst = Annotated[
    list[JobOrder] | None,
    strawberry.argument(description="The order; those submitted last first by default. The first step counts most."),
]
Since = Annotated[
    datetime | None,
    strawberry.argument(
        description="Jobs that waited, ran or ended at this time or later; by default 24 hours before `until`, and "
        "without limit if the filter names ids. sacct: --starttime."
    ),
]
Until = Annotated[
    datetime | None,
    strawberry.argument(
        description="Jobs that waited, ran or ended before this time; by default now. sacct: --endtime."
    ),
]
Nodes = Annotated[NodeFilter | None, strawberry.argument(description="Which nodes; all by default.")]
JobId = Annotated[
    strawberry.ID,
    strawberry.argument(description="`123`, `123_4`, `123_[5-9]` or `123+0`, with or without the cluster's name."),
]
JobIds = Annotated[
    list[strawberry.ID],
    strawberry.argument(description="The jobs, at most 200; an array's id means all of its tasks."),
]
SignalName = Annotated[
    str, strawberry.argument(description="The signal's name or number: TERM, USR1, 9 ... scancel: --signal.")
]
Target = Annotated[SignalTarget, strawberry.argument(description="Which of each job's processes it is for.")]
OfUser = Annotated[str | None, strawberry.argument(description="Those of this user alone.")]
OfAccount = Annotated[str | None, strawberry.argument(description="Those of this account alone.")]
ReservationName = Annotated[str, strawberry.argument(description="The reservation's name.")]
QueueName = Annotated[str, strawberry.argument(description="The queue's name.")]
NodeName = Annotated[str, strawberry.argument(description="The node's name in Slurm.")]
