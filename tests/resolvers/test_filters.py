"""Which rows a filter lets through, and which job an id means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from resolvers.errors import BadInputError
from resolvers.filters import JobFilter, NodeFilter, find_job, local_id, matching_jobs, matching_nodes, named_tasks
from slurm import sinfo, squeue
from slurm.column import Rows
from slurm.states import JobState, NodeFlag, NodeState

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


@pytest.mark.parametrize("argument", ["submitted_after", "submitted_before"])
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
