"""The place in the queue, and the nodes that Slurm names as unavailable."""

from datetime import UTC, datetime

import pytest

from headnode.snapshots import Snapshot
from resolvers.waiting import queue_positions, unavailable_nodes
from slurm import squeue
from slurm.column import Rows

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
BEFORE, LATER = str(int(NOW.timestamp()) - 60), str(int(NOW.timestamp()) + 60)


def row(
    id: str,
    priority: str = "100",
    queue: str = "queue1",
    state: str = "PENDING",
    eligible: str = BEFORE,
    array: tuple[str, str] = ("", ""),
) -> dict[str, str]:
    """A row of squeue's columns that make a place; `array` is its array's id and tasks."""
    return {
        "JobArrayID": f"{array[0]}_[{array[1]}]" if array[0] else id,
        "JobID": id,
        "State": state,
        "PriorityLong": priority,
        "EligibleTime": eligible,
        "Partition": queue,
        "Dependency": "(null)",
    }


def places(*rows: dict[str, str]) -> dict[str, int]:
    texts = {source: [row.get(source, "") for row in rows] for source in squeue.Job.sources()}
    return dict(queue_positions(Snapshot(Rows(squeue.Job, texts), NOW)))


def test_the_highest_priority_is_first_and_of_equals_the_lower_id() -> None:
    assert places(row("9", "100"), row("10", "100"), row("11", "300"), row("12", "50")) == {
        "11": 1,
        "9": 2,
        "10": 3,
        "12": 4,
    }


def test_queues_are_counted_apart_and_of_several_the_best_place_counts() -> None:
    assert places(row("1"), row("2"), row("3", "50", "gpu"), row("4", "20", "queue1,gpu")) == {
        "1": 1,
        "2": 2,
        "3": 1,
        "4": 2,
    }


def test_waiting_tasks_count_each() -> None:
    assert places(row("1", array=("1", "1-9:2%2")), row("2", "90")) == {"1": 1, "2": 6}


def test_a_job_that_cannot_start_has_no_place_and_takes_none() -> None:
    held, later = row("1", "0"), row("3", eligible=LATER)
    dependent = row("2", eligible="N/A") | {"Dependency": "afterok:1(unfulfilled)"}
    assert places(held, dependent, later, row("4", state="RUNNING"), row("5", "1")) == {"5": 1}


def test_a_job_that_slurm_has_not_considered_yet_has_its_place() -> None:
    assert places(row("1", "1"), row("2", eligible="N/A")) == {"1": 2, "2": 1}


def test_a_job_that_became_eligible_while_squeue_was_asked_has_its_place() -> None:
    """A snapshot says when it was asked for; squeue looks a moment later."""
    meanwhile = str(int(NOW.timestamp()) + 1)
    assert places(row("1", "1"), row("2", eligible=meanwhile)) == {"1": 2, "2": 1}


@pytest.mark.parametrize(
    ("reason", "nodes"),
    [
        ("ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-2]", {"queue1-dy-large-1", "queue1-dy-large-2"}),
        ("ReqNodeNotAvail, UnavailableNodes:a-1,b-2", {"a-1", "b-2"}),
        ("ReqNodeNotAvail, UnavailableNodes:", set()),
        ("ReqNodeNotAvail, UnavailableNodes:a-[1-", set()),
        ("Resources", set()),
    ],
)
def test_the_nodes_that_a_reason_names(reason: str, nodes: set[str]) -> None:
    assert unavailable_nodes(reason) == nodes
