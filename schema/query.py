"""What can be asked."""

from typing import Any

import strawberry

from resolvers.context import RequestContext
from resolvers.history import JobHistory
from resolvers.plan import cluster_in
from schema import arguments
from schema.cluster import JOB, JOB_HISTORY, JOBS, NODE, NODES, QUEUE, QUEUES, Cluster
from schema.enums import JobVisibility, Role
from schema.job import Job
from schema.node import Node
from schema.page import JobConnection, NodeConnection
from schema.queue import Queue

Info = strawberry.Info[RequestContext, None]


@strawberry.type(description="The caller, as the API sees them on a cluster.")
class Viewer:
    """The caller."""

    identity: str = strawberry.field(description="Who the gateway's authorizer says they are.")
    cluster_user: str | None = strawberry.field(
        description="The account on the cluster that they act as; null if they have none, or may change nothing."
    )
    role: Role = strawberry.field(description="What they may do on the cluster.")
    job_visibility: JobVisibility = strawberry.field(description="Whose jobs they see.")


async def view(info: Info, cluster: str | None) -> Any:
    """The cluster, with everything the operation needs. Raises RequestError for who may not look at it so."""
    graph = info.context
    found = graph.permitted(cluster, ("Query", info._raw_info.field_name))
    # Strawberry's Info hides the fragments, which the plan needs.
    await graph.fetch(info._raw_info)
    return found


@strawberry.type(
    description="What can be asked. However much one document asks, it costs a cluster one command at the most."
)
class Query:
    """What can be asked."""

    @strawberry.field(description="Who the API takes the caller for, and what they may do.")
    async def viewer(self, info: Info, cluster: arguments.Cluster = None) -> Viewer:
        """The caller."""
        caller, role = (await view(info, cluster)).caller_and_role
        return Viewer(
            identity=caller.identity,
            cluster_user=caller.cluster_user if role is not Role.VIEWER else None,
            role=role,
            job_visibility=caller.job_visibility,
        )

    @strawberry.field(graphql_type=list[Cluster], description="The clusters that the caller has access to.")
    async def clusters(self, info: Info) -> Any:
        """All clusters."""
        return [await view(info, name) for name in info.context.cluster_names]

    @strawberry.field(
        graphql_type=Cluster, description="The named cluster; without a name the only one, or the configured default."
    )
    async def cluster(self, info: Info, name: arguments.Cluster = None) -> Any:
        """One cluster."""
        return await view(info, name)

    @strawberry.field(graphql_type=JobConnection | None, description=JOBS)
    async def jobs(
        self,
        info: Info,
        cluster: arguments.Cluster = None,
        filter: arguments.Jobs = None,
        order_by: arguments.Order = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """Jobs of one cluster."""
        return (await view(info, cluster)).jobs(filter, order_by, first, after)

    @strawberry.field(graphql_type=Job | None, description=JOB)
    async def job(self, info: Info, id: arguments.JobId, cluster: arguments.Cluster = None) -> Any:
        """One job."""
        return (await view(info, cluster or cluster_in(id))).job(id)

    @strawberry.field(graphql_type=JobConnection | None, description=JOB_HISTORY)
    async def job_history(
        self,
        info: Info,
        cluster: arguments.Cluster = None,
        since: arguments.Since = None,
        until: arguments.Until = None,
        filter: arguments.Jobs = None,
        order_by: arguments.LatestFirst = None,
        first: arguments.First = 100,
        after: arguments.After = None,
    ) -> Any:
        """Past jobs of one cluster."""
        question = JobHistory(filter, since, until, order_by, first, after)
        return (await view(info, cluster)).job_history(question)

    @strawberry.field(graphql_type=list[Queue] | None, description=QUEUES)
    async def queues(self, info: Info, cluster: arguments.Cluster = None) -> Any:
        """Queues of one cluster."""
        return (await view(info, cluster)).queues()

    @strawberry.field(graphql_type=Queue | None, description=QUEUE)
    async def queue(self, info: Info, name: arguments.QueueName, cluster: arguments.Cluster = None) -> Any:
        """One queue."""
        return (await view(info, cluster)).queue(name)

    @strawberry.field(graphql_type=NodeConnection | None, description=NODES)
    async def nodes(
        self,
        info: Info,
        cluster: arguments.Cluster = None,
        filter: arguments.Nodes = None,
        first: arguments.First = 500,
        after: arguments.After = None,
    ) -> Any:
        """Nodes of one cluster."""
        return (await view(info, cluster)).nodes(filter, first, after)

    @strawberry.field(graphql_type=Node | None, description=NODE)
    async def node(self, info: Info, name: arguments.NodeName, cluster: arguments.Cluster = None) -> Any:
        """One node."""
        return (await view(info, cluster)).node(name)
