"""Documents that clients registered by their SHA-256 (Apollo's automatic persisted queries), in the DynamoDB table.

The first four digits of a document's digest choose its item, so there are at most 65,536. A new document takes the
place of another one with the same digits, whose client then registers it again. An item expires after 30 days.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
import zlib
from functools import lru_cache
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.aws_calls import repeated

_log = logging.getLogger(__name__)

PACKED_LIMIT: Final = 8 * 1024
"""Bytes of the compressed text. A longer document is not registered: DynamoDB charges each write by the kB."""
_EXPIRES: Final = 30 * 86400
_KEPT: Final = 64  # documents that a sandbox does not read again
_READ_SECONDS, _WRITE_SECONDS, _ATTEMPTS = 2.0, 1.0, 2  # without the table the client sends the whole document
_TEXT_LIMIT: Final = 1 << 20  # bytes; no document that was registered has more
_DIGEST = re.compile(r"[0-9a-f]{64}")


class _UnknownError(Exception):
    """The table does not have the document."""


class RegisteredDocuments:
    """The documents of all clients of a deployment (DynamoDB API: GetItem, UpdateItem)."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table
        self._text = lru_cache(_KEPT)(self._read)  # an exception is not kept

    def find(self, digest: str) -> str | None:
        """The text with that SHA-256 (lower-case hexadecimal); None if nobody registered it or the table fails."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            return self._text(digest)
        except _UnknownError:
            return None
        except (BotoCoreError, ClientError) as error:
            _log.warning("registered documents cannot be read: %s", error)
            return None

    def register(self, digest: str, text: str) -> None:
        """Keep the text under its digest. If the table fails, the client has to send it again."""
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 9)
        if len(packed) > PACKED_LIMIT or self.find(digest) == text:
            return
        try:
            repeated(lambda: self._write(digest, packed), _WRITE_SECONDS, _ATTEMPTS)
        except (BotoCoreError, ClientError) as error:
            _log.warning("a document cannot be registered: %s", error)

    def _item(self, digest: str) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"key": {"S": f"document {digest[:4]}"}}}

    def _write(self, digest: str, packed: bytes) -> None:
        self._clients.dynamodb.update_item(
            **self._item(digest),
            UpdateExpression="SET packed = :packed, expires = :expires",
            ExpressionAttributeValues={
                ":packed": {"B": packed},
                ":expires": {"N": str(int(time.time()) + _EXPIRES)},
            },
        )

    def _read(self, digest: str) -> str:
        item = self._item(digest)
        answer: Any = repeated(
            lambda: self._clients.dynamodb.get_item(**item, ConsistentRead=True), _READ_SECONDS, _ATTEMPTS
        )
        packed = bytes(answer.get("Item", {}).get("packed", {}).get("B", b""))
        try:
            text = zlib.decompressobj().decompress(packed, _TEXT_LIMIT)
        except zlib.error as error:
            raise _UnknownError from error
        if not text or hashlib.sha256(text).hexdigest() != digest:  # no document, or another one in its place
            raise _UnknownError
        return text.decode("utf-8", "surrogatepass")
