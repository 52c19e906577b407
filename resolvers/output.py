"""Part of a job's output or errors, read on the cluster with the rights of the calling user and no others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from access.permissions import why_not
from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.errors import BadInputError, FileUnreadableError, ForbiddenError, TooLargeError
from slurm.output_file import LONGEST_CHARACTER, READ_LIMIT, FilePart, Unreadable, UnreadableCode
from slurm.states import DescribedEnum

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

DEFAULT_BYTES = 64 * 1024
TOGETHER_LIMIT = 2 * 1024 * 1024
"""How many bytes all outputs of one request may have: a Lambda's answer has at most 6 MB, including JSON escapes."""
OFFSET_LIMIT = 10**15


class OutputStream(DescribedEnum):
    """One of a job's two files."""

    STDOUT = "STDOUT", "What the job writes to its standard output. sbatch: --output."
    STDERR = (
        "STDERR",
        "What it writes to its standard error; the same file as its output unless the job names another. "
        "sbatch: --error.",
    )


@dataclass(frozen=True)
class OutputRange:
    """The part of a file to read. `bytes` and `offset` in bytes."""

    bytes: int
    lines: int | None
    offset: int
    from_end: bool


@dataclass(frozen=True)
class JobOutput:
    """Part of a file, or why there is none. Sizes and offsets in bytes; no path where nobody knows which file it is."""

    path: str | None
    exists: bool
    text: str | None = None
    message: str | None = None
    offset: int = 0
    next_offset: int = 0
    size: int | None = None
    modified_time: datetime | None = None
    is_shorter: bool = False


def output_range(lines: int | None, bytes: int | None, offset: int | None) -> OutputRange:
    """The part that the arguments ask for. Raises BadInputError for wrong arguments."""
    size = DEFAULT_BYTES if bytes is None else bytes
    if not LONGEST_CHARACTER <= size <= READ_LIMIT:
        message = (
            f"bytes must be from {LONGEST_CHARACTER} to {READ_LIMIT}. "
            "Read a larger file in parts, with offset: nextOffset."
        )
        raise BadInputError(message, argument="bytes")
    if lines is not None and lines < 1:
        raise BadInputError("lines must be 1 or more.", argument="lines")
    if offset is not None and not 0 <= offset < OFFSET_LIMIT:
        raise BadInputError(f"offset must be from 0 to {OFFSET_LIMIT - 1:,} bytes.", argument="offset")
    return OutputRange(size, lines, offset or 0, offset is None)


async def read_output(cluster: Cluster, path: str, part: OutputRange) -> JobOutput:
    """That part of the file, read as the calling user.

    Raises ForbiddenError if the caller may not read it or has no account to read it as, FileUnreadableError if the
    file system fails, TooLargeError if the request asks for too much, RequestError if the cluster cannot be reached.
    """
    if refusal := why_not(cluster.request.caller, ("Job", "output")):
        raise ForbiddenError(refusal)
    dataset = datasets.output(cluster.request.actor, path, part.bytes, part.offset, part.from_end, part.lines)
    _reserve(cluster, dataset, part.bytes)
    found = await cluster.load(dataset)
    if isinstance(found, FilePart):
        return JobOutput(
            path,
            True,
            text=found.text,
            offset=found.offset,
            next_offset=found.end,
            size=found.size,
            modified_time=found.modified,
            is_shorter=found.is_shorter,
        )
    return _without_text(found, path, part)


def _reserve(cluster: Cluster, dataset: Dataset[FilePart | Unreadable], bytes: int) -> None:
    reserved = cluster.outputs
    if dataset not in reserved and sum(reserved.values()) + bytes > TOGETHER_LIMIT:
        raise TooLargeError(
            f"The outputs of one request may have {TOGETHER_LIMIT} bytes together. Ask for fewer jobs or fewer bytes."
        )
    reserved[dataset] = bytes


def _without_text(found: Unreadable, path: str, part: OutputRange) -> JobOutput:
    if found.code is UnreadableCode.FORBIDDEN:
        raise ForbiddenError(found.message)
    if found.code is UnreadableCode.FAILED:
        raise FileUnreadableError(found.message)
    exists = found.code is not UnreadableCode.MISSING
    return JobOutput(path, exists, message=found.message, offset=part.offset, next_offset=part.offset)
