"""The log: one line for each request and one for each change, as attributes of a log record.

Lambda's runtime writes them as JSON (the template sets AWS_LAMBDA_LOG_FORMAT=JSON), so this needs no library. The
request's line carries its metrics in CloudWatch's embedded metric format. docs/operating.md shows the lines.
"""

import logging
import os
import time
from typing import Any, Final

from resolvers.audit import Action
from resolvers.graph import Graph

logger = logging.getLogger("slurmql.audit")

_METRICS: Final = [
    {"Name": "Requests", "Unit": "Count"},
    {"Name": "Commands", "Unit": "Count"},
    {"Name": "Milliseconds", "Unit": "Milliseconds"},
]
_FAILED: Final = {"Dimensions": [["function", "code"]], "Metrics": [{"Name": "Errors", "Unit": "Count"}]}
_NAMESPACE: Final = "slurmql"
_FUNCTION: Final = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")
"""Distinguishes the deployments in one AWS account."""

_cold = True


def record(graph: Graph, status: int, codes: list[str], size: int, seconds: float) -> None:
    """Log an answered request: its status, the codes of its errors, the size of the response in bytes."""
    global _cold
    for action in graph.actions:
        _action(graph, action)
    asked = graph.asked
    directives: list[dict[str, Any]] = [{"Dimensions": [["function"]], "Metrics": _METRICS}]
    line: dict[str, Any] = {
        **_who(graph),
        "operation": asked.name[:100] if asked and asked.name else None,
        "kind": asked.kind if asked else None,
        "fields": asked.fields if asked else [],
        "commands": list(graph.commands),
        "status": status,
        "codes": sorted(set(codes)),
        "bytes": size,
        "coldStart": _cold,
        "function": _FUNCTION,
        "Requests": 1,
        "Commands": len(graph.commands),
        "Milliseconds": round(1000 * seconds, 2),
    }
    if codes:  # the metric counts under the first code; `codes` has all
        directives.append(_FAILED)
        line |= {"code": codes[0], "Errors": len(codes)}
    timestamp = int(1000 * time.time())
    metrics = [{"Namespace": _NAMESPACE, **directive} for directive in directives]
    logger.info("request", extra={**line, "_aws": {"Timestamp": timestamp, "CloudWatchMetrics": metrics}})
    _cold = False


def _action(graph: Graph, action: Action) -> None:
    line = {
        **_who(graph),
        "action": action.name,
        "cluster": action.cluster[:60] if action.cluster else None,
        "asked": action.asked,
        "done": action.done,
        "codes": sorted(set(action.codes)),
        "commands": list(action.commands),
        "milliseconds": round(1000 * action.seconds, 2),
    }
    logger.info("action", extra=line)


def _who(graph: Graph) -> dict[str, Any]:
    return {"request": graph.request_id, "identity": graph.identity, "clusters": graph.standing}
