"""The values used most recently, up to a limit."""

from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps values by key; if there are too many, the least recently used one is dropped.

    Threads may share it: at worst, one does not find a value that was there.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[Hashable, T] = {}

    def get(self, key: Hashable) -> T | None:
        """The value, if it is kept."""
        value = self._kept.pop(key, None)
        if value is not None:
            self._kept[key] = value  # a dict keeps the last insertion at its end
        return value

    def keep(self, key: Hashable, value: T) -> None:
        """Keep a value."""
        self._kept[key] = value
        if len(self._kept) > self._limit:
            with suppress(RuntimeError, StopIteration):  # another thread was quicker
                self._kept.pop(next(iter(self._kept)), None)
