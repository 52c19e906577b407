"""Inputs that become words of scontrol, `Key=Value`: how each is checked and written (scontrol(1), update and create).

One line of a table is one input: its name, scontrol's key, its check, its meaning.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import Field, field, fields
from datetime import UTC, datetime
from typing import Any

from slurm.errors import ParseError
from slurm.hostlist import expand
from slurm.refusal import InvalidInputError, Refusal, RefusalCode

TEXT_LIMIT = 1024
"""Bytes of a name, a comment or a reason (slurmctld refuses more of a job's)."""
PATH_LIMIT = 4096
SENTENCE_FOR_OPERATORS = "Operators only."


def assignment(key: str, write: Callable[[Any], str], about: str, operators: bool = False) -> Any:
    """A line of a table: scontrol's key, how the value is written (ValueError: what is wrong), the meaning.

    `operators` tells that Slurm takes it from its operators alone.
    """
    sentence = f"{about} {SENTENCE_FOR_OPERATORS if operators else ''}".rstrip()
    metadata = {"key": key, "write": write, "operators": operators, "about": f"{sentence} scontrol: {key}."}
    return field(default=None, metadata=metadata)


def described(about: str) -> Any:
    """An input that is written together with another one."""
    return field(default=None, metadata={"about": about})


def assignments(inputs: Any, path: Sequence[str] = ("input",)) -> tuple[dict[str, str | int], list[Refusal]]:
    """What the table's inputs become, value by scontrol's key, and what is wrong with others of them.

    None is not given; "" and [] are written, and take away what was set.
    """
    written: dict[str, str | int] = {}
    refusals = []
    for line in _lines(inputs):
        value = getattr(inputs, line.name)
        if value is None:
            continue
        try:
            written[line.metadata["key"]] = line.metadata["write"](value)
        except ValueError as error:
            refusals.append(invalid(line.name, str(error), path))
    return written, refusals


def for_operators(inputs: Any) -> list[str]:
    """The names of the inputs that are given and that Slurm takes from its operators alone."""
    return [
        line.name for line in _lines(inputs) if line.metadata["operators"] and getattr(inputs, line.name) is not None
    ]


def require(*refusals: Refusal | None) -> None:
    """Raise InvalidInputError with all that is wrong, if anything is."""
    if wrong := [refusal for refusal in refusals if refusal is not None]:
        raise InvalidInputError(wrong)


def invalid(name: str, message: str, path: Sequence[str] = ("input",)) -> Refusal:
    """The refusal of one input, by its name in a table."""
    first, *others = name.split("_")
    camel = first + "".join(word.title() for word in others)
    return Refusal(RefusalCode.INVALID_INPUT, f"{camel} {message}.", [*path, camel])


def _lines(inputs: Any) -> list[Field[Any]]:
    return [line for line in fields(inputs) if "key" in line.metadata]


_NAME = re.compile(r"(?![-+ ])[^\0-\x1f\x7f,]+(?<! )")


def word(value: str) -> str:
    """One name, of an account, a QOS, a partition, a reservation or a user: blanks, `\\`, `$` and `@` may be in it.

    Slurm separates names by commas, and takes `-` and `+` before one for "but not" and "also".
    """
    if not _NAME.fullmatch(value):
        raise ValueError("must be a name without commas and control characters; it cannot begin with -, + or a blank")
    return bounded(value, TEXT_LIMIT)


def node(value: str) -> str:
    """The name of one node: brackets would name several."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*", value):
        raise ValueError("must be one word of letters, digits and _ . : @ + -")
    return value


def words(value: str) -> str:
    """Names joined by commas."""
    return ",".join(map(word, value.split(",")))


def names(value: Sequence[str]) -> str:
    """A list of names, at least one."""
    if not value:
        raise ValueError("must name at least one")
    return ",".join(map(word, value))


def or_nothing(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """The check, but "" and [] are let through: they take away what was set."""
    return lambda value: write(value) if value else ""


def text(value: str) -> str:
    """Any text of at most 1024 bytes."""
    return bounded(value, TEXT_LIMIT)


def line(value: str) -> str:
    """One line of text that is not blank."""
    if not value.strip() or "\n" in value or "\r" in value:
        raise ValueError("must be one line of text")
    return bounded(value, TEXT_LIMIT)


def path(value: str) -> str:
    """A path, absolute or relative to the job's folder."""
    if not value:
        raise ValueError("must not be empty")
    return bounded(value, PATH_LIMIT)


def folder(value: str) -> str:
    """An absolute path."""
    if not value.startswith("/"):
        raise ValueError("must be an absolute path")
    return path(value)


def count(value: int) -> str:
    """A number of things, 1 or more."""
    if not 1 <= value < 2**32 - 2:
        raise ValueError("must be 1 or more")
    return str(value)


def number(value: int) -> str:
    """A number, 0 or more."""
    if not 0 <= value < 2**32 - 2:
        raise ValueError("must be 0 or more")
    return str(value)


def niceness(value: int) -> str:
    """Slurm's range for nice values (sbatch(1), --nice)."""
    if not -2147483645 <= value <= 2147483645:
        raise ValueError("must be from -2147483645 to 2147483645")
    return str(value)


def time_limit(seconds: int) -> str:
    """Minutes and seconds, "90:00"."""
    if not 1 <= seconds < 2**32:
        raise ValueError("must be 1 second or more")
    return f"{seconds // 60}:{seconds % 60:02}"


def moment(value: datetime) -> str:
    """A point in time with its zone, as "uts" and epoch seconds."""
    if value.tzinfo is None:
        raise ValueError("needs a time zone, as 2026-11-22T10:00:00Z")
    epoch = int(value.astimezone(UTC).timestamp())
    if not 0 < epoch < 2**32 - 2:
        raise ValueError("must be between 1970 and 2106")
    return f"uts{epoch}"


def yes_or_no(value: bool) -> str:
    """1 or 0."""
    return "1" if value else "0"


def hosts(value: Sequence[str]) -> str:
    """Node names or hostlists, as `queue1-dy-large-[1-4]`, joined by commas."""
    joined = ",".join(value)
    # "ALL" would be every node of the cluster; brackets are for numbers alone.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]*", joined) or "ALL" in joined.upper().split(","):
        raise ValueError("must be names of nodes, as queue1-st-small-1 or queue1-dy-large-[1-4]")
    try:
        expand(joined)
    except ParseError as error:
        raise ValueError(f"is {error}") from error
    return joined


def constraint(value: str) -> str:
    """Features and their operators, as `static`, `[a|b]` or `c5.large*2&efa` (sbatch(1), --constraint)."""
    if not re.fullmatch(r"[A-Za-z0-9_.=&|*\[\]():,+-]{1,1024}", value):
        raise ValueError("must be features joined by & or |, as static or c5.large|c5.xlarge")
    return value


def licenses(value: str) -> str:
    """Licenses and their counts, as `matlab:2,ansys` (sbatch(1), --licenses)."""
    one = r"[A-Za-z0-9_][A-Za-z0-9_.@/+-]*(:\d{1,9})?"
    if not re.fullmatch(rf"{one}([,;]{one})*", value):
        raise ValueError("must be licenses with their counts, as matlab:2,ansys:1")
    return value


_TERM = r"(singleton|after(any|corr|notok|ok|burstbuffer)?(:\d{1,10}(_(\d{1,10}|\*))?(\+\d{1,6})?)+)"
_DEPENDENCY = re.compile(rf"{_TERM}((,{_TERM})*|(\?{_TERM})*)")


def dependency(value: str) -> str:
    """What a job waits for (sbatch(1), --dependency)."""
    if not _DEPENDENCY.fullmatch(value):
        raise ValueError("must be such as afterok:123:124,afterany:125_4 or singleton")
    return value


def bounded(value: str, limit: int) -> str:
    """Any text of at most `limit` bytes in UTF-8."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a surrogate pair, which is no character") from error
    if "\0" in value or size > limit:
        raise ValueError(f"must be at most {limit} bytes (it has {size}), none of them 0")
    return value
