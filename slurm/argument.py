"""Inputs that become options of a command: how each value is checked and written, and what the head node takes.

A line of a table is one input: its name, its option, its kind, its meaning. The GraphQL input, the argument vector and
the head node's check follow from it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar

from slurm.errors import ParseError
from slurm.hostlist import expand
from slurm.operation import FLAG
from slurm.refusal import InvalidInputError, Refusal, RefusalCode

T = TypeVar("T")

TEXT_LIMIT = 1024
"""Bytes of a name, a comment or a reason (slurmctld refuses more of a job's)."""
PATH_LIMIT = 4096
LIST_LIMIT = 1000
"""Entries of a list."""
NUMBER = r"\d{1,10}"
LARGEST = 2**32 - 3
"""The largest number in most of Slurm's options: the next two are NO_VAL and INFINITE (slurm/slurm.h)."""
SENTENCE_FOR_OPERATORS = "Operators only."
INPUT: Final = ("input",)
"""The path of a mutation's input."""


class Left(Enum):
    """The value of an input that an update leaves out: what is set stays."""

    LEFT = "left"


LEFT: Final = Left.LEFT
Updated: TypeAlias = T | Left | None
"""An input of an update: a new value, None to clear what is set, or LEFT."""


class OneOf:
    """An input of which a caller gives exactly one field: @oneOf. GraphQL refuses anything else."""


class Kind(Generic[T]):
    """A kind of value: `write` checks and writes it, and its result matches `pattern`.

    `write` raises ValueError, which says what is wrong. The program on the head node knows the pattern alone. `limit`
    is for descriptions: how large or long a value may be, as "at least 1"; "" for a closed set of values.
    """

    def __init__(self, write: Callable[[T], str], pattern: str, limit: str = "") -> None:
        self.write = write
        self.pattern = pattern
        self.limit = limit

    def __call__(self, value: T) -> str:
        """The value as the command takes it. Raises ValueError."""
        return _characters(self.write(value))


def kind(pattern: str, limit: str = "") -> Callable[[Callable[[T], str]], Kind[T]]:
    """Make a kind of a function that checks and writes a value."""
    return lambda write: Kind(write, pattern, limit)


def matching(pattern: str, message: str, limit: str) -> Kind[str]:
    """Text that matches the pattern; the error's message says what it must be."""
    compiled = re.compile(pattern, re.ASCII)

    def write(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(message)
        return value

    return Kind(write, pattern, limit)


def whole(low: int, high: int | None = None, pattern: str = NUMBER, write: Callable[[int], str] = str) -> Kind[int]:
    """A whole number from `low` to `high`, or to the largest that Slurm takes. Without `high` it is a GraphQL Int."""
    limit = f"at least {low}" if high is None else f"from {low} to {high}"

    def checked_and_written(value: int) -> str:
        if not low <= value <= (LARGEST if high is None else high):
            raise ValueError(f"must be {limit}")
        return write(value)

    return Kind(checked_and_written, pattern, limit)


def or_nothing(one: Kind[T]) -> Kind[T]:
    """The kind, and "" and [], which take away what was set."""
    return Kind(lambda value: one(value) if value else "", f"({one.pattern})?", one.limit)


def wider(one: Kind[T], pattern: str) -> Kind[T]:
    """The kind with a wider pattern, for an option that a second input adds to."""
    return Kind(one.write, pattern, one.limit)


def limited(about: str, kind: Kind[Any] | None) -> str:
    """The description of an input of that kind, with its limit."""
    return f"{about} {kind.limit[0].upper()}{kind.limit[1:]}." if kind and kind.limit else about


def listed(pattern: str, separator: str = ",") -> str:
    """The pattern of one or more things."""
    return f"({pattern})({separator}({pattern}))*"


def assignment(key: str, kind: Kind[Any], about: str) -> Any:
    """A line of a table of scontrol's Key=Value: the key, the kind of its value, the meaning."""
    return field(default=None, metadata={"key": key, "kind": kind, "about": f"{limited(about, kind)} scontrol: {key}."})


def cleared(key: str, kind: Kind[Any], about: str, by: str = "", null: str = "none", operators: bool = False) -> Any:
    """A line of an update: the key, the kind of its value, the meaning; scontrol clears it with the value `by`.

    `null` says what null stands for. `operators`: Slurm accepts it only from its operators.
    """
    sentence = f"{limited(about, kind)} Null for {null}. {SENTENCE_FOR_OPERATORS if operators else ''}".rstrip()
    wider_kind = or_nothing(kind) if by == "" else wider(kind, f"{kind.pattern}|{re.escape(by)}")
    return _update(sentence, key=key, kind=wider_kind, clear=by, operators=operators)


def kept(key: str, kind: Kind[Any], about: str, why: str, operators: bool = False) -> Any:
    """A line of an update that Slurm cannot clear; `why` is the message for null, with what to do instead."""
    sentence = f"{limited(about, kind)} Not null. {SENTENCE_FOR_OPERATORS if operators else ''}".rstrip()
    return _update(sentence, key=key, kind=kind, why=why, operators=operators)


def _update(about: str, key: str, **metadata: Any) -> Any:
    return field(default=LEFT, metadata={"key": key, "about": f"{about} scontrol: {key}.", **metadata})


def choice(parts: type[OneOf], about: str, why: str | None = None) -> Any:
    """An input that is one of several options. With `why` it is an update's, and `why` is the message for null."""
    return field(default=LEFT if why else None, metadata={"parts": parts, "about": about, "why": why})


def required(about: str, kind: Kind[Any] | None = None, **metadata: object) -> Any:
    """An input that cannot be left out."""
    return field(metadata={**_limit(about, kind), **metadata})


def described(about: str, default: Any = None, kind: Kind[Any] | None = None) -> Any:
    """An input that has no option of its own."""
    return field(default=default, metadata=_limit(about, kind))


def _limit(about: str, kind: Kind[Any] | None) -> dict[str, object]:
    return {"about": limited(about, kind), **({"kind": kind} if kind else {})}


def patterns(table: type) -> dict[str, str]:
    """The options of a table, and the pattern of each one's values."""
    found: dict[str, str] = {}
    for line in fields(table):
        if "parts" in line.metadata:
            found |= patterns(line.metadata["parts"])
        elif "key" in line.metadata:
            found[line.metadata["key"]] = line.metadata["kind"].pattern
            found |= dict.fromkeys(line.metadata.get("otherwise", {}).values(), FLAG)
    return found


def written(inputs: Any, path: Sequence[str] = INPUT) -> tuple[dict[str, str | int], list[Refusal]]:
    """The options that the table's inputs become, with their values, and what is wrong with other inputs.

    None is not given, or in an update clears what is set.
    """
    options: dict[str, str | int] = {}
    refusals: list[Refusal] = []
    for line in fields(inputs):
        value, metadata = getattr(inputs, line.name), line.metadata
        if value is LEFT or not {"key", "parts"} & metadata.keys():
            continue
        if value is None and metadata.get("why"):
            refusals.append(invalid(line.name, f"cannot be null: {metadata['why']}", path))
        elif is_dataclass(value):
            inner, wrong = written(value, [*path, camel_case(line.name)])
            options |= inner
            refusals += wrong
        elif value is None:
            options |= {metadata["key"]: metadata["clear"]} if "clear" in metadata else {}
        elif value is not False or metadata["kind"] is not flag:
            refusals += _write(options, line, value, path)
    return options, refusals


def _write(options: dict[str, str | int], line: Field[Any], value: Any, path: Sequence[str]) -> list[Refusal]:
    otherwise: Mapping[Any, str] = line.metadata.get("otherwise", {})
    key = otherwise[value] if isinstance(value, Enum) and value in otherwise else line.metadata["key"]
    try:
        options[key] = line.metadata["kind"](value)
    except ValueError as error:
        return [invalid(line.name, str(error), path)]
    return []


def for_operators(inputs: Any) -> list[str]:
    """The names of the given inputs that Slurm accepts only from its operators."""
    return [
        line.name
        for line in fields(inputs)
        if line.metadata.get("operators") and getattr(inputs, line.name) is not LEFT
    ]


def require(*refusals: Refusal | None) -> None:
    """Raise InvalidInputError with all refusals, if there are any."""
    if wrong := [refusal for refusal in refusals if refusal is not None]:
        raise InvalidInputError(wrong)


def invalid(name: str, message: str, path: Sequence[str] = INPUT) -> Refusal:
    """The refusal of one input, by its name in a table."""
    where = [*path, camel_case(name)]
    return Refusal(RefusalCode.INVALID_INPUT, f"{'.'.join(where[len(INPUT) :])} {message}.", where)


def camel_case(name: str) -> str:
    """The name of an input in GraphQL."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def checked(name: str, kind: Kind[T], value: T, path: Sequence[str] = INPUT) -> Refusal | None:
    """Why the value of one input is refused; None if it is not."""
    try:
        kind(value)
    except ValueError as error:
        return invalid(name, str(error), path)
    return None


flag: Kind[bool] = Kind(lambda value: "", FLAG)
"""An option without a value."""

PLAIN_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*"

# Half a surrogate pair is no character: the head node cannot read a request that has one.
LISTED = f"1 to {LIST_LIMIT} entries"
_NAME = r"(?![-+ ])[^\0-\x1f\x7f,\ud800-\udfff]{1,1024}(?<! )"

word = matching(
    _NAME,
    "must be a name without commas and control characters; it cannot begin with -, + or a blank",
    f"at most {TEXT_LIMIT} characters",
)
"""One name, of an account, a QOS, a partition, a reservation or a user: blanks, `\\`, `$` and `@` may be in it.

Slurm separates names by commas, and takes `-` and `+` before one for "but not" and "also".
"""
_node = matching(PLAIN_WORD, "must be one word of letters, digits and _ . : @ + -", "")


@kind(rf"(?![Aa][Ll][Ll]\Z){PLAIN_WORD}")
def node(value: str) -> str:
    """The name of one node."""
    if value.upper() == "ALL":
        raise ValueError("means every node of the cluster to scontrol: name the nodes")
    return _node(value)


@kind(listed(_NAME), f"each of {word.limit}")
def words(value: str) -> str:
    """Names joined by commas."""
    return ",".join(map(word, value.split(",")))


@kind(listed(_NAME), f"{LISTED}, each of {word.limit}")
def names(value: Sequence[str]) -> str:
    """A list of names, at least one."""
    _check_length(value)
    return ",".join(map(word, value))


@kind(rf"[^\0]{{0,{TEXT_LIMIT}}}", f"at most {TEXT_LIMIT} bytes")
def text(value: str) -> str:
    """Any text of at most 1024 bytes."""
    return bounded(value, TEXT_LIMIT)


@kind(rf"[^\0\r\n]{{1,{TEXT_LIMIT}}}", f"one line of at most {TEXT_LIMIT} bytes")
def line(value: str) -> str:
    """One line of text that is not blank."""
    if not value.strip() or "\n" in value or "\r" in value:
        raise ValueError("must be one line of text")
    return bounded(value, TEXT_LIMIT)


@kind(rf"[^\0]{{1,{PATH_LIMIT}}}", f"at most {PATH_LIMIT} bytes")
def path(value: str) -> str:
    """A path, absolute or relative to the job's folder."""
    if not value:
        raise ValueError("must not be empty")
    return bounded(value, PATH_LIMIT)


@kind(rf"/[^\0]{{0,{PATH_LIMIT - 1}}}", path.limit)
def folder(value: str) -> str:
    """An absolute path."""
    if not value.startswith("/"):
        raise ValueError("must be an absolute path")
    return path(value)


count = whole(1)
"""A number of things."""
number = whole(0)
big_number = whole(0, LARGEST)
niceness = whole(-2147483645, 2147483645, "-?" + NUMBER)
"""Slurm's range for nice values (sbatch(1), --nice)."""
time_limit = whole(1, 2**32 - 1, r"\d{1,10}:\d\d", lambda seconds: f"{seconds // 60}:{seconds % 60:02}")
"""Minutes and seconds, "90:00"."""


@kind(r"uts\d{1,10}")
def moment(value: datetime) -> str:
    """A point in time with its zone, as "uts" and epoch seconds."""
    if value.tzinfo is None:
        raise ValueError("needs a time zone, as 2026-11-22T10:00:00Z")
    epoch = int(value.astimezone(UTC).timestamp())
    if not 0 < epoch < 2**32 - 2:
        raise ValueError("must be between 1970 and 2106")
    return f"uts{epoch}"


@kind("[01]")
def yes_or_no(value: bool) -> str:
    """1 or 0."""
    return "1" if value else "0"


_HOSTS = r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]*"


@kind(_HOSTS, LISTED)
def hosts(value: Sequence[str]) -> str:
    """Node names or hostlists, as `queue1-dy-large-[1-4]`, joined by commas."""
    _check_length(value)
    joined = ",".join(value)
    # "ALL" would be every node of the cluster; brackets are for numbers alone.
    if not re.fullmatch(_HOSTS, joined) or "ALL" in joined.upper().split(","):
        raise ValueError("must be names of nodes, as queue1-st-small-1 or queue1-dy-large-[1-4]")
    try:
        expand(joined)
    except ParseError as error:
        raise ValueError(f"is {error}") from error
    return joined


constraint = matching(
    r"[A-Za-z0-9_.=&|*\[\]():,+-]{1,1024}",
    "must be features joined by & or |, as static or c5.large|c5.xlarge, of at most 1024 characters",
    "at most 1024 characters",
)
"""Features and their operators, as `static`, `[a|b]` or `c5.large*2&efa` (sbatch(1), --constraint)."""
licenses = matching(
    listed(r"[A-Za-z0-9_][A-Za-z0-9_.@/+-]*(:\d{1,9})?", "[,;]"),
    "must be licenses with their counts, as matlab:2,ansys:1",
    "counts of at most 9 digits",
)
"""Licenses and their counts, as `matlab:2,ansys` (sbatch(1), --licenses)."""

_TERM = r"(singleton|after(any|corr|notok|ok|burstbuffer)?(:\d{1,10}(_(\d{1,10}|\*))?(\+\d{1,6})?)+)"
dependency = matching(
    rf"{_TERM}((,{_TERM})*|(\?{_TERM})*)",
    "must be such as afterok:123:124,afterany:125_4 or singleton",
    "delays of at most 6 digits",
)
"""What a job waits for (sbatch(1), --dependency)."""


def one_of(members: type[Enum]) -> Kind[Any]:
    """A member of an enum, written as its value."""
    return Kind(lambda member: str(member.value), "|".join(member.value for member in members))


def some_of(members: type[Enum]) -> Kind[Any]:
    """Members of an enum, at least one, written as their values."""

    def write(value: Sequence[Enum]) -> str:
        _check_length(value)
        return ",".join(member.value for member in value)

    return Kind(write, listed(one_of(members).pattern), LISTED)


def _check_length(value: Sequence[object]) -> None:
    if not 1 <= len(value) <= LIST_LIMIT:
        raise ValueError(f"must have {LISTED}, not {len(value)}")


def _characters(value: str) -> str:
    """The text. Raises ValueError for half of a surrogate pair, which UTF-8 cannot write."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a surrogate pair, which is not a character") from error
    return value


def bounded(value: str, limit: int) -> str:
    """Any text of at most `limit` bytes in UTF-8."""
    size = len(_characters(value).encode())
    if "\0" in value or size > limit:
        raise ValueError(f"must be at most {limit} bytes (it has {size}), none of them 0")
    return value
