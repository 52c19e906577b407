"""Connections: pages of jobs, nodes and other long lists, as Relay's specification has them."""

from datetime import datetime

import strawberry

from resolvers import job, pages
from resolvers.job import JobSource
from schema.counts import JobStateCount
from schema.links import AccountLink, AssociationLink, FairShareLink, JobLink, NodeLink
from schema.types_from_tables import made_from


@made_from(pages.PageInfo)
class PageInfo:
    """Where a page begins and ends."""

    has_next_page: bool = strawberry.field(description="Whether there are rows behind this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there are rows before this page. The API pages forwards only, so clients keep the pages "
        "that they have read."
    )
    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first row; null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the page's last row; null if the page is empty. Pass it as `after` to get the next "
        "page. It is a place in the order, not a number of rows: pages neither skip nor repeat rows while jobs come "
        "and go."
    )


@made_from(pages.Edge)
class Edge:
    """A row of a page."""

    cursor: str = strawberry.field(
        description="The row's place in the order. Passed as `after`, the page begins behind this row."
    )


@made_from(pages.Connection)
class Connection:
    """A page of a list."""

    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")
    total_count: int = strawberry.field(description="How many rows there are on all pages.")
    as_of: datetime = strawberry.field(
        description="When the data was requested from the cluster. Nothing in it is older."
    )


@made_from(pages.Edge)
class JobEdge(Edge):
    """A job on a page."""

    node: JobLink = strawberry.field(description="The job.")


@made_from(job.JobConnection)
class JobConnection(Connection):
    """A page of jobs."""

    nodes: list[JobLink] = strawberry.field(description="The jobs on this page.")
    edges: list[JobEdge] = strawberry.field(description="The same jobs, each with its cursor.")
    counts_by_state: list[JobStateCount] = strawberry.field(
        description="How many jobs on all pages are in each state, the most frequent first."
    )
    source: JobSource = strawberry.field(
        description="Where these jobs come from. A history from SCHEDULER_MEMORY lacks the jobs that the scheduler has "
        "forgotten."
    )


@made_from(pages.Edge)
class NodeEdge(Edge):
    """A node on a page."""

    node: NodeLink = strawberry.field(description="The node.")


@made_from(pages.Connection)
class NodeConnection(Connection):
    """A page of nodes."""

    nodes: list[NodeLink] = strawberry.field(description="The nodes on this page.")
    edges: list[NodeEdge] = strawberry.field(description="The same nodes, each with its cursor.")


@made_from(pages.Edge)
class AccountEdge(Edge):
    """An account on a page."""

    node: AccountLink = strawberry.field(description="The account.")


@made_from(pages.Connection)
class AccountConnection(Connection):
    """A page of accounts."""

    nodes: list[AccountLink] = strawberry.field(description="The accounts on this page.")
    edges: list[AccountEdge] = strawberry.field(description="The same accounts, each with its cursor.")


@made_from(pages.Edge)
class AssociationEdge(Edge):
    """An association on a page."""

    node: AssociationLink = strawberry.field(description="The association.")


@made_from(pages.Connection)
class AssociationConnection(Connection):
    """A page of associations."""

    nodes: list[AssociationLink] = strawberry.field(description="The associations on this page.")
    edges: list[AssociationEdge] = strawberry.field(description="The same associations, each with its cursor.")


@made_from(pages.Edge)
class FairShareEdge(Edge):
    """A share on a page."""

    node: FairShareLink = strawberry.field(description="The share.")


@made_from(pages.Connection)
class FairShareConnection(Connection):
    """A page of shares."""

    nodes: list[FairShareLink] = strawberry.field(description="The shares on this page.")
    edges: list[FairShareEdge] = strawberry.field(description="The same shares, each with its cursor.")
