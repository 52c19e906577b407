"""Submitting a job: sbatch(1). One line of the table is one input: its name, sbatch's option, its check, its meaning."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from slurm.command import Command, Question, Reply
from slurm.refusal import Refusal, RefusalCode, refusal

SCRIPT_LIMIT = 4 * 1024 * 1024
"""Bytes: slurmctld's default max_script_size (slurm.conf(5), SchedulerParameters)."""
TEXT_LIMIT = 1024
"""Bytes of a name or a comment (slurmctld refuses more)."""
PATH_LIMIT = 4096


class InvalidInputError(Exception):
    """Inputs that cannot be right, each with the path of its field; nothing was sent."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


def option(name: str, write: Callable[[Any], str], about: str) -> Any:
    """A line of the table: sbatch's long option, how the value is written (ValueError: what is wrong), the meaning."""
    return field(default=None, metadata={"option": name, "write": write, "about": f"{about} sbatch: --{name}."})


def given(about: str) -> Any:
    """An input that is no option of sbatch."""
    return field(default=None, metadata={"about": about})


def _word(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*", value):
        raise ValueError("must be one word of letters, digits and _ . : @ + -")
    return value


def _words(value: str) -> str:
    return ",".join(_word(word) for word in value.split(","))


def _bounded(value: str, limit: int) -> str:
    size = len(_encoded(value))
    if "\0" in value or size > limit:
        raise ValueError(f"must be at most {limit} bytes (it has {size}), none of them 0")
    return value


def _encoded(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a surrogate pair, which is no character") from error


def _text(value: str) -> str:
    return _bounded(value, TEXT_LIMIT)


def _path(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return _bounded(value, PATH_LIMIT)


def _folder(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must be an absolute path")
    return _path(value)


def _count(value: int) -> str:
    if value < 1:
        raise ValueError("must be 1 or more")
    return str(value)


def _mebibytes(value: int) -> str:
    if value < 0:
        raise ValueError("must be 0 (all of the node's memory) or more MiB")
    return f"{value}M"


def _time(value: int) -> str:
    if value < 1:
        raise ValueError("must be 1 second or more")
    return f"{value // 60}:{value % 60:02}"


_STEPS = r"\d{1,7}(-\d{1,7}(:\d{1,7})?)?"
_ARRAY = re.compile(rf"{_STEPS}(,{_STEPS})*(%[1-9]\d{{0,6}})?")
_TERM = r"(singleton|after(any|corr|notok|ok|burstbuffer)?(:\d{1,10}(_\d{1,10})?(\+\d{1,6})?)+)"
_DEPENDENCY = re.compile(rf"{_TERM}((,{_TERM})*|(\?{_TERM})*)")


def _array(value: str) -> str:
    if not _ARRAY.fullmatch(value):
        raise ValueError("must be task numbers such as 0-9, 1,3,5 or 0-99:2%4")
    return value


def _dependency(value: str) -> str:
    if not _DEPENDENCY.fullmatch(value):
        raise ValueError("must be such as afterok:123:124,afterany:125_4 or singleton")
    return value


def _flag(value: bool) -> str:
    return ""


def _begin(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("needs a time zone, as 2026-11-22T10:00:00Z")
    return f"uts{int(value.astimezone(UTC).timestamp())}"


@dataclass(kw_only=True)
class EnvironmentVariable:
    """A variable for the job's environment."""

    name: str = field(metadata={"about": "Letters, digits and _; not SLURM_* or SBATCH_*, which are Slurm's own."})
    value: str = field(metadata={"about": "Any text; commas, quotes and newlines arrive as they are."})


@dataclass(kw_only=True)
class Submission:
    """A job to be."""

    # fmt: off
    script: str | None = given("The batch script's text; its first line starts with `#!`. At most 4 MiB. Options given here win over its `#SBATCH` lines.")
    idempotency_key: str | None = given("Any text of at most 255 bytes. A retry with the same key and the same input submits nothing and gives the first job; keys are the user's own and are kept for a week.")
    name: str | None = option("job-name", _text, "The job's name; by default `sbatch`.")
    queue: str | None = option("partition", _words, "The queue, or several joined by commas; by default the cluster's default queue.")
    account: str | None = option("account", _word, "The account to charge.")
    qos: str | None = option("qos", _word, "The quality of service.")
    work_dir: str | None = option("chdir", _folder, "The folder to start in, an absolute path that the user may enter; by default the user's home.")
    nodes: int | None = option("nodes", _count, "How many nodes.")
    tasks: int | None = option("ntasks", _count, "How many tasks (processes) `srun` starts; by default 1.")
    cpus_per_task: int | None = option("cpus-per-task", _count, "CPUs for each task; by default 1.")
    memory_mib: int | None = option("mem", _mebibytes, "Memory on each node in MiB; 0 means all of it.")
    gpus: int | None = option("gpus", _count, "GPUs for the whole job.")
    time_limit_seconds: int | None = option("time", _time, "The time limit in seconds, which Slurm rounds up to minutes.")
    array: str | None = option("array", _array, "Makes an array: its task numbers, as `0-9%2` (ten tasks, two at a time).")
    dependency: str | None = option("dependency", _dependency, "What to wait for, as `afterok:123`.")
    environment: Sequence[EnvironmentVariable] | None = given("Variables on top of the user's login environment.")
    stdout_path: str | None = option("output", _path, "The file for output, with sbatch's patterns (%j ...); by default slurm-%j.out in the working folder.")
    stderr_path: str | None = option("error", _path, "The file for errors, likewise; by default the same as for output.")
    hold: bool | None = option("hold", _flag, "Do not start before the job is released.")
    begin_time: datetime | None = option("begin", _begin, "Do not start before this time.")
    comment: str | None = option("comment", _text, "Any comment.")
    # fmt: on


def submit(submission: Submission) -> Question[str | Refusal]:
    """Submit the job; the answer is its id, or why it was refused.

    Raises InvalidInputError, with everything that is wrong, before anything is sent.
    """
    refusals = [*_wrong_script(submission.script), *_wrong_key(submission.idempotency_key)]
    options: dict[str, str | int] = {}
    for line in fields(Submission):  # the table's own lines: a subclass may describe them otherwise
        value = getattr(submission, line.name)
        if "option" not in line.metadata or value is None or value is False:
            continue
        try:
            options[line.metadata["option"]] = line.metadata["write"](value)
        except ValueError as error:
            refusals.append(_invalid(line.name, str(error)))
    refusals.extend(_wrong_environment(submission.environment or ()))
    if refusals:
        raise InvalidInputError(refusals)
    command = Command(
        "sbatch",
        options=options,
        environment={variable.name: variable.value for variable in submission.environment or ()},
        stdin=submission.script,
        key=submission.idempotency_key,
    )
    return Question((command,), read)


def read(replies: Sequence[Reply]) -> str | Refusal:
    """The id from `sbatch --parsable`, "123" or "123;cluster", on its last line. Raises as `refusal` does.

    Errors beside it do not count: sbatch tells of every attempt that a busy slurmctld put off.
    """
    (reply,) = replies
    match = re.fullmatch(r"(\d+)(;[A-Za-z0-9_.-]+)?", (reply.stdout.strip().splitlines() or [""])[-1])
    if reply.exit_code == 0 and match is not None:
        return match[1]
    if why := refusal(reply):
        return _about_field(why)
    return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, f"sbatch printed no job id: {reply.stdout[:200]!r}")


# Which input Slurm's words are about (slurm_strerror(3)).
_FIELDS = [
    (r"[Ii]nvalid partition", "queue"),
    (r"[Ii]nvalid (job )?account|account/partition", "account"),
    (r"[Ii]nvalid qos", "qos"),
    (r"job array", "array"),
    (r"dependency", "dependency"),
    (r"time limit", "timeLimitSeconds"),
    (r"Memory specification", "memoryMib"),
    (r"cannot enter the folder", "workDir"),
    (r"idempotency key", "idempotencyKey"),
    (r"script", "script"),
]


def _about_field(why: Refusal) -> Refusal:
    name = next((name for text, name in _FIELDS if re.search(text, why.message)), None)
    return Refusal(why.code, why.message, ["input", name] if name else None)


def _invalid(name: str, message: str) -> Refusal:
    words = name.split("_")
    camel = words[0] + "".join(word.title() for word in words[1:])
    return Refusal(RefusalCode.INVALID_INPUT, f"{camel} {message}.", ["input", camel])


def _wrong_script(script: str | None) -> list[Refusal]:
    if script is None:
        return [_invalid("script", "is missing: give the batch script's text")]
    try:
        size = len(_encoded(script))
    except ValueError as error:
        return [_invalid("script", str(error))]
    if size > SCRIPT_LIMIT:
        return [_invalid("script", f"is too large: it has {size} bytes, and Slurm takes {SCRIPT_LIMIT}")]
    if not script.startswith("#!"):
        return [_invalid("script", "must start with #! and the path of an interpreter, as #!/bin/bash")]
    if "\0" in script:
        return [_invalid("script", "must not hold a NUL character")]
    if "\r\n" in script:
        return [_invalid("script", "has DOS line ends (CR LF); Slurm takes only LF")]
    if re.search(r"(?m)^#SBATCH\s+(\S+\s+)*(--wait\b|-W\b)", script):
        return [_invalid("script", "must not ask sbatch to wait (#SBATCH --wait): ask for the job's state instead")]
    return []


def _wrong_key(key: str | None) -> list[Refusal]:
    try:
        if key is None or 1 <= len(_encoded(key)) <= 255:
            return []
    except ValueError as error:
        return [_invalid("idempotency_key", str(error))]
    return [_invalid("idempotency_key", "must have 1 to 255 bytes")]


def _wrong_environment(environment: Sequence[EnvironmentVariable]) -> list[Refusal]:
    refusals = []
    for variable in environment:
        if not re.fullmatch(r"(?!SLURM_|SBATCH_)[A-Za-z_][A-Za-z0-9_]{0,254}", variable.name):
            refusals.append(_invalid("environment", f"has {variable.name!r}, which no variable of a job may be called"))
            continue
        try:
            _bounded(variable.value, 64 * 1024)
        except ValueError as error:
            refusals.append(_invalid("environment", f"has {variable.name}, whose value {error}"))
    return refusals
