"""Command documents: their versions, their parameters, their steps.

Source: the SSM user guide's "Document schemas and features"; the API pages CreateDocument, UpdateDocument,
GetDocument.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
    folder     the directories, relative to the command's, that hold its script
    inputs     runCommand, workingDirectory, timeoutSeconds
    for_linux  False when its precondition names another platform
    """

    name: str
    folder: str
    inputs: Mapping[str, Any]
    for_linux: bool = True


@dataclass(frozen=True)
class Version:
    """One version of a document. `number` counts from 1, `created` is in seconds since 1970."""

    number: int
    text: str
    content: Json
    created: float

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
        """The hash that SendCommand's DocumentHash is compared with."""
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


@dataclass(frozen=True)
class Document:
    """A document with all its versions, oldest first, and the number of the default one."""

    name: str
    owner: str
    versions: tuple[Version, ...]
    default: int = 1

    def version(self, wanted: object) -> Version:
        """Return the version $DEFAULT, $LATEST, a number or nothing means; raises InvalidDocumentVersion."""
        if wanted in (None, "", "$DEFAULT"):
            wanted = str(self.default)
        if wanted == "$LATEST":
            return self.versions[-1]
        for version in self.versions:
            if str(version.number) == wanted:
                return version
        raise ApiError("InvalidDocumentVersion")

    def describe(self, version: Version, status: str = "Active") -> Json:
        """Return the API's DocumentDescription."""
        return {
            "Hash": version.sha256,
            "HashType": "Sha256",
            "Name": self.name,
            "Owner": self.owner,
            "CreatedDate": version.created,
            "Status": status,
            "DocumentVersion": str(version.number),
            "Description": str(version.content.get("description", "")),
            "Parameters": [_describe(name, body) for name, body in version.parameters.items()],
            "PlatformTypes": ["Linux", "MacOS"],
            "DocumentType": "Command",
            "SchemaVersion": version.schema,
            "LatestVersion": str(self.versions[-1].number),
            "DefaultVersion": str(self.default),
            "DocumentFormat": "JSON",
            "Tags": [],
        }


@dataclass
class Library:
    """The account's documents, AWS-RunShellScript among them. Its methods are the API's operations."""

    _documents: dict[str, Document] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        version = Version(1, json.dumps(RUN_SHELL_SCRIPT), RUN_SHELL_SCRIPT, time.time())
        self._documents["AWS-RunShellScript"] = Document("AWS-RunShellScript", "Amazon", (version,))

    def find(self, name: object, message: str | None = None) -> Document:
        """Return the document of that name or ARN; raises InvalidDocument, with the message if given."""
        plain = str(name).rpartition("/")[2]
        document = self._documents.get(plain)
        if document is None:
            absent = f"Document with name {plain} does not exist."
            raise ApiError("InvalidDocument", absent if message is None else message)
        return document

    def create(self, request: Json) -> Json:
        """CreateDocument."""
        name = str(request["Name"])
        version = _read(request, 1)
        with self._lock:
            if name in self._documents:
                raise ApiError("DocumentAlreadyExists", f"Document with same name {name} already exists")
            document = self._documents[name] = Document(name, "123456789012", (version,))
        return {"DocumentDescription": document.describe(version, "Creating")}

    def update(self, request: Json) -> Json:
        """UpdateDocument: a new version, which does not become the default."""
        with self._lock:
            document = self._own(request)
            version = _read(request, document.versions[-1].number + 1)
            if any(version.text == old.text for old in document.versions):
                raise ApiError(
                    "DuplicateDocumentContent",
                    "The content of the document matches another version of it. Change it and try again.",
                )
            document = replace(document, versions=(*document.versions, version))
            self._documents[document.name] = document
        return {"DocumentDescription": document.describe(version, "Updating")}

    def update_default_version(self, request: Json) -> Json:
        """UpdateDocumentDefaultVersion."""
        with self._lock:
            document = self._own(request)
            number = document.version(request["DocumentVersion"]).number
            self._documents[document.name] = replace(document, default=number)
        return {"Description": {"Name": document.name, "DefaultVersion": str(number)}}

    def delete(self, request: Json) -> Json:
        """DeleteDocument: the whole document, or one version that is not the default."""
        with self._lock:
            document = self._own(request)
            if "DocumentVersion" not in request:
                del self._documents[document.name]
                return {}
            gone = document.version(request["DocumentVersion"])
            if gone.number == document.default:
                raise ApiError("InvalidDocumentOperation", "Default version of the document can't be deleted.")
            left = tuple(version for version in document.versions if version is not gone)
            self._documents[document.name] = replace(document, versions=left)
        return {}

    def describe(self, request: Json) -> Json:
        """DescribeDocument."""
        document = self.find(request["Name"])
        return {"Document": document.describe(document.version(request.get("DocumentVersion")))}

    def get(self, request: Json) -> Json:
        """GetDocument."""
        document = self.find(request["Name"])
        version = document.version(request.get("DocumentVersion"))
        return {
            "Name": document.name,
            "CreatedDate": version.created,
            "DocumentVersion": str(version.number),
            "Status": "Active",
            "Content": version.text,
            "DocumentType": "Command",
            "DocumentFormat": "JSON",
        }

    def _own(self, request: Json) -> Document:
        document = self.find(request["Name"])
        if document.owner == "Amazon":
            raise ApiError("InvalidDocumentOperation", "You can't change a document that Amazon owns.")
        return document


def _read(request: Json, number: int) -> Version:
    """Read a document's content; raises the API's errors for what AWS, or this endpoint, does not take."""
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
    version = Version(number, text, content, time.time())
    _check_steps(version)
    _check_patterns(version)
    return version


def _check_patterns(version: Version) -> None:
    for name, body in version.parameters.items():
        try:
            re.compile(str(body.get("allowedPattern", "")))
        except re.error as failure:
            raise ApiError("InvalidDocumentContent", f"allowedPattern of {name}: {failure}") from failure


def _check_steps(version: Version) -> None:
    plugins = [step.get("action") for step in version.content.get("mainSteps") or []]
    if version.schema == "1.2":
        plugins = list(version.content.get("runtimeConfig") or {})
    if not plugins or set(plugins) != {_PLUGIN}:
        raise ApiError("InvalidDocumentContent", f"The local endpoint runs {_PLUGIN} only, not {plugins}.")
    try:
        steps = version.steps()
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
