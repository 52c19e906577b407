"""What sacctmgr and sshare print, and their errors without accounting (sacctmgr(1), sshare(1), --parsable2).

No release has an option for another separator than "|", and Slurm refuses neither "|" nor a newline in the names that
administrators give. Each text that people write therefore stands between two prints of the record's own key: its id, or
an account's name. Slurm prints a column once for each width that it is asked for (`ID%10,ID%11`), and with
--parsable2 cuts nothing to that width.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from slurm import assoc_mgr
from slurm.command import AccountingDisabledError, Reply, SchedulerUnavailableError, require_success
from slurm.errors import Unreadable
from slurm.framing import Records
from slurm.operation import Operation, RunsAs

_DISABLED = "not running a supported accounting_storage plugin"
_NO_ANSWER = ("Problem talking to the database", "Unable to contact slurmdbd", "persist_conn", "DBD_")
HOW_TO_SWITCH_ON = (
    "The cluster keeps no accounts. Run slurmdbd and set AccountingStorageType=accounting_storage/slurmdbd in "
    "slurm.conf; on ParallelCluster configure Scheduling/SlurmSettings/Database."
)


FORMAT = r"[A-Za-z]+(%\d{1,3})?(,[A-Za-z]+(%\d{1,3})?)*"
"""The pattern of what `Frame.format` makes."""


def show(entity: str, **options: str) -> Operation:
    """`sacctmgr show`, with the columns as `format` and the further options."""
    return Operation(
        f"sacctmgr show {entity}",
        words=("sacctmgr", "--noheader", "--parsable2", "show", entity),
        options={"format": FORMAT, **options},
        assigns=True,
        asks_slurmdbd=True,
        runs_as=RunsAs.READER,
    )


def require(reply: Reply) -> str:
    """The output of a sacctmgr that succeeded.

    Raises AccountingDisabledError, which says what to switch on, SchedulerUnavailableError if slurmdbd does not answer,
    and what `require_success` raises.
    """
    if _DISABLED in reply.stderr:
        raise AccountingDisabledError(HOW_TO_SWITCH_ON)
    if any(text in reply.stderr for text in _NO_ANSWER):
        raise SchedulerUnavailableError(f"slurmdbd does not answer: {reply.stderr.strip()[:2000]}")
    return require_success(reply)


_FIRST_WIDTH = 10
_LONGEST_KEY = 256
"""Characters of an account's name: the database takes 255 bytes."""
_MOST_LINES = 20
"""Lines of one record."""


@dataclass(frozen=True)
class Frame:
    """How records are printed: the key, what nobody writes, and each of the `written` columns between two keys."""

    key: str
    plain: Sequence[str]
    written: Sequence[str]

    @classmethod
    def of(cls, key: str, columns: Sequence[str], written: Collection[str]) -> Self:
        """The frame of those columns; the key is one of them."""
        return cls(
            key,
            [column for column in columns if column not in written and column != key],
            [column for column in columns if column in written],
        )

    @property
    def format(self) -> str:
        """The value of the option `format`."""
        keys = [f"{self.key}%{_FIRST_WIDTH + number}" for number in range(len(self.written) + 1)]
        framed = [name for pair in zip(self.written, keys[1:], strict=True) for name in pair]
        return ",".join([self.key, *self.plain, keys[0], *framed])

    def split(self, printed: str) -> Records:
        """The text of every column, row by row. What can be read in no way, or in several, is left out."""
        lines = printed.removesuffix("\n").split("\n") if printed else []
        rows: dict[int, list[str]] = {}  # by the line that each begins with
        lost: list[Unreadable] = []
        at = 0
        while at < len(lines):
            if found := self._record(lines, at):
                rows[at] = found[0]
                at += found[1]
                continue
            end = at + 1
            while end < len(lines) and self._record(lines, end) is None:
                end += 1
            start, end = self._could_begin(lines, at, end), self._could_end(lines, at, end)
            for line in [line for line in rows if line >= start]:
                del rows[line]
            lost.append(Unreadable.record("record", "\n".join(lines[start:end])))
            at = end
        names = [self.key, *self.plain, *self.written]
        return Records({name: [row[place] for row in rows.values()] for place, name in enumerate(names)}, lost)

    def _could_begin(self, lines: Sequence[str], at: int, end: int) -> int:
        """The first line of a record that the unread lines from `at` to `end` may be the rest of; else `at`."""
        for start in range(max(0, at - _MOST_LINES), at):
            if any(self._ways("\n".join(lines[start:last])) for last in range(at + 1, min(end, at + _MOST_LINES) + 1)):
                return start
        return at

    def _could_end(self, lines: Sequence[str], at: int, end: int) -> int:
        """The line behind a record that may begin in the unread lines from `at` to `end`; else `end`."""
        for last in range(min(len(lines), end + _MOST_LINES), end, -1):
            starts = range(max(at, end - _MOST_LINES), end)
            if any(self._ways("\n".join(lines[start:last])) for start in starts):
                return last
        return end

    def _record(self, lines: Sequence[str], at: int) -> tuple[list[str], int] | None:
        """The values of the record that begins with a line, and how many lines it has."""
        if row := self._whole_line(lines[at]):
            return row, 1
        for count in range(1, _MOST_LINES):
            if count > 1 and (at + count > len(lines) or self._whole_line(lines[at + count - 1])):
                break  # a text that holds a whole record, or a broken record before another: nobody can tell
            ways = self._ways("\n".join(lines[at : at + count]))
            if ways:
                return (ways[0], count) if len(ways) == 1 else None
        return None

    def _whole_line(self, line: str) -> list[str] | None:
        """The values of a line in which no text holds a "|"."""
        cells, first = line.split("|"), 1 + len(self.plain)
        if not cells[0] or len(cells) != first + 1 + 2 * len(self.written) or {cells[0]} != set(cells[first::2]):
            return None
        return [*cells[:first], *cells[first + 1 :: 2]]

    def _ways(self, text: str) -> list[list[str]]:
        """All ways to read the text as one record, two at the most."""
        ways: list[list[str]] = []
        bar = text.find("|", 1, _LONGEST_KEY)
        while bar > 0 and len(ways) < 2:
            key, cells = text[:bar], text[bar + 1 :].split("|", len(self.plain))
            *plain, framed = cells
            begins, ends = framed.startswith(f"{key}|"), framed.endswith(f"|{key}")
            if len(cells) > len(self.plain) and begins and ends and len(framed) >= 2 * len(key) + 2:
                body = framed[len(key) + 1 : -len(key) - 1]
                for values in _divided(body, f"|{key}|", len(self.written)):
                    if not any("\n" in text for text in plain):
                        ways.append([key, *plain, *values])
            bar = text.find("|", bar + 1, _LONGEST_KEY)
        return ways[:2]


def _divided(text: str, mark: str, count: int) -> Iterator[list[str]]:
    """Each way to divide the text into so many parts with a mark between; marks may share a "|"."""
    if count == 1:
        yield [text]
        return
    at = text.find(mark)
    while at >= 0:
        for rest in _divided(text[at + len(mark) :], mark, count - 1):
            yield [text[:at], *rest]
        at = text.find(mark, at + 1)


def with_use(texts: dict[str, list[str]], use: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The columns of sacctmgr and beside them those of assoc_mgr, joined by ID; "" where slurmctld knows no use."""
    joined = {source: [use.get(id, {}).get(source, "") for id in texts["ID"]] for source in assoc_mgr.SOURCES}
    return {**texts, **joined}
