"""Pages of jobs and nodes."""

from datetime import datetime

import strawberry

from resolvers import job, node, pages
from resolvers.job import JobSource
from schema.counts import JobStateCount
from schema.links import JobLink, NodeLink
from schema.types_from_tables import made_from


@made_from(pages.PageInfo)
class PageInfo:
    """Where a page ends."""

    has_next_page: bool = strawberry.field(description="Whether there are more pages.")
    end_cursor: str | None = strawberry.field(
        description="Pass it as `after` for the next page; null if the page is empty. It is a place in the order, not "
        "a number of rows: pages neither skip nor repeat rows while jobs come and go."
    )


@made_from(job.JobConnection)
class JobConnection:
    """A page of jobs."""

    nodes: list[JobLink] = strawberry.field(description="The jobs on this page.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
    total_count: int = strawberry.field(description="How many jobs there are on all pages.")
    counts_by_state: list[JobStateCount] = strawberry.field(
        description="How many jobs on all pages are in each state, the most frequent first."
    )
    as_of: datetime = strawberry.field(
        description="When the data was requested from the cluster. Nothing in it is older."
    )
    source: JobSource = strawberry.field(
        description="Where these jobs come from. A history from SCHEDULER_MEMORY lacks the jobs that the scheduler has "
        "forgotten."
    )


@made_from(node.NodeConnection)
class NodeConnection:
    """A page of nodes."""

    nodes: list[NodeLink] = strawberry.field(description="The nodes on this page.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
    total_count: int = strawberry.field(description="How many nodes there are on all pages.")
    as_of: datetime = strawberry.field(
        description="When the data was requested from the cluster. Nothing in it is older."
    )
