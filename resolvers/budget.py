"""What an answer costs, counted while it is made.

schema/limits.py estimates the cost before anything is sent. How many objects a list really has only shows while the
answer is made: the jobs of a node, for example. Whoever makes objects counts them here first.
"""

from math import inf
from typing import Final

from headnode.deadline import Deadline
from resolvers.errors import ErrorCode, RequestError

PAGE: Final = 100
"""What a page costs besides its rows: it is filtered, ordered and counted."""
VALUES: Final = 10
"""How many values an answer may have for each object that it may have: fields, and items of lists of scalars."""
_STEP: Final = 500
"""After so many objects, Budget looks at the clock."""
FEWER_ROWS: Final = "Ask for smaller pages (first), or for fewer lists within lists."


class StoppedError(RequestError):
    """The answer exceeds its limit or its time: it is given up as a whole."""

    def __init__(self, code: ErrorCode, message: str, **extensions: int) -> None:
        super().__init__(message, **extensions)
        self.extensions["code"] = code.name


class Budget:
    """How much one answer may still cost. Without a limit or a deadline it only counts."""

    def __init__(self, limit: float = inf, deadline: Deadline | None = None, advice: str = FEWER_ROWS) -> None:
        self.objects = 0
        self.values = 0
        self.limit = limit
        self._deadline = deadline
        self._advice = advice
        self._look = min(limit, _STEP)

    def add(self, objects: int, values: int = 0) -> None:
        """Count objects and their values, before they are made. Raises StoppedError."""
        self.objects += objects
        self.values += values
        if self.objects > self._look or self.values > self.limit * VALUES:
            self._check()

    def check(self, more: int) -> None:
        """Raise StoppedError if that many more objects would exceed the limit."""
        if self.objects + more > self.limit:
            raise self._exceeded()

    def _check(self) -> None:
        if self.objects > self.limit or self.values > self.limit * VALUES:
            raise self._exceeded()
        if self._deadline is not None and self._deadline.passed:
            raise StoppedError(ErrorCode.TIMEOUT, f"There was not enough time to make this answer. {self._advice}")
        self._look = min(self.limit, self.objects + _STEP)

    def _exceeded(self) -> StoppedError:
        limit = int(self.limit)
        said = f"The answer is too large: it may have {limit:,} objects and {limit * VALUES:,} values. {self._advice}"
        return StoppedError(ErrorCode.COST_EXCEEDED, said, limit=limit)
