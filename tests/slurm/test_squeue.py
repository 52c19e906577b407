"""Jobs as squeue prints them. The rows are Slurm 22.05's, and say which columns make a field."""

from datetime import UTC, datetime

import pytest

from slurm import framing, squeue
from slurm.column import Rows
from slurm.command import Question, Reply, SchedulerUnavailableError, SlurmError
from slurm.errors import ParseError
from slurm.squeue import Job
from slurm.states import JobState

SEPARATOR = "~0123abCD"

# squeue --noheader --all --states=all --noconvert, SLURM_TIME_FORMAT=%s, SLURM_BITSTR_LEN=0
RUNNING = {
    "JobArrayID": "1",
    "JobID": "1",
    "Name": "train",
    "UserName": "ada",
    "Account": "(null)",
    "State": "RUNNING",
    "Reason": "None",
    "Partition": "queue1",
    "NodeList": "queue1-st-small-1",
    "QOS": "(null)",
    "PriorityLong": "4294901759",
    "SubmitTime": "1795372140",
    "EligibleTime": "1795372140",
    "StartTime": "1795372143",
    "EndTime": "1795377543",
    "TimeLimit": "1:30:00",
    "TimeUsed": "0:07",
    "tres-alloc": "cpu=1,node=1,billing=1",
    "NumNodes": "1",
    "NumCPUs": "1",
    "NumTasks": "1",
    "tres-per-job": "N/A",
    "tres-per-node": "N/A",
    "tres-per-socket": "N/A",
    "tres-per-task": "N/A",
    "Sockets": "*",
    "exit_code": "0",
    "ArrayJobID": "1",
    "ArrayTaskID": "N/A",
    "Dependency": "(null)",
    "WorkDir": "/home/ada",
    "Command": "(null)",
    "StdOut": "/home/ada/slurm-1.out",
    "StdErr": "/home/ada/slurm-1.out",
    "BatchHost": "queue1-st-small-1",
    "Comment": "why",
    "admin_comment": "(null)",
    "RestartCnt": "0",
}
WAITING = RUNNING | {
    "State": "PENDING",
    "Reason": "JobHeldUser",
    "NodeList": "",
    "PriorityLong": "0",
    "EligibleTime": "N/A",
    "StartTime": "N/A",
    "EndTime": "N/A",
    "TimeLimit": "UNLIMITED",
    "TimeUsed": "0:00",
}
FAILED = RUNNING | {"State": "FAILED", "Reason": "NonZeroExitCode", "exit_code": "768"}


def printed(question: Question[Rows[Job]], *rows: dict[str, str]) -> str:
    """What squeue prints where it has those rows: each column's text and what the format puts behind it."""
    (command,) = question.commands
    columns = [item.split(":") for item in command.environment["SQUEUE_FORMAT2"].split(",")]
    return "".join("".join(row[column] + end for column, end in columns) + "\n" for row in rows)


def read(*rows: dict[str, str]) -> Rows[Job]:
    question = squeue.jobs()
    return question.read([Reply(0, printed(question, *rows))])


def job(row: dict[str, str], **columns: str) -> Job:
    """The job of a row, some of whose columns are others (`_` for `-`)."""
    return read(row | {name.replace("_", "-") if "tres" in name else name: text for name, text in columns.items()})[0]


def test_a_running_job() -> None:
    found = job(RUNNING)
    assert (found.job_id, found.name, found.user, found.state, found.reason) == (
        "1",
        "train",
        "ada",
        JobState.RUNNING,
        None,
    )
    assert found.node_names == ["queue1-st-small-1"]
    assert found.submit_time == datetime.fromtimestamp(1795372140, UTC)
    assert (found.time_limit_seconds, found.elapsed_seconds) == (5400, 7)
    assert (found.node_count, found.cpu_count, found.memory_mib, found.gpu_count) == (1, 1, None, None)
    assert (found.exit_code, found.exit_signal, found.array_job_id, found.het_job_id) == (None, None, None, None)
    assert (found.account, found.qos, found.dependency, found.command, found.comment) == (None, None, None, None, "why")


def test_an_empty_comment_is_none() -> None:
    """scontrol clears a comment by an empty one."""
    found = job(RUNNING, Comment="", admin_comment="")
    assert (found.comment, found.admin_comment) == (None, None)


def test_what_an_administrator_noted() -> None:
    assert job(RUNNING).admin_comment is None
    assert job(RUNNING, admin_comment="watch, this\none").admin_comment == "watch, this\none"


def test_a_waiting_job() -> None:
    found = job(WAITING)
    assert (found.state, found.reason, found.node_names, found.priority) == (JobState.PENDING, "JobHeldUser", [], 0)
    assert (found.eligible_time, found.start_time, found.end_time) == (None, None, None)
    assert found.time_limit_seconds is None


@pytest.mark.parametrize(
    ("status", "state", "code", "signal"),
    [
        ("768", "FAILED", 3, None),
        ("3:0", "FAILED", 3, None),
        ("9", "FAILED", None, 9),
        ("0:15", "CANCELLED", None, None),
        ("15", "TIMEOUT", None, None),
        ("0", "COMPLETED", 0, None),
        ("0", "RUNNING", None, None),
    ],
)
def test_the_exit_code_means_something_once_the_job_has_ended(
    status: str, state: str, code: int | None, signal: int | None
) -> None:
    found = job(FAILED, exit_code=status, State=state)
    assert (found.exit_code, found.exit_signal) == (code, signal)


@pytest.mark.parametrize("nodes", ["", "N/A", "(null)"])
def test_a_job_that_never_had_a_node_has_no_exit_code(nodes: str) -> None:
    found = job(FAILED, exit_code="0", State="CANCELLED", NodeList=nodes)
    assert (found.exit_code, found.exit_signal) == (None, None)


@pytest.mark.parametrize(
    ("id", "tasks"), [("7", 1), ("7_3", 1), ("7+1", 1), ("7_[1-5%2]", 5), ("7_[1-9:2,20]", 6), ("7_[4]", 1)]
)
def test_a_row_of_waiting_tasks_counts_each(id: str, tasks: int) -> None:
    assert squeue.task_count(id) == tasks


def test_an_array_s_waiting_tasks_are_one_row() -> None:
    found = job(WAITING, JobArrayID="2_[1-5%2]", JobID="2")
    assert (found.job_id, found.array_job_id, found.array_task_id) == ("2_[1-5%2]", "2", None)


def test_a_task_keeps_its_array_and_its_index() -> None:
    found = job(RUNNING, JobArrayID="2_3", JobID="7")
    assert (found.job_id, found.array_job_id, found.array_task_id) == ("2_3", "2", 3)


def test_a_component_of_a_heterogeneous_job() -> None:
    found = job(WAITING, JobArrayID="5+1", JobID="6")
    assert (found.job_id, found.het_job_id, found.array_job_id) == ("5+1", "5", None)


def test_jobs_are_ordered_by_id_then_task_and_waiting_tasks_come_last() -> None:
    def numbered(id: str, raw: str) -> dict[str, str]:
        return WAITING | {"JobArrayID": id, "JobID": raw}

    rows = read(
        numbered("10", "10"),
        numbered("5+1", "6"),
        numbered("2_[4-9]", "2"),
        numbered("8_[1]", "8"),
        numbered("8_2", "13"),
        numbered("2_10", "12"),
        numbered("2_3", "11"),
        numbered("9", "9"),
        numbered("5+0", "5"),
    )
    ordered = sorted(rows, key=lambda row: row.order)
    assert [row.job_id for row in ordered] == ["2_3", "2_10", "2_[4-9]", "5+0", "5+1", "8_[1]", "8_2", "9", "10"]
    assert len(set(rows.values(Job.order))) == len(rows)


@pytest.mark.parametrize(
    ("columns", "count", "model"),
    [
        ({"tres_per_job": "gres:gpu:5"}, 5, None),
        ({"tres_per_job": "gres:gpu:a100:5"}, 5, "a100"),
        ({"tres_per_node": "gres:gpu:a100:2", "tres_alloc": "cpu=2,node=2", "NumNodes": "3"}, 4, "a100"),
        ({"tres_per_task": "gres:gpu:2", "NumTasks": "3"}, 6, None),
        ({"tres_per_socket": "gres:gpu:a100:2", "Sockets": "2", "tres_alloc": "cpu=6,node=3"}, 12, "a100"),
        ({"tres_per_socket": "gres/gpu:2", "Sockets": "*"}, None, None),
        ({"tres_alloc": "cpu=2,node=2,gres/gpu=4", "tres_per_node": "gres:gpu:8"}, 4, None),
        ({}, None, None),
    ],
)
def test_gpus_are_those_allocated_else_those_asked_for(
    columns: dict[str, str], count: int | None, model: str | None
) -> None:
    found = job(WAITING, **columns)
    assert (found.gpu_count, found.gpu_type) == (count, model)


def test_a_waiting_job_s_nodes_are_those_it_asks_for_not_squeues_guess() -> None:
    assert job(WAITING, tres_alloc="cpu=12,mem=2241330M,node=2,billing=12", NumNodes="3").node_count == 2
    assert job(WAITING, tres_alloc="", NumNodes="3").node_count == 3


def test_memory_is_the_whole_job_s() -> None:
    assert job(WAITING, tres_alloc="cpu=2,mem=2241330M,node=2").memory_mib == 2_241_330
    assert job(WAITING, tres_alloc="cpu=2,mem=1.5G,node=2").memory_mib == 1536


def test_a_waiting_job_may_name_several_queues() -> None:
    found = job(WAITING, Partition="queue1,gpu")
    assert squeue.queue_names(found) == ["queue1", "gpu"]


def test_a_state_of_a_later_slurm_is_unknown_and_its_word_is_kept() -> None:
    found = job(WAITING, State="SOMETHING_NEW")
    assert (found.state, found.raw_state) == (JobState.UNKNOWN, "SOMETHING_NEW")


@pytest.mark.parametrize("id", ["", "x", "5+", "_3", "5+x"])
def test_an_id_that_no_slurm_prints_has_no_place(id: str) -> None:
    with pytest.raises(ParseError):
        _ = job(WAITING, JobArrayID=id).order


def test_text_that_slurm_never_prints_is_null_and_reported() -> None:
    found = job(WAITING, SubmitTime="2026-11-22T18:00:00")
    assert found.submit_time is None
    assert [(each.field, each.text) for each in found.rows.unreadable] == [("submit_time", "2026-11-22T18:00:00")]


def test_all_jobs_are_requested_without_an_id() -> None:
    (command,) = squeue.jobs().commands
    assert (command.operation, command.options) == (squeue.SQUEUE, {})
    columns = [part.split(":")[0] for part in command.environment["SQUEUE_FORMAT2"].split(",")]
    assert sorted(columns) == sorted(Job.sources())


def test_jobs_in_brief_have_the_most_used_columns() -> None:
    (command,) = squeue.jobs_in_brief().commands
    columns = [part.split(":")[0] for part in command.environment["SQUEUE_FORMAT2"].split(",")]
    assert (command.operation, command.options, sorted(columns)) == (squeue.SQUEUE, {}, sorted(squeue.IN_BRIEF))
    assert squeue.in_brief(Job.cpu_count) and squeue.in_brief(Job.node_count)
    assert squeue.in_brief(Job.phase) and squeue.in_brief(Job.succeeded) and squeue.in_brief(Job.exit_code)
    assert not squeue.in_brief(Job.gpu_count), "some of its columns are"


def test_each_question_has_a_separator_of_its_own() -> None:
    (one,), (other,) = squeue.jobs().commands, squeue.jobs().commands
    assert one.environment != other.environment


def test_some_jobs_are_requested_by_their_ids() -> None:
    (command,) = squeue.jobs(["1", "2_3"]).commands
    assert command.options == {"jobs": "1,2_3"}


def test_ids_that_squeue_cannot_read_are_not_requested() -> None:
    """squeue 22.05 reads them into an int and then gives up on the whole list."""
    (command,) = squeue.jobs(["1", "4294960000", "4294960000_1"]).commands
    assert command.options == {"jobs": "1"}
    alone = squeue.jobs(["4294960000"])
    assert alone.commands == ()
    assert len(alone.read([])) == 0


def test_the_job_of_an_earlier_reply_is_requested_by_the_reply_s_number() -> None:
    (command,) = squeue.submitted_job(0).commands
    assert command.options == {"jobs": 0}


def test_an_unknown_id_gives_no_row() -> None:
    assert (
        len(squeue.read([Reply(1, "", "slurm_load_jobs error: Invalid job id specified\n")], SEPARATOR, Job.sources()))
        == 0
    )


def test_a_scheduler_that_does_not_answer_is_unavailable() -> None:
    words = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(SchedulerUnavailableError, match="Unable to contact slurm controller"):
        squeue.read([Reply(1, "", words)], SEPARATOR, Job.sources())


def test_another_failure_is_reported_in_squeues_words() -> None:
    with pytest.raises(SlurmError, match="Invalid job format specification"):
        squeue.read([Reply(1, "", "squeue: error: Invalid job format specification: Nme\n")], SEPARATOR, Job.sources())


@pytest.mark.parametrize(("id", "asked"), [("12", "12"), ("12_3", "12_3"), ("12_[4-9%2]", "12"), ("12+1", "12")])
def test_a_row_is_found_by_what_squeue_takes_for_an_id(id: str, asked: str) -> None:
    assert squeue.lookup_id(id) == asked


def test_names_with_newlines_and_separators_of_others_stay_in_their_row() -> None:
    hostile = f"a\n999{framing.separator()}RUNNING\n"
    rows = read(WAITING | {"Name": hostile, "Comment": hostile}, RUNNING)
    assert [(row.name, row.comment) for row in rows] == [(hostile, hostile), ("train", "why")]
