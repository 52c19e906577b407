"""A batch script: where it may come from, and what sbatch does not take as one (sbatch(1))."""

import re
from dataclasses import dataclass, fields

from slurm import argument
from slurm.argument import OneOf
from slurm.refusal import Refusal

SCRIPT_LIMIT = 4 * 1024 * 1024
"""Bytes: slurmctld's default max_script_size (slurm.conf(5), SchedulerParameters)."""
_URI_LIMIT = 1100
"""Bytes: a key of S3 has at most 1024, a bucket's name 63."""
_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^/\0][^\0]*")
_PATH = (*argument.INPUT, "script")


@dataclass(kw_only=True)
class Script(OneOf):
    """A batch script: its text, or where the text is."""

    text: str | None = argument.described(
        "The script's text; its first line starts with `#!`. At most 4 MiB. Other inputs win over its `#SBATCH` lines."
    )
    uri: str | None = argument.described(
        "An object in S3, `s3://bucket/key`, in a bucket or under a prefix that the deployment allows; read by the "
        f"service, UTF-8, at most 4 MiB. The URI has at most {_URI_LIMIT} bytes."
    )
    path: str | None = argument.described(
        "A file on the cluster, an absolute path that the user's account may read there.", kind=argument.folder
    )

    @property
    def field(self) -> list[str]:
        """The path of the input that is given."""
        names = [line.name for line in fields(self) if getattr(self, line.name) is not None]
        return [*_PATH, *names]

    def wrong(self) -> Refusal | None:
        """Why the script cannot be right; None if nothing is known against it."""
        if self.uri is not None:
            return _wrong_uri(self.uri)
        if self.path is not None:
            return argument.checked("path", argument.folder, self.path, _PATH)
        return wrong_text("text", self.text or "")


def wrong_text(name: str, script: str) -> Refusal | None:
    """Why sbatch, or slurmql, does not take the text as a batch script; None if it does."""
    try:
        size = len(script.encode())
    except UnicodeEncodeError:
        return _invalid(name, "holds half of a surrogate pair, which is not a character")
    if size > SCRIPT_LIMIT:
        return _invalid(name, f"is too large: it has {size} bytes, and Slurm takes {SCRIPT_LIMIT}")
    if not script.startswith("#!"):
        return _invalid(name, "must start with #! and the path of an interpreter, as #!/bin/bash")
    if "\0" in script:
        return _invalid(name, "must not hold a NUL character")
    if "\r\n" in script:
        return _invalid(name, "has DOS line ends (CR LF); Slurm takes only LF")
    if re.search(r"(?m)^#SBATCH[ \t]+(?:[^ \t\n]+[ \t]+)*(?:--wait\b|-W\b)", script):
        return _invalid(name, "must not ask sbatch to wait (#SBATCH --wait): ask for the job's state instead")
    return None


def _wrong_uri(uri: str) -> Refusal | None:
    if not _URI.fullmatch(uri):
        return _invalid("uri", "must be such as s3://bucket/folder/job.sh")
    try:
        argument.bounded(uri, _URI_LIMIT)
    except ValueError as error:
        return _invalid("uri", str(error))
    return None


def _invalid(name: str, message: str) -> Refusal:
    return argument.invalid(name, message, _PATH)
