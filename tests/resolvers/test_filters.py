"""Which rows a filter lets through, and which job an id means."""

from collections.abc import Mapping
from dataclasses import Field, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from resolvers.errors import BadInputError
from resolvers.filters import (
    IntRange,
    JobFilter,
    NodeFilter,
    find_job,
    local_id,
    looks_at_detail,
    matching_jobs,
    matching_nodes,
    named_tasks,
)
from slurm import sinfo, squeue
from slurm.argument import camel_case
from slurm.column import Rows
from slurm.reason import ReasonCode
from slurm.states import JobPhase, JobState, NodeFlag, NodeState

PAST, FUTURE = datetime(1971, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
PLAIN = {
    "State": "RUNNING",
    "Partition": "queue1",
    "UserName": "ada",
    "Account": "(null)",
    "SubmitTime": "1767225600",
}


def jobs(*described: Mapping[str, str]) -> Rows[squeue.Job]:
    """Rows as squeue prints them in brief; a job is described by what differs from the default."""
    lines = []
    for number, job in enumerate(described, 1):
        id = job.get("JobID", str(number))
        lines.append({**PLAIN, "JobID": id, "JobArrayID": id, **job})
    return Rows(squeue.Job, {source: [line.get(source, "") for line in lines] for source in squeue.IN_BRIEF})


def in_full(*described: Mapping[str, str]) -> Rows[squeue.Job]:
    """The same with all columns."""
    brief = jobs(*described)
    others = {column for column in squeue.Job.sources() if column not in squeue.IN_BRIEF}
    return Rows(squeue.Job, {**brief.texts, **{each: [job.get(each, "") for job in described] for each in others}})


def nodes(*described: Mapping[str, str]) -> Rows[sinfo.Node]:
    plain = {"CPUsState": "0/2/0/2"}
    lines = [{**plain, **node} for node in described]
    return Rows(sinfo.Node, {source: [line.get(source, "") for line in lines] for source in sinfo.Node.sources()})


def chosen(rows: Rows[squeue.Job], **where: Any) -> list[int]:
    return list(matching_jobs(rows, "lab", JobFilter(**where)))


MIXED = jobs(
    {"JobID": "7"},
    {"JobID": "10", "JobArrayID": "10_[3-9%2]"},
    {"JobID": "11", "JobArrayID": "10_1"},
    {"JobID": "12", "JobArrayID": "10_2"},
    {"JobID": "20", "JobArrayID": "20+0"},
    {"JobID": "21", "JobArrayID": "20+1"},
)


def test_without_a_filter_all_pass() -> None:
    assert list(matching_jobs(MIXED, "lab", None)) == [0, 1, 2, 3, 4, 5]
    assert chosen(MIXED) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        (["7"], [0]),
        (["lab:7"], [0]),
        (["10"], [1, 2, 3]),
        (["10_1"], [2]),
        (["10_[3-9%2]"], [1]),
        (["10_7"], [1]),
        (["10_[9]"], [1]),
        (["10_[1-3]"], [1, 2, 3]),
        (["10_[10-99]"], []),
        (["20"], [4, 5]),
        (["20+1"], [5]),
        (["7", "10_2", "7"], [0, 3]),
        (["999"], []),
        ([], []),
    ],
)
def test_ids_mean_jobs_arrays_tasks_and_components(ids: list[str], rows: list[int]) -> None:
    assert chosen(MIXED, ids=ids) == rows


@pytest.mark.parametrize("id", ["-1", "1;id", "1 2", "name=x", "", "1.batch", "0", "4294967295", "lab:", "lab:x", "é"])
def test_an_invalid_id_is_refused_with_examples(id: str) -> None:
    with pytest.raises(BadInputError) as caught:
        chosen(MIXED, ids=["7", id])
    assert str(caught.value).endswith("is not a job id: write 123, 123_4 (array task), 123_[5-9] or 123+0, or lab:123.")


def test_an_id_of_another_cluster_is_refused() -> None:
    with pytest.raises(BadInputError, match="The id 'annex:7' does not belong to the cluster lab"):
        local_id("annex:7", "lab")


def test_a_very_long_id_is_not_repeated_in_full() -> None:
    with pytest.raises(BadInputError) as caught:
        local_id("9" * 100_000, "lab")
    assert len(str(caught.value)) < 300


def test_users_accounts_and_states_are_matched_exactly() -> None:
    rows = jobs(
        {"UserName": "ada"}, {"UserName": "adam", "Account": "physics"}, {"UserName": "ben", "State": "PENDING"}
    )
    assert chosen(rows, user="ada") == [0]
    assert chosen(rows, users=["ada", "ben"]) == [0, 2]
    assert chosen(rows, users=[]) == []
    assert chosen(rows, account="physics") == [1]
    assert chosen(rows, states=[JobState.PENDING, JobState.FAILED]) == [2]


def test_a_waiting_job_is_in_each_queue_it_asked_for() -> None:
    rows = jobs({"Partition": "queue1"}, {"Partition": "queue1,gpu"}, {"Partition": "gpu2"})
    assert chosen(rows, queue="gpu") == [1]
    assert chosen(rows, queue="queue1") == [0, 1]
    assert chosen(rows, queue="queue1,gpu") == []


def test_a_node_is_matched_by_its_whole_name() -> None:
    rows = jobs({"NodeList": "q-st-a-[1-3]"}, {"NodeList": "q-st-a-11"}, {"NodeList": ""})
    assert chosen(rows, node_name="q-st-a-1") == [0]


def test_names_are_searched_without_case_and_without_patterns() -> None:
    rows = jobs({"Name": "Train STRASSE"}, {"Name": "a.*b|\n"}, {"Name": ""})
    assert chosen(rows, name_contains="straße") == [0]
    assert chosen(rows, name_contains=".*") == [1]
    assert chosen(rows, name_contains="") == [0, 1, 2]


def test_submitted_after_includes_its_moment_and_before_does_not() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    seconds = int(moment.timestamp())
    rows = jobs({"SubmitTime": str(seconds - 1)}, {"SubmitTime": str(seconds)}, {"SubmitTime": "N/A"})
    assert chosen(rows, submitted_after=moment) == [1]
    assert chosen(rows, submitted_before=moment) == [0]
    elsewhere = moment.astimezone(timezone(timedelta(hours=5)))
    assert chosen(rows, submitted_after=elsewhere, submitted_before=elsewhere + timedelta(seconds=1)) == [1]


def test_phases_and_ends_are_matched() -> None:
    rows = jobs(
        {"State": "PENDING", "exit_code": "0"},
        {"State": "RUNNING", "exit_code": "0", "NodeList": "q-1"},
        {"State": "COMPLETED", "exit_code": "0", "NodeList": "q-1"},
        {"State": "FAILED", "exit_code": "256", "NodeList": "q-1"},
        {"State": "CANCELLED", "exit_code": "0"},
        {"State": "REVOKED", "exit_code": "0"},
        {"State": "HIBERNATING", "exit_code": "0"},
    )
    assert chosen(rows, phases=[JobPhase.WAITING]) == [0]
    assert chosen(rows, phases=[JobPhase.ACTIVE]) == [1, 6]
    assert chosen(rows, phases=[JobPhase.ENDED, JobPhase.WAITING]) == [0, 2, 3, 4, 5]
    assert chosen(rows, succeeded=True) == [2]
    assert chosen(rows, succeeded=False) == [3, 4]


def test_names_are_matched_exactly() -> None:
    rows = jobs({"Name": "train"}, {"Name": "Train"}, {"Name": "train 2"}, {"Name": ""})
    assert chosen(rows, names=["train", ""]) == [0, 3]
    assert chosen(rows, names=[]) == []


def test_a_comment_is_matched_exactly_and_needs_all_columns() -> None:
    rows = in_full({"Comment": "why"}, {"Comment": "(null)"}, {"Comment": "why not"})
    assert chosen(rows, comment="why") == [0]
    assert looks_at_detail(JobFilter(comment="why")) and not looks_at_detail(JobFilter(names=["a"], user="ada"))


def test_reasons_are_matched_by_their_codes() -> None:
    rows = jobs({"Reason": "Resources,None"}, {"Reason": "Priority"}, {"Reason": "None"}, {"Reason": "(null)"})
    assert chosen(rows, reason_codes=[ReasonCode.RESOURCES]) == [0]
    assert chosen(rows, reason_codes=[ReasonCode.RESOURCES, ReasonCode.PRIORITY]) == [0, 1]


def test_ended_after_looks_at_ended_jobs_alone() -> None:
    """squeue expects the end of a running job from its time limit."""
    rows = jobs({"State": "RUNNING", "EndTime": "300"}, *({"State": "FAILED", "EndTime": str(at)} for at in (99, 100)))
    assert chosen(rows, ended_after=datetime.fromtimestamp(100, UTC)) == [2]


def test_updated_after_looks_at_times_that_have_come() -> None:
    rows = jobs(
        {"State": "PENDING", "SubmitTime": "10", "StartTime": "300"},
        {"State": "RUNNING", "SubmitTime": "10", "StartTime": "90", "EndTime": "300"},
        {"State": "RUNNING", "SubmitTime": "10", "StartTime": "100", "EndTime": "300"},
        {"State": "FAILED", "SubmitTime": "10", "StartTime": "20", "EndTime": "100"},
    )
    assert chosen(rows, updated_after=datetime.fromtimestamp(100, UTC)) == [2, 3]
    assert chosen(rows, updated_after=datetime.fromtimestamp(10, UTC)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("low", "high", "rows"), [(None, None, [1, 2, 3]), (60, None, [2, 3]), (None, 60, [1, 2]), (60, 60, [2])]
)
def test_a_range_has_both_its_bounds(low: int | None, high: int | None, rows: list[int]) -> None:
    found = jobs({"TimeUsed": "INVALID"}, {"TimeUsed": "0:59"}, {"TimeUsed": "1:00"}, {"TimeUsed": "1-00:00:00"})
    assert chosen(found, elapsed_seconds=IntRange(at_least=low, at_most=high)) == rows


def test_nodes_cpus_and_gpus_are_counted() -> None:
    rows = in_full(
        {"NumCPUs": "4", "tres-alloc": "cpu=4,node=2,gres/gpu=3"}, {"NumCPUs": "8", "tres-alloc": "cpu=8,node=1"}
    )
    assert chosen(rows, node_count=IntRange(at_least=2)) == [0]
    assert chosen(rows, cpu_count=IntRange(at_least=5)) == [1]
    assert chosen(rows, gpu_count=IntRange(at_least=1)) == [0]
    assert chosen(rows, gpu_count=IntRange(at_most=0)) == [1]


def test_a_range_that_holds_nothing_is_refused() -> None:
    with pytest.raises(BadInputError, match="elapsedSeconds: atLeast is 2, more than atMost, 1"):
        chosen(MIXED, elapsed_seconds=IntRange(at_least=2, at_most=1))


@pytest.mark.parametrize("line", fields(JobFilter), ids=lambda line: line.name)
def test_every_condition_counts(line: Field[Any]) -> None:
    """One that no code looks at would let all jobs through."""
    nothing: Any = {
        "user": "nobody",
        "account": "none",
        "queue": "none",
        "succeeded": True,
        "node_name": "none",
        "name_contains": "none",
        "comment": "none",
        "submitted_after": FUTURE,
        "submitted_before": PAST,
        "ended_after": FUTURE,
        "updated_after": FUTURE,
        **dict.fromkeys(("elapsed_seconds", "node_count", "cpu_count", "gpu_count"), IntRange(at_least=1_000_000)),
    }
    assert chosen(in_full({"NumCPUs": "4"}), **{line.name: nothing.get(line.name, [])}) == []


@pytest.mark.parametrize("argument", ["submitted_after", "submitted_before", "ended_after", "updated_after"])
@pytest.mark.parametrize("rows", [MIXED, jobs()])
def test_a_time_without_a_zone_is_refused_whatever_jobs_there_are(argument: str, rows: Rows[squeue.Job]) -> None:
    with pytest.raises(BadInputError, match="needs a time zone, for example 2026-11-22T10:00:00Z"):
        chosen(rows, **{argument: datetime(2026, 1, 1)})


def test_all_conditions_hold_at_once() -> None:
    assert chosen(MIXED, ids=["10"], states=[JobState.RUNNING], user="ada", queue="queue1") == [1, 2, 3]
    assert chosen(MIXED, ids=["10"], user="ben") == []


@pytest.mark.parametrize(
    ("id", "row"),
    [
        ("7", 0),
        ("10", 1),
        ("10_1", 2),
        ("10_[3-9%2]", 1),
        ("10_7", 1),
        ("10_[2,9]", 1),
        ("11", 2),
        ("20", 4),
        ("20+1", 5),
        ("21", 5),
        ("8", None),
    ],
)
def test_one_id_means_one_job(id: str, row: int | None) -> None:
    assert find_job(MIXED, id) == row


@pytest.mark.parametrize(
    ("ids", "tasks"),
    [
        (["10_7"], ["10_7"]),
        (["10_[1-4]", "10_9"], ["10_[3-4]", "10_9"]),
        (["10_7", "10"], []),
        (["10_[3-9%2]"], []),
        (["11_7"], []),
        ([], []),
    ],
)
def test_some_tasks_of_a_waiting_row_can_be_named(ids: list[str], tasks: list[str]) -> None:
    assert named_tasks("10_[3-9%2]", ids) == tasks


def test_a_task_with_its_own_row_is_named_whole() -> None:
    assert named_tasks("10_7", ["10_7"]) == []


def test_an_array_without_waiting_tasks_is_its_first_task() -> None:
    rows = jobs(
        {"JobID": "12", "JobArrayID": "10_10"},
        {"JobID": "10", "JobArrayID": "10_2"},
    )
    assert find_job(rows, "10") == 1


SOME_NODES = nodes(
    {"NodeList": "q-st-a-1", "StateComplete": "idle", "PartitionName": "q"},
    {"NodeList": "q-dy-a-1", "StateComplete": "idle+cloud+powered_down", "PartitionName": "q"},
    {"NodeList": "g-dy-a-1", "StateComplete": "down+cloud+drain", "PartitionName": "g"},
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2]),
        ({"names": ["q-st-a-1", "nowhere"]}, [0]),
        ({"states": [NodeState.IDLE]}, [0, 1]),
        ({"flags": [NodeFlag.CLOUD]}, [1, 2]),
        ({"flags": [NodeFlag.CLOUD, NodeFlag.DRAIN]}, [2]),
        ({"queue": "g"}, [2]),
        ({"queue": "q", "states": [NodeState.DOWN]}, []),
    ],
)
def test_nodes_meet_every_condition(where: Any, rows: list[int]) -> None:
    assert list(matching_nodes(SOME_NODES, NodeFilter(**where))) == rows


LISTS = [(table, line) for table in (JobFilter, NodeFilter) for line in fields(table) if "Sequence" in str(line.type)]


@pytest.mark.parametrize(("table", "line"), LISTS, ids=[f"{table.__name__}-{line.name}" for table, line in LISTS])
def test_a_list_that_is_too_long_is_refused_by_its_name(table: type, line: Field[Any]) -> None:
    limit, name = (200 if line.name == "ids" else 1000), camel_case(line.name)
    entry = {"ids": "1", "states": JobState.RUNNING, "phases": JobPhase.ENDED}.get(line.name, "x")

    def choose(count: int) -> None:
        where = table(**{line.name: [entry] * count})
        if isinstance(where, JobFilter):
            matching_jobs(in_full({}), "lab", where)
        else:
            matching_nodes(nodes(), where)

    assert f"At most {limit}." in line.metadata["about"]
    choose(limit)
    with pytest.raises(BadInputError, match=f"{name} may have at most {limit} entries; it has {limit + 1}") as caught:
        choose(limit + 1)
    assert caught.value.extensions["argument"] == name


def test_a_wrong_id_of_a_filter_names_its_ids() -> None:
    for id in ("x", "other:1"):
        with pytest.raises(BadInputError) as caught:
            chosen(jobs({}), ids=[id])
        assert caught.value.extensions["argument"] == "ids"
