"""The use of running steps. Texts are those of a real Slurm 22.05.8."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_check import argv
from slurm import accounted_step, sstat
from slurm.column import Rows
from slurm.command import ProgramRefusedError, Reply
from slurm.errors import ParseError
from slurm.sstat import NotPermittedError, RunningStep, running_steps

ROW = {
    "JobID": "25.0",
    "NTasks": "2",
    "Nodelist": "queue1-st-small-1",
    "TRESUsageInTot": "cpu=00:00:13,energy=0,fs/disk=88236,mem=100118528,pages=0,vmem=112467968",
    "AveCPU": "00:00:06",
    "MaxRSS": "50130944",
    "AveRSS": "50059264",
}
OTHERS = (
    "sstat: error: slurm_job_step_stat: there was an error with the request to queue1-st-small-2 rc = Invalid user id\n"
    "sstat: error: problem getting step_layout for StepId=6.batch: Invalid user id\n"
)


def answer(*rows: dict[str, str], stderr: str = "") -> Rows[RunningStep]:
    question = running_steps(["25"])
    columns = str(question.commands[0].options["format"]).split(",")
    lines = "".join("|".join(row[column] for column in columns) + "\n" for row in rows)
    return question.read([Reply(0, lines, stderr)])


def test_the_command_of_a_question() -> None:
    (command,) = running_steps(["25", "26"]).commands
    assert command.operation is sstat.SSTAT
    assert command.options["jobs"] == "25,26"


def test_a_running_step() -> None:
    (step,) = answer(ROW)
    assert (step.step_id, step.raw_id, step.task_count) == ("25.0", "25", 2)
    assert step.node_names == ["queue1-st-small-1"]
    assert (step.cpu_time_seconds, step.ave_cpu_seconds) == (13, 6)
    assert (step.max_rss_mib, step.ave_rss_mib, step.total_rss_mib) == (48, 48, 96)


def test_no_ids_send_nothing() -> None:
    question = running_steps([])
    assert question.commands == ()
    assert len(question.read([])) == 0


def test_a_job_that_does_not_run_has_no_steps() -> None:
    assert len(answer(stderr="sstat: error: No steps running for job 8\n")) == 0


def test_other_peoples_jobs_are_left_out() -> None:
    assert [step.step_id for step in answer(ROW, stderr=OTHERS)] == ["25.0"]


def test_only_other_peoples_jobs_are_an_error_that_says_so() -> None:
    with pytest.raises(NotPermittedError, match="own user"):
        answer(stderr=OTHERS)


def test_a_caller_without_an_account_on_the_cluster() -> None:
    refusal = Reply(None, refusal="'None' is not a user name of the cluster", refusal_code="forbidden")
    with pytest.raises(ProgramRefusedError):
        running_steps(["25"]).read([refusal])


def test_the_last_task_of_an_array_has_the_arrays_number_and_sstat_shows_all_tasks_twice() -> None:
    rows = [ROW | {"JobID": "27.batch"}, ROW | {"JobID": "27.batch"}, ROW | {"JobID": "26.batch"}]
    assert [step.step_id for step in answer(*rows)] == ["27.batch", "26.batch"]


def test_a_row_with_another_number_of_columns_is_an_error() -> None:
    with pytest.raises(ParseError):
        answer(ROW | {"Nodelist": "a|b"})


def test_ended_and_running_steps_have_the_same_fields() -> None:
    ended = {column.name: column.type for column in accounted_step.Step.columns()}
    for column in RunningStep.columns():
        assert ended[column.name] == column.type


@given(st.lists(st.from_regex(r"[1-9][0-9]{0,9}", fullmatch=True), min_size=1))
def test_the_head_node_takes_whatever_is_asked(ids: list[str]) -> None:
    (command,) = running_steps(ids).commands
    assert argv(command)[-1].startswith("--")


@given(st.text() | st.text("0123456789|.\n:=,"))
def test_reading_is_total(printed: str) -> None:
    with suppress(ParseError):
        for step in running_steps(["25"]).read([Reply(0, printed)]):
            for column in RunningStep.columns():
                getattr(step, column.name)
