"""Replies as they travel: gzip of JSON, `{"replies": [{"exit_code", "stdout", "stderr", "seconds", ...}]}`."""

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from headnode.errors import ClusterUnreachableError, ResponseTooLargeError
from slurm.command import Reply

UNPACKED_LIMIT = 256 << 20
"""Bytes of an answer's JSON: 100,000 jobs have some 60 MB."""
_GZIP = 16 + zlib.MAX_WBITS


def pack(replies: Iterable[Reply]) -> bytes:
    """The replies, as the program on the head node packs them."""
    told = [
        {
            "exit_code": reply.exit_code,
            "stdout": reply.stdout,
            "stderr": reply.stderr,
            "seconds": reply.seconds,
            "refusal": reply.refusal,
            "code": reply.refusal_code,
        }
        for reply in replies
    ]
    return gzip.compress(json.dumps({"replies": told}, separators=(",", ":")).encode(), 6)


def unpack(body: bytes) -> dict[str, Any]:
    """What was packed. Raises ClusterUnreachableError if it cannot be read, ResponseTooLargeError past UNPACKED_LIMIT.

    The head node is not trusted with the Lambda's memory: a few kB of gzip can hold gigabytes.
    """
    unpacking = zlib.decompressobj(_GZIP)
    try:
        text = unpacking.decompress(body, UNPACKED_LIMIT)
        if unpacking.unconsumed_tail:
            raise ResponseTooLargeError(f"The head node's answer has more than {UNPACKED_LIMIT >> 20} MiB.")
        if not unpacking.eof:
            raise ValueError("its end is missing")
        answer: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError, zlib.error) as error:
        raise ClusterUnreachableError("The head node's answer cannot be read.") from error
    return answer


def reply(told: Mapping[str, Any]) -> Reply:
    """One reply as the program tells it."""
    return Reply(
        exit_code=told.get("exit_code"),
        stdout=told.get("stdout", ""),
        stderr=told.get("stderr", ""),
        seconds=told.get("seconds", 0.0),
        refusal=told.get("refusal"),
        refusal_code=told.get("code"),
    )
