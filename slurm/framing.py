"""Columns framed by a nonce.

squeue and sinfo print fields raw: a job name may hold any byte, newlines and control characters included, so that a
fixed separator can be forged. Here every field ends with a separator that is random per request, and every record
must have exactly the columns that were asked for (squeue(1), sinfo(1): `-O field:[size][suffix]`).
"""

import re
import secrets
from collections.abc import Sequence

from slurm.errors import ParseError

_FIRST = "~"  # occurs nowhere else in a separator, so the end of a value can never be taken for its beginning


def separator() -> str:
    """A fresh separator: `~` and 16 random hexadecimal digits (64 bits)."""
    return _FIRST + secrets.token_hex(8)


_SEPARATOR = re.compile(_FIRST + "[0-9a-f]{16}")


def separators(text: str) -> list[str]:
    """The separators in the text of a command, each once, in order."""
    return list(dict.fromkeys(_SEPARATOR.findall(text)))


def without_separators(text: str) -> str:
    """The text of a command without what is random in it: the same for the same question."""
    return _SEPARATOR.sub(_FIRST, text)


def format_string(columns: Sequence[str], separator: str) -> str:
    """The value of `SQUEUE_FORMAT2` or `sinfo --Format`: each column in full width, ended by the separator.

    `Name:~ab12` without digits means no width limit on every version from 20.11 to 26.05.
    """
    return ",".join(f"{column}:{separator}" for column in columns)


def split(text: str, columns: Sequence[str], separator: str) -> dict[str, list[str]]:
    """The text of every column, row by row.

    Raises ParseError if any record has another number of fields: nothing is dropped, nothing guessed.
    """
    fields = text.split(separator)
    width = len(columns)
    if len(fields) % width != 1 % width or fields[-1] not in ("", "\n") or text == "\n":
        raise ParseError("record", fields[-1])
    # Each record but the first starts with the newline that ended the one before it.
    first = fields[0:-1:width]
    if any(not value.startswith("\n") for value in first[1:]):
        raise ParseError("record", next(value for value in first[1:] if not value.startswith("\n")))
    texts = {column: fields[position:-1:width] for position, column in enumerate(columns)}
    texts[columns[0]] = first[:1] + [value[1:] for value in first[1:]]
    return texts
