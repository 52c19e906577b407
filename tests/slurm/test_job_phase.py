"""How far a job is and whether it succeeded, over every state of both sources."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm import job_phase
from slurm.job_phase import Hold
from slurm.states import _JOB_WORDS, ENDED, JobPhase, JobState

WORDS = sorted({*_JOB_WORDS, *(f"{state.value} by 1000" for state in ENDED), "HIBERNATING", ""})
"""Every word that squeue or sacct prints for a state, and words of releases to come."""
words = st.sampled_from(WORDS) | st.text(max_size=12)
statuses = st.sampled_from(["0", "9", "15", "256", "32512", "0:0", "1:0", "0:9", "137:0", "127", "", "N/A"])
times = st.sampled_from(["Unknown", "N/A", "", "1795372140", "1795377543"])
NOT_SAID = {JobState.COMPLETED, JobState.REVOKED, JobState.UNKNOWN}


@pytest.mark.parametrize("state", JobState, ids=lambda state: state.name)
def test_each_state_has_one_phase(state: JobState) -> None:
    assert isinstance(state.phase, JobPhase)
    assert job_phase.phase(state.value) is state.phase
    assert (state in ENDED) == (state.phase is JobPhase.ENDED)


def test_the_phases_of_all_states() -> None:
    """Written out, so that a state that moves is seen."""
    waiting = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"}
    ended = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE"}
    ended |= {"OUT_OF_MEMORY", "REVOKED"}
    assert {state.name for state in JobState if state.phase is JobPhase.WAITING} == waiting
    assert {state.name for state in JobState if state.phase is JobPhase.ENDED} == ended


@given(words, times)
def test_both_sources_give_a_state_the_same_phase(word: str, end: str) -> None:
    by_scheduler, by_accounting = job_phase.phase(word), job_phase.accounted_phase(word, end)
    assert by_scheduler is by_accounting or (by_scheduler, by_accounting) == (JobPhase.ACTIVE, JobPhase.ENDED)


def test_an_unknown_state_is_active_until_accounting_has_its_end() -> None:
    assert job_phase.phase("HIBERNATING") is JobPhase.ACTIVE
    assert job_phase.accounted_phase("HIBERNATING", "Unknown") is JobPhase.ACTIVE
    assert job_phase.accounted_phase("HIBERNATING", "1795372140") is JobPhase.ENDED
    assert job_phase.succeeded("0:0", "HIBERNATING") is None


@given(statuses, words)
def test_whether_a_job_succeeded_is_null_until_it_ended(status: str, word: str) -> None:
    succeeded = job_phase.succeeded(status, word)
    if job_phase.phase(word) is not JobPhase.ENDED:
        assert succeeded is None
    elif succeeded is None:
        assert _state(word) in NOT_SAID - ({JobState.COMPLETED} if _is_zero(status) else set())
    else:
        assert succeeded == (_state(word) is JobState.COMPLETED and _is_zero(status))


def _state(word: str) -> JobState:
    return _JOB_WORDS.get((word.split() or [""])[0].upper(), JobState.UNKNOWN)


def _is_zero(status: str) -> bool:
    return status in ("0", "0:0")


@pytest.mark.parametrize(
    ("state", "start", "end", "expected"),
    [
        ("PENDING", "30", "N/A", 10),  # squeue's estimate of the start
        ("RUNNING", "30", "50", 30),  # the end that its time limit sets
        ("COMPLETED", "30", "50", 50),
        ("CANCELLED", "N/A", "50", 50),
        ("CANCELLED", "Unknown", "Unknown", 10),
    ],
)
def test_the_last_change_has_come(state: str, start: str, end: str, expected: int) -> None:
    assert job_phase.update_time("10", start, end, state) == datetime.fromtimestamp(expected, UTC)


@pytest.mark.parametrize(
    ("priority", "state", "reason", "expected"),
    [
        ("4294901757", "PENDING", "Resources", None),
        ("0", "PENDING", "JobHeldUser", Hold.USER),
        ("0", "PENDING", "JobHeldAdmin", Hold.ADMINISTRATOR),
        ("0", "PENDING", "launch failed requeued held", Hold.USER),
        ("1", "REQUEUE_HOLD", "job requeued in held state", Hold.USER),
        ("0", "RUNNING", "None", None),  # was suspended
        ("0", "CANCELLED", "JobHeldUser", None),
    ],
)
def test_who_may_release(priority: str, state: str, reason: str, expected: Hold | None) -> None:
    assert job_phase.hold(priority, state, reason) is expected
