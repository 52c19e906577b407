"""The lease on fetching a dataset: which sandbox holds it, until when, and how it ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self

SECONDS = 6.0
"""How long one sandbox may fetch before another may, too. Most commands take 0.5 to 3 s."""


@dataclass(frozen=True)
class Lease:
    """A lease as the table has it.

    `until` is in Unix microseconds, 0 once the lease is given back; `failed` says that there was no answer then.
    """

    holder: str
    until: int
    failed: bool = False

    @classmethod
    def taken(cls, now: int) -> Self:
        """A new lease."""
        return cls(secrets.token_hex(8), now + int(SECONDS * 1e6))

    @property
    def begun(self) -> int:
        """When a lease that is held was taken, in Unix microseconds."""
        return self.until - int(SECONDS * 1e6)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The lease in that text; a text that is not a lease counts as one that was given back."""
        until, _, rest = text.partition(" ")
        holder, _, end = rest.partition(" ")
        return cls(holder, int(until) if until.isdecimal() else 0, end == "failed")

    def given_back(self, failed: bool) -> Self:
        """The lease as it is given back. Its text differs from that of every held lease, so no write confuses them."""
        return type(self)(self.holder, 0, failed)

    def is_held(self, now: int) -> bool:
        """Whether the holder is still fetching, or died only a moment ago."""
        return now < self.until

    def __str__(self) -> str:
        return f"{self.until} {self.holder}{' failed' if self.failed else ''}"
