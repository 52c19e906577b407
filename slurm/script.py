"""A batch script: where it may come from, and what sbatch does not take as one (sbatch(1))."""

import re
from collections.abc import Sequence

from slurm import argument
from slurm.refusal import Refusal

SCRIPT_LIMIT = 4 * 1024 * 1024
"""Bytes: slurmctld's default max_script_size (slurm.conf(5), SchedulerParameters)."""
_URI_LIMIT = 1100
"""Bytes: a key of S3 has at most 1024, a bucket's name 63."""
_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^/\0][^\0]*")
_NAMES = {"script": "script", "script_uri": "scriptUri", "script_path": "scriptPath"}


def source(script: str | None, uri: str | None, path: str | None) -> str:
    """The input that the script comes by."""
    given = zip(_NAMES.values(), (script, uri, path), strict=True)
    return next((name for name, value in given if value is not None), "script")


def refusals(script: str | None, uri: str | None, path: str | None) -> Sequence[Refusal | None]:
    """What is wrong with the three inputs, of which a submission has exactly one."""
    names = [name for name, value in zip(_NAMES, (script, uri, path), strict=True) if value is not None]
    if not names:
        message = "is missing: give the batch script's text, or scriptUri, or scriptPath"
        return [argument.invalid("script", message)]
    if len(names) > 1:
        message = "cannot be given beside another: give exactly one of script, scriptUri and scriptPath"
        return [argument.invalid(name, message) for name in names[1:]]
    if uri is not None:
        return [_wrong_uri(uri)]
    if path is not None:
        return [argument.checked("script_path", argument.folder, path)]
    return [wrong_text("script", script or "")]


def wrong_text(name: str, script: str) -> Refusal | None:
    """Why sbatch, or slurmql, does not take the text as a batch script; None if it does."""
    try:
        size = len(script.encode())
    except UnicodeEncodeError:
        return argument.invalid(name, "holds half of a surrogate pair, which is not a character")
    if size > SCRIPT_LIMIT:
        return argument.invalid(name, f"is too large: it has {size} bytes, and Slurm takes {SCRIPT_LIMIT}")
    if not script.startswith("#!"):
        return argument.invalid(name, "must start with #! and the path of an interpreter, as #!/bin/bash")
    if "\0" in script:
        return argument.invalid(name, "must not hold a NUL character")
    if "\r\n" in script:
        return argument.invalid(name, "has DOS line ends (CR LF); Slurm takes only LF")
    if re.search(r"(?m)^#SBATCH[ \t]+(?:[^ \t\n]+[ \t]+)*(?:--wait\b|-W\b)", script):
        return argument.invalid(name, "must not ask sbatch to wait (#SBATCH --wait): ask for the job's state instead")
    return None


def _wrong_uri(uri: str) -> Refusal | None:
    if not _URI.fullmatch(uri):
        return argument.invalid("script_uri", "must be such as s3://bucket/folder/job.sh")
    try:
        argument.bounded(uri, _URI_LIMIT)
    except ValueError as error:
        return argument.invalid("script_uri", str(error))
    return None
