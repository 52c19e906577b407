"""An HTTP response, and its body in JSON and compressed."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

GZIP_FROM: Final = 1000
"""Bytes from which a body is compressed: smaller ones fit one packet anyway."""
GZIP_LEVEL: Final = 1


@dataclass
class Response:
    """A response; `headers` by their names in small letters, `codes` those of the errors that it tells."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)

    def compress(self) -> None:
        """Compress the body, if that is worth it."""
        if len(self.content) >= GZIP_FROM and "content-encoding" not in self.headers:
            self.content = gzip.compress(self.content, GZIP_LEVEL, mtime=0)
            self.headers["content-encoding"] = "gzip"


def encoded(value: Any) -> bytes:
    """The value in JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half of a surrogate pair, or a number beyond 64 bits: both are JSON that orjson has not
        return json.dumps(value, separators=(",", ":")).encode()
