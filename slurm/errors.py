"""The error for Slurm's values that cannot be parsed, and the note that is kept if other records are answered."""

from dataclasses import dataclass
from typing import Self

SHOWN_CHARACTERS = 200


class ParseError(ValueError):
    """Text that is no value of its kind in any Slurm release this project reads.

    `what` names the kind of value ("hostlist", "duration"); `text` is the offending text, whole. The message
    shows at most 200 characters of it, as the text may be a job's name or a list of thousands of nodes.
    """

    def __init__(self, what: str, text: str) -> None:
        self.what = what
        self.text = text
        shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
        super().__init__(f"not a valid {what}: {shown!r}")

    def __reduce__(self) -> tuple[type["ParseError"], tuple[str, str]]:
        # An exception is rebuilt from `args`, which holds the message: copying would lose `what` and `text`.
        return type(self), (self.what, self.text)


class SeparatorError(ParseError):
    """A record does not have exactly its fields, and others could watch the separator: somebody may have written it.

    The same question with a new separator may be answered. `text` is the record.
    """


@dataclass(frozen=True)
class Unreadable:
    """Text from Slurm that cannot be read: a whole record, or one value of a record.

    `what` and `text` are ParseError's; `text` is None where the caller may not see it. `field` names the column whose
    value it is; None for a whole record. The record is left out if `record_lost`; else the value is None.
    """

    what: str
    text: str | None
    field: str | None = None
    record_lost: bool = True

    @classmethod
    def record(cls, what: str, text: str) -> Self:
        """A record that is left out."""
        return cls(what, text)

    def __str__(self) -> str:
        return f"not a valid {self.what}" if self.text is None else str(ParseError(self.what, self.text))
