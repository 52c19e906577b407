"""What is refused before anything is sent, and that what is sent passes the head node's own check."""

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headnode.program.refused import Refused
from program_check import argv, argv_of
from slurm import argument, job_action, job_update, node_update, partition_update, reservation, sbatch
from slurm.argument import LEFT, for_operators
from slurm.command import Question
from slurm.errors import ParseError
from slurm.job_action import SignalTarget
from slurm.job_environment import EnvironmentVariable
from slurm.job_update import JobUpdate
from slurm.node_update import NodeAction
from slurm.operation import RunsAs
from slurm.operations import OPERATIONS
from slurm.partition_update import QueueAction
from slurm.refusal import InvalidInputError, RefusalCode
from slurm.reservation import NewReservation, ReservationEnd, ReservationFlag, ReservationNodes
from slurm.sbatch import MailType, Submission
from slurm.script import Script

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fields(build: Callable[[], Question[Any]]) -> list[str]:
    """The inputs that are wrong."""
    with pytest.raises(InvalidInputError) as caught:
        build()
    assert {refusal.code for refusal in caught.value.refusals} == {RefusalCode.INVALID_INPUT}
    return [(refusal.field or ["?"])[-1] for refusal in caught.value.refusals]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_limit_seconds", 0),
        ("queue", "a\nb"),
        ("queue", " a"),
        ("queue", "--help"),
        ("queue", ""),
        ("priority", -1),
        ("nice", 2**31),
        ("name", "x" * 1025),
        ("name", "nul\0"),
        ("comment", "\ud800"),
        ("queue", "a,\ud800"),
        ("account", "\udfff"),
        ("qos", "a\ud800"),
        ("reservation", "\ud800a"),
        ("account", "a,b"),
        ("dependency", "after"),
        ("dependency", "afterok:1;id"),
        ("begin_time", datetime(2026, 1, 1)),
        ("begin_time", datetime(2200, 1, 1, tzinfo=UTC)),
        ("nodes", 0),
        ("features", "a b"),
        ("node_names", ["ALL"]),
        ("node_names", ["a[1"]),
        ("excluded_node_names", ["a b"]),
        ("licenses", "matlab:x"),
        ("stdout_path", ""),
    ],
)
def test_an_input_that_cannot_be_right_is_named(name: str, value: object) -> None:
    first, *others = name.split("_")
    camel = first + "".join(map(str.title, others))
    wrong: dict[str, Any] = {name: value}
    assert fields(lambda: job_update.update(["1"], JobUpdate(**wrong))) == [camel]


def test_all_errors_are_reported_together() -> None:
    changes = JobUpdate(time_limit_seconds=-1, queue="-a", max_nodes=2)
    assert fields(lambda: job_update.update(["1"], changes)) == ["timeLimitSeconds", "queue", "maxNodes"]


def test_a_change_must_change_something() -> None:
    assert fields(lambda: job_update.update(["1"], JobUpdate())) == ["input"]


def test_fewer_nodes_at_most_than_at_least() -> None:
    assert fields(lambda: job_update.update(["1"], JobUpdate(nodes=3, max_nodes=2))) == ["maxNodes"]


@pytest.mark.parametrize("job", ["-1", "name=x", "1 2", "", "1.batch"])
def test_an_invalid_job_id_is_not_sent(job: str) -> None:
    with pytest.raises(ParseError):
        job_update.update([job], JobUpdate(nice=1))


def test_inputs_for_operators_are_known_beforehand() -> None:
    assert for_operators(JobUpdate(nice=1, comment="x")) == []
    assert for_operators(JobUpdate(admin_comment="x", deadline=NOW)) == ["admin_comment", "deadline"]


@pytest.mark.parametrize("action", [NodeAction.DRAIN, NodeAction.DOWN])
@pytest.mark.parametrize("reason", [None, "", "  ", "two\nlines", "x" * 1025])
def test_a_node_is_taken_out_of_service_with_a_reason_only(action: NodeAction, reason: str | None) -> None:
    assert fields(lambda: node_update.update(["n1"], action, reason)) == ["reason"]


@pytest.mark.parametrize("node", ["", "a b", "n[1-2]", "ALL,x", "-n", "n1\n"])
def test_a_node_is_named_on_its_own(node: str) -> None:
    assert fields(lambda: node_update.update(["n1", node], NodeAction.RESUME)) == ["names"]


@pytest.mark.parametrize("queue", ["", "a\tb", "a,b", "-q", "q\n", " q", "q\0"])
def test_a_queue_is_named_on_its_own(queue: str) -> None:
    assert fields(lambda: partition_update.update(queue, QueueAction.UP)) == ["name"]


RIGHT: dict[str, Any] = {
    "until": ReservationEnd(duration_seconds=600),
    "users": ["ada"],
    "nodes": ReservationNodes(count=1),
}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"until": ReservationEnd(duration_seconds=59)}, ["durationSeconds"]),
        ({"until": ReservationEnd(time=datetime(2030, 1, 1))}, ["time"]),
        ({"nodes": None}, ["nodes"]),
        ({"nodes": ReservationNodes(count=0)}, ["count"]),
        ({"nodes": ReservationNodes(names=["ALL"])}, ["names"]),
        ({"users": None}, ["users"]),
        ({"users": []}, ["users"]),
        ({"users": ["-a"]}, ["users"]),
        ({"users": ["a,b"]}, ["users"]),
        ({"accounts": ["+a"]}, ["accounts"]),
        ({"name": "a\nb"}, ["name"]),
        ({"name": "a,b"}, ["name"]),
        ({"licenses": "a b"}, ["licenses"]),
        ({"features": "a b"}, ["features"]),
    ],
)
def test_a_reservation_that_cannot_be_right_is_not_sent(wrong: dict[str, Any], expected: list[str]) -> None:
    assert fields(lambda: reservation.create(NewReservation(**{**RIGHT, **wrong}))) == expected


def test_a_reservation_as_the_head_node_runs_it() -> None:
    new = NewReservation(
        name="talk",
        start_time=datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=1))),
        until=ReservationEnd(time=NOW + timedelta(hours=1)),
        nodes=ReservationNodes(names=["n[1-2]", "m1"]),
        users=["ada", "grace"],
        accounts=["physics"],
        features="a&b",
        flags=[ReservationFlag.MAINT, ReservationFlag.NO_HOLD_JOBS_AFTER_END],
    )
    (command,) = reservation.create(new).commands
    assert argv(command) == [
        "scontrol", "create", "reservation", f"StartTime=uts{int(NOW.timestamp())}", "ReservationName=talk",
        f"EndTime=uts{int(NOW.timestamp()) + 3600}", "Nodes=n[1-2],m1", "Features=a&b", "Users=ada,grace",
        "Accounts=physics", "Flags=MAINT,NO_HOLD_JOBS_AFTER_END",
    ]  # fmt: skip


def test_an_actions_words_as_the_head_node_runs_them() -> None:
    (drain,) = node_update.update(["n1"], NodeAction.DRAIN, "bad disk = 1").commands
    assert argv(drain) == ["scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=bad disk = 1"]
    (close,) = partition_update.update("queue1", QueueAction.INACTIVE).commands
    assert argv(close) == ["scontrol", "update", "PartitionName=queue1", "State=INACTIVE"]
    (kill,) = job_action.cancel(["1_2"], "USR1", SignalTarget.BATCH).commands
    assert argv(kill) == ["scancel", "--verbose", "--signal=USR1", "--batch", "--state=RUNNING", "1_2"]
    (change,) = job_update.update(["7_[1-5%2]"], JobUpdate(comment="a b", dependency="")).commands
    assert argv(change) == ["scontrol", "update", "JobId=7_[1-5]", "Comment=a b", "Dependency="]


LEFT_OR_NULL = st.just(LEFT) | st.none()
changes = st.builds(
    JobUpdate,
    time_limit_seconds=LEFT_OR_NULL | st.integers(),
    queue=LEFT_OR_NULL | st.text(max_size=8),
    priority=LEFT_OR_NULL | st.integers(),
    nice=LEFT_OR_NULL | st.integers(),
    name=LEFT_OR_NULL | st.text(max_size=20),
    dependency=LEFT_OR_NULL | st.sampled_from(["", "singleton", "afterok:1:2_*,afterany:3_4", "after:5+10?afterok:6"]),
    features=LEFT_OR_NULL | st.text("ab|&[]*()2,.", max_size=8),
    node_names=LEFT_OR_NULL | st.lists(st.text("ab1[]-,", max_size=5), max_size=3),
    licenses=LEFT_OR_NULL | st.text("ab:1,;@", max_size=8),
    begin_time=LEFT_OR_NULL | st.datetimes(timezones=st.just(UTC)),
)


@given(changes)
def test_whatever_is_let_through_here_is_let_through_there(change: JobUpdate) -> None:
    try:
        (command,) = job_update.update(["1"], change).commands
    except InvalidInputError:
        return
    words = argv(command)
    assert words[:3] == ["scontrol", "update", "JobId=1"]
    assert len(words) == 2 + len(command.options)


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("scontrol update job", {"JobId": "1", "UserID": "0"}),
        ("scontrol update job", {"JobId": "ALL"}),
        ("scontrol update job", {"JobId": "1\n"}),
        ("scontrol update node", {"NodeName": "ALL,x"}),
        ("scontrol update node", {"NodeName": "n1", "State": "FUTURE"}),
        ("scontrol update node", {"NodeName": "n1", "Weight": "1"}),
        ("scontrol update partition", {"PartitionName": "q", "AllowGroups": "x"}),
        ("scontrol create reservation", {"Users": "-a"}),
        ("scontrol create reservation", {"ReservationName": "a,b"}),
        ("scontrol create reservation", {"Accounts": "a,,b"}),
        ("scontrol update partition", {"PartitionName": "a\nb"}),
        ("scontrol delete reservation", {"JobName": "x"}),
        ("sacctmgr show qos", {"format": "Name", "where": "x"}),
        ("sshare", {"format": "Account;id"}),
    ],
)
def test_the_head_node_takes_no_other_words(operation: str, options: dict[str, str]) -> None:
    with pytest.raises(Refused):
        argv_of(operation, options)


def test_fields_for_operators_are_marked() -> None:
    administrative = {each.name for each in OPERATIONS if each.runs_as is RunsAs.ADMINISTRATOR}
    assert administrative == {
        "scontrol suspend",
        "scontrol resume",
        "scontrol update node",
        "scontrol update partition",
        "scontrol create reservation",
        "scontrol update reservation",
        "scontrol delete reservation",
    }


NAMES = ["two words", "DOMAIN\\ada", "ada@corp.example.org", "do$lar", "a=b", "pi|pe", "grün", "a'b\"c", "perc%nt"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_slurm_takes_is_one_word_of_the_command(name: str) -> None:
    """No shell is involved. Each was tried on Slurm 20.11, 22.05, 24.11 and 26.05."""
    made = NewReservation(**{**RIGHT, "name": name, "users": [name, "ada"], "accounts": [name]})
    (create,) = reservation.create(made).commands
    words = argv(create)
    assert {f"ReservationName={name}", f"Users={name},ada", f"Accounts={name}"} <= set(words)
    (delete,) = reservation.delete(name).commands
    assert argv(delete) == ["scontrol", "delete", f"ReservationName={name}"]
    (update,) = job_update.update(["1"], JobUpdate(account=name, qos=name, reservation=name, queue=name)).commands
    assert {f"Account={name}", f"QOS={name}", f"ReservationName={name}", f"Partition={name}"} <= set(argv(update))
    (close,) = partition_update.update(name, QueueAction.UP).commands
    assert f"PartitionName={name}" in argv(close)


@given(st.text(), st.text())
def test_no_name_becomes_an_option_or_two_names(name: str, other: str) -> None:
    try:
        written = argument.names([name, other])
    except ValueError:
        return
    assert written.split(",") == [name, other]
    assert not any(each.startswith(("-", "+", " ")) or re.search(r"[\0-\x1f\x7f]", each) for each in (name, other))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        *(
            (table, line.name)
            for table in (NewReservation, JobUpdate, ReservationNodes, Submission)
            for line in dataclasses.fields(table)
            if "Sequence" in str(line.type)
        ),
    ],
)
def test_a_list_of_more_than_a_thousand_entries_is_refused(table: type, name: str) -> None:
    kind = next(line.metadata["kind"] for line in dataclasses.fields(table) if line.name == name)
    entry: Any = {
        "flags": ReservationFlag.MAINT,
        "mail_types": MailType.END,
        "environment": EnvironmentVariable(name="A", value=""),
    }.get(name, "queue1-st-small-1")
    kind([entry] * 1000)
    with pytest.raises(ValueError, match=r"1000 .*, not 1001"):
        kind([entry] * 1001)


def test_too_many_variables_are_refused_before_anything_is_sent() -> None:
    variables = [EnvironmentVariable(name=f"A{number}", value="") for number in range(1001)]
    submission = Submission(script=Script(text="#!/bin/sh\n"), environment=variables)
    assert fields(lambda: sbatch.check(submission).submit()) == ["environment"]
