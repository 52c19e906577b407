"""Exit codes, raw up to 22.05 and N:S from 23.02."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.exit_code import ExitCode, exit_code, of_accounted_job, of_job, of_step
from slurm.states import JobState


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0", ExitCode(0, None)),
        ("768", ExitCode(3, None)),
        ("65280", ExitCode(255, None)),
        ("9", ExitCode(None, 9)),
        ("139", ExitCode(None, 11)),  # with a core dump
        ("1", ExitCode(None, 1)),  # a job refused with BadConstraints; scontrol shows 0:1
    ],
)
def test_a_raw_wait_status_as_squeue_prints_it_up_to_22_05(raw: str, expected: ExitCode) -> None:
    assert exit_code(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0:0", ExitCode(0, None)),
        ("3:0", ExitCode(3, None)),
        ("0:9", ExitCode(None, 9)),
        ("1:15", ExitCode(1, 15)),
        ("0:125", ExitCode(None, 125)),  # Slurm's own mark of an OOM kill
    ],
)
def test_code_and_signal(raw: str, expected: ExitCode) -> None:
    assert exit_code(raw) == expected


def test_death_by_signal_is_not_success() -> None:
    for raw in ("9", "0:9"):
        assert exit_code(raw).code is None


@pytest.mark.parametrize("raw", ["", "N/A", "(null)", "4294967294"])
def test_no_exit_code_yet(raw: str) -> None:
    assert exit_code(raw) == ExitCode(None, None)


@pytest.mark.parametrize("raw", ["-1", "65536", "1:2:3", "3:", ":0", "3 :0", "x", "0:0\n", "1" * 5000])
def test_an_invalid_exit_code_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        exit_code(raw)
    assert caught.value.what == "exit code"


@given(st.integers(0, 255))
def test_both_spellings_of_a_code_agree(code: int) -> None:
    assert exit_code(str(code << 8)) == exit_code(f"{code}:0") == ExitCode(code, None)


@given(st.integers(1, 126))
def test_both_spellings_of_a_signal_agree(signal: int) -> None:
    assert exit_code(str(signal)) == exit_code(f"0:{signal}") == ExitCode(None, signal)


@given(st.integers(0, 0xFFFF))
def test_a_wait_status_reads_as_the_system_reads_it(status: int) -> None:
    if os.WIFEXITED(status):
        assert exit_code(str(status)) == ExitCode(os.WEXITSTATUS(status), None)
    elif os.WIFSIGNALED(status):
        assert exit_code(str(status)) == ExitCode(None, os.WTERMSIG(status))
    else:
        assert exit_code(str(status)) == ExitCode(None, None)


def test_the_status_of_a_real_process() -> None:
    pid = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]).pid
    _, status = os.waitpid(pid, 0)
    assert exit_code(str(status)) == ExitCode(3, None)


@given(st.text() | st.text("0123456789:"))
def test_exit_code_is_total(raw: str) -> None:
    try:
        ended = exit_code(raw)
    except ParseError:
        return
    assert ended.code is None or ended.code >= 0


NOTHING = ExitCode(None, None)


@pytest.mark.parametrize(
    ("by_squeue", "by_sacct", "state"),
    [
        ("15", "0:0", JobState.CANCELLED),
        ("768", "0:0", JobState.CANCELLED),  # it caught the signal, and ended with 3
        ("0", "0:0", JobState.CANCELLED),
        ("15", "0:0", JobState.TIMEOUT),
        ("0", "0:0", JobState.NODE_FAIL),
        ("15", "0:0", JobState.PREEMPTED),
        ("0:125", "0:125", JobState.OUT_OF_MEMORY),
        ("0", "0:0", JobState.RUNNING),
    ],
)
def test_a_job_that_slurm_ended_has_no_code_and_no_signal(by_squeue: str, by_sacct: str, state: JobState) -> None:
    assert of_job(by_squeue, state, has_run=True) == NOTHING
    assert of_accounted_job(by_sacct, "0:0", state, has_run=True) == NOTHING


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.DEADLINE, JobState.FAILED, JobState.COMPLETED])
def test_a_job_that_never_started_has_none_either(state: JobState) -> None:
    for by_squeue, by_sacct in (("0", "0:0"), ("1", "1:0")):
        assert of_job(by_squeue, state, has_run=False) == NOTHING
        assert of_accounted_job(by_sacct, "0:0", state, has_run=False) == NOTHING


@pytest.mark.parametrize(
    ("by_squeue", "by_sacct", "derived", "expected"),
    [
        ("768", "3:0", "0:0", ExitCode(3, None)),
        ("9", "0:9", "0:0", ExitCode(None, 9)),
        ("35072", "137:0", "0:0", ExitCode(137, None)),  # from 25.11
        ("35072", "9:0", "137:0", ExitCode(137, None)),  # its srun ended with 137
        ("35072", "9:0", "0:9", ExitCode(137, None)),  # a signal ended its step, and srun with 128 more
        ("32768", "0:0", "0:0", ExitCode(128, None)),
        ("2304", "9:0", "4:0", ExitCode(9, None)),
        ("1536", "6:0", "0:9", ExitCode(6, None)),
    ],
)
def test_a_job_that_failed_has_the_same_end_by_both(
    by_squeue: str, by_sacct: str, derived: str, expected: ExitCode
) -> None:
    assert of_job(by_squeue, JobState.FAILED, has_run=True) == expected
    assert of_accounted_job(by_sacct, derived, JobState.FAILED, has_run=True) == expected


def test_a_success_stays_a_success_whatever_its_steps_ended_with() -> None:
    assert of_accounted_job("0:0", "128:0", JobState.COMPLETED, has_run=True) == ExitCode(0, None)


def test_only_a_step_that_completed_has_code_0() -> None:
    assert of_step("0:0", JobState.COMPLETED) == ExitCode(0, None)
    for state in (JobState.FAILED, JobState.CANCELLED, JobState.NODE_FAIL):
        assert of_step("0:0", state) == NOTHING
    assert of_step("0:9", JobState.CANCELLED) == ExitCode(None, 9)
