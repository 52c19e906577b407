"""Lambda's entry: an API Gateway event becomes an ASGI request to the GraphQL application, and its answer goes back.

A request walks one way: here -> schema -> resolvers -> headnode -> slurm's parsers -> back.
"""

import json
import logging
import os
import uuid
from typing import Any

from cross_web import HTTPException
from mangum import Mangum
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL

from access.caller import signed_in
from access.configuration import access
from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from resolvers.graph import Graph
from schema import schema
from transport import graphiql

GATEWAY_SECONDS = 27.0
"""API Gateway gives up after 29 s (REST) or 30 s (HTTP API): whatever we have to say must be said before."""
RESERVE_SECONDS = 1.0
"""Kept of Lambda's remaining time for saying it."""

logger = logging.getLogger("slurmql")
settings = Settings.from_environment(os.environ)
rules = access(settings.access, settings.clusters)
clients = Clients()
clusters = {
    name: Snapshots(HeadNode(clients, cluster, settings), settings.ttl) for name, cluster in settings.clusters.items()
}


class Application(GraphQL[Graph, None]):
    """The GraphQL application: GraphiQL for a browser's GET, queries by GET and POST, mutations by POST."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GraphiQL's files, or the answer to a request."""
        file = graphiql.file(scope["path"]) if scope["type"] == "http" else None
        await (file(scope, receive, send) if file else super().__call__(scope, receive, send))

    async def render_graphql_ide(self, request: Request) -> Response:
        """GraphiQL's page."""
        return graphiql.page()

    async def get_context(self, request: Any, response: Any) -> Graph:
        """What this request may see: its caller and deadline come from the gateway's event, never from a header."""
        event: dict[str, Any] = request.scope.get("aws.event", {})
        request_id = getattr(request.scope.get("aws.context"), "aws_request_id", None) or str(uuid.uuid4())
        response.headers["x-request-id"] = request_id
        return Graph(clusters, settings, signed_in(event, rules), _deadline(request), request_id)

    async def run(self, request: Any, *arguments: Any, **options: Any) -> Any:
        """Answer the request; what is wrong with it as HTTP is told in GraphQL's form, too."""
        try:
            return await super().run(request, *arguments, **options)
        except HTTPException as error:
            return _refusal(error.status_code, "BAD_REQUEST", error.reason)
        except Exception:
            logger.exception("unforeseen error outside of the schema")
            return _refusal(500, "INTERNAL_SERVER_ERROR", "Something went wrong inside slurmql.")

    def decode_json(self, data: str | bytes) -> object:
        """The body, or the variables of a GET."""
        try:
            decoded = json.loads(data)
        except (ValueError, RecursionError):
            decoded = None
        if not isinstance(decoded, dict):
            raise HTTPException(400, 'Send a JSON object, such as {"query": "{ jobs { totalCount } }"}.')
        return decoded


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status)


def _deadline(request: Request) -> Deadline:
    context = request.scope.get("aws.context")
    remaining = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS if context else GATEWAY_SECONDS
    return Deadline.after(min(remaining, GATEWAY_SECONDS))


application = Application(schema)
handler = Mangum(application, lifespan="off")
