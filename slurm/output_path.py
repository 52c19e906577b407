r"""Where a job's output goes: sbatch's filename patterns, replaced as slurmd does it (sbatch(1), filename pattern).

squeue prints the pattern, not the file. What it prints for a job that named none differs (squeue: StdOut, StdErr):

    up to 23.11     <workDir>/slurm-<JobID>.out, for tasks of arrays too, whose file is slurm-%A_%a.out
    24.05 - 25.05   <workDir>/slurm-%j.out or <workDir>/slurm-%A_%a.out; nothing for errors that go with the output
    from 25.11      slurm-%j.out or slurm-%A_%a.out; nothing for errors that go with the output

What slurmd makes of a pattern differs too:

    since 24.11     %b, the task's number modulo 10
    since 25.11     %r, how often the job was requeued, and %S, its SLUID; any backslash is dropped, and an unknown
                    pattern stays as it is. Before, \\ gave one backslash, and %12z lost all but its last digit: 2z
"""

import re
from dataclasses import dataclass

from slurm.squeue import Job
from slurm.text import NO_VAL

Release = tuple[int, int]
"""Year and month of a Slurm release, as (22, 5)."""

_LONGEST_PADDING = 10
_B_SINCE = (24, 11)
_ONE_GRAMMAR_SINCE = (25, 11)
_DEFAULT, _ARRAY_DEFAULT = "slurm-%j.out", "slurm-%A_%a.out"


@dataclass(frozen=True, kw_only=True)
class Replacements:
    """What stands for the symbols of a job's patterns.

    `job_id` is the number that slurmctld knows the row by (%j, %J; squeue: JobID), `array_job_id` the array's (%A),
    `task` its task (%a), `host` the short name of the host that runs the script (%N), `name` the job's name when it
    was submitted (%x), `restarts` how often it was requeued (%r). None: not known, or not yet.
    """

    job_id: str
    user: str
    name: str
    work_dir: str
    array_job_id: str | None = None
    task: int | None = None
    host: str | None = None
    restarts: int | None = None


def release(slurm_version: str) -> Release | None:
    """The release of a version such as "22.05.8"; None for text that is none."""
    match = re.match(r"(\d{2})\.(\d{2})(?!\d)", slurm_version)
    return (int(match[1]), int(match[2])) if match else None


def stdout_path(job: Job, release: Release) -> str | None:
    """The absolute path of the file that takes the job's output.

    None as long as there cannot be one: for jobs without a script, for an array's waiting tasks that share a row, and
    for a pattern with a value that is not known (%N before the job has its nodes, %r and %S).
    """
    return _path(job, job.stdout_path, release)


def stderr_path(job: Job, release: Release) -> str | None:
    """The absolute path of the file that takes the job's errors; None as `stdout_path`."""
    return _path(job, job.stderr_path or job.stdout_path, release)


def _path(job: Job, printed: str | None, release: Release) -> str | None:
    if printed in (None, "", "N/A") or (job.array_job_id is not None and job.array_task_id is None):
        return None
    return expand(printed or "", _replacements(job), release)


def _replacements(job: Job) -> Replacements:
    return Replacements(
        job_id=job.raw_id,
        user=job.user,
        name=job.name,
        work_dir=job.work_dir or "/",
        array_job_id=job.array_job_id,
        task=job.array_task_id,
        host=next(iter(job.node_names), None),
    )


def expand(printed: str, job: Replacements, release: Release) -> str | None:
    """The absolute path that squeue's StdOut or StdErr stands for; None if a value it needs is not known.

    A relative one is under `work_dir`, which is taken as it is, whatever symbols it holds. Replaced values are not
    looked at again: a job may be called `%j`.
    """
    folder, pattern = _folder_and_pattern(printed, job)
    if "\\" in pattern:
        return folder + (pattern.replace("\\", "") if release >= _ONE_GRAMMAR_SINCE else _unescaped(pattern))
    values = _values(job, release)
    grammar = _GRAMMAR if release >= _ONE_GRAMMAR_SINCE else _GRAMMAR_BEFORE
    parts = []
    end = 0
    for match in grammar.finditer(pattern):
        part = _replaced(match, values)
        if part is None:
            return None
        parts += [pattern[end : match.start()], part]
        end = match.end()
    return folder + "".join(parts) + pattern[end:]


def _folder_and_pattern(printed: str, job: Replacements) -> tuple[str, str]:
    """What slurmd takes as it is, and what it replaces symbols in."""
    if not printed.startswith("/"):
        return job.work_dir.rstrip("/") + "/", printed
    folder = job.work_dir + "/"
    name = printed.removeprefix(folder)
    if name == f"slurm-{job.job_id}.out" and name != printed:
        return folder, name if job.task is None else _ARRAY_DEFAULT
    if name in (_DEFAULT, _ARRAY_DEFAULT):
        return folder, name
    return "", printed


# `%%`, a symbol with the width to pad it to, and what is neither: up to 25.05 a width in front of no symbol loses its
# percent sign and all digits but the last; since 25.11 it stays, with the character behind it.
_GRAMMAR_BEFORE = re.compile(r"%(?:(?P<percent>%)|(?P<width>\d*)(?P<symbol>[A-Za-z])|\d*(?P<rest>\d))")
_GRAMMAR = re.compile(r"%(?:(?P<percent>%)|(?P<width>\d*)(?P<symbol>[A-Za-z]))|(?P<rest>%\d+.?)", re.DOTALL)


def _replaced(match: re.Match[str], values: dict[str, int | str | None]) -> str | None:
    if match["percent"]:
        return "%"
    if match["rest"]:
        return match["rest"]
    if match["symbol"] not in values:
        return _unknown_symbol(match)
    value = values[match["symbol"]]
    if isinstance(value, int):
        return str(value).zfill(min(int(match["width"] or 0), _LONGEST_PADDING))
    return value


def _unknown_symbol(match: re.Match[str]) -> str:
    if match.re is _GRAMMAR_BEFORE and match["width"]:
        return match["width"][-1] + match["symbol"]
    return match[0]


def _values(job: Replacements, release: Release) -> dict[str, int | str | None]:
    """What each symbol stands for, numbers to be padded as int; None for what is not known."""
    number = int(job.job_id)
    task = NO_VAL if job.task is None else job.task
    values: dict[str, int | str | None] = {
        "A": number if job.array_job_id is None else int(job.array_job_id),
        "a": task,
        "J": number,  # the batch script has no step number
        "j": number,
        "N": job.host,
        "n": 0,  # the batch script runs on the first node, as the first task
        "s": "batch",
        "t": 0,
        "u": job.user,
        "x": job.name,
    }
    if release >= _B_SINCE:
        values["b"] = task % 10
    if release >= _ONE_GRAMMAR_SINCE:
        values |= {"r": job.restarts, "S": None}
    return values


def _unescaped(pattern: str) -> str:
    return re.sub(r"\\(\\?)", r"\1", pattern)
