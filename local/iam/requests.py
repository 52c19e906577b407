"""The action and the resource of an HTTP request to EC2, S3 or DynamoDB, and how each service refuses it.

Source: the service authorization reference of each service; its API's error format.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from .role import ACCOUNT

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_S3_ACTIONS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_SIGNATURE_2 = ("AWSAccessKeyId", "Signature", "Expires")
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Request:
    """A request as IAM sees it, with the caller's access key."""

    caller: str
    service: str
    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


def understood(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Request | None:
    """The request; None if it is not signed. An unknown request gets an action that no policy allows.

    The names of `headers` are in lower case.
    """
    parameters = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    signed = _CREDENTIAL.search(headers.get("authorization") or f"Credential={parameters.get('X-Amz-Credential', '')}")
    if signed is None:
        caller = parameters.get("AWSAccessKeyId")  # a URL with signature version 2, which S3 still accepts
        return _s3(caller, method, path, parameters) if caller else None
    caller, region, service = signed.groups()
    match service:
        case "s3":
            return _s3(caller, method, path, parameters)
        case "ec2":
            action = parse_qs(body.decode(errors="replace")).get("Action", [_UNKNOWN])[0]
            return Request(caller, service, f"ec2:{action}", context={"ec2:Region": region})
        case "dynamodb":
            return _dynamodb(caller, region, headers.get("x-amz-target", ""), body)
    return Request(caller, service, f"{service}:{_UNKNOWN}")


def _s3(caller: str, method: str, path: str, parameters: Mapping[str, str]) -> Request:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    # Any parameter besides the signature's means another operation: on the object's ACL, a multipart upload.
    others = [name for name in parameters if not name.lower().startswith("x-") and name not in _SIGNATURE_2]
    if not key or others:
        action = "ListBucket" if method == "GET" and not key and "list-type" in others else _UNKNOWN
        return Request(caller, "s3", f"s3:{action}", f"arn:aws:s3:::{bucket}")
    return Request(caller, "s3", f"s3:{_S3_ACTIONS.get(method, _UNKNOWN)}", f"arn:aws:s3:::{bucket}/{key}")


def _dynamodb(caller: str, region: str, target: str, body: bytes) -> Request:
    try:
        table = str(json.loads(body)["TableName"])
    except (ValueError, KeyError, TypeError):
        table = ""
    resource = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table}"
    return Request(caller, "dynamodb", f"dynamodb:{target.rpartition('.')[2]}", resource)


def denial(request: Request) -> tuple[str, str, bytes]:
    """The service's refusal: HTTP status, content type and body."""
    message = f"{request.caller} is not authorized to perform: {request.action} on resource: {request.resource}"
    if request.service == "dynamodb":
        told = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}
        return "400 Bad Request", "application/x-amz-json-1.0", json.dumps(told).encode()
    if request.service == "ec2":
        error = f"<Code>UnauthorizedOperation</Code><Message>{message}</Message>"
        return "403 Forbidden", "text/xml", f"<Response><Errors><Error>{error}</Error></Errors></Response>".encode()
    return (
        "403 Forbidden",
        "application/xml",
        f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>".encode(),
    )
