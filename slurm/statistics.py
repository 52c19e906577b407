"""How the scheduler works: sdiag(1), text, as its JSON is no earlier than 23.02."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slurm.command import Command, Question, Reply, require_success
from slurm.errors import ParseError, Unreadable
from slurm.instant import instant
from slurm.operation import Operation, RunsAs
from slurm.text import BigInt, big_integer, integer


def _when(value: str) -> datetime | None:
    """ "Sun Nov 22 18:06:33 2026 (1795370793)", or N/A."""
    match = re.search(r"\((\d+)\)$", value)
    return instant(match[1] if match else value)


def line(section: str, label: str, about: str, parse: Callable[[str], Any] = integer) -> Any:
    """A figure: the section and the label that sdiag prints it under, its meaning. None where this sdiag has none."""
    return field(metadata={"place": (section, label), "parse": parse, "about": f"{about} sdiag: {label}."})


_TOP, _MAIN, _BACKFILL = "", "Main schedule statistics", "Backfilling stats"


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """How the scheduler works. Counts are since `since`, when slurmctld started or last set them back (at midnight)."""

    since: datetime | None = line(_TOP, "Data since", "Since when it is counted.", _when)
    as_of: datetime | None = line(_TOP, "sdiag output at", "When it was counted.", _when)
    server_thread_count: int | None = line(
        _TOP, "Server thread count", "How many threads of slurmctld are at work; many show overload."
    )
    agent_queue_size: int | None = line(_TOP, "Agent queue size", "How many messages to nodes wait to be sent.")
    accounting_queue_size: int | None = line(
        _TOP,
        "DBD Agent queue size",
        "How many records wait to be sent to slurmdbd; they grow while it does not answer.",
    )
    jobs_submitted: int | None = line(_TOP, "Jobs submitted", "How many jobs were submitted.")
    jobs_started: int | None = line(_TOP, "Jobs started", "How many jobs were started.")
    jobs_completed: int | None = line(_TOP, "Jobs completed", "How many jobs ended well.")
    jobs_cancelled: int | None = line(_TOP, "Jobs canceled", "How many jobs were cancelled.")
    jobs_failed: int | None = line(_TOP, "Jobs failed", "How many jobs failed.")
    jobs_pending: int | None = line(_TOP, "Jobs pending", "How many jobs wait, when slurmctld counted last.")
    jobs_running: int | None = line(_TOP, "Jobs running", "How many jobs run, when slurmctld counted last.")
    last_cycle_microseconds: BigInt | None = line(
        _MAIN,
        "Last cycle",
        "How long the last pass of the main scheduler took, in microseconds.",
        big_integer,
    )
    max_cycle_microseconds: BigInt | None = line(
        _MAIN,
        "Max cycle",
        "How long the longest pass of the main scheduler took, in microseconds.",
        big_integer,
    )
    mean_cycle_microseconds: BigInt | None = line(
        _MAIN,
        "Mean cycle",
        "How long a pass of the main scheduler takes, in microseconds; null before the first.",
        big_integer,
    )
    cycles: int | None = line(_MAIN, "Total cycles", "How many passes the main scheduler made.")
    cycles_per_minute: int | None = line(
        _MAIN, "Cycles per minute", "How many passes the main scheduler makes a minute; null in the first."
    )
    queue_length: int | None = line(
        _MAIN, "Last queue length", "How many jobs waited at the last pass of the main scheduler."
    )
    backfilled_jobs: int | None = line(
        _BACKFILL, "Total backfilled jobs (since last stats cycle start)", "How many jobs backfill has started."
    )
    backfill_cycles: int | None = line(_BACKFILL, "Total cycles", "How many passes backfill made.")
    backfill_last_time: datetime | None = line(
        _BACKFILL, "Last cycle when", "When the last pass of backfill was; null for never.", _when
    )
    backfill_last_cycle_microseconds: BigInt | None = line(
        _BACKFILL,
        "Last cycle",
        "How long the last pass of backfill took, in microseconds, pauses left out.",
        big_integer,
    )
    backfill_max_cycle_microseconds: BigInt | None = line(
        _BACKFILL,
        "Max cycle",
        "How long the longest pass of backfill took, in microseconds.",
        big_integer,
    )
    backfill_mean_cycle_microseconds: BigInt | None = line(
        _BACKFILL,
        "Mean cycle",
        "How long a pass of backfill takes, in microseconds; null before the first.",
        big_integer,
    )
    backfill_last_depth: int | None = line(
        _BACKFILL, "Last depth cycle", "How many jobs the last pass of backfill looked at."
    )
    backfill_queue_length: int | None = line(
        _BACKFILL, "Last queue length", "How many jobs waited at the last pass of backfill."
    )


@dataclass(frozen=True, kw_only=True)
class Counted(Statistics):
    """Statistics as they were read: a figure that cannot be read is None, and stands in `unreadable`."""

    unreadable: Sequence[Unreadable] = ()


SDIAG = Operation("sdiag", words=("sdiag",), runs_as=RunsAs.READER)


def statistics() -> Question[Statistics]:
    """The scheduler's statistics."""
    return Question((Command(SDIAG),), read)


def read(replies: Sequence[Reply]) -> Counted:
    """Lines of `label: value` under headings. Raises ParseError where no figure is found."""
    (reply,) = replies
    printed = require_success(reply)
    found = _by_place(printed)
    if (_TOP, "Jobs submitted") not in found:
        raise ParseError("sdiag output", printed)
    figures: dict[str, Any] = {}
    unreadable = []
    for name, line in Statistics.__dataclass_fields__.items():
        try:
            figures[name] = line.metadata["parse"](found.get(line.metadata["place"], ""))
        except ParseError as error:
            figures[name] = None
            unreadable.append(Unreadable(error.what, error.text, name, record_lost=False))
    return Counted(**figures, unreadable=unreadable)


_HEADINGS = (_MAIN, _BACKFILL)
_FIGURE = re.compile(r"(?P<label>(?:sdiag output at|Data since)(?=\s)|[^:]+(?=:)):?\s+(?P<value>.*)")


def _by_place(printed: str) -> dict[tuple[str, str], str]:
    """The value of every section and label; a line without indentation that holds no value is a heading."""
    section = _TOP
    found: dict[tuple[str, str], str] = {}
    for line in printed.splitlines():
        match = _FIGURE.fullmatch(line.strip())
        if line.startswith("\t"):
            if match:
                found.setdefault((section, match["label"]), match["value"])
        elif heading := next((heading for heading in _HEADINGS if line.startswith(heading)), None):
            section = heading
        elif match:
            found.setdefault((_TOP, match["label"]), match["value"])
        elif line.strip():
            section = line  # of figures that nobody asks for
    return found
