"""Lambda's entry: an API Gateway event becomes an ASGI request to the GraphQL application, and its answer goes back.

A request walks one way: here -> schema -> resolvers -> headnode -> slurm's parsers -> back.
"""

import os
import uuid
from typing import Any

from mangum import Mangum
from starlette.requests import Request
from strawberry.asgi import GraphQL

from access.caller import caller
from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from resolvers.graph import Graph
from schema import schema

GATEWAY_SECONDS = 27.0
"""API Gateway gives up after 29 s (REST) or 30 s (HTTP API): whatever we have to say must be said before."""
RESERVE_SECONDS = 1.0
"""Kept of Lambda's remaining time for saying it."""

settings = Settings.from_environment(os.environ)
clients = Clients()
clusters = {
    name: Snapshots(HeadNode(clients, cluster, settings), settings.ttl) for name, cluster in settings.clusters.items()
}


class Application(GraphQL[Graph, None]):
    """The GraphQL application: GraphiQL for a browser's GET, queries by GET and POST, mutations by POST."""

    async def get_context(self, request: Any, response: Any) -> Graph:
        """What this request may see: its caller and deadline come from the gateway's event, never from a header."""
        event: dict[str, Any] = request.scope.get("aws.event", {})
        request_id = getattr(request.scope.get("aws.context"), "aws_request_id", None) or str(uuid.uuid4())
        return Graph(clusters, settings, caller(event, settings.groups), _deadline(request), request_id)


def _deadline(request: Request) -> Deadline:
    context = request.scope.get("aws.context")
    remaining = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS if context else GATEWAY_SECONDS
    return Deadline.after(min(remaining, GATEWAY_SECONDS))


application = Application(schema)
handler = Mangum(application, lifespan="off")
