"""Lambda allows a response of 6 MB, counted in the JSON that the runtime makes of it (Lambda quotas)."""

from typing import Final

from transport.response import Response

LIMIT: Final = 6 * 1024 * 1024
REST: Final = 16 * 1024
"""Bytes for everything except the body."""
_ASCII = bytes(range(128))


def too_large(response: Response) -> bool:
    """Whether Lambda would fail because of the response's size."""
    content = response.content
    if "content-encoding" in response.headers:  # it is sent in base64
        size = -(-len(content) // 3) * 4
    else:
        size = len(content) + content.count(b'"') + content.count(b"\\")
        if not content.isascii():
            # Before Python 3.12 the runtime writes a non-ASCII character in six bytes; in UTF-8 it has at least two.
            size += 2 * len(content.translate(None, _ASCII))
    return size > LIMIT - REST
