"""Trusted documents: those that the clients' builds contain, identified by the SHA-256 of their text.

The file is what graphql-codegen (`persistedDocuments: {hashAlgorithm: "sha256"}`) and Relay (`persistConfig`, SHA256)
write: a JSON object of documents by their digest, in hexadecimal.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from headnode.error_codes import ErrorCode
from headnode.settings import SettingsError
from transport.operation import Operation
from transport.refusal import OperationError

FILE: Final = Path(__file__).parents[1] / "persisted-documents.json"
_PREFIX = "sha256:"


class Trust(Enum):
    """How the list of trusted documents is used."""

    OFF = "off"
    ACCEPT = "accept"
    REQUIRE = "require"


@dataclass(frozen=True)
class Document:
    """A document to run; `trusted` if it is on the list."""

    text: str
    trusted: bool


@dataclass(frozen=True)
class TrustedDocuments:
    """The list, and how it is used."""

    trust: Trust = Trust.OFF
    by_digest: Mapping[str, str] | None = None

    def document(self, operation: Operation) -> Document:
        """The document that the operation contains, or names by its digest. Raises OperationError."""
        digest = (operation.document_id or "").removeprefix(_PREFIX).lower()
        if operation.query is not None:
            return self._sent(operation.query, digest)
        if self.trust is Trust.OFF:
            message = "PersistedQueryNotSupported: this API has no list of trusted documents; send the document itself."
            raise OperationError(message, ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED)
        text = (self.by_digest or {}).get(digest)
        if text is None:
            raise _unknown()
        return Document(text, trusted=True)

    def _sent(self, text: str, digest: str) -> Document:
        if self.trust is Trust.OFF:
            return Document(text, trusted=False)
        own = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if digest and digest != own:
            raise OperationError(
                "The document does not have the SHA-256 that was sent with it.", ErrorCode.BAD_USER_INPUT
            )
        trusted = own in (self.by_digest or {})
        if self.trust is Trust.REQUIRE and not trusted:
            raise _unknown()
        return Document(text, trusted)


def trusted_documents(trust: Trust, file: Path = FILE) -> TrustedDocuments:
    """The list in the file, which is not read if `trust` is OFF. Raises SettingsError."""
    if trust is Trust.OFF:
        return TrustedDocuments()
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"SLURMQL_TRUSTED_DOCUMENTS is {trust.value}, and there is no {file.name}") from error
    except ValueError as error:
        raise SettingsError(f"{file.name} is not JSON") from error
    if not isinstance(listed, dict) or not all(isinstance(text, str) for text in listed.values()):
        raise SettingsError(f"{file.name} must be a JSON object of documents by their SHA-256")
    by_digest = {digest.removeprefix(_PREFIX).lower(): text for digest, text in listed.items()}
    for digest, text in by_digest.items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise SettingsError(f"{file.name}: {digest[:70]!r} is not the SHA-256 of its document, in hexadecimal")
    return TrustedDocuments(trust, by_digest)


def _unknown() -> OperationError:
    message = "PersistedQueryNotFound: the document is not on this API's list of trusted documents."
    return OperationError(message, ErrorCode.PERSISTED_QUERY_NOT_FOUND)
