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

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    end_cursor: str | None = strawberry.field(
        description="Pass it as `after` for the next page; null for an empty page. It names a place in the order, not "
        "a number of rows, so that pages neither skip nor repeat while jobs come and go."
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
    as_of: datetime = strawberry.field(description="The cluster was asked at this time; what is told is no older.")
    source: JobSource = strawberry.field(
        description="Who told of these jobs. A history by SCHEDULER_MEMORY lacks those that the scheduler forgot."
    )


@made_from(node.NodeConnection)
class NodeConnection:
    """A page of nodes."""

    nodes: list[NodeLink] = strawberry.field(description="The nodes on this page.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
    total_count: int = strawberry.field(description="How many nodes there are on all pages.")
    as_of: datetime = strawberry.field(description="The cluster was asked at this time; what is told is no older.")
