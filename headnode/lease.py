"""The lease to ask for a dataset: which sandbox does, until when, and how it ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self

SECONDS = 6.0
"""How long one sandbox may ask before another may, too. Most commands take 0.5 to 3 s."""


@dataclass(frozen=True)
class Lease:
    """A lease as it stands in the table.

    `until` is Unix microseconds, 0 for a lease that was given back; `failed` if that was done without an answer.
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
        """The lease of that text; nonsense is a lease that has been given back."""
        until, _, rest = text.partition(" ")
        holder, _, end = rest.partition(" ")
        return cls(holder, int(until) if until.isdecimal() else 0, end == "failed")

    def given_back(self, failed: bool) -> Self:
        """What is written when it is no longer needed: another text than before, so that nobody mistakes it."""
        return type(self)(self.holder, 0, failed)

    def is_held(self, now: int) -> bool:
        """Whether somebody is asking, or died of it a moment ago."""
        return now < self.until

    def __str__(self) -> str:
        return f"{self.until} {self.holder}{' failed' if self.failed else ''}"
