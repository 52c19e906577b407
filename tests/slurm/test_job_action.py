"""Actions on jobs: one command a job, so that each has its own answer."""

import pytest

from slurm import job_action
from slurm.command import Command, Reply, SchedulerUnavailableError
from slurm.errors import ParseError
from slurm.operation import Operation
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode


def test_each_job_has_its_own_command() -> None:
    assert job_action.cancel(["1", "2_3"]).commands == (
        Command(job_action.SCANCEL, arguments=("1",)),
        Command(job_action.SCANCEL, arguments=("2_3",)),
    )


def test_a_signal_is_an_option() -> None:
    assert job_action.cancel(["1"], "KILL").commands == (Command(job_action.SCANCEL, {"signal": "KILL"}, ("1",)),)


def test_only_running_jobs_get_a_signal_that_does_not_end_a_waiting_job() -> None:
    (command,) = job_action.cancel(["1"], "USR1").commands
    assert command == Command(job_action.SCANCEL, {"signal": "USR1", "state": "RUNNING"}, ("1",))


def test_scancels_messages_about_waiting_and_missing_jobs() -> None:
    """Slurm 22.05.8."""
    question = job_action.cancel(["1", "2", "3"], "USR1")
    none = "scancel: error: No active jobs match ALL job filters, including: state=RUNNING \n"
    unknown = "scancel: error: Kill job error on job id 2: Invalid job id specified\n" + none
    one, two, three = question.read([Reply(0, "", none), Reply(1, "", unknown), Reply(0, "", "scancel: Signal 10")])
    assert one == Refusal(RefusalCode.CONFLICT, job_action.NOT_RUNNING, None, "1")
    assert two == Refusal(RefusalCode.NOT_FOUND, "Kill job error on job id 2: Invalid job id specified", None, "2")
    assert three is None


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        (job_action.hold, job_action.HOLD),
        (job_action.release, job_action.RELEASE),
        (job_action.requeue, job_action.REQUEUE),
    ],
)
def test_scontrols_actions(action: object, operation: Operation) -> None:
    assert callable(action)
    assert action(["1+0"]).commands == (Command(operation, arguments=("1+0",)),)


def test_an_arrays_limit_is_no_part_of_its_tasks() -> None:
    (command,) = job_action.cancel(["1_[3-9,11%2]"]).commands
    assert command.arguments == ("1_[3-9,11]",)


def test_a_job_whose_outcome_is_unknown_hides_nothing_of_the_others() -> None:
    question = job_action.hold(["1", "2", "3", "4"])
    lost = Reply(1, "", "slurm_update error: Zero Bytes were transmitted or received\n")
    down = Reply(1, "", "slurm_update error: Unable to contact slurm controller (connect failure)\n")
    held, unknown, not_done, refused = question.read(
        [Reply(0), lost, down, Reply(1, "", "Access/permission denied for job 4\n")]
    )
    assert held is None
    assert unknown is not None
    assert (unknown.code, unknown.id) == (RefusalCode.OUTCOME_UNKNOWN, "2")
    assert not_done is not None
    assert (not_done.code, not_done.id) == (RefusalCode.REJECTED_BY_SCHEDULER, "3")
    assert refused is not None
    assert (refused.code, refused.id) == (RefusalCode.FORBIDDEN, "4")
    with pytest.raises(OutcomeUnknown):
        job_action.hold(["1", "2"]).read([lost, lost])
    with pytest.raises(SchedulerUnavailableError):
        job_action.hold(["1"]).read([down])


@pytest.mark.parametrize("id", ["-1", "1;id", "1 2", "name=x", ""])
def test_an_invalid_job_id_becomes_no_command(id: str) -> None:
    with pytest.raises(ParseError):
        job_action.hold([id])


def test_each_answer_belongs_to_its_job() -> None:
    question = job_action.cancel(["1", "2", "3"])
    unknown = Reply(0, "", "scancel: error: Kill job error on job id 2: Invalid job id specified\n")
    one, two, three = question.read([Reply(0), unknown, Reply(0)])
    assert (one, three) == (None, None)
    assert two is not None
    assert (two.code, two.id) == (RefusalCode.NOT_FOUND, "2")


@pytest.mark.parametrize("signal", ["TERM", "SIGUSR1", "KILL", "9", "64", "RTMIN"])
def test_signals_are_names_and_numbers(signal: str) -> None:
    assert job_action.SIGNAL(signal) == signal


@pytest.mark.parametrize("signal", ["", "0", "-9", "100", "term", "TERM;id", "TERM\n", "--batch", "A"])
def test_other_words_are_not_signals(signal: str) -> None:
    with pytest.raises(ValueError, match="TERM, USR1 or 9"):
        job_action.SIGNAL(signal)


@pytest.mark.parametrize("signal", ["BOGUS", "KILL"])
def test_a_signal_that_slurm_does_not_know_is_named(signal: str) -> None:
    said = Reply(1, "", f"scancel: error: Unknown job signal: {signal}\n")
    (why,) = job_action.cancel(["1"], signal).read([said])
    assert why is not None
    assert (why.code, why.field, why.id) == (RefusalCode.INVALID_INPUT, ["input", "signal"], "1")
