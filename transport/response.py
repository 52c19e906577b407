"""An HTTP response: its body as JSON, compressed if that is worth it."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

GZIP_FROM: Final = 1000
"""The smallest body in bytes that is compressed: a smaller one fits into one packet anyway."""
GZIP_LEVEL: Final = 1


@dataclass
class Response:
    """A response: `headers` by lower-case name; `codes` are those of the errors in the body."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)

    def compress(self) -> None:
        """Compress the body unless it is small."""
        if len(self.content) >= GZIP_FROM and "content-encoding" not in self.headers:
            self.content = gzip.compress(self.content, GZIP_LEVEL, mtime=0)
            self.headers["content-encoding"] = "gzip"


def encoded(value: Any) -> bytes:
    """The value as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half of a surrogate pair, or an integer beyond 64 bits: valid JSON that orjson does not write
        return json.dumps(value, separators=(",", ":")).encode()
