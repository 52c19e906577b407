"""The queries."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter, isawaitable
from typing import Any, Final

import strawberry
from strawberry.types.field import StrawberryField

from access.permissions import Permission
from access.role import JobVisibility, Role
from resolvers import cluster as resolved
from resolvers import viewer
from resolvers.plan import ALL_CLUSTERS, Scope, named_cluster
from resolvers.reads import function_behind
from schema.cluster import JOB, JOB_HISTORY, JOBS, JOBS_ENDED, NODE, NODES, QUEUE, QUEUES, Cluster
from schema.info import INFO, Info, cluster_parameter, resolve_info
from schema.job import Job
from schema.job_detail import JobsEnded
from schema.node import Node
from schema.page import JobConnection, NodeConnection
from schema.polling import SUGGESTED_POLL_SECONDS
from schema.queue import Queue
from schema.types_from_tables import SOURCES, made_from, parameters, with_signature


@made_from(viewer.Viewer)
class Viewer:
    """The caller, as this API sees them on a cluster."""

    id: strawberry.ID = strawberry.field(description="Unique over all clusters, as `lab:ada@example.org`.")
    identity: str = strawberry.field(description="Who they are, according to the gateway's authorizer.")
    cluster_user: str | None = strawberry.field(
        description="The account on the cluster that they act as; null if they have none or may not change anything."
    )
    role: Role = strawberry.field(description="What they may do on the cluster.")
    job_visibility: JobVisibility = strawberry.field(description="Whose jobs they see.")
    can: list[Permission] = strawberry.field(
        description="What they may do on the cluster. Users may do it to their own jobs, operators to anybody's; "
        "`viewerCan` says what they can do to a job, a node or a queue."
    )


async def view(info: Info, cluster: str | None) -> resolved.Cluster:
    """The cluster, with everything that the operation reads. Raises RequestError if the caller may not read it."""
    raw = resolve_info(info)
    found = info.context.permitted(cluster, ("Query", raw.field_name))
    await info.context.fetch(raw)
    return found


SCOPE: Final = "scope"
"""In the metadata of a field at the root that has no argument `cluster`: the function that finds its cluster."""


def _all_clusters(arguments: Mapping[str, object]) -> str | None:
    return ALL_CLUSTERS


def _by_name(arguments: Mapping[str, object]) -> str | None:
    return str(arguments.get("name") or "")


def scope(field: StrawberryField) -> Scope:
    """The function that finds a root field's cluster from its arguments."""
    found: Scope = field.metadata.get(SCOPE, named_cluster)
    return found


def _of_the_named_cluster(kind: type) -> type:
    """Give each line of the class without a resolver one: the named cluster's attribute or method of that name."""
    for name, field in vars(kind).copy().items():
        if isinstance(field, StrawberryField) and field.base_resolver is None:
            given = parameters(function_behind(resolved.Cluster, name))
            required = [each for each in given if each.default is Parameter.empty]
            optional = [each for each in given if each.default is not Parameter.empty]
            cluster = cluster_parameter([each.name for each in given])
            field(with_signature(_resolver(name), [INFO, *required, cluster, *optional]))
    SOURCES[kind] = resolved.Cluster
    return kind


def _resolver(name: str) -> Callable[..., Awaitable[object]]:
    async def resolve(self: object, info: Info, cluster: str | None = None, **given: object) -> object:
        found = getattr(await view(info, named_cluster({"cluster": cluster, **given})), name)
        answer = found(**given) if callable(found) else found
        return await answer if isawaitable(answer) else answer

    return resolve


async def _clusters(info: Info) -> list[resolved.Cluster]:
    return [await view(info, name) for name in info.context.cluster_names]


async def _named(self: object, info: Info, name: str | None = None) -> resolved.Cluster:
    return await view(info, name)


def _whole(resolver: Callable[..., object], scope: Scope, description: str) -> Any:
    return strawberry.field(resolver=resolver, description=description, metadata={SCOPE: scope})


_cluster = with_signature(_named, [INFO, cluster_parameter(name="name")])


@strawberry.type(
    description="Queries. A cluster runs one command for a document, however much it selects. "
    "Only what depends on another answer costs a second one."
)
@_of_the_named_cluster
class Query:
    """The queries. Except for `clusters` and `cluster`, the named cluster's member of the same name answers each."""

    viewer: Viewer = strawberry.field(description="Who the caller is to this API, and what they may do.")
    clusters: list[Cluster] = _whole(
        _clusters, _all_clusters, "The clusters that the caller has access to, at most as many as this deployment has."
    )
    cluster: Cluster = _whole(
        _cluster, _by_name, "The named cluster; without a name the only one, or the configured default."
    )
    jobs: JobConnection | None = strawberry.field(description=JOBS)
    job: Job | None = strawberry.field(description=JOB)
    job_history: JobConnection | None = strawberry.field(description=JOB_HISTORY)
    jobs_ended: JobsEnded | None = strawberry.field(description=JOBS_ENDED)
    queues: list[Queue] | None = strawberry.field(description=QUEUES)
    queue: Queue | None = strawberry.field(description=QUEUE)
    nodes: NodeConnection | None = strawberry.field(description=NODES)
    node: Node | None = strawberry.field(description=NODE)
    suggested_poll_seconds: int = strawberry.field(description=SUGGESTED_POLL_SECONDS)
