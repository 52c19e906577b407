"""Shows what is being done right now: one changing line on a terminal, and a line now and then elsewhere."""

import shutil
import sys
import time
from typing import TextIO

EVERY = 30.0
"""Seconds between two lines where lines stay, such as in CI's log."""


class Progress:
    """The seconds since the start and what is being done."""

    def __init__(self, name: str, output: TextIO = sys.stdout) -> None:
        self._name = name
        self._output = output
        self._started = time.monotonic()
        self._last = self._started

    def show(self, doing: str) -> None:
        """Show what is being done: at once on a terminal, elsewhere if the last line is half a minute old."""
        now = time.monotonic()
        line = self._line(doing)
        if self._output.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._output.write(f"\r\x1b[K{line[:width]}")
        elif now - self._last >= EVERY:
            self._output.write(f"{line}\n")
            self._last = now
        self._output.flush()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        renew = "\r\x1b[K" if self._output.isatty() else ""
        self._output.write(f"{renew}{self._line(line)}\n")
        self._output.flush()
        self._last = time.monotonic()

    def _line(self, text: str) -> str:
        return f"{self._name}  {time.monotonic() - self._started:5.0f} s  {text}"
