"""The log: one line for each request and one for each change, as attributes of a log record.

Lambda's runtime writes them as JSON (the template sets AWS_LAMBDA_LOG_FORMAT=JSON), so this needs no library. The
request's line carries its metrics in CloudWatch's embedded metric format. docs/operating.md shows the lines.
"""

import logging
import os
import time
from typing import Any, Final

from resolvers.audit import ChangeRecord
from resolvers.context import RequestContext

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


def record(context: RequestContext, status: int, codes: list[str], size: int, seconds: float) -> None:
    """Log an answered request: its status, the codes of its errors, the size of the response in bytes."""
    global _cold
    for change in context.changes:
        _change(context, change)
    asked = context.operation
    directives: list[dict[str, Any]] = [{"Dimensions": [["function"]], "Metrics": _METRICS}]
    line: dict[str, Any] = {
        **_who(context),
        "operation": asked.name[:100] if asked and asked.name else None,
        "kind": asked.kind if asked else None,
        "fields": asked.fields if asked else [],
        "commands": list(context.commands),
        "status": status,
        "codes": sorted(set(codes)),
        "bytes": size,
        "coldStart": _cold,
        "function": _FUNCTION,
        "Requests": 1,
        "Commands": len(context.commands),
        "Milliseconds": round(1000 * seconds, 2),
    }
    if codes:  # the metric counts under the first code; `codes` has all
        directives.append(_FAILED)
        line |= {"code": codes[0], "Errors": len(codes)}
    timestamp = int(1000 * time.time())
    metrics = [{"Namespace": _NAMESPACE, **directive} for directive in directives]
    logger.info("request", extra={**line, "_aws": {"Timestamp": timestamp, "CloudWatchMetrics": metrics}})
    _cold = False


def _change(context: RequestContext, change: ChangeRecord) -> None:
    line = {
        **_who(context),
        "action": change.name,
        "cluster": change.cluster[:60] if change.cluster else None,
        "asked": change.asked,
        "done": change.done,
        "codes": sorted(set(change.codes)),
        "commands": list(change.commands),
        "milliseconds": round(1000 * change.seconds, 2),
    }
    logger.info("action", extra=line)


def _who(context: RequestContext) -> dict[str, Any]:
    return {"request": context.request_id, "identity": context.identity, "clusters": context.standing}
