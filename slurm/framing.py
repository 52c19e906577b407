"""Columns framed by a nonce.

squeue, sinfo and sacct print fields raw: a job name may hold any byte, newlines and control characters included, so
that a fixed separator can be forged. Here every field ends with a separator that is random per request, and every
record must have exactly the requested columns (squeue(1), sinfo(1): `-O field:[size][suffix]`).

squeue and sprio take the separator from their environment, which other users cannot read. sinfo and sacct take it only
as an argument, which every user of the head node can read in /proc while the command runs (unless it is mounted with
hidepid). Somebody who watches for it and changes a text before Slurm reads that text can write the separator: the
record then has too many fields, and `split_watched` raises. What nothing here can notice is a text that completes its
own record and begins others with exactly their fields. sacct leaves room for one in WorkDir, StdOut and StdErr, where
users may write thousands of characters: whoever wins that race can forge a record of accounting. slurmdbd keeps 255
bytes of a job's name, too few for the separators of a record of jobs. In sinfo's output only administrators write.

Columns of numbers, times and states, in which nobody can write, come first and end with a plain `~`; only the last of
them ends with the separator. They are one field, which is split once more: a third less to print, pack and send.
"""

import re
import secrets
import string
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from slurm.errors import ParseError, SeparatorError, Unreadable

_FIRST = "~"  # occurs nowhere else in a separator, so the end of a value can never be taken for its beginning
SEPARATOR = _FIRST + "[A-Za-z0-9]{8}"
"""The pattern of a separator."""
_COLUMN = f"[A-Za-z_-]+:({SEPARATOR}|{_FIRST})"
FORMAT = f"{_COLUMN}(,{_COLUMN})*"
"""The pattern of what `format_string` makes."""
COLUMNS = "[A-Za-z]+(,[A-Za-z]+)*"
"""The pattern of names of columns, joined by commas: the `format` of sacct, sacctmgr, sshare and sstat."""


def separator() -> str:
    """A fresh separator: `~` and 8 random letters and digits (47 bits).

    squeue prints it after each column, up to 37 times a job, so a longer one would be most of the output. 47 bits
    suffice where nobody can watch it: an attacker names the job before it is drawn, has one guess for each request and
    does not see whether it was right; and a record without exactly the requested columns is an error.
    """
    return _FIRST + "".join(secrets.choice(_ALPHABET) for _ in range(8))


_ALPHABET = string.ascii_letters + string.digits
_SEPARATOR = re.compile(SEPARATOR)


def separators(text: str) -> list[str]:
    """The separators in the text of a command, each once, in order."""
    return list(dict.fromkeys(_SEPARATOR.findall(text)))


def without_separators(text: str) -> str:
    """The text of a command without its random parts: the same for the same question."""
    return _SEPARATOR.sub(_FIRST, text)


def format_string(columns: Sequence[str], separator: str, plain: Collection[str] = ()) -> str:
    """The value of `SQUEUE_FORMAT2` or `sinfo --Format`: each column in full width, ended by the separator.

    `Name:~ab12` without digits means no width limit on every version from 20.11 to 26.05. `plain` are columns in which
    nobody can write, so that they never hold a `~`.
    """
    return ",".join(
        f"{column}:{separator if column == field[-1] else _FIRST}"
        for field in _fields(columns, plain)
        for column in field
    )


class Records(NamedTuple):
    """The text of every column, row by row, and the records that are not among them."""

    texts: dict[str, list[str]]
    lost: Sequence[Unreadable]


def split(text: str, columns: Sequence[str], separator: str, plain: Collection[str] = ()) -> Records:
    """The text of every column, row by row; equal texts of a column are one object, as most columns hold few.

    A record with another number of fields is left out and listed in `lost`; nothing is guessed.
    """
    try:
        return Records(_split(text, columns, separator, plain), ())
    except ParseError:
        records, lost = _sound(text, separator, _fields(columns, plain))
    lost = lost or [Unreadable.record("record", text)]
    return Records(_split("\n".join(records), columns, separator, plain), lost)


def split_watched(text: str, columns: Sequence[str], separator: str) -> Records:
    """As `split`, for a separator that others can watch.

    Raises SeparatorError if a separator is in no record: somebody may have written it, and forged other records, too.
    """
    records = split(text, columns, separator)
    if text.count(separator) != len(columns) * len(records.texts[columns[0]]):
        left_out = next((each.text for each in records.lost if each.text and separator in each.text), text)
        raise SeparatorError("record", left_out)
    return records


def _sound(text: str, separator: str, fields: Sequence[Sequence[str]]) -> tuple[list[str], list[Unreadable]]:
    """The records that have exactly their fields, and what stands between them.

    A record begins on a new line with a field that has its plain columns, and ends before the next new line. One within
    which another seems to begin is left out: a value is never another column's.
    """
    *cells, rest = text.split(separator)
    width, records, lost = len(fields), list[str](), list[Unreadable]()
    begins = [at for at, cell in enumerate(cells) if at == 0 or _begins(cell, fields[0])]
    # Where several plain columns make a field, no other text looks like it; else one that holds a newline may.
    certain = begins if len(fields[0]) > 1 else [at for at in begins if at == 0 or cells[at].startswith("\n")]
    certain.append(len(cells))
    at = 0
    while at < len(cells):
        behind = at + width
        before, _, begin = cells[at].rpartition("\n")
        ends_there = _ends(cells, behind, rest) and certain[bisect_right(certain, at)] >= behind
        if ends_there and begin.count(_FIRST) == len(fields[0]) - 1:
            lost += _lost(before)
            records.append(separator.join([begin, *cells[at + 1 : behind], ""]))
            at = behind
            continue
        following = bisect_right(begins, at)
        to = begins[following] if following < len(begins) else len(cells)
        lost += _lost(separator.join([*cells[at:to], ""]))
        at = to
    return records, [*lost, *_lost(rest)]


def _lost(said: str) -> list[Unreadable]:
    said = said.strip("\n")
    return [Unreadable.record("record", said)] if said else []


def _begins(cell: str, field: Sequence[str]) -> bool:
    """Whether a record may begin there, on the cell's last line."""
    return "\n" in cell and cell.rpartition("\n")[2].count(_FIRST) == len(field) - 1


def _ends(cells: Sequence[str], behind: int, rest: str) -> bool:
    """Whether what comes behind a record is another line, or nothing."""
    if behind < len(cells):
        return cells[behind].startswith("\n")
    return behind == len(cells) and (not rest or rest.startswith("\n"))


def _split(text: str, columns: Sequence[str], separator: str, plain: Collection[str]) -> dict[str, list[str]]:
    """The texts if all records have exactly their fields; else raises ParseError."""
    fields = _fields(columns, plain)
    width = len(fields)
    texts: dict[str, list[str]] = {column: [] for column in columns}
    known: dict[str, dict[str, str]] = {column: {} for column in columns}
    left: list[str] = []
    end = 0
    for part, end in _parts(text, separator):  # noqa: B007 - where the last one ends
        cells = left + part
        whole = len(cells) - len(cells) % width
        for position, field in enumerate(fields):
            values = cells[position:whole:width]
            if position == 0:
                values = _begun(values, first=not texts[field[0]])
            for column, own in _columns(field, values):
                same = known.get(column)
                texts[column].extend(own if same is None else map(same.setdefault, own, own))
                if same and len(same) > _DISTINCT and len(same) * 2 > len(texts[column]):
                    del known[column]
        left = cells[whole:]
    if left or text[end:] not in ("", "\n") or text == "\n":
        raise ParseError("record", text[end:])
    return texts


def _fields(columns: Sequence[str], plain: Collection[str]) -> list[list[str]]:
    """The columns of each field: those that are plain share the first."""
    shared = [column for column in columns if column in plain]
    return [shared] * bool(shared) + [[column] for column in columns if column not in plain]


def _columns(field: Sequence[str], values: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each column of a field, and its texts."""
    width = len(field)
    if width == 1:
        yield field[0], values
        return
    if wrong := [value for value in values if value.count(_FIRST) != width - 1]:
        raise ParseError("record", wrong[0])
    texts = _FIRST.join(values).split(_FIRST) if values else []
    for position, column in enumerate(field):
        yield column, texts[position::width]


_PART = 1 << 20
"""Characters that are split at once: the fields of 100,000 jobs would take half a gigabyte."""
_DISTINCT = 500
"""With so many distinct texts, more than half of all, a column is one whose texts are not looked for any more."""


def _parts(text: str, separator: str) -> Iterator[tuple[list[str], int]]:
    """The fields of one part of the text after the other, and where each part ends, behind a separator."""
    start = 0
    while True:
        end = text.rfind(separator, start, start + _PART)
        if end < 0:
            end = text.find(separator, start)
        if end < 0:
            return
        fields = text[start:end].split(separator)
        start = end + len(separator)
        yield fields, start


def _begun(values: list[str], first: bool) -> list[str]:
    """The fields that begin records: each but the very first starts with the newline that ended the one before it.

    They hold names and numbers of Slurm's own: with another newline, something else is printed before the record.
    """
    rest = values[1:] if first else values
    begun = values[: len(values) - len(rest)] + [value[1:] for value in rest]
    if wrong := [value for value in rest if not value.startswith("\n")] or [value for value in begun if "\n" in value]:
        raise ParseError("record", wrong[0])
    return begun
