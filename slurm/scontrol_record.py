"""Records of `scontrol --oneliner show ...`: Key=Value pairs between blanks (scontrol(1)).

Values that people write may hold blanks, newlines and "=" (`AllowGroups=domain users`), and scontrol escapes nothing.
A record is therefore cut at the keys that are known: such a value goes on to the next of them.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from slurm.errors import ParseError, Unreadable


@dataclass(frozen=True)
class RecordKind:
    """A kind of record: what it is called, its first key (or several, `A|B`), and its other keys.

    `written` are keys whose values people write, blanks included; `keys` are those that may follow such a value.
    `repeated` are keys that may stand in a record several times; the first counts. `last` is the key that takes
    all of the rest. A record without the keys that it `needs` is none.
    """

    name: str
    first: str
    keys: Collection[str]
    written: Collection[str] = ()
    repeated: Collection[str] = ()
    last: str | None = None
    needs: Collection[str] = ()
    _next: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _start: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = "|".join(map(re.escape, sorted({*self.keys, *self.written, *self.repeated})))
        object.__setattr__(self, "_next", re.compile(rf" +(?=(?:{known})=)"))
        object.__setattr__(self, "_start", re.compile(rf"^(?=(?:{self.first})=)", re.MULTILINE))

    def records(self, printed: str) -> tuple[list[dict[str, str]], list[Unreadable]]:
        """The values of each record by key, in scontrol's order, and what of the text is no record."""
        before, *chunks = self._start.split(printed)
        lost = self._lost(before)
        records = []
        for chunk in chunks:
            try:
                values, behind = self._record(chunk)
            except ParseError as error:
                lost += self._lost(error.text)
            else:
                records.append(values)
                lost += self._lost(behind)
        return records, lost

    def fields(self, text: str) -> dict[str, str]:
        """The values of one record by key. Raises ParseError for what is none, and what is more than one record."""
        values, behind = self._record(text)
        if behind:
            raise ParseError(self.name, text)
        return values

    def _record(self, text: str) -> tuple[dict[str, str], str]:
        """The values of the record that the text begins with, and the lines behind it.

        Raises ParseError for another beginning, and for a key that is missing. Likewise for a key that comes twice: it
        may be in a value that somebody wrote, and we cannot know which is right.
        """
        text = text.rstrip("\n").rstrip(" ")
        before, separator, rest = text.partition(f" {self.last}=") if self.last else (text, "", "")
        values: dict[str, str] = {}
        behind = ""
        for part in self._next.split(before):
            if behind:
                behind += f" {part}"
                continue
            key, _, value = part.partition("=")
            pairs = [(key, value)]
            if key not in self.written:
                line, newline, behind = part.partition("\n")
                behind = newline + behind
                # Keys of releases that are newer than this code may follow.
                pairs = [
                    (key, value) for key, equals, value in (word.partition("=") for word in line.split()) if equals
                ]
            for key, value in pairs:
                if key in values and key not in self.repeated:
                    raise ParseError(self.name, text)
                values.setdefault(key, value)
        if next(iter(values), None) not in self.first.split("|") or not values.keys() >= set(self.needs):
            raise ParseError(self.name, text)
        if self.last and separator:
            if behind:
                behind += separator + rest
            else:
                values[self.last] = rest
        return values, behind

    def _lost(self, said: str) -> list[Unreadable]:
        return [Unreadable.record(self.name, said.strip("\n"))] if said.strip() else []


def columns(records: Sequence[dict[str, str]], sources: Sequence[str]) -> dict[str, list[str]]:
    """The text of each source in every record; "" where a record has none."""
    return {source: [record.get(source, "") for record in records] for source in sources}
