"""A document's parameters: what the service accepts and how the agent fills them in.

Source: amazon-ssm-agent (parameters.go, parameterstore.go), the user guide's page on document parameters, and
sizes measured on AWS.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from .documents import RUN_SHELL_SCRIPT, Document, Step
from .protocol import ApiError, Json

Value = str | list[str]
"""A parameter's value: a list for StringList, text for every other type."""

_PAYLOAD_BYTES = 100_000
_USABLE_NAME = re.compile(r"[a-zA-Z0-9]+\Z")
_STORE_REFERENCE = re.compile(r"\{\{ *ssm:([/\w.-]+) *\}\}", re.ASCII)
_PATTERN_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


class UnresolvedReference(ValueError):  # noqa: N818 - the agent's own refusal, reported in the invocation
    """A {{ssm:name}} that Parameter Store does not have; the text is the agent's."""


def accept(document: Document, given: Mapping[str, Any]) -> dict[str, Value]:
    """Check the parameters of a SendCommand and return the value of every declared parameter, including defaults.

    Raises InvalidParameters for an unknown, missing or disallowed value. Defaults are not checked, as on AWS.
    """
    declared = document.parameters
    if not given.keys() <= declared.keys():
        raise _refusal()
    values: dict[str, Value] = {}
    for name, body in declared.items():
        if name in given:
            values[name] = _accept_one(body, given[name])
        elif "default" in body:
            values[name] = body["default"]
        else:
            raise _refusal()
    return values


def check_payload(document: Document, given: Mapping[str, Any]) -> None:
    """Raise MaxDocumentSizeExceeded if more than 100,000 bytes would go to the agent."""
    if _json_length(given) + _json_length(document.content) + _ENVELOPE_BYTES > _PAYLOAD_BYTES:
        raise ApiError("MaxDocumentSizeExceeded", "The document and its parameters exceed the maximum size of 97KB.")


def fill(step: Step, values: Mapping[str, Value]) -> Json:
    """Return the step's inputs with each {{ name }} replaced once and without any quoting, as the agent does it.

    Raises UnresolvedReference if the result contains a {{ssm:name}}: this account has no Parameter Store.
    """
    usable = {name: value for name, value in values.items() if _USABLE_NAME.match(name)}
    filled = {name: _replace(value, usable) for name, value in step.inputs.items()}
    unknown = _STORE_REFERENCE.findall(json.dumps(filled))
    if unknown:
        raise UnresolvedReference(f"Input contains invalid parameters [{' '.join(dict.fromkeys(unknown))}]")
    return filled


def exported(document: Document, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the SSM_<name> variables of the ENV_VAR parameters (schema 2.2, type String)."""
    if document.schema != "2.2":
        return {}
    return {
        f"SSM_{name}": value
        for name, body in document.parameters.items()
        if body.get("interpolationType") == "ENV_VAR" and isinstance(value := values[name], str)
    }


def matches(pattern: str, value: str) -> bool:
    """Return whether an allowedPattern matches in a value as in Go's regexp, where `$` is only the very end."""
    strict = _PATTERN_TOKEN.sub(lambda token: r"\Z" if token[0] == "$" else token[0], pattern)
    return re.search(strict, value) is not None


def _accept_one(body: Json, given: Any) -> Value:
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise ApiError("SerializationException", "A parameter's value is a list of strings.")
    is_list = body.get("type") == "StringList"
    counted = int(body.get("minItems", 0)) <= len(given) <= int(body.get("maxItems", len(given)))
    if not counted or (not is_list and len(given) != 1) or not all(_allowed(body, item) for item in given):
        raise _refusal()
    return list(given) if is_list else str(given[0])


def _allowed(body: Json, item: str) -> bool:
    return (
        int(body.get("minChars", 0)) <= len(item) <= int(body.get("maxChars", len(item)))
        and item in body.get("allowedValues", [item])
        and matches(str(body.get("allowedPattern", "")), item)
    )


def _refusal() -> ApiError:
    return ApiError("InvalidParameters", "Parameters provided in document are invalid or not supported.")


def _replace(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, list):
        return [_replace(item, values) for item in value]
    if not isinstance(value, str) or not values:
        return value
    names = "|".join(sorted(values, key=len, reverse=True))
    alone = re.fullmatch(r"\{\{\s*(" + names + r")\s*\}\}", value)
    if alone:
        return values[alone[1]]
    return re.sub(r"\{\{\s*(" + names + r")\s*\}\}", lambda found: _as_text(values[found[1]]), value)


def _as_text(value: Value) -> str:
    # The agent hands the value to Go's Regexp.ReplaceAllString, which reads "$$" as one dollar.
    return (value if isinstance(value, str) else _html_safe(value)).replace("$$", "$")


def _html_safe(value: object) -> str:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return compact.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&"})


def _json_length(value: object) -> int:
    """Return the length of the service's JSON in bytes; an HTML-special or non-ASCII character takes six."""
    text = json.dumps(value, separators=(",", ":"))
    return len(text) + 5 * sum(text.count(character) for character in "<>&")


# The rest of the payload. AWS accepts one ASCII command of at most 98,883 characters, as measured.
_ENVELOPE_BYTES = _PAYLOAD_BYTES - _json_length({"commands": ["x" * 98_883]}) - _json_length(RUN_SHELL_SCRIPT)
