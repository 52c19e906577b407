"""The orders of jobs."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.errors import BadInputError
from resolvers.filters import JobRows
from resolvers.pages import BY_NAME as BY_NAME
from resolvers.pages import Ordering
from slurm.states import DescribedEnum

STEPS_LIMIT = 10
"""How many steps an order may have: each sorts all rows."""


class OrderDirection(DescribedEnum):
    """The direction of an order."""

    ASC = "ASC", "Smallest, earliest or first first."
    DESC = "DESC", "Largest, latest or last first."


class JobOrderField(DescribedEnum):
    """What to order jobs by. A job without the value comes last in both directions; equal jobs are ordered by id."""

    ID = "order", "The id; an array's tasks by index, its waiting tasks last."
    NAME = "name", "The job's name, by Unicode code points."
    USER = "user", "The user's name."
    STATE = "state", "The state, alphabetically."
    QUEUE = "queue_name", "The queue's name."
    PRIORITY = "priority", "The scheduler's priority."
    SUBMIT_TIME = "submit_time", "When it was submitted."
    START_TIME = "start_time", "When it started or is expected to start."
    END_TIME = "end_time", "When it ended or will end at the latest."
    ELAPSED = "elapsed_seconds", "How long it has run."
    CPU_COUNT = "cpu_count", "How many CPUs it has or asks for."
    NODE_COUNT = "node_count", "How many nodes it has or asks for."


@dataclass(kw_only=True)
class JobOrder:
    """One step of an order; the first step counts most."""

    field: JobOrderField = dataclasses.field(metadata={"about": "What to order by."})
    direction: OrderDirection = dataclasses.field(
        default=OrderDirection.ASC, metadata={"about": "The direction; ascending by default."}
    )


def job_ordering(rows: JobRows, order_by: Sequence[JobOrder]) -> Ordering:
    """The ordering of jobs by these steps."""
    columns = {column.name: column for column in rows.record.columns()}
    last = rows.values(rows.record.order)
    return Ordering(
        name=order_name(order_by),
        columns=[(rows.values(columns[step.field.value]), step.direction is OrderDirection.DESC) for step in order_by],
        last=last,
        by_last=rows.kept("by order", lambda: sorted(range(len(rows)), key=last.__getitem__)),
        rows=rows,
    )


def order_name(order_by: Sequence[JobOrder]) -> str:
    """The name of an ordering: its fields and directions. Raises BadInputError for too many steps."""
    if len(order_by) > STEPS_LIMIT:
        raise BadInputError(f"An order has at most {STEPS_LIMIT} steps.", argument="orderBy")
    return ",".join(f"{step.field.name} {step.direction.name}" for step in order_by)
