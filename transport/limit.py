"""Lambda passes on 6 MB of a response, counted as the JSON that the runtime makes of it (Lambda quotas)."""

from typing import Final

from transport.response import Response

LIMIT: Final = 6 * 1024 * 1024
REST: Final = 16 * 1024
"""Bytes for everything but the body."""
_ASCII = bytes(range(128))


def too_large(response: Response) -> bool:
    """Whether Lambda would fail instead of passing it on."""
    content = response.content
    if "content-encoding" in response.headers:  # it goes in base64
        size = -(-len(content) // 3) * 4
    else:
        size = len(content) + content.count(b'"') + content.count(b"\\")
        # Before Python 3.12 the runtime writes a character beyond ASCII in six; the text has two bytes of it at least.
        size += 2 * len(content.translate(None, _ASCII))
    return size > LIMIT - REST
