"""Documents that clients name by the SHA-256 of their text: trusted ones from a list, and registered ones.

Trusted documents are those that the clients' builds contain. Their file is what graphql-codegen
(`persistedDocuments: {hashAlgorithm: "sha256"}`) and Relay (`persistConfig`, SHA256) write: a JSON object of documents
by their digest, in hexadecimal. Clients register documents by Apollo's protocol of automatic persisted queries.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from headnode.error_codes import ErrorCode
from headnode.registered_documents import RegisteredDocuments
from headnode.settings import SettingsError
from transport.operation import Operation
from transport.refusal import OperationError

FILE: Final = Path(__file__).parents[1] / "persisted-documents.json"
_PREFIX = "sha256:"


# Apollo's protocol: clients compare the whole message, so the reason goes into the extensions.
_NOT_FOUND, _NOT_SUPPORTED = "PersistedQueryNotFound", "PersistedQueryNotSupported"
_ANOTHER_DIGEST = "provided sha does not match query"


class Trust(Enum):
    """How documents may be named by their digest."""

    OFF = "off"
    ACCEPT = "accept"
    REQUIRE = "require"
    REGISTER = "register"


@dataclass(frozen=True)
class Document:
    """A document to run; `trusted` if it is on the list. `digest` is what the client wants it registered under."""

    text: str
    trusted: bool
    digest: str | None = None


@dataclass(frozen=True)
class TrustedDocuments:
    """The list, how it is used, and with REGISTER what clients have registered."""

    trust: Trust = Trust.OFF
    by_digest: Mapping[str, str] | None = None
    registered: RegisteredDocuments | None = None

    async def document(self, operation: Operation) -> Document:
        """The document that the operation contains, or names by its digest. Raises OperationError."""
        digest = (operation.document_id or "").removeprefix(_PREFIX).lower()
        if operation.query is not None:
            return self._sent(operation.query, digest)
        if self.trust is Trust.OFF:
            reason = "This API keeps no documents: send the document itself."
            raise OperationError(_NOT_SUPPORTED, ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, reason)
        text = (self.by_digest or {}).get(digest)
        if text is not None:
            return Document(text, trusted=True)
        if self.registered:
            text = await asyncio.to_thread(self.registered.find, digest)
        if text is None:
            raise self._unknown()
        return Document(text, trusted=False)

    async def register(self, document: Document) -> None:
        """Register a document that could be run, if its client wants that and the deployment allows it."""
        if self.registered and document.digest:
            await asyncio.to_thread(self.registered.register, document.digest, document.text)

    def _sent(self, text: str, digest: str) -> Document:
        if self.trust is Trust.OFF:
            return Document(text, trusted=False)
        own = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if digest and digest != own:
            reason = "The document does not have the SHA-256 that was sent with it."
            raise OperationError(_ANOTHER_DIGEST, ErrorCode.BAD_USER_INPUT, reason)
        trusted = own in (self.by_digest or {})
        if self.trust is Trust.REQUIRE and not trusted:
            raise self._unknown()
        return Document(text, trusted, None if trusted else digest)

    def _unknown(self) -> OperationError:
        reason = "The document is not on this API's list of trusted documents."
        if self.registered:
            reason = "Nobody has registered the document here: send it together with its SHA-256."
        return OperationError(_NOT_FOUND, ErrorCode.PERSISTED_QUERY_NOT_FOUND, reason)


def trusted_documents(
    trust: Trust, file: Path = FILE, registered: RegisteredDocuments | None = None
) -> TrustedDocuments:
    """The list in the file, which is not read if `trust` is OFF and need not exist if it is REGISTER.

    Raises SettingsError.
    """
    if trust is Trust.OFF:
        return TrustedDocuments()
    if trust is Trust.REGISTER and registered is None:
        raise SettingsError("SLURMQL_TRUSTED_DOCUMENTS is register, and there is no SLURMQL_TABLE")
    if trust is not Trust.REGISTER:
        registered = None
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if trust is Trust.REGISTER:
            return TrustedDocuments(trust, {}, registered)
        raise SettingsError(f"SLURMQL_TRUSTED_DOCUMENTS is {trust.value}, and there is no {file.name}") from error
    except ValueError as error:
        raise SettingsError(f"{file.name} is not JSON") from error
    if not isinstance(listed, dict) or not all(isinstance(text, str) for text in listed.values()):
        raise SettingsError(f"{file.name} must be a JSON object of documents by their SHA-256")
    by_digest = {digest.removeprefix(_PREFIX).lower(): text for digest, text in listed.items()}
    for digest, text in by_digest.items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise SettingsError(f"{file.name}: {digest[:70]!r} is not the SHA-256 of its document, in hexadecimal")
    return TrustedDocuments(trust, by_digest, registered)
