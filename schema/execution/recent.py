"""What was used last, up to a number."""

from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps values by their keys; when there are too many, the one that was not used for the longest time goes.

    Threads may share it: at the worst one finds nothing where there was something.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[Hashable, T] = {}

    def get(self, key: Hashable) -> T | None:
        """The value, if it is kept."""
        value = self._kept.pop(key, None)
        if value is not None:
            self._kept[key] = value  # a dict has what came last at its end
        return value

    def keep(self, key: Hashable, value: T) -> None:
        """Keep a value."""
        self._kept[key] = value
        if len(self._kept) > self._limit:
            with suppress(RuntimeError, StopIteration):  # another thread was quicker
                self._kept.pop(next(iter(self._kept)), None)
