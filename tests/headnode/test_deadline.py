"""Time that runs out."""

import time

from headnode.deadline import Deadline


def test_a_deadline_counts_down_and_stays_at_zero() -> None:
    deadline = Deadline.after(60)
    assert 59 < deadline.remaining <= 60
    assert not deadline.passed
    over = Deadline.after(-1)
    assert over.remaining == 0.0
    assert over.passed


def test_after_the_deadline_there_is_time_to_tidy_up_and_then_to_make_the_answer() -> None:
    """RESERVE_SECONDS of the handler is a second: all of it must fit."""
    deadline = Deadline(100.0)
    assert deadline.at < deadline.closing.at < deadline.answering.at < deadline.at + 1


def test_sleep_ends_at_the_deadline() -> None:
    started = time.monotonic()
    Deadline.after(0.05).sleep(60)
    assert 0.05 <= time.monotonic() - started < 30


def test_sleep_is_not_longer_than_asked() -> None:
    started = time.monotonic()
    Deadline.after(60).sleep(0.01)
    assert time.monotonic() - started < 30
