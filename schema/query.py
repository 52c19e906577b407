"""What can be asked."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter
from typing import Any, Final

import strawberry
from strawberry.types.field import StrawberryField

from access.role import JobVisibility, Role
from resolvers import cluster as resolved
from resolvers.plan import ALL_CLUSTERS, Scope, named_cluster
from resolvers.reads import answers
from schema.cluster import JOB, JOB_HISTORY, JOBS, NODE, NODES, QUEUE, QUEUES, Cluster
from schema.info import CLUSTER, INFO, Info, resolve_info
from schema.job import Job
from schema.node import Node
from schema.page import JobConnection, NodeConnection
from schema.queue import Queue
from schema.types_from_tables import SOURCES, made_from, parameters, with_signature


@made_from(resolved.Viewer)
class Viewer:
    """The caller, as the API sees them on a cluster."""

    identity: str = strawberry.field(description="Who the gateway's authorizer says they are.")
    cluster_user: str | None = strawberry.field(
        description="The account on the cluster that they act as; null if they have none, or may change nothing."
    )
    role: Role = strawberry.field(description="What they may do on the cluster.")
    job_visibility: JobVisibility = strawberry.field(description="Whose jobs they see.")


async def view(info: Info, cluster: str | None) -> resolved.Cluster:
    """The cluster, with everything the operation needs. Raises RequestError for who may not look at it so."""
    raw = resolve_info(info)
    found = info.context.permitted(cluster, ("Query", raw.field_name))
    await info.context.fetch(raw)
    return found


SCOPE: Final = "scope"
"""In the metadata of a field at the root without an argument `cluster`: from its arguments to its cluster."""


def _all_clusters(arguments: Mapping[str, object]) -> str | None:
    return ALL_CLUSTERS


def _by_name(arguments: Mapping[str, object]) -> str | None:
    return str(arguments.get("name") or "")


def scope(field: StrawberryField) -> Scope:
    """Which cluster a field at the root is about."""
    found: Scope = field.metadata.get(SCOPE, named_cluster)
    return found


def _of_the_named_cluster(kind: type) -> type:
    """Let the attribute or method of the named cluster answer each line of the class that has no resolver."""
    for name, field in vars(kind).copy().items():
        if isinstance(field, StrawberryField) and field.base_resolver is None:
            given = parameters(answers(resolved.Cluster, name))
            required = [each for each in given if each.default is Parameter.empty]
            optional = [each for each in given if each.default is not Parameter.empty]
            field(with_signature(_resolver(name), [INFO, *required, CLUSTER, *optional]))
    SOURCES[kind] = resolved.Cluster
    return kind


def _resolver(name: str) -> Callable[..., Awaitable[object]]:
    async def resolve(self: object, info: Info, cluster: str | None = None, **given: object) -> object:
        found = getattr(await view(info, named_cluster({"cluster": cluster, **given})), name)
        return found(**given) if callable(found) else found

    return resolve


async def _clusters(info: Info) -> list[resolved.Cluster]:
    return [await view(info, name) for name in info.context.cluster_names]


async def _named(self: object, info: Info, name: str | None = None) -> resolved.Cluster:
    return await view(info, name)


def _whole(resolver: Callable[..., object], scope: Scope, description: str) -> Any:
    return strawberry.field(resolver=resolver, description=description, metadata={SCOPE: scope})


_cluster = with_signature(_named, [INFO, CLUSTER.replace(name="name")])


@strawberry.type(
    description="What can be asked. However much one document asks, it costs a cluster one command at the most."
)
@_of_the_named_cluster
class Query:
    """What can be asked. But for `clusters` and `cluster`, the named cluster answers it by its member of that name."""

    viewer: Viewer = strawberry.field(description="Who the API takes the caller for, and what they may do.")
    clusters: list[Cluster] = _whole(_clusters, _all_clusters, "The clusters that the caller has access to.")
    cluster: Cluster = _whole(
        _cluster, _by_name, "The named cluster; without a name the only one, or the configured default."
    )
    jobs: JobConnection | None = strawberry.field(description=JOBS)
    job: Job | None = strawberry.field(description=JOB)
    job_history: JobConnection | None = strawberry.field(description=JOB_HISTORY)
    queues: list[Queue] | None = strawberry.field(description=QUEUES)
    queue: Queue | None = strawberry.field(description=QUEUE)
    nodes: NodeConnection | None = strawberry.field(description=NODES)
    node: Node | None = strawberry.field(description=NODE)
