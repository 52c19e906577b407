"""Part of a file on the cluster, such as a job's output, read with the calling user's rights.

The program on the head node reads it (headnode/program/files.py), not a command of Slurm's.
"""

import base64
import codecs
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slurm.command import Command, ProgramRefusedError, Question, Reply
from slurm.errors import ParseError
from slurm.operation import FLAG, Operation, RunsAs, Task
from slurm.states import DescribedEnum

READ_LIMIT = 1024 * 1024
"""The most bytes that one question reads."""
LONGEST_CHARACTER = 4
"""Bytes of UTF-8; a smaller limit might not get over a character."""


READ = Operation(
    "read",
    options={"path": r"/[^\0]*", "offset": r"\d{1,15}", "limit": r"\d{1,7}", "from-end": FLAG},
    runs_as=RunsAs.CALLER,
    task=Task.READ_FILE,
    needs=("path", "limit"),
)


class UnreadableCode(DescribedEnum):
    """Why a file cannot be read."""

    MISSING = "MISSING", "There is no such file: not yet, if the job has not started, or not any more."
    FOLDER = "FOLDER", "It is a folder."
    SPECIAL = "SPECIAL", "It is a pipe, a device or a file of the kernel's, not a file that holds data."
    FORBIDDEN = "FORBIDDEN", "The calling user may not read it."
    FAILED = "FAILED", "The file system did not answer, or failed; the message has its words."


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read: why, and a sentence that says so."""

    code: UnreadableCode
    message: str


@dataclass(frozen=True)
class FilePart:
    """Text from byte `offset` of a file up to byte `end`, where to read on.

    `size` is the file's size in bytes and `modified` when it was last written, both when it was read. What is not
    UTF-8 is U+FFFD. A character of which only the beginning is there is left out: it comes, whole, with the next
    part, so that parts that follow one another lose nothing and double nothing.
    """

    text: str
    offset: int
    end: int
    size: int
    modified: datetime

    @property
    def is_shorter(self) -> bool:
        """Whether the file has become shorter than `offset`: it was written anew, as by a requeued job."""
        return self.size < self.offset


def read_file(
    path: str, *, limit: int, offset: int = 0, from_end: bool = False, lines: int | None = None
) -> Question[FilePart | Unreadable]:
    """At most `limit` bytes of a file, from byte `offset` on, or, with `from_end`, the last ones.

    With `lines` no more than so many whole lines of them: the first, or with `from_end` the last. Raises ValueError
    for a path that is not absolute, a limit not from 4 to READ_LIMIT, a negative or huge offset, an offset beside
    `from_end`, and fewer lines than 1.
    """
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"not an absolute path: {path[:200]!r}")
    if not LONGEST_CHARACTER <= limit <= READ_LIMIT:
        raise ValueError(f"the limit must be from {LONGEST_CHARACTER} to {READ_LIMIT} bytes")
    if not 0 <= offset < 10**15 or (from_end and offset):
        raise ValueError("the offset must be 0 or more, and 0 from the end")
    if lines is not None and lines < 1:
        raise ValueError("there must be 1 line or more")
    options: dict[str, str | int] = {"path": path, "limit": str(limit)}
    options |= {"from-end": ""} if from_end else {"offset": str(offset)}
    return Question((Command(READ, options=options),), partial(read, path=path, from_end=from_end, lines=lines))


def read(replies: Sequence[Reply], path: str, from_end: bool, lines: int | None) -> FilePart | Unreadable:
    """From a line of JSON and the bytes in base64.

    Raises ProgramRefusedError for a request that is refused, ParseError.
    """
    (reply,) = replies
    if reply.refusal is not None:
        return _refused(reply, path)
    if reply.exit_code != 0:
        return Unreadable(UnreadableCode.FAILED, f"{path} could not be read (status {reply.exit_code}).")
    about, data = _unpack(reply.stdout)
    if "error" in about:
        return _unreadable(about, path)
    offset: int = about["offset"]
    kept = _wanted(data, offset, from_end, lines)
    if from_end:
        offset += len(data) - len(kept)
    text, end = _whole_characters(kept, offset)
    return FilePart(text, offset, end, about["size"], datetime.fromtimestamp(about["modified"], UTC))


def _wanted(data: bytes, offset: int, from_end: bool, lines: int | None) -> bytes:
    """The end of the data without what a window into the file has cut, or its beginning; of so many lines."""
    if not from_end:
        return data if lines is None else b"".join(_lines(data)[:lines])
    whole = _from_a_characters_beginning(data) if offset else data
    return whole if lines is None else b"".join(_lines(whole)[-lines:])


def _unpack(printed: str) -> tuple[dict[str, Any], bytes]:
    line, _, encoded = printed.partition("\n")
    try:
        about = json.loads(line)
        data = base64.b64decode(encoded.strip(), validate=True)
    except ValueError as error:
        raise ParseError("part of a file", printed) from error
    if not isinstance(about, dict) or not ("error" in about or {"offset", "size", "modified"} <= about.keys()):
        raise ParseError("part of a file", printed)
    return about, data


_SENTENCES = {
    "missing": (UnreadableCode.MISSING, "{path} does not exist, or not yet."),
    "folder": (UnreadableCode.FOLDER, "{path} is a folder."),
    "special": (UnreadableCode.SPECIAL, "{path} is not a file that holds data."),
    "forbidden": (UnreadableCode.FORBIDDEN, "You may not read {path}."),
}


def _unreadable(about: dict[str, Any], path: str) -> Unreadable:
    code, sentence = _SENTENCES.get(about["error"], (UnreadableCode.FAILED, "{path} could not be read: {message}."))
    return Unreadable(code, sentence.format(path=path, message=about.get("message")))


def _refused(reply: Reply, path: str) -> Unreadable:
    if reply.refusal_code == "forbidden":
        return Unreadable(UnreadableCode.FORBIDDEN, f"You may not read {path}: {reply.refusal}.")
    if reply.refusal_code == "timed_out":
        return Unreadable(UnreadableCode.FAILED, f"{path} could not be read in time: the file system does not answer.")
    raise ProgramRefusedError(reply.refusal)


def _from_a_characters_beginning(data: bytes) -> bytes:
    """Without the rest of a character that a window into the file has cut: 10xxxxxx continues one."""
    rest = 0
    while rest < min(LONGEST_CHARACTER - 1, len(data)) and data[rest] & 0xC0 == 0x80:
        rest += 1
    return data[rest:]


def _whole_characters(data: bytes, offset: int) -> tuple[str, int]:
    """The text, and the offset behind it, without a last character of which only the beginning is there."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data)
    begun, _ = decoder.getstate()
    return text, offset + len(data) - len(begun)


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends; the last may have none. Only a newline ends a line, as for tail(1)."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)
