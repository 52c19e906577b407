"""Hostlists: Slurm's short form for many node names, "n[01-03,7],gpu1" (man scontrol, "show hostnames")."""

import itertools
import math
import re
from collections.abc import Iterator

from slurm.errors import ParseError

PLACEHOLDERS = frozenset({"", "(null)", "None", "None assigned", "n/a", "N/A"})

# Slurm's own limit for one range (MAX_RANGE in src/common/hostlist.c).
MAX_RANGE = 65536
# Limits of ours, so that a few bytes cannot ask for gigabytes: a[1-65536]b[1-65536] is legal to Slurm.
MAX_NAMES = 262144
MAX_NAME_LENGTH = 255

_NAME = re.compile(r"[^\s\[\],\x00-\x1f\x7f]+")
_ENTRY = re.compile(r"(?:[^\[\],]|\[[^\[\]]*\])+")
_GROUP = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]")
_RANGE = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")


def split(text: str) -> list[str]:
    """The hostlist's entries, cut at the commas outside brackets; empty entries are skipped, as Slurm does.

    Raises ParseError where brackets do not pair.
    """
    if "[" not in text and "]" not in text:
        return [entry for entry in text.split(",") if entry]
    entries = []
    position = 0
    while position < len(text):
        if text[position] == ",":
            position += 1
            continue
        entry = _ENTRY.match(text, position)
        if entry is None:
            raise ParseError("hostlist", text)
        entries.append(entry.group())
        position = entry.end()
        if position < len(text) and text[position] != ",":
            raise ParseError("hostlist", text)
    return entries


def expand(text: str) -> list[str]:
    """The node names of a hostlist, in its order, duplicates kept; [] for Slurm's placeholders.

    An entry is a name or "prefix[ranges]", with several bracket groups allowed ("c[1-2]d[3-4]"; the last
    varies fastest, as in Slurm up to two groups). A range's numbers are padded with zeros to the width of
    its low bound: n[08-11] is n08 ... n11, n[8-011] is n8 ... n11. Raises ParseError for what Slurm 22.05
    refuses - text after the last bracket, a falling range, a range of more than 65,536 - and for more than
    262,144 names or names above 255 characters.
    """
    if text in PLACEHOLDERS:
        return []
    names: list[str] = []
    for entry in split(text):
        names.extend(_names(entry, MAX_NAMES - len(names), text))
    return names


def _names(entry: str, room: int, text: str) -> Iterator[str]:
    if "[" not in entry:
        _check_name(entry, text)
        _check_room(1, room, text)
        return iter((entry,))
    groups = _GROUP.findall(entry)
    # 20.11 and 22.05 refuse a suffix ("b[1-2]x"); 24.11 reads one, but prints b1x,b2x like the others.
    if not entry.endswith("]"):
        raise ParseError("hostlist", text)
    prefixes = [prefix for prefix, _ in groups]
    ranges = [[_bounds(part, text) for part in numbers.split(",")] for _, numbers in groups]
    _check_name("".join(prefixes) + "0", text)
    widest = sum(max(max(width, len(str(high))) for _, high, width in group) for group in ranges)
    if sum(map(len, prefixes)) + widest > MAX_NAME_LENGTH:
        raise ParseError("hostlist", text)
    _check_room(math.prod(sum(high - low + 1 for low, high, _ in group) for group in ranges), room, text)
    return _products(prefixes, ranges)


def _products(prefixes: list[str], ranges: list[list[tuple[int, int, int]]]) -> Iterator[str]:
    columns = [
        [f"{prefix}{number:0{width}d}" for low, high, width in group for number in range(low, high + 1)]
        for prefix, group in zip(prefixes, ranges, strict=True)
    ]
    return iter(columns[0]) if len(columns) == 1 else map("".join, itertools.product(*columns))


def _bounds(part: str, text: str) -> tuple[int, int, int]:
    """Low bound, high bound and the width that numbers are padded to."""
    match = _RANGE.fullmatch(part)
    if match is None:
        raise ParseError("hostlist", text)
    low_digits, high_digits = match.groups()
    low = int(low_digits)
    high = low if high_digits is None else int(high_digits)
    if not 0 <= high - low < MAX_RANGE:
        raise ParseError("hostlist", text)
    return low, high, len(low_digits)


def _check_name(name: str, text: str) -> None:
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise ParseError("hostlist", text)


def _check_room(count: int, room: int, text: str) -> None:
    if count > room:
        raise ParseError("hostlist", text)
