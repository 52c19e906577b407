"""Command documents: their parameters and steps. Each has one version, because nothing here changes a document.

Source: the SSM user guide's "Document schemas and features"; the API page CreateDocument.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.iam import ACCOUNT

from .protocol import ApiError, Json

_CONTENT_BYTES = 65_536
_SCHEMAS = ("1.2", "2.0", "2.2")
_PLUGIN = "aws:runShellScript"

RUN_SHELL_SCRIPT: Json = {
    "schemaVersion": "1.2",
    "description": "Run a shell script or specify the commands to run.",
    "parameters": {
        "commands": {
            "type": "StringList",
            "description": "(Required) Specify a shell script or a command to run.",
            "minItems": 1,
            "displayType": "textarea",
        },
        "workingDirectory": {
            "type": "String",
            "default": "",
            "description": "(Optional) The path to the working directory on your instance.",
            "maxChars": 4096,
        },
        "executionTimeout": {
            "type": "String",
            "default": "3600",
            "description": "(Optional) The time in seconds for a command to complete before it is considered "
            "to have failed. Default is 3600 (1 hour). Maximum is 172800 (48 hours).",
            "allowedPattern": "([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)",
        },
    },
    "runtimeConfig": {
        _PLUGIN: {
            "properties": [
                {
                    "id": "0.aws:runShellScript",
                    "runCommand": "{{ commands }}",
                    "workingDirectory": "{{ workingDirectory }}",
                    "timeoutSeconds": "{{ executionTimeout }}",
                }
            ]
        }
    },
}


@dataclass(frozen=True)
class Step:
    """One aws:runShellScript of a document, before its parameters are filled in.

    name       the API's name of the plugin: the step's name, or aws:runShellScript in schema 1.2
    folder     the folder of its script, relative to the command's
    inputs     runCommand, workingDirectory, timeoutSeconds
    for_linux  False if its precondition names another platform
    """

    name: str
    folder: str
    inputs: Mapping[str, Any]
    for_linux: bool = True


@dataclass(frozen=True)
class Document:
    """A document with its only version."""

    name: str
    text: str
    content: Json
    created: float
    """Seconds since 1970."""

    @property
    def parameters(self) -> dict[str, Json]:
        """The declared parameters by name."""
        return dict(self.content.get("parameters") or {})

    @property
    def schema(self) -> str:
        """The schema version: 1.2, 2.0 or 2.2."""
        return str(self.content["schemaVersion"])

    @property
    def sha256(self) -> str:
        """The hash with which SendCommand's DocumentHash is compared."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in order."""
        if self.schema == "1.2":
            properties = self.content["runtimeConfig"][_PLUGIN]["properties"]
            return tuple(Step(_PLUGIN, f"awsrunShellScript/{_folder(step['id'])}", step) for step in properties)
        return tuple(
            Step(
                step["name"],
                f"awsrunShellScript/{_folder(step['name'])}",
                step.get("inputs") or {},
                _for_linux(step),
            )
            for step in self.content["mainSteps"]
        )

    def check_version(self, wanted: object) -> None:
        """Raise InvalidDocumentVersion unless it means the only version, which is also the default and the latest."""
        if wanted not in (None, "", "$DEFAULT", "$LATEST", "1"):
            raise ApiError("InvalidDocumentVersion")

    def describe(self) -> Json:
        """Return the API's DocumentDescription of a new document."""
        return {
            "Hash": self.sha256,
            "HashType": "Sha256",
            "Name": self.name,
            "Owner": ACCOUNT,
            "CreatedDate": self.created,
            "Status": "Creating",
            "DocumentVersion": "1",
            "Description": str(self.content.get("description", "")),
            "Parameters": [_describe(name, body) for name, body in self.parameters.items()],
            "PlatformTypes": ["Linux", "MacOS"],
            "DocumentType": "Command",
            "SchemaVersion": self.schema,
            "LatestVersion": "1",
            "DefaultVersion": "1",
            "DocumentFormat": "JSON",
            "Tags": [],
        }


@dataclass
class Library:
    """The account's documents and AWS-RunShellScript."""

    _documents: dict[str, Document] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        text = json.dumps(RUN_SHELL_SCRIPT)
        self._documents["AWS-RunShellScript"] = Document("AWS-RunShellScript", text, RUN_SHELL_SCRIPT, time.time())

    def find(self, name: object) -> Document:
        """Return the document with that name or ARN. Raises InvalidDocument, without a message, as AWS does."""
        document = self._documents.get(str(name).rpartition("/")[2])
        if document is None:
            raise ApiError("InvalidDocument")
        return document

    def create(self, request: Json) -> Json:
        """CreateDocument."""
        document = _read(request)
        with self._lock:
            if document.name in self._documents:
                raise ApiError("DocumentAlreadyExists", f"Document with same name {document.name} already exists")
            self._documents[document.name] = document
        return {"DocumentDescription": document.describe()}

    def replace(self, name: str, content: str | None) -> None:
        """Put a document in the place of the one with that name, or none at all; for tests, as is `Endpoint.faults`."""
        with self._lock:
            self._documents.pop(name, None)
        if content is not None:
            self.create({"Name": name, "Content": content})


def _read(request: Json) -> Document:
    """Read a document's content. Raises the API's errors for what AWS or this endpoint does not accept."""
    text = str(request["Content"])
    if len(text.encode()) > _CONTENT_BYTES:
        raise ApiError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    if request.get("DocumentFormat", "JSON") != "JSON" or request.get("DocumentType", "Command") != "Command":
        raise ApiError("InvalidDocumentContent", "The local endpoint reads Command documents in JSON only.")
    try:
        content = json.loads(text)
    except ValueError as failure:
        raise ApiError("InvalidDocumentContent", f"JSON not well-formed. {failure}") from failure
    if not isinstance(content, dict):
        raise ApiError("InvalidDocumentContent", "The document is not a JSON object.")
    if str(content.get("schemaVersion")) not in _SCHEMAS:
        raise ApiError("InvalidDocumentSchemaVersion", f"Schema version must be one of {', '.join(_SCHEMAS)}.")
    document = Document(str(request["Name"]), text, content, time.time())
    _check_steps(document)
    _check_patterns(document)
    return document


def _check_patterns(document: Document) -> None:
    for name, body in document.parameters.items():
        try:
            re.compile(str(body.get("allowedPattern", "")))
        except re.error as failure:
            raise ApiError("InvalidDocumentContent", f"allowedPattern of {name}: {failure}") from failure


def _check_steps(document: Document) -> None:
    plugins = [step.get("action") for step in document.content.get("mainSteps") or []]
    if document.schema == "1.2":
        plugins = list(document.content.get("runtimeConfig") or {})
    if not plugins or set(plugins) != {_PLUGIN}:
        raise ApiError("InvalidDocumentContent", f"The local endpoint runs {_PLUGIN} only, not {plugins}.")
    try:
        steps = document.steps()
    except (KeyError, TypeError) as failure:
        raise ApiError("InvalidDocumentContent", f"A step lacks {failure}.") from failure
    if not all(step.inputs.get("runCommand") for step in steps):
        raise ApiError("InvalidDocumentContent", "A step lacks runCommand.")


def _for_linux(step: Mapping[str, Any]) -> bool:
    equals = (step.get("precondition") or {}).get("StringEquals") or []
    return "platformType" not in equals or "Linux" in equals


def _folder(name: str) -> str:
    return name.replace(":", "")


def _describe(name: str, body: Json) -> Json:
    shown = {
        "Name": name,
        "Type": "StringList" if body.get("type") == "StringList" else "String",
        "Description": str(body.get("description", "")),
    }
    if "default" in body:
        default = body["default"]
        shown["DefaultValue"] = default if isinstance(default, str) else json.dumps(default)
    return shown
