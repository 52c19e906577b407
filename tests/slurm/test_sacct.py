"""Job history: what is asked of sacct, and how its answers are read. Texts are those of a real Slurm 22.05.8."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headnode.program.refused import Refused
from program_check import argv, argv_of
from slurm import sacct_search, squeue, sstat
from slurm.accounted_step import Step
from slurm.command import AccountingDisabledError, Command, Question, Reply, SchedulerUnavailableError, SlurmError
from slurm.errors import ParseError, SeparatorError
from slurm.operation import RunsAs
from slurm.sacct import History, HistoryJob, allocations, history
from slurm.sacct_search import Search
from slurm.states import JobState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

JOB = {
    "JobID": "4",
    "JobIDRaw": "4",
    "DBIndex": "4",
    "JobName": "steps",
    "User": "ada",
    "State": "COMPLETED",
    "Reason": "None",
    "Partition": "queue1",
    "NodeList": "queue1-st-small-2",
    "QOS": "normal",
    "Priority": "4294901756",
    "Submit": "1795370982",
    "Eligible": "1795370982",
    "Start": "1795370983",
    "End": "1795370989",
    "Timelimit": "UNLIMITED",
    "ElapsedRaw": "6",
    "NNodes": "1",
    "AllocCPUS": "2",
    "ReqCPUS": "2",
    "ReqTRES": "billing=2,cpu=2,mem=200M,node=1",
    "AllocTRES": "billing=2,cpu=2,mem=200M,node=1",
    "ExitCode": "0:0",
    "WorkDir": "/home/ada",
    "TotalCPU": "00:02.778",
    "CPUTimeRAW": "12",
}
BATCH = {
    "JobID": "4.batch",
    "JobIDRaw": "4.batch",
    "DBIndex": "4",
    "JobName": "batch",
    "State": "COMPLETED",
    "NodeList": "queue1-st-small-2",
    "Submit": "1795370983",
    "Start": "1795370983",
    "End": "1795370989",
    "ElapsedRaw": "6",
    "NNodes": "1",
    "NTasks": "1",
    "AllocCPUS": "2",
    "AllocTRES": "cpu=2,mem=200M,node=1",
    "ExitCode": "0:0",
    "TotalCPU": "00:00.035",
    "AveCPU": "00:00:00",
    "MaxRSS": "10956800",
    "AveRSS": "10956800",
    "TRESUsageInTot": "cpu=00:00:00,energy=0,fs/disk=57243,mem=10956800,pages=0,vmem=224743424",
}
MEMORY = BATCH | {
    "JobID": "4.2",
    "JobIDRaw": "4.2",
    "JobName": "mem",
    "TotalCPU": "00:02.733",
    "AveCPU": "00:00:02",
    "MaxRSS": "134053888",
}
TOO_SHORT_TO_MEASURE = BATCH | {
    "JobID": "4.1",
    "JobIDRaw": "4.1",
    "JobName": "second",
    "State": "FAILED",
    "ExitCode": "7:0",
    "TotalCPU": "00:00.002",
    "AveCPU": "",
    "MaxRSS": "",
    "AveRSS": "",
    "TRESUsageInTot": "",
}
WAITING = JOB | {
    "State": "PENDING",
    "NodeList": "None assigned",
    "Priority": "0",
    "Eligible": "Unknown",
    "Start": "Unknown",
    "End": "Unknown",
    "Timelimit": "Partition_Limit",
    "ElapsedRaw": "0",
    "AllocCPUS": "0",
    "AllocTRES": "",
    "ReqTRES": "billing=2,cpu=2,gres/gpu=2,mem=200M,node=1",
    "TotalCPU": "00:00:00",
    "CPUTimeRAW": "0",
}


def printed(columns: Sequence[str], separator: str, rows: Sequence[Mapping[str, str]]) -> str:
    """What sacct prints: each field ended by the separator, each row by a newline."""
    return "".join("".join(row.get(column, "") + separator for column in columns) + "\n" for row in rows)


def answer(*rows: Mapping[str, str], search: Search | None = None, steps: bool = True) -> History:
    """The history that sacct's rows give."""
    question = (history if steps else allocations)(search or Search())
    return question.read([reply_to(command, rows) for command in question.commands])


def reply_to(command: Command, rows: Sequence[Mapping[str, str]]) -> Reply:
    options = options_of(command)
    return Reply(0, printed(options["format"].split(","), options["delimiter"], rows))


def options_of(command: Command) -> dict[str, str]:
    return {name: str(value) for name, value in command.options.items()}


def all_asked(search: Search) -> list[dict[str, str]]:
    """The options of a search's commands, but those of their form."""
    form = ("format", "delimiter")
    commands = map(options_of, history(search).commands)
    return [{name: value for name, value in options.items() if name not in form} for options in commands]


def asked(search: Search) -> dict[str, str]:
    """The options of a search's one command; beside it, with a window, only that for jobs that never were eligible."""
    first, *others = all_asked(search)
    if "starttime" in first and "state" not in first and "nodelist" not in first:
        (never_eligible,) = others
        assert never_eligible == {
            **first,
            "allocations": "",
            "state": "CANCELLED,DEADLINE",
            "endtime": never_eligible["endtime"],
        }
    else:
        assert others == []
    return first


# --- asking ---------------------------------------------------------------------------------------------------------


def test_the_default_window_begins_with_the_first_record() -> None:
    assert asked(Search()) == {"starttime": "1970-01-02T00:00:00"}


def test_the_window_is_sent_in_utc_whatever_the_zone() -> None:
    east = datetime(2026, 11, 22, 14, tzinfo=timezone(timedelta(hours=2)))
    assert asked(Search(since=east, until=east + timedelta(hours=1))) == {
        "starttime": "2026-11-22T12:00:00",
        "endtime": "2026-11-22T13:00:00",
    }


def test_a_time_without_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        history(Search(since=datetime(2026, 11, 22)))


def test_every_condition_that_sacct_knows_is_handed_to_it() -> None:
    conditions: dict[str, Any] = {
        "users": ["ada"],
        "account": "genomics",
        "node_name": "n1",
        "name": "train",
        "since": NOON,
    }
    options = {
        "user": "ada",
        "accounts": "genomics",
        "nodelist": "n1",
        "name": "train",
        "starttime": "2026-11-22T12:00:00",
    }
    assert asked(Search(**conditions)) == options
    ended = Search(**conditions, queue="queue1", states=[JobState.COMPLETED])
    assert asked(ended).items() >= {**options, "partition": "queue1"}.items()


def test_jobs_that_may_wait_for_several_queues_are_fetched_separately_by_id() -> None:
    in_queue, that_wait, never_eligible = all_asked(Search(queue="queue1", since=NOON))
    assert in_queue["partition"] == "queue1"
    assert "partition" not in that_wait | never_eligible
    assert [that_wait[name] for name in ("state", "starttime", "endtime")] == ["PENDING", "now", "now"]
    _, that_waited, _ = all_asked(Search(queue="queue1", since=NOON, until=NOON))
    assert {that_waited[name] for name in ("starttime", "endtime")} == {"2026-11-22T12:00:00"}
    assert asked(Search(queue="queue1", ids=["4"])) == {"jobs": "4"}


def test_jobs_that_ended_before_they_were_eligible_are_asked_for_by_their_states() -> None:
    _, never_eligible = all_asked(
        Search(since=NOON, users=["ada"], states=[JobState.CANCELLED], until=NOON + timedelta(hours=1))
    )
    assert never_eligible == {
        "allocations": "",
        "user": "ada",
        "state": "CANCELLED,DEADLINE",
        "starttime": "2026-11-22T12:00:00",
        "endtime": "2026-11-22T12:59:59",
    }
    by_states, *others = all_asked(Search(since=NOON, states=[JobState.CANCELLED]))
    assert "CANCELLED" in by_states["state"].split(",")
    assert others == []


def test_a_job_in_two_answers_of_sacct_is_one_job() -> None:
    found = answer(JOB, BATCH, MEMORY, search=Search(queue="queue1", since=NOON))
    assert (len(found.jobs), len(found.steps)) == (1, 2)


@pytest.mark.parametrize("name", ["a,b", "two words", "--uid=0", "-x", "a|b", "ü", ""])
def test_a_name_that_means_something_else_to_sacct_is_left_to_the_caller(name: str) -> None:
    assert "name" not in asked(Search(name=name))


def test_ids_need_no_window() -> None:
    assert asked(Search(ids=["4", "5"])) == {"jobs": "4,5"}


def test_waiting_tasks_and_components_are_requested_by_their_number() -> None:
    assert asked(Search(ids=["5_[0-3%2]", "11+1", "5_[7]"])) == {"jobs": "5,11"}


def test_an_invalid_job_id_is_an_error() -> None:
    with pytest.raises(ParseError):
        history(Search(ids=["4.batch"]))


def test_sacct_takes_the_start_of_the_window_for_its_end_if_states_come_without_an_end() -> None:
    assert asked(Search(states=[JobState.FAILED], since=NOON))["endtime"] == "now"


def test_with_states_requeued_runs_are_fetched_so_that_they_can_be_counted() -> None:
    assert asked(Search(states=[JobState.FAILED]))["state"] == "BOOT_FAIL,FAILED,NODE_FAIL,PREEMPTED,REQUEUED,RESIZING"


@pytest.mark.parametrize("state", [JobState.CONFIGURING, JobState.COMPLETING, JobState.UNKNOWN])
def test_a_state_that_accounting_does_not_know_is_left_to_the_caller(state: JobState) -> None:
    assert "state" not in asked(Search(states=[JobState.FAILED, state]))


def test_current_states_are_not_requested_with_a_window_that_has_ended() -> None:
    assert "state" not in asked(Search(states=[JobState.FAILED], since=NOON, until=NOON + timedelta(hours=1)))


def test_a_few_users_are_requested_one_by_one_and_many_are_left_to_the_caller() -> None:
    few, many = Search(users=["ada", "grace"], ids=["1"]), Search(users=list("abcdefg"), ids=["1"])
    assert [options.get("user") for options in all_asked(few)] == ["ada", "grace"]
    assert [options.get("user") for options in all_asked(many)] == [None]


def test_every_command_has_a_separator_of_its_own() -> None:
    separators = [options_of(command)["delimiter"] for command in history(Search(users=["ada", "grace"])).commands]
    assert len(set(separators)) == len(separators) > 2


words = st.text() | st.from_regex(r"[A-Za-z0-9_.-]{1,12}", fullmatch=True)


@given(
    st.builds(
        Search,
        ids=st.none() | st.lists(st.sampled_from(["4", "5_1", "5_[0-3%2]", "11+0"]), min_size=1),
        users=st.none() | st.lists(words, max_size=6),
        account=st.none() | words,
        queue=st.none() | words,
        states=st.none() | st.lists(st.sampled_from(JobState)),
        node_name=st.none() | words,
        name=st.none() | words,
        since=st.none() | st.datetimes(timezones=st.just(UTC)),
        until=st.none() | st.datetimes(timezones=st.just(UTC)),
    ),
    st.sampled_from([history, allocations]),
)
def test_the_head_node_takes_whatever_is_asked(search: Search, question: Callable[[Search], Question[History]]) -> None:
    for command in question(search).commands:
        words = argv(command)
        assert words[0] == "sacct"
        assert all(word.startswith("--") for word in words[1:])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user", "ada,grace"),
        ("jobs", "4;5"),
        ("jobs", "4.batch"),
        ("starttime", "now-1hours"),
        ("name", "--help"),
        ("format", "JobID%30"),
        ("delimiter", "|"),
        ("file", "/etc/passwd"),
        ("state", "R D"),
    ],
)
def test_the_head_node_refuses_other_options(option: str, value: str) -> None:
    with pytest.raises(Refused):
        argv_of("sacct", {option: value})


def test_sacct_runs_as_the_reader_and_sstat_as_the_caller() -> None:
    assert (sacct_search.SACCT.runs_as, sstat.SSTAT.runs_as) == (RunsAs.READER, RunsAs.CALLER)


# --- reading --------------------------------------------------------------------------------------------------------


def test_an_ended_job() -> None:
    found = answer(JOB, BATCH, TOO_SHORT_TO_MEASURE, MEMORY)
    (job,) = found.jobs
    assert (job.job_id, job.name, job.user, job.state) == ("4", "steps", "ada", JobState.COMPLETED)
    assert (job.account, job.reason, job.queue_name, job.qos) == (None, None, "queue1", "normal")
    assert job.node_names == ["queue1-st-small-2"]
    assert job.start_time == datetime(2026, 11, 22, 18, 9, 43, tzinfo=UTC)
    assert (job.end_time, job.elapsed_seconds) == (datetime(2026, 11, 22, 18, 9, 49, tzinfo=UTC), 6)
    assert (job.cpu_count, job.memory_mib, job.gpu_count, job.time_limit_seconds) == (2, 200, None, None)
    assert (job.exit_code, job.exit_signal) == (0, None)
    assert (job.cpu_time_seconds, job.cpu_time_reserved_seconds) == (2, 12)
    assert (job.max_rss_mib, job.restart_count) == (128, 0)


def test_its_steps() -> None:
    found = answer(JOB, BATCH, TOO_SHORT_TO_MEASURE, MEMORY)
    batch, second, memory = found.steps_of(found.jobs[0])
    assert (batch.step_id, batch.name, batch.task_count, batch.max_rss_mib) == ("4.batch", "batch", 1, 11)
    assert (memory.cpu_time_seconds, memory.ave_cpu_seconds, memory.max_rss_mib) == (2, 2, 128)
    assert (second.state, second.exit_code) == (JobState.FAILED, 7)


def test_a_step_that_was_too_short_to_be_measured_has_null_not_zero() -> None:
    found = answer(JOB, TOO_SHORT_TO_MEASURE)
    (step,) = found.steps
    assert (step.max_rss_mib, step.ave_rss_mib, step.total_rss_mib, step.ave_cpu_seconds) == (None,) * 4
    assert found.jobs[0].max_rss_mib is None


def test_a_job_that_never_started_shows_what_it_asked_for() -> None:
    (job,) = answer(WAITING).jobs
    assert (job.state, job.node_names, job.cpu_count, job.memory_mib, job.gpu_count) == (
        JobState.PENDING,
        [],
        2,
        200,
        2,
    )
    assert (job.eligible_time, job.start_time, job.end_time, job.time_limit_seconds) == (None,) * 4
    assert (job.exit_code, job.cpu_time_seconds, job.priority) == (None, None, 0.0)


def test_a_job_that_ended_without_nodes_has_no_start_even_where_slurm_records_its_end_as_one() -> None:
    end = "1795370989"
    (job,) = answer(WAITING | {"State": "CANCELLED by 1000", "Start": end, "End": end}).jobs
    assert (job.start_time, job.end_time) == (None, datetime.fromtimestamp(int(end), UTC))


def test_a_job_that_was_cancelled_while_it_was_submitted_ended_then() -> None:
    """24.11 records no End of it."""
    cancelled = {"State": "CANCELLED", "Start": "1795805502", "End": "Unknown", "ElapsedRaw": "32"}
    waiting = WAITING | {"JobID": "5", "JobIDRaw": "5", "DBIndex": "5"}
    job, other = answer(WAITING | cancelled, waiting).jobs
    assert (job.start_time, job.end_time) == (None, datetime.fromtimestamp(1795805502, UTC))
    assert (job.elapsed_seconds, job.cpu_time_reserved_seconds) == (0, 0)
    assert other.end_time is None


def test_cpu_time_is_null_while_a_job_runs_and_where_nothing_was_measured() -> None:
    running = JOB | {"State": "RUNNING", "TotalCPU": "00:00.092"}  # of the steps that have ended
    unmeasured = JOB | {"TotalCPU": "00:00:00"}  # jobacct_gather/none
    idle = JOB | {"TotalCPU": "00:00.004"}
    assert [answer(job).jobs[0].cpu_time_seconds for job in (running, unmeasured, idle)] == [None, None, 0]


def test_without_steps_use_is_null_although_sacct_prints_zero() -> None:
    found = answer(JOB | {"TotalCPU": "00:00:00"}, steps=False)
    assert (found.jobs[0].cpu_time_seconds, found.jobs[0].max_rss_mib, len(found.steps)) == (None, None, 0)


def test_cancelled_by_uid() -> None:
    (job,) = answer(JOB | {"State": "CANCELLED by 1001"}).jobs
    assert (job.state, job.raw_state) == (JobState.CANCELLED, "CANCELLED by 1001")


def test_death_by_signal_is_not_success() -> None:
    (job,) = answer(JOB | {"State": "FAILED", "ExitCode": "0:9"}).jobs
    assert (job.exit_code, job.exit_signal) == (None, 9)


def test_sacct_shows_255_as_127_up_to_25_05_and_what_it_shows_is_all_there_is() -> None:
    (job,) = answer(JOB | {"State": "FAILED", "ExitCode": "127:0", "DerivedExitCode": "0:0"}).jobs
    assert job.exit_code == 127
    assert "as 128 less" in HistoryJob.exit_code.about


def test_an_srun_that_ended_with_255_shows_the_jobs_code() -> None:
    (job,) = answer(JOB | {"State": "FAILED", "ExitCode": "127:0", "DerivedExitCode": "255:0"}).jobs
    assert job.exit_code == 255


def test_a_limit_over_a_year_is_known_to_accounting() -> None:
    assert answer(JOB | {"Timelimit": "400-00:00:00"}).jobs[0].time_limit_seconds == 400 * 86400


@pytest.mark.parametrize(
    ("id", "raw", "array", "task", "het"),
    [
        ("4", "4", None, None, None),
        ("5_2", "18", "5", 2, None),
        ("5_3", "5", "5", 3, None),  # the array's last task keeps the array's number
        ("19_[0-3,7,9,12%2]", "19", "19", None, None),
        ("11+1", "12", None, None, "11"),
    ],
)
def test_ids_of_arrays_and_heterogeneous_jobs(
    id: str, raw: str, array: str | None, task: int | None, het: str | None
) -> None:
    (job,) = answer(JOB | {"JobID": id, "JobIDRaw": raw}).jobs
    assert (job.job_id, job.raw_id, job.array_job_id, job.array_task_id, job.het_job_id) == (id, raw, array, task, het)


def test_jobs_sort_by_id_tasks_by_index_waiting_tasks_last() -> None:
    ids = [("20+1", "21"), ("19_[4-9]", "19"), ("19_10", "33"), ("19_2", "31"), ("20+0", "20"), ("4", "4")]
    found = answer(
        *(JOB | {"JobID": id, "JobIDRaw": raw, "DBIndex": str(n)} for n, (id, raw) in enumerate(ids)), steps=False
    )
    assert [job.job_id for job in sorted(found.jobs, key=lambda job: job.order)] == [
        *("4", "19_2", "19_10", "19_[4-9]", "20+0", "20+1")
    ]


EARLIER = JOB | {"State": "REQUEUED", "DBIndex": "4", "Submit": "1795370982", "End": "1795371033"}
LATER = JOB | {"DBIndex": "23", "Submit": "1795371033", "State": "COMPLETED"}


def test_requeued_rows_are_earlier_runs_of_one_job() -> None:
    found = answer(LATER, EARLIER)
    assert [(job.state, job.restart_count) for job in found.jobs] == [(JobState.COMPLETED, 1)]


def test_only_the_latest_runs_steps_are_the_jobs() -> None:
    found = answer(EARLIER, MEMORY | {"DBIndex": "4"}, LATER, BATCH | {"DBIndex": "23"})
    assert [step.step_id for step in found.steps_of(found.jobs[0])] == ["4.batch"]
    assert found.jobs[0].max_rss_mib == 11


def test_a_failed_node_and_preemption_are_requeues_if_the_job_ran_again() -> None:
    runs = [EARLIER | {"State": state, "DBIndex": str(n)} for n, state in enumerate(["NODE_FAIL", "PREEMPTED"])]
    assert answer(*runs, LATER).jobs[0].restart_count == 2
    assert answer(EARLIER | {"State": "NODE_FAIL"}).jobs[0].restart_count == 0


def test_a_number_given_again_on_a_new_head_node_is_another_job() -> None:
    """A cluster that is made anew on its old database counts from 1 again."""
    old = EARLIER | {"State": "COMPLETED"}
    assert [job.restart_count for job in answer(EARLIER, old | {"DBIndex": "9"}, LATER).jobs] == [0]
    assert [job.restart_count for job in answer(EARLIER | {"User": "grace"}, LATER).jobs] == [0]


def test_resizing_is_not_a_requeue() -> None:
    resized = EARLIER | {"State": "RESIZING", "DBIndex": "5"}
    assert answer(EARLIER, resized, LATER).jobs[0].restart_count == 1


SIZE_2 = JOB | {
    "State": "RESIZING",
    "Submit": "1000",
    "Eligible": "1002",
    "Start": "1003",
    "End": "1010",
    "ElapsedRaw": "7",
    "CPUTimeRAW": "14",
    "TotalCPU": "00:02.500",
}
SIZE_1 = JOB | {
    "DBIndex": "9",
    "Submit": "1010",
    "Eligible": "1010",
    "Start": "1010",
    "End": "1030",
    "ElapsedRaw": "20",
    "CPUTimeRAW": "20",
    "TotalCPU": "00:01.000",
}


@pytest.mark.parametrize(
    "last",
    [SIZE_1, SIZE_1 | {"Start": "1003", "ElapsedRaw": "27", "CPUTimeRAW": "27"}],
    ids=["the second size starts with it", "up to 22.05 with the job"],
)
def test_a_resized_job_is_one_job_with_all_steps_and_its_first_submit_time(last: dict[str, str]) -> None:
    found = answer(SIZE_2, BATCH, MEMORY, last, TOO_SHORT_TO_MEASURE | {"DBIndex": "9"})
    (job,) = found.jobs
    times = (job.submit_time, job.eligible_time, job.start_time)
    assert times == tuple(datetime.fromtimestamp(each, UTC) for each in (1000, 1002, 1003))
    assert (job.elapsed_seconds, job.cpu_time_reserved_seconds, job.cpu_time_seconds) == (27, 34.0, 3.0)
    assert (job.state, job.restart_count, job.max_rss_mib) == (JobState.COMPLETED, 0, 128)
    assert [step.step_id for step in found.steps_of(job)] == ["4.batch", "4.2", "4.1"]


def test_a_task_with_a_row_of_its_own_is_not_in_the_row_of_those_that_waited() -> None:
    """Slurm 22.05.8, an array of 0-9%2 that was cancelled after task 7 had ended."""
    tasks = [JOB | {"JobID": f"56_{task}", "JobIDRaw": str(57 + task), "DBIndex": str(task)} for task in (5, 6, 7)]
    waited = JOB | {"JobID": "56_[4-9%2]", "JobIDRaw": "56", "DBIndex": "9", "State": "CANCELLED by 0"}
    ids = answer(*tasks, waited).jobs.values(HistoryJob.job_id)
    assert ids == ["56_5", "56_6", "56_7", "56_[4,8-9%2]"]
    assert answer(waited).jobs[0].job_id == "56_[4-9%2]"


def test_a_task_is_looked_for_in_the_rows_of_tasks_that_ended_while_they_waited() -> None:
    first, waiting = history(Search(ids=("98_3",))).commands
    assert options_of(first)["jobs"] == "98_3"
    options = options_of(waiting)
    assert (options["jobs"], options["state"]) == ("98", "CANCELLED,DEADLINE,PENDING")
    assert (options["starttime"], options["endtime"]) == ("1970-01-02T00:00:00", "now")
    assert "allocations" in options
    assert len(history(Search(ids=("98", "98_[3-4]"))).commands) == 1


def test_a_name_may_hold_anything() -> None:
    name = "x|y\n4|4|root\tCOMPLETED\x1f,\x1e"
    (job,) = answer(JOB | {"JobName": name}).jobs
    assert job.name == name


def test_a_forged_field_is_an_error_not_a_job() -> None:
    question = history(Search(ids=["4"]))
    (command,) = question.commands
    separator = options_of(command)["delimiter"]
    with pytest.raises(SeparatorError):
        question.read([reply_to(command, [JOB | {"JobName": f"x{separator}y"}])])


def test_a_name_that_holds_the_separator_is_an_error_of_all_jobs() -> None:
    """Who could watch sacct's arguments may have forged other records, too."""
    for name in ("x{}y", "{}\n", "\n{}", "x{}\n9{}y", "{}" * 40, "x" + "{}" * 10 + "\n7{}"):
        question = history(Search(ids=["4"]))
        (command,) = question.commands
        hostile = JOB | {
            "JobIDRaw": "8",
            "DBIndex": "8",
            "JobName": name.replace("{}", options_of(command)["delimiter"]),
        }
        with pytest.raises(SeparatorError):
            question.read([reply_to(command, [JOB, hostile, JOB | {"JobIDRaw": "9", "DBIndex": "9"}])])


def test_what_sacct_prints_between_records_is_an_error_of_no_job() -> None:
    question = history(Search(ids=["4"]))
    (command,) = question.commands
    said = reply_to(command, [JOB])
    found = question.read([replace(said, stdout=f"sacct: something\n{said.stdout}")])
    assert len(list(found.jobs)) == 1
    assert [each.text for each in found.jobs.unreadable] == ["sacct: something"]


def test_the_answers_for_several_users_are_joined() -> None:
    question = history(Search(users=["ada", "grace"], ids=["4", "7"]))
    ada, grace = question.commands
    found = question.read([reply_to(ada, [JOB, BATCH]), reply_to(grace, [JOB | {"JobIDRaw": "7", "DBIndex": "7"}])])
    assert [len(found.steps_of(job)) for job in found.jobs] == [1, 0]


def test_a_user_without_an_account_has_no_jobs() -> None:
    question = history(Search(users=["ada", "nosuch"], ids=["4"]))
    replies = [
        reply_to(question.commands[0], [JOB]),
        Reply(1, "", "sacct: error: Invalid user id: nosuch\n"),
    ]
    assert len(question.read(replies).jobs) == 1


def test_a_window_that_has_not_begun_holds_no_jobs() -> None:
    said = "sacct: error: Start time (4070995200) requested is after end time (1795371136).\n"
    assert len(history(Search(since=NOON)).read([Reply(1, "", said)] * 2).jobs) == 0


def test_without_accounting_the_error_says_what_to_switch_on() -> None:
    with pytest.raises(AccountingDisabledError, match="AccountingStorageType"):
        history(Search()).read([Reply(1, "", "Slurm accounting storage is disabled\n")])


def test_a_database_that_is_down() -> None:
    said = "sacct: error: Problem talking to the database: Connection refused\n"
    with pytest.raises(SchedulerUnavailableError, match="slurmdbd does not answer"):
        history(Search()).read([Reply(1, "", said)])


def test_a_field_that_this_sacct_does_not_know() -> None:
    with pytest.raises(SlurmError, match="Invalid field"):
        history(Search()).read([Reply(1, "", 'sacct: error: Invalid field requested: "bogus"\n')])


def test_no_column_is_newer_than_20_11() -> None:
    """sacct prints nothing at all if it does not know one: these came later (RELEASE_NOTES)."""
    (command,) = history(Search(ids=["4"])).commands
    later = {"Restarts", "StdOut", "StdErr", "StdIn", "SubmitLine", "Container", "Planned", "FailedNode", "SLUID"}
    assert later.isdisjoint(options_of(command)["format"].split(","))


def test_a_job_of_squeue_and_a_job_of_sacct_have_the_same_fields() -> None:
    """One GraphQL type serves both: a column of squeue.Job alone would make jobHistory fail with a KeyError."""
    history_types = {column.name: column.type for column in HistoryJob.columns()}
    for column in squeue.Job.columns():
        if column.name == "output_columns":  # not a field: the paths of a job's output are made of it
            continue
        assert column.name in history_types, column.name
        own = history_types[column.name]
        assert own == column.type or own in get_args(column.type), column.name


def test_descriptions_name_their_source() -> None:
    for column in [*HistoryJob.columns(), *Step.columns()]:
        hidden = column.name in ("raw_id", "order")
        assert hidden or re.search(r"sacct: |accounting", column.about), column.name


fields = st.text(st.characters(exclude_characters="~", exclude_categories=["Cs"]), max_size=20) | st.text(
    "0123456789_[]+.:-%²٣", max_size=20
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(JOB)), fields)))
def test_reading_is_total(rows: list[dict[str, str]]) -> None:
    """Whatever the fields hold: rows are grouped, and each value is one, or None and told of."""
    with suppress(ParseError):  # if nothing at all can be read
        found = answer(*rows)
        assert len(found.jobs) <= len(rows)
        values = [getattr(each, column.name) for each in found.jobs for column in HistoryJob.columns()]
        values += [getattr(each, column.name) for each in found.steps for column in Step.columns()]
        assert len(values) >= len(found.jobs)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["COMPLETED", "REQUEUED"])), max_size=20))
def test_each_number_is_one_job_whatever_the_order(runs: list[tuple[int, str]]) -> None:
    rows = [
        JOB | {"JobID": str(id), "JobIDRaw": str(id), "DBIndex": str(index), "State": state}
        for index, (id, state) in enumerate(runs)
    ]
    one_way, other_way = answer(*rows), answer(*reversed(rows))
    assert {(job.job_id, job.raw_state, job.restart_count) for job in one_way.jobs} == {
        (job.job_id, job.raw_state, job.restart_count) for job in other_way.jobs
    }
    assert {job.job_id for job in one_way.jobs} == {str(id) for id, _ in runs}
    assert all(0 <= (job.restart_count or 0) <= len(runs) for job in one_way.jobs)


def test_each_step_of_a_history_is_one_of_its_jobs() -> None:
    found = answer(JOB, BATCH, JOB | {"JobID": "6", "JobIDRaw": "6", "DBIndex": "6"})
    assert sum(len(found.steps_of(job)) for job in found.jobs) == len(found.steps) == 1


def test_a_job_is_found_by_its_own_spelling() -> None:
    found = answer(JOB, BATCH, JOB | {"JobID": "5_1", "JobIDRaw": "6", "DBIndex": "6"})
    task = found.find("5_1")
    assert task is not None
    assert (task.raw_id, found.steps_of(task)) == ("6", [])
    assert (found.find("6"), found.find("4.batch")) == (None, None)
