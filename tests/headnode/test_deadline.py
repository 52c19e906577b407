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


def test_sleep_ends_at_the_deadline() -> None:
    started = time.monotonic()
    Deadline.after(0.05).sleep(60)
    assert 0.05 <= time.monotonic() - started < 30


def test_sleep_is_not_longer_than_asked() -> None:
    started = time.monotonic()
    Deadline.after(60).sleep(0.01)
    assert time.monotonic() - started < 30
