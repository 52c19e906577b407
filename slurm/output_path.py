r"""The file that takes a job's output: sbatch's filename patterns, replaced as slurmd does it (sbatch(1)).

squeue prints the pattern, not the file. What it prints for a job that named no file differs (StdOut, StdErr):

    up to 23.11     <workDir>/slurm-<JobID>.out, for tasks of arrays too, whose file is slurm-%A_%a.out
    24.05 - 25.05   <workDir>/slurm-%j.out or <workDir>/slurm-%A_%a.out; (null) for errors that go with the output
    from 25.11      slurm-%j.out or slurm-%A_%a.out; (null) for errors that go with the output

What slurmd makes of a pattern differs too:

    since 24.11     %b is the task's number modulo 10
    since 25.11     %r is how often the job was requeued, and %S its SLUID; every backslash is dropped, so is a % at
                    the end, and a width in front of no symbol stays. Before, \\ became \, a last % stayed, and %12z
                    lost all but its last digit: 2z
"""

import re
from collections.abc import Mapping

from slurm.text import NO_VAL, NO_WORD, NULL, integer

Release = tuple[int, int]
"""Year and month of a Slurm release, as (22, 5)."""

_B_SINCE: Release = (24, 11)
_ONE_GRAMMAR_SINCE: Release = (25, 11)
_DEFAULT, _ARRAY_DEFAULT = "slurm-%j.out", "slurm-%A_%a.out"
_LONGEST_PADDING = 10

_Values = Mapping[str, int | str | None]
"""What each symbol stands for: an int is padded to the width that is asked for, None is not known."""


def release(slurm_version: str) -> Release | None:
    """The release of a version such as "22.05.8"; None for text that is no version."""
    match = re.match(r"(\d{2})\.(\d{2})(?!\d)", slurm_version)
    return (int(match[1]), int(match[2])) if match else None


def stdout_path(stdout: str, stderr: str, *row: str, release: Release | None = None) -> str | None:
    """The file that takes a job's output; `row` as `output_path` takes it, from WorkDir on.

    None too for a job without a batch script: up to 23.11 squeue makes up a file of output for it, but none of errors.
    """
    return None if stderr == "N/A" else output_path(stdout, *row, release=release)


def stderr_path(stderr: str, stdout: str, *row: str, release: Release | None = None) -> str | None:
    """The file that takes a job's errors: that of its output, if it named none. `row` as `stdout_path` takes it."""
    return output_path(stdout if stderr == NULL else stderr, *row, release=release)


def output_path(
    printed: str,
    work_dir: str,
    job: str,
    array_job: str,
    array_task: str,
    user: str,
    name: str,
    host: str = "n/a",
    restarts: str = "N/A",
    *,
    release: Release | None = None,
) -> str | None:
    """The absolute path of the file; all but `release` are texts of squeue's columns.

    In order: StdOut or StdErr, WorkDir, JobID, ArrayJobID, ArrayTaskID, UserName, Name, BatchHost, RestartCnt. None
    where squeue names no file, or where the path is unknown: the waiting tasks of an array in one row will have a
    file each, %N is not known before the job starts, %S never, and without a `release` nothing that releases do
    otherwise. A job that is renamed while it waits keeps the old name in %x, which squeue does not show. Raises
    ParseError for a RestartCnt that is no number.
    """
    if printed in NO_WORD:
        return None
    folder, pattern = _folder_and_pattern(printed, work_dir, job, array_task)
    if "\\" in pattern:
        replaced = _unescaped(pattern, release)
    else:
        values = _values(job, array_job, array_task, user, name, host, restarts, release)
        replaced = _replaced(pattern, values, release)
    return None if replaced is None else folder + replaced


def _folder_and_pattern(printed: str, work_dir: str, job: str, array_task: str) -> tuple[str, str]:
    """What slurmd takes as it is, whatever symbols the folder's name holds, and what it replaces symbols in."""
    if not printed.startswith("/"):
        return work_dir.rstrip("/") + "/", printed
    folder = work_dir + "/"
    name = printed[len(folder) :] if printed.startswith(folder) else None
    if name == f"slurm-{job}.out":
        return folder, name if array_task in NO_WORD else _ARRAY_DEFAULT
    if name in (_DEFAULT, _ARRAY_DEFAULT):
        return folder, name
    return "", printed


def _unescaped(pattern: str, release: Release | None) -> str | None:
    """A pattern with a backslash: no symbol of it is replaced."""
    if release is None and r"\\" in pattern:
        return None
    if release is not None and release >= _ONE_GRAMMAR_SINCE:
        return pattern.replace("\\", "")
    return re.sub(r"\\(\\?)", r"\1", pattern)


# In turn: a percent sign, a symbol and the width to pad it to, a width in front of something else, a last %.
_SYMBOL = re.compile(r"%(?:(?P<percent>%)|(?P<width>\d*)(?P<symbol>[A-Za-z])|(?P<lone_width>\d+)|(?P<end>\Z))")
# There the character behind such a width goes with it, even if a symbol begins with it: %4%j stays.
_SYMBOL_SINCE_ONE_GRAMMAR = re.compile(_SYMBOL.pattern.replace(r"\d+)", r"\d+[^A-Za-z]?)", 1), re.DOTALL)


def _replaced(pattern: str, values: _Values, release: Release | None) -> str | None:
    """The pattern with every symbol replaced, the values not looked at again; None if one of them is not known."""
    one_grammar = release is not None and release >= _ONE_GRAMMAR_SINCE
    parts, end = [], 0
    for match in (_SYMBOL_SINCE_ONE_GRAMMAR if one_grammar else _SYMBOL).finditer(pattern):
        part = _part(match, values, release)
        if part is None:
            return None
        parts += [pattern[end : match.start()], part]
        end = match.end()
    return "".join(parts) + pattern[end:]


def _part(match: re.Match[str], values: _Values, release: Release | None) -> str | None:
    if match["percent"]:
        return "%"
    if match["symbol"] in values:
        value = values[match["symbol"]]
        if isinstance(value, int):
            return str(value).zfill(min(int(match["width"] or 0), _LONGEST_PADDING))
        return value
    if match["symbol"] and not match["width"]:
        return match[0]
    if release is None:
        return None
    if release >= _ONE_GRAMMAR_SINCE:
        return "" if match[0] == "%" else match[0]
    return re.sub(r"^%\d*(?=\d)", "", match[0])


def _values(
    job: str,
    array_job: str,
    array_task: str,
    user: str,
    name: str,
    host: str,
    restarts: str,
    release: Release | None,
) -> _Values:
    of_array = array_task not in NO_WORD
    waiting = of_array and not array_task.isdigit()
    number = None if waiting else int(job)
    task = (None if waiting else int(array_task)) if of_array else NO_VAL
    values: dict[str, int | str | None] = {
        "A": int(array_job) if of_array else number,
        "a": task,
        "J": number,  # the batch script's step has no number
        "j": number,
        "N": None if host in NO_WORD else host.split(".")[0],
        "n": 0,  # the batch script runs on the first node, as the first task
        "s": "batch",
        "t": 0,
        "u": user,
        "x": name,
    }
    if release is None or release >= _B_SINCE:
        values["b"] = None if release is None or task is None else task % 10
    if release is None or release >= _ONE_GRAMMAR_SINCE:
        values |= {"r": None if release is None else integer(restarts), "S": None}
    return values
