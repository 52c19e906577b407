"""The answer, packed for stdout or the bucket."""

import binascii
import json
import zlib
from typing import Any, Dict, List, Optional

from headnode.program.printed import GZIP, LEVEL
from headnode.program.refused import Refused
from headnode.program.transfer import transfer

STDOUT_LIMIT = 23900  # the SSM agent cuts stdout off at 24,000 bytes


def packed(answer: "Dict[str, Any]") -> bytes:
    """gzip of JSON, followed by the gzip members of the texts that are compressed already (RFC 1952)."""
    members: "List[bytes]" = []
    for reply in answer.get("replies", ()):
        for name, value in reply.items():
            if isinstance(value, bytes):
                members.append(value)
                reply[name] = len(members)
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    text = json.dumps(answer, separators=(",", ":")).encode("ascii")
    return b"".join([compressor.compress(text), compressor.flush()] + members)


def pack(answer: "Dict[str, Any]", put: "Optional[str]") -> str:
    """The line for stdout. An answer too large for it goes to S3, and the line has its digest."""
    body = packed(answer)
    size = (len(body) + 2) // 3 * 4
    if size <= STDOUT_LIMIT:
        return binascii.b2a_base64(body, newline=False).decode()
    if not put:
        return pack({"error": "the answer of %d bytes needs a bucket, and none is configured" % size}, None)
    import hashlib

    try:
        transfer(put, body)
    except (OSError, Refused) as error:
        return pack({"error": "the head node cannot write to the bucket: %s" % error}, None)
    return pack({"put": hashlib.sha256(body).hexdigest()}, None)
