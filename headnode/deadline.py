"""How much time a request has left."""

import time
from dataclasses import dataclass
from typing import Self

CLOSING = 0.6
"""Seconds that a request may take beyond its deadline to cancel, to count a change, to delete what it stored."""

ANSWERING = CLOSING + 0.3
"""Seconds beyond its deadline within which a request's answer must be made. If one cluster takes all the time, the
others are answered nevertheless."""


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - time.monotonic())

    @property
    def closing(self) -> Self:
        """The end of what is still tidied up after the deadline: it must not make the answer late."""
        return type(self)(self.at + CLOSING)

    @property
    def answering(self) -> Self:
        """The end of what makes the answer from what was read."""
        return type(self)(self.at + ANSWERING)

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining == 0.0

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the deadline."""
        time.sleep(min(seconds, self.remaining))
