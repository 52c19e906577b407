"""Lambda's entry: an API Gateway event becomes an ASGI request to the GraphQL application; its response goes back.

A request walks one way: here -> transport -> schema -> resolvers -> headnode -> slurm's parsers -> back.
"""

import logging
import os
import uuid
from typing import Any

from mangum import Mangum
from mangum.protocols import HTTPCycle

from access.caller import signed_in
from access.configuration import access
from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.registered_documents import RegisteredDocuments
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from resolvers.context import RequestContext
from schema import schema
from transport.application import Application, Http
from transport.event import answer_to_other_event
from transport.negotiation import GRAPHQL_JSON, JSON
from transport.request import Scope
from transport.trusted import Trust, trusted_documents

GATEWAY_SECONDS = 27.0
"""API Gateway gives up after 29 s (REST) or 30 s (HTTP API), so the response must be ready before."""
RESERVE_SECONDS = 1.0
"""How much of Lambda's remaining time is kept for sending the response."""

# It logs one line per request, which our audit log does better.
logging.getLogger("mangum.http").setLevel(logging.WARNING)
settings = Settings.from_environment(os.environ)
rules = access(settings.access, settings.clusters)
clients = Clients()
clients.make(settings)
clusters = {name: Snapshots.of(clients, cluster, settings) for name, cluster in settings.clusters.items()}


def begin(scope: Scope) -> RequestContext:
    """Begin a request. Its caller and deadline come from the gateway's event, never from a header."""
    event: dict[str, Any] = scope.get("aws.event", {})
    request_id = getattr(scope.get("aws.context"), "aws_request_id", None) or str(uuid.uuid4())
    return RequestContext(clusters, settings, signed_in(event, rules), _deadline(scope), request_id)


def _deadline(scope: Scope) -> Deadline:
    context = scope.get("aws.context")
    remaining = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS if context else GATEWAY_SECONDS
    return Deadline.after(min(remaining, GATEWAY_SECONDS))


registered = RegisteredDocuments(clients, settings.table) if settings.table else None
http = Http(
    origins=settings.allowed_origins,
    graphiql=settings.graphiql,
    introspection=settings.introspection,
    trusted=trusted_documents(Trust(settings.trusted_documents), registered=registered),
    ttl=settings.ttl,
)
application = Application(schema, http, begin)
mangum = Mangum(application, lifespan="off", text_mime_types=["text/", JSON, GRAPHQL_JSON, "image/svg+xml"])


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one event. An event that is no HTTP request gets an answer that says so."""
    try:
        request = mangum.infer(event, context)
        scope, body = request.scope, request.body
    except Exception:  # Mangum raises whatever it meets in an event of another kind
        return answer_to_other_event(event)
    return request(HTTPCycle(scope, body)(application))
