"""Batch scripts, as scontrol writes them."""

import pytest

from slurm.batch_script import WRITE, batch_script, read
from slurm.command import Reply, SchedulerUnavailableError
from slurm.errors import ParseError
from slurm.refusal import Refusal, RefusalCode


@pytest.mark.parametrize(("job", "asked"), [("12", "12"), ("12_3", "12_3"), ("12_[4-9%2]", "12"), ("12+1", "12+1")])
def test_an_arrays_waiting_tasks_have_the_arrays_script(job: str, asked: str) -> None:
    (command,) = batch_script(job).commands
    assert (command.operation, command.arguments) == (WRITE, (asked,))


@pytest.mark.parametrize("job", ["", "-1", "12.batch", "12 13", "1;id"])
def test_an_invalid_job_id_is_not_looked_up(job: str) -> None:
    with pytest.raises(ParseError):
        batch_script(job)


def test_the_script_is_all_that_scontrol_prints() -> None:
    assert read([Reply(0, stdout="#!/bin/sh\necho 'error: none'\n\n")]) == "#!/bin/sh\necho 'error: none'\n\n"


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("Invalid job id specified", RefusalCode.NOT_FOUND),
        ("Invalid user id", RefusalCode.FORBIDDEN),
        ("Access/permission denied", RefusalCode.FORBIDDEN),
    ],
)
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_refusal_is_on_stderr_whatever_the_exit_code(why: str, code: RefusalCode, exit_code: int) -> None:
    found = read([Reply(exit_code, stderr=f"job script retrieval failed: {why}\n")])
    assert isinstance(found, Refusal)
    assert found.code is code


def test_a_job_without_a_script_has_none() -> None:
    assert read([Reply(0, stderr="job script retrieval failed: Job script not specified\n")]) is None


def test_a_scheduler_that_is_away_is_a_fault() -> None:
    with pytest.raises(SchedulerUnavailableError):
        read([Reply(1, stderr="job script retrieval failed: Unable to contact slurm controller (connect failure)\n")])
