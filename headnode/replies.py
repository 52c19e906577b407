"""Replies as they travel: gzip of JSON, `{"replies": [{"exit_code", "stdout", "stderr", "seconds", ...}]}`.

A number in place of a text refers to the gzip member of that number after the JSON's, which holds the plain text. The
text of a long queue is megabytes, so it would be slow to write and read as JSON.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headnode.errors import ClusterUnreachableError, ResponseTooLargeError
from slurm.command import Reply

UNPACKED_LIMIT = 256 << 20
"""Bytes of an unpacked answer; 100,000 jobs take about 60 MB."""
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


def pack(replies: Iterable[Reply]) -> bytes:
    """The replies, packed as the program on the head node packs long ones."""
    packed, members = [], []
    for reply in replies:
        members.append(reply.stdout)
        packed.append(
            {
                "exit_code": reply.exit_code,
                "stdout": len(members),
                "stderr": reply.stderr,
                "seconds": reply.seconds,
                "refusal": reply.refusal,
                "code": reply.refusal_code,
            }
        )
    texts = [json.dumps({"replies": packed}, separators=(",", ":")), *members]
    return b"".join(gzip.compress(text.encode(), _LEVEL) for text in texts)


def unpack(body: bytes) -> dict[str, Any]:
    """The unpacked answer.

    Raises ClusterUnreachableError if it cannot be read, ResponseTooLargeError if it is larger than UNPACKED_LIMIT. The
    head node could otherwise fill the Lambda's memory: a few kB of gzip can hold gigabytes.
    """
    try:
        members = _members(body)
        answer: dict[str, Any] = json.loads(next(members))
        if not {"replies", "error", "put"} & answer.keys():
            raise ValueError("it has neither replies nor an error")
        for number, (reply, name) in enumerate(_elsewhere(answer), 1):
            if reply[name] != number:
                raise ValueError("a member is out of order")
            reply[name] = next(members).decode("utf-8", "replace")
    except (ValueError, TypeError, AttributeError, StopIteration, RecursionError, zlib.error) as error:
        raise ClusterUnreachableError("The head node's answer cannot be read.") from error
    return answer


def _members(body: bytes) -> Iterator[bytes]:
    """The content of each member of a gzip file (RFC 1952)."""
    left = UNPACKED_LIMIT
    while body:
        unpacking = zlib.decompressobj(_GZIP)
        text = unpacking.decompress(body, left)
        left -= len(text)
        if unpacking.unconsumed_tail or left <= 0:
            raise ResponseTooLargeError(f"The head node's answer has more than {UNPACKED_LIMIT >> 20} MiB.")
        if not unpacking.eof:
            raise ValueError("it is cut off")
        body = unpacking.unused_data
        yield text


def _elsewhere(answer: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The texts that have a member of their own: the reply, and the name of the text in it."""
    for reply in answer.get("replies", ()):
        for name in ("stdout", "stderr"):
            if isinstance(reply.get(name), int):
                yield reply, name


def replies(answer: Mapping[str, Any], count: int | None = None) -> list[Reply]:
    """The replies of an answer, `count` of them if given. Raises ClusterUnreachableError if they are malformed."""
    given = answer.get("replies")
    if not isinstance(given, list) or (count is not None and len(given) != count):
        raise ClusterUnreachableError("The head node's answer has not one reply for each command.")
    return [reply(each) for each in given]


def reply(given: Any) -> Reply:
    """One reply, from the program's JSON. Raises ClusterUnreachableError."""
    if not isinstance(given, Mapping):
        raise ClusterUnreachableError("A reply in the head node's answer cannot be read.")
    read = Reply(
        exit_code=given.get("exit_code"),
        stdout=given.get("stdout", ""),
        stderr=given.get("stderr", ""),
        seconds=given.get("seconds", 0.0),
        refusal=given.get("refusal"),
        refusal_code=given.get("code"),
        forgotten=given.get("forgotten") is True,
    )
    texts = isinstance(read.stdout, str) and isinstance(read.stderr, str)
    refused = isinstance(read.refusal, str | None) and isinstance(read.refusal_code, str | None)
    if not (texts and refused and isinstance(read.exit_code, int | None) and isinstance(read.seconds, int | float)):
        raise ClusterUnreachableError("A reply in the head node's answer cannot be read.")
    if read.exit_code is None and read.refusal is None:
        raise ClusterUnreachableError("A reply in the head node's answer does not say how the command ended.")
    return read
