"""What is kept of a cluster, for how long, and how requests share one question."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from headnode import snapshots as snapshots_module
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError, DeadlineError, HeadNodeError
from headnode.node import Actor, Answer, Bundle, HeadNode
from headnode.snapshots import Dataset, Snapshot, Snapshots, poll_seconds
from slurm.command import AccountingDisabledError, Command, Question, Reply
from slurm.errors import ParseError
from slurm.operation import Operation, RunsAs


class Node(HeadNode):
    """A head node that the test controls: it counts its requests, and answers when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answering = threading.Event()
        self.answering.set()
        self.fault: HeadNodeError | None = None

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        commands = [command.operation.name for step in bundle.steps for command in step]
        self.asked.append(commands)
        number, fault = len(self.asked), self.fault
        assert self.answering.wait(30)
        if fault:
            raise fault
        return Answer([Reply(0, f"{operation} {number}") for operation in commands])


def stdout(replies: Sequence[Reply]) -> str:
    return replies[0].stdout


def unreadable(replies: Sequence[Reply]) -> str:
    raise ParseError("list of jobs", replies[0].stdout)


def dataset(name: str, lifetime: float | None = None, read: Callable[[Sequence[Reply]], str] = stdout) -> Dataset[str]:
    return Dataset(name, partial(Question, (Command(Operation(name, RunsAs.READER)),), read), lifetime)


def cannot_tell(replies: Sequence[Reply]) -> str:
    raise AccountingDisabledError(replies[0].stdout)


JOBS, NODES, BROKEN = dataset("squeue"), dataset("sinfo"), dataset("broken", read=unreadable)
IN_FULL = Dataset("jobs", partial(Question, (Command(Operation("in full", RunsAs.READER)),), stdout), shared=True)
IN_BRIEF = Dataset(
    "jobs", partial(Question, (Command(Operation("in brief", RunsAs.READER)),), stdout), shared=True, in_full=IN_FULL
)


@pytest.fixture
def node() -> Node:
    return Node()


def value(snapshots: Snapshots, wanted: Dataset[str], seconds: float = 30) -> str:
    answer = snapshots.ask([wanted], Deadline.after(seconds), "test")[wanted]
    assert isinstance(answer, Snapshot), answer
    text: str = answer.value
    return text


def fault(snapshots: Snapshots, wanted: Dataset[str], seconds: float = 30) -> object:
    answer = snapshots.ask([wanted], Deadline.after(seconds), "test")[wanted]
    assert not isinstance(answer, Snapshot)
    return answer


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_a_snapshot_is_fetched_once_in_its_lifetime(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    assert [value(snapshots, JOBS) for _ in range(3)] == ["squeue 1"] * 3
    assert node.asked == [["squeue"]]


def test_only_what_needs_no_thread_is_in_memory(node: Node) -> None:
    """For somebody who may change something, the snapshot that is kept is not enough."""
    snapshots = Snapshots(node, ttl=60)
    assert not snapshots.in_memory([JOBS])
    value(snapshots, JOBS)
    assert snapshots.in_memory([JOBS])
    assert not snapshots.in_memory([JOBS, NODES])
    assert not snapshots.in_memory([JOBS], Actor("ada"))
    assert not snapshots.in_memory([JOBS], Actor(administer=True))
    snapshots.drop()
    assert not snapshots.in_memory([JOBS])


def test_an_old_snapshot_is_fetched_anew(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0.05)
    value(snapshots, JOBS)
    wait_until(lambda: snapshots.kept(JOBS) is None)
    assert value(snapshots, JOBS) == "squeue 2"


def test_a_not_shown_error_is_kept_like_an_answer(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0.3)
    books = dataset("sacctmgr", read=cannot_tell)
    faults = [fault(snapshots, books) for _ in range(8)]
    assert {(type(each), str(each)) for each in faults} == {(AccountingDisabledError, "sacctmgr 1")}
    assert len(node.asked) == 1
    assert snapshots.kept(books) is None
    time.sleep(0.3)
    assert str(fault(snapshots, books)) == "sacctmgr 2"


def test_a_cluster_that_does_not_answer_is_asked_again(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.fault = ClusterUnreachableError("gone")
    fault(snapshots, JOBS)
    fault(snapshots, JOBS)
    assert len(node.asked) == 2


def test_without_a_ttl_nothing_is_kept(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0)
    long_lived = dataset("config", lifetime=300)
    assert [value(snapshots, JOBS), value(snapshots, JOBS)] == ["squeue 1", "squeue 2"]
    assert [value(snapshots, long_lived), value(snapshots, long_lived)] == ["config 3", "config 4"]


def test_a_dataset_may_live_longer_than_the_ttl(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0.01)
    long_lived = dataset("config", lifetime=300)
    value(snapshots, long_lived)
    time.sleep(0.02)
    assert value(snapshots, long_lived) == "config 1"


def test_in_brief_does_not_serve_in_full_but_the_other_way_round(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    assert value(snapshots, IN_BRIEF) == "in brief 1"
    assert snapshots.kept(IN_FULL) is None
    assert value(snapshots, IN_FULL) == "in full 2"
    assert value(snapshots, IN_BRIEF) == "in full 2"
    assert snapshots.kept(IN_BRIEF) == snapshots.kept(IN_FULL)


@pytest.mark.parametrize("wanted", [(IN_BRIEF, IN_FULL), (IN_FULL, IN_BRIEF)])
def test_a_request_for_both_fetches_only_the_full_dataset(node: Node, wanted: Sequence[Dataset[str]]) -> None:
    snapshots = Snapshots(node, ttl=60)
    answers = snapshots.ask(wanted, Deadline.after(30), "test")
    assert [answer.value for answer in answers.values() if isinstance(answer, Snapshot)] == ["in full 1"]
    assert node.asked == [["in full"]]


def test_after_someone_needs_all_columns_every_refresh_fetches_them_for_a_minute(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kinds of polling cost one command each time, not two."""
    monkeypatch.setattr(snapshots_module, "ALL_COLUMNS_FOR", 0.5)
    snapshots = Snapshots(node, ttl=0.01)
    value(snapshots, IN_FULL)
    used = time.monotonic()
    wait_until(lambda: snapshots.kept(IN_BRIEF) is None)
    assert value(snapshots, IN_BRIEF) == "in full 2"
    wait_until(lambda: time.monotonic() > used + 0.5)
    assert value(snapshots, IN_BRIEF) == "in brief 3"


def test_serving_from_a_full_snapshot_does_not_extend_the_minute(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of one job uses a kept snapshot of all jobs. If that counted, polled lists would always be full."""
    monkeypatch.setattr(snapshots_module, "ALL_COLUMNS_FOR", 0.5)
    snapshots = Snapshots(node, ttl=60)
    value(snapshots, IN_FULL)
    asked = time.monotonic()
    wait_until(lambda: time.monotonic() > asked + 0.4)
    value(snapshots, IN_FULL)
    wait_until(lambda: time.monotonic() > asked + 0.5)
    snapshots.drop()
    assert value(snapshots, IN_BRIEF) == "in brief 2"


def test_who_wants_it_in_full_does_not_wait_for_it_in_brief(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.answering.clear()
    with ThreadPoolExecutor(3) as pool:
        brief = pool.submit(value, snapshots, IN_BRIEF)
        wait_until(lambda: len(node.asked) == 1)
        full = pool.submit(value, snapshots, IN_FULL)
        wait_until(lambda: len(node.asked) == 2)
        another = pool.submit(value, snapshots, IN_BRIEF)
        node.answering.set()
        assert [brief.result(), full.result(), another.result()] == ["in brief 1", "in full 2", "in full 2"]
    assert value(snapshots, IN_FULL) == "in full 2"
    assert len(node.asked) == 2


def test_one_command_fetches_exactly_what_is_missing(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    value(snapshots, JOBS)
    answers = snapshots.ask([JOBS, NODES, dataset("partition")], Deadline.after(30), "test")
    assert node.asked == [["squeue"], ["sinfo", "partition"]]
    assert {key.key for key in answers} == {"squeue", "sinfo", "partition"}


def together(things: Sequence[Hashable]) -> Question[Mapping[Any, str]]:
    """One command about several things, of which it knows nothing that is called unknown."""

    def read(replies: Sequence[Reply]) -> dict[Any, str]:
        if "broken" in things:
            raise ParseError("list of things", "")
        return {thing: f"{thing} by {replies[0].stdout}" for thing in things if thing != "unknown"}

    return Question((Command(Operation(f"sacct {len(things)}", RunsAs.READER)),), read)


def thing(name: str) -> Dataset[str]:
    return Dataset(("thing", name), together=together, thing=name)


def test_datasets_fetched_together_share_one_question_and_have_their_own_answers(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    one, two, unknown = thing("one"), thing("two"), thing("unknown")
    answers = snapshots.ask([one, JOBS, two, unknown], Deadline.after(30), "test")
    assert node.asked == [["sacct 3", "squeue"]]
    said = {key: answer.value for key, answer in answers.items() if isinstance(answer, Snapshot)}
    assert said == {one: "one by sacct 3 1", two: "two by sacct 3 1", unknown: None, JOBS: "squeue 1"}
    snapshots.ask([one, thing("three")], Deadline.after(30), "test")
    assert node.asked[1:] == [["sacct 1"]]


def test_a_fault_of_a_shared_question_affects_all_its_datasets_and_no_other(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    answers = snapshots.ask([thing("one"), thing("broken"), JOBS], Deadline.after(30), "test")
    assert isinstance(answers[thing("one")], ParseError)
    assert isinstance(answers[thing("broken")], ParseError)
    assert isinstance(answers[JOBS], Snapshot)


def test_those_who_ask_at_once_wait_for_one_command(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.answering.clear()
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(value, snapshots, JOBS) for _ in range(10)]
        wait_until(lambda: len(node.asked) == 1)
        node.answering.set()
        assert {future.result() for future in asked} == {"squeue 1"}
    assert node.asked == [["squeue"]]


def test_those_who_ask_at_once_share_even_without_a_ttl(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0)
    node.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        second = pool.submit(snapshots.ask, [JOBS, NODES], Deadline.after(30), "test")
        wait_until(lambda: len(node.asked) == 2)
        node.answering.set()
        assert first.result() == "squeue 1"
        second.result()
    assert node.asked == [["squeue"], ["sinfo"]]


def test_a_request_that_waits_for_another_keeps_its_own_deadline(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.answering.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        assert isinstance(fault(snapshots, JOBS, seconds=0.05), DeadlineError)
        node.answering.set()
        assert first.result() == "squeue 1"


def test_a_failure_reaches_all_who_wait_and_is_not_kept(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.answering.clear()
    node.fault = ClusterUnreachableError("no agent")
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(fault, snapshots, JOBS) for _ in range(2)]
        wait_until(lambda: len(node.asked) == 1)
        node.answering.set()
        assert [future.result() for future in asked] == [node.fault] * 2
    node.fault = None
    assert value(snapshots, JOBS) == f"squeue {len(node.asked)}"


def test_an_unreadable_dataset_does_not_affect_others(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    answers = snapshots.ask([BROKEN, JOBS], Deadline.after(30), "test")
    assert isinstance(answers[BROKEN], ParseError)
    assert isinstance(answers[JOBS], Snapshot)
    assert snapshots.kept(BROKEN) is None


def test_a_request_with_time_left_does_not_fail_with_one_that_timed_out(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.fault = DeadlineError("The head node did not answer in time; try again, or ask for less.")
    node.answering.clear()
    with ThreadPoolExecutor(3) as pool:
        hurried = pool.submit(fault, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        node.fault = None
        patient = [pool.submit(snapshots.ask, [JOBS, NODES], Deadline.after(30), "test") for _ in range(2)]
        wait_until(lambda: len(node.asked) == 2)
        node.answering.set()
        assert isinstance(hurried.result(), DeadlineError)
        for future in patient:
            assert all(isinstance(answer, Snapshot) for answer in future.result().values())
    assert node.asked == [["squeue"], ["sinfo"], ["squeue"]]


def test_a_defect_leaves_nobody_waiting(node: Node) -> None:
    def broken_question() -> Question[str]:
        node.asked.append([])
        assert node.answering.wait(30)
        raise AssertionError("a defect")

    snapshots = Snapshots(node, ttl=60)
    defect = Dataset("defect", broken_question)
    node.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(snapshots.ask, [defect], Deadline.after(30), "test")
        wait_until(lambda: len(node.asked) == 1)
        second = pool.submit(fault, snapshots, defect)
        node.answering.set()
        assert isinstance(first.exception(), AssertionError)
        assert isinstance(second.exception() or second.result(), AssertionError | DeadlineError)
    assert snapshots.kept(defect) is None


def test_a_dropped_snapshot_is_fetched_anew_and_others_are_kept(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    snapshots.ask([JOBS, NODES], Deadline.after(30), "test")
    snapshots.drop([JOBS])
    assert value(snapshots, NODES) == "sinfo 1"
    assert value(snapshots, JOBS) == "squeue 2"


def test_what_outlives_changes_is_asked_for_once_whoever_asks(node: Node) -> None:
    """Without a table, everything else is asked for anew for somebody who may change something."""
    snapshots = Snapshots(node, ttl=60)
    settings = replace(dataset("scontrol"), outlives_changes=True)
    for _ in range(2):
        answers = snapshots.ask([JOBS, settings], Deadline.after(30), "test", Actor("ada"))
        assert isinstance(answers[settings], Snapshot)
        snapshots.drop()
    assert node.asked == [["squeue", "scontrol"], ["squeue"]]
    snapshots.drop([settings])
    assert value(snapshots, settings) == "scontrol 3"


def test_what_outlives_changes_is_waited_for_across_a_change(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    settings = replace(dataset("scontrol"), outlives_changes=True)
    node.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(value, snapshots, settings)
        wait_until(lambda: len(node.asked) == 1)
        snapshots.drop()
        after = pool.submit(value, snapshots, settings)
        time.sleep(0.05)
        node.answering.set()
        assert (before.result(), after.result()) == ("scontrol 1", "scontrol 1")
    assert node.asked == [["scontrol"]]


def test_an_answer_from_before_a_change_is_not_kept_and_not_served_after_it(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    node.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        snapshots.drop()
        after = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 2)
        node.answering.set()
        assert (before.result(), after.result()) == ("squeue 1", "squeue 2")
    assert value(snapshots, JOBS) == "squeue 2"
    assert node.asked == [["squeue"]] * 2


def test_a_snapshot_is_never_newer_than_its_time(node: Node) -> None:
    snapshots = Snapshots(node, ttl=60)
    before = datetime.now(UTC)
    node.answering.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        answered = datetime.now(UTC)
        node.answering.set()
        asked.result()
    kept = snapshots.kept(JOBS)
    assert kept is not None and before <= kept.as_of <= answered


def test_an_answer_that_took_longer_than_the_ttl_is_not_kept(node: Node) -> None:
    snapshots = Snapshots(node, ttl=0.05)
    node.answering.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(value, snapshots, JOBS)
        wait_until(lambda: len(node.asked) == 1)
        time.sleep(0.06)
        node.answering.set()
        assert asked.result() == "squeue 1"
    assert snapshots.kept(JOBS) is None


@pytest.mark.parametrize(
    ("ttl", "took", "seconds"),
    [(5.0, 0.0, 5), (5.0, 0.9, 5), (5.0, 1.3, 7), (5.0, 26.0, 60), (300.0, 26.0, 300), (0.0, 0.0, 1), (2.5, 0.0, 3)],
)
def test_a_client_asks_once_per_ttl_and_a_slow_cluster_less_often(ttl: float, took: float, seconds: int) -> None:
    assert poll_seconds(ttl, took) == seconds
