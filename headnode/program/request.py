"""Unpacking a request, limiting its size and checking its form."""

import binascii
import json
import zlib
from typing import Any, Dict

from headnode.program.refused import Refused
from headnode.program.transfer import REQUEST_LIMIT, transfer

STRUCTURE_LIMIT = 1 << 20  # quotes, and bytes outside strings: a short JSON text can make very many objects
OPERATIONS_LIMIT = 10000
EMPTY: "Dict[str, Any]" = {"options": {}, "arguments": [], "environment": {}, "stdin": None, "key": None}


def unpack(text: str) -> "Dict[str, Any]":
    """The request from base64url of gzip of JSON, which may refer to the request in S3."""
    request = decoded(binascii.a2b_base64(text.translate({45: "+", 95: "/"})))
    if "get" not in request:
        return request
    import hashlib

    body = transfer(request["get"])
    if hashlib.sha256(body).hexdigest() != request.get("sha256"):
        raise Refused("the request in S3 does not have the announced digest")
    return decoded(body)


def decoded(packed: bytes) -> "Dict[str, Any]":
    """The request from gzip of JSON. Raises Refused for one that would fill the node's memory."""
    decompressor = zlib.decompressobj(31)
    body = decompressor.decompress(packed, REQUEST_LIMIT)
    if not decompressor.eof:
        raise Refused("it is cut off, or has more than %d bytes" % REQUEST_LIMIT)
    quotes = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if quotes.count(b'"') > STRUCTURE_LIMIT or sum(map(len, quotes.split(b'"')[::2])) > STRUCTURE_LIMIT:
        raise Refused("it has too many parts")
    request: "Dict[str, Any]" = json.loads(body.decode("utf-8"), parse_constant=no_number, parse_int=integer)
    json.dumps(request, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be part of a command
    return request


def no_number(name: str) -> None:
    raise ValueError("%s is not a number" % name)


def integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number has %d digits" % len(digits))
    return int(digits)


def well_formed(request: "Dict[str, Any]") -> "Dict[str, Any]":
    """The request, with all parts of every operation. Their values are checked when the operation runs."""
    steps = request.get("steps")
    request.setdefault("user", None)
    if not isinstance(request.get("expires"), (int, float)) or not isinstance(request["user"], (str, type(None))):
        raise Refused("it lacks its expiry or its user")
    if not isinstance(request.get("administer", False), bool) or not isinstance(request.get("put"), (str, type(None))):
        raise Refused("its role or the address for the answer is not valid")
    if not isinstance(steps, list) or not all(isinstance(step, list) for step in steps):
        raise Refused("it has no steps")
    if len(steps) + sum(map(len, steps)) > OPERATIONS_LIMIT:
        raise Refused("it has more than %d operations" % OPERATIONS_LIMIT)
    request["steps"] = [[dict(EMPTY, **operation) for operation in step] for step in steps]
    for operation in (operation for step in request["steps"] for operation in step):
        if not isinstance(operation.get("operation"), str):
            raise Refused("an operation has no name")
        if not all(isinstance(operation[name], type(EMPTY[name])) for name in ("options", "arguments", "environment")):
            raise Refused("an operation's options, arguments or environment are not of the right type")
        if not all(isinstance(value, str) for value in operation["arguments"]):
            raise Refused("an operation's arguments are not texts")
        if not all(isinstance(operation[name], (str, type(None))) for name in ("stdin", "key")):
            raise Refused("an operation's script or key is not a text")
    return request
