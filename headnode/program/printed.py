"""What a command prints."""

import zlib
from typing import Any, List

PIECE = 1 << 16  # bytes of a long output to compress at once
LEVEL = 3  # of compression: level 6 takes twice as long and saves a tenth
GZIP = 16 + zlib.MAX_WBITS


class Printed:
    """What a command prints on one stream. With `flows`, only the reply needs it, so most of it is kept compressed."""

    def __init__(self, flows: bool) -> None:
        self.flows = flows
        self.pieces: "List[bytes]" = []
        self.waiting = 0
        self.compressor: "Any" = None
        self.packed: "List[bytes]" = []

    def add(self, data: bytes) -> None:
        self.pieces.append(data)
        self.waiting += len(data)
        if self.flows and self.waiting >= PIECE:
            self.compressor = self.compressor or zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
            self.pack()

    def pack(self) -> None:
        self.packed.append(self.compressor.compress(b"".join(self.pieces)))
        self.pieces = []
        self.waiting = 0

    def content(self) -> "Any":
        """The text, or for a long text a gzip member."""
        if self.compressor is None:
            return b"".join(self.pieces).decode("utf-8", "replace")
        self.pack()
        return b"".join(self.packed) + self.compressor.flush()
