"""Writes the SSM document of headnode/document.py into template.yaml, with settings from the stack's parameters."""

import json
import textwrap
from pathlib import Path
from typing import Any

from headnode import document
from headnode.program.settings import SETTINGS as OF_THE_PROGRAM

BEGIN = "# begin of the document"
END = "# end of the document"
SETTINGS = {
    "reader": "${Reader}",
    "denied": [*OF_THE_PROGRAM["denied"], "${DeniedAccounts}"],
    "bucket": ["https://${Bucket}.s3.${AWS::Region}.${AWS::URLSuffix}/"],
}
"""The program's settings that the stack decides. DeniedAccounts, such as `a,b`, extends the list by its words."""

_WIDTH = 90
"""About how many characters a line has."""

# It ends up in JSON within a shell's single quotes; the parameters' patterns allow no quotes.
_DENIED_ACCOUNTS = """DeniedAccounts: !Join ['", "', !Split [",", !Ref DeniedAccounts]]"""


class MarkerError(Exception):
    """The template lacks a line that begins or ends the document, or has it twice."""


def write(path: Path) -> bool:
    """Write the document into the template; return whether that changed the file. Raises MarkerError."""
    before = path.read_text()
    after = embedded(before)
    path.write_text(after)
    return after != before


def embedded(template: str) -> str:
    """The template's text with the current document in it. Raises MarkerError."""
    lines = template.splitlines()
    try:
        (begin,) = [number for number, line in enumerate(lines) if line.strip() == BEGIN]
        (end,) = [number for number, line in enumerate(lines) if line.strip() == END]
    except ValueError as error:
        raise MarkerError(f"the lines {BEGIN!r} and {END!r} must each occur once") from error
    indent = lines[begin].partition("#")[0]
    block = textwrap.indent("\n".join(_mapping(document.content(SETTINGS))), indent).splitlines()
    return "\n".join([*lines[: begin + 1], *block, *lines[end:]]) + "\n"


def _mapping(content: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in content.items():
        if isinstance(value, str | int):
            lines.append(f"{key}: {json.dumps(value)}")
        else:
            nested = _mapping(value) if isinstance(value, dict) else _sequence(value)
            lines += [f"{key}:", *(f"  {line}" for line in nested)]
    return lines


def _sequence(items: list[Any]) -> list[str]:
    lines = []
    for item in items:
        first, *rest = _mapping(item) if isinstance(item, dict) else _text(item)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return lines


def _text(text: str) -> list[str]:
    if "${" in text:
        first, *rest = _folded(text)
        return ["!Sub", f"- {first}", *(f"  {line}" for line in rest), f"- {_DENIED_ACCOUNTS}"]
    return _folded(text)


def _folded(text: str) -> list[str]:
    """A double-quoted YAML text in several lines; a backslash at a line's end joins it to the next without a blank."""
    quoted = json.dumps(text)
    words = quoted.split(" ")
    lines = [""]
    for word in words:
        separator = " " if lines != [""] else ""
        if len(lines[-1]) + len(word) < _WIDTH:
            lines[-1] += separator + word
        else:
            lines[-1] += separator
            lines += [word[at : at + _WIDTH] for at in range(0, len(word), _WIDTH)]
    return [*(line + "\\" for line in lines[:-1]), lines[-1]]
