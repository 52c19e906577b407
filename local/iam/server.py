"""`python -m local.iam.server PORT POLICIES`: moto's server, refusing what a caller's policy does not allow.

POLICIES is JSON: the statements of each access key's policy. A key without a policy may do anything.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.test import run_wsgi_app

from .policy import Policy
from .requests import Request, denial, understood

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Guard:
    """A WSGI application that passes allowed requests on to another one."""

    def __init__(self, application: "WSGIApplication", policies: Mapping[str, Policy]) -> None:
        self._application = application
        self._policies = policies

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Refuse a request or let moto answer it."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request = understood(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ["QUERY_STRING"],
            {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")},
            body,
        )
        policy = self._policies.get(request.caller) if request else None
        if request is None or policy is None:
            return self._application(environ, start_response)
        if not policy.allows(request.action, request.resource, request.context):
            return _deny(request, start_response)
        content, status, headers = run_wsgi_app(self._application, environ)
        if status.startswith("404") and request.action == "s3:GetObject" and not _may_list(policy, request):
            # S3 says that an object is missing only to callers who may list the bucket.
            return _deny(request, start_response)
        start_response(status, list(headers))
        return content


def _may_list(policy: Policy, request: Request) -> bool:
    return policy.allows("s3:ListBucket", request.resource.partition("/")[0])


def _deny(request: Request, start_response: "StartResponse") -> list[bytes]:
    status, content_type, body = denial(request)
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def main(port: int, policies: Mapping[str, list[dict[str, Any]]]) -> None:
    """Serve on the loopback interface until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.environ["MOTO_PORT"] = str(port)
    moto = DomainDispatcherApplication(create_backend_app)
    guard = Guard(moto, {caller: Policy(statements) for caller, statements in policies.items()})
    run_simple("127.0.0.1", port, guard, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
