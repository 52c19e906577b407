"""Changing jobs, nodes, queues and reservations on a real Slurm: what is done, and what is refused with which code."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asked_slurm import AskedSlurm, asked_slurm, until

from local.suite import Chroot
from slurm import job_action, job_update, node_update, partition_update, reservation
from slurm.job_action import SignalTarget
from slurm.job_update import JobUpdate
from slurm.node_update import NodeAction
from slurm.partition_update import QueueAction
from slurm.refusal import InvalidInputError, Refusal, RefusalCode
from slurm.reservation import (
    NewReservation,
    ReservationEnd,
    ReservationFlag,
    ReservationNodes,
    ReservationState,
    ReservationUpdate,
)

NODE = "queue1-st-small-2"


@pytest.fixture(scope="module")
def lab(chroot: Chroot | None) -> Iterator[AskedSlurm]:
    folder = Path(tempfile.mkdtemp(prefix="administration-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with asked_slurm(folder, chroot, Licenses="matlab:10") as lab:
            yield lab
    finally:
        shutil.rmtree(folder)


def code(refusal: object) -> RefusalCode:
    assert isinstance(refusal, Refusal)
    return refusal.code


# --- jobs -----------------------------------------------------------------------------------------------------------


def test_every_thing_that_can_be_changed_of_a_waiting_job_is(lab: AskedSlurm) -> None:
    first, job = lab.submit("--hold"), lab.submit("--hold")
    begin = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    changes = JobUpdate(
        time_limit_seconds=601,
        time_min_seconds=60,
        nice=7,
        name='a "b"=c\nJobId=1',
        comment="x y='z'",
        dependency=f"afterok:{first}",
        begin_time=begin,
        tasks=2,
        cpus_per_task=2,
        memory_mib=500,
        features="static|dynamic",
        excluded_node_names=["queue1-dy-large-[1-2]", NODE],
        licenses="matlab:2",
        requeue=False,
        stdout_path="/dev/zero",
    )
    assert lab.ask(job_update.update([job], changes)) == [None]
    shown = lab.slurm("scontrol", "show", "job", job)
    assert lab.job(job, "Name") == 'a "b"=c\nJobId=1'
    assert lab.job(job, "Comment") == "x y='z'"
    assert lab.job(job, "TimeLimit") == "11:00"
    assert lab.job(job, "Dependency") == f"afterok:{first}(unfulfilled)"
    assert lab.job(job, "Nice") == "7"
    assert lab.job(job, "MinMemory") == "500M"
    assert lab.job(job, "Licenses") == "matlab:2"
    assert lab.job(job, "Feature") == "static|dynamic"
    assert "TimeMin=00:01:00" in shown
    assert "ExcNodeList=queue1-dy-large-[1-2],queue1-st-small-2" in shown
    assert "Requeue=0" in shown
    assert "StdOut=/dev/zero" in shown
    assert "CPUs/Task=2" in shown


def test_a_job_moves_to_another_queue(lab: AskedSlurm) -> None:
    job = lab.submit("--hold")
    # 24.11 and 26.05 first say "Resource temporarily unavailable" now and then.
    until(lambda: lab.ask(job_update.update([job], JobUpdate(queue="gpu,queue1"))) == [None], 30)
    assert lab.job(job, "Partition") == "gpu,queue1"


def test_a_range_of_nodes(lab: AskedSlurm) -> None:
    job = lab.submit("--hold")
    assert lab.ask(job_update.update([job], JobUpdate(nodes=1, max_nodes=2))) == [None]
    assert "NumNodes=1-2 " in lab.slurm("scontrol", "show", "job", job)


def test_null_clears_what_was_set(lab: AskedSlurm) -> None:
    first = lab.submit("--hold")
    job = lab.submit("--hold", f"--dependency=afterok:{first}", f"--exclude={NODE}", "--licenses=matlab:1")
    changes = JobUpdate(dependency="", excluded_node_names=[], licenses="", comment="")
    assert lab.ask(job_update.update([job], changes)) == [None]
    assert lab.job(job, "Dependency") == "(null)"
    assert lab.job(job, "Licenses") in ("", "(null)")
    assert "ExcNodeList=(null)" in lab.slurm("scontrol", "show", "job", job)


def test_an_arrays_limit(lab: AskedSlurm) -> None:
    job = lab.submit("--hold", "--array=1-9%2")
    assert lab.ask(job_update.update([job], JobUpdate(array_limit=4))) == [None]
    assert lab.job(job, "JobArrayID") == f"{job}_[1-9%4]"
    assert lab.ask(job_update.update([f"{job}_[1-9%4]"], JobUpdate(comment="all"))) == [None]


def test_each_job_has_its_own_answer(lab: AskedSlurm) -> None:
    mine, other = lab.submit("--hold"), lab.submit("--hold", user="grace")
    answers = lab.ask(job_update.update([mine, other, "999999"], JobUpdate(comment="seen")))
    assert answers[0] is None
    assert code(answers[1]) is RefusalCode.FORBIDDEN
    assert code(answers[2]) is RefusalCode.NOT_FOUND
    assert [answer.id for answer in answers if answer] == [other, "999999"]
    assert lab.job(mine, "Comment") == "seen"
    assert lab.job(other, "Comment") == "(null)"


def test_an_operator_changes_another_persons_job(lab: AskedSlurm) -> None:
    job = lab.submit("--hold", user="grace")
    assert lab.ask(job_update.update([job], JobUpdate(comment="by ada")), operator=True) == [None]
    assert lab.operate(job_update.update([job], JobUpdate(admin_comment="x", nice=-5))) == [None]
    assert (lab.job(job, "Comment"), lab.job(job, "Nice")) == ("by ada", "-5")


@pytest.mark.parametrize(
    "changes",
    [JobUpdate(nice=-1), JobUpdate(admin_comment="x"), JobUpdate(deadline=datetime(2030, 1, 1, tzinfo=UTC))],
)
def test_fields_for_operators_are_forbidden_to_the_jobs_own_user(lab: AskedSlurm, changes: JobUpdate) -> None:
    (why,) = lab.ask(job_update.update([lab.submit("--hold")], changes))
    assert code(why) is RefusalCode.FORBIDDEN


def test_the_time_limit_of_a_running_job_can_be_lowered_by_its_user_and_raised_by_an_operator(lab: AskedSlurm) -> None:
    job = lab.submit("--time=20")
    until(lambda: lab.job(job, "State") == "RUNNING")
    assert lab.ask(job_update.update([job], JobUpdate(time_limit_seconds=600))) == [None]
    (why,) = lab.ask(job_update.update([job], JobUpdate(time_limit_seconds=1800)))
    assert code(why) is RefusalCode.FORBIDDEN
    assert lab.ask(job_update.update([job], JobUpdate(time_limit_seconds=1800)), operator=True) == [None]
    assert lab.job(job, "TimeLimit") == "30:00"
    (why,) = lab.ask(job_update.update([job], JobUpdate(queue="gpu")))
    assert code(why) is RefusalCode.CONFLICT
    lab.slurm("scancel", job)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (JobUpdate(queue="nope"), "queue"),
        (JobUpdate(features="nonsense"), "features"),
        (JobUpdate(licenses="nope:1"), "licenses"),
        (JobUpdate(reservation="nope"), "reservation"),
        (JobUpdate(node_names=["nope"]), "nodeNames"),
    ],
)
def test_a_refusal_names_the_input_it_is_about(lab: AskedSlurm, changes: JobUpdate, field: str) -> None:
    (why,) = lab.ask(job_update.update([lab.submit("--hold")], changes))
    assert why is not None
    assert (why.code, why.field) == (RefusalCode.REJECTED_BY_SCHEDULER, ["input", field])


def test_only_an_operator_suspends_and_resumes(lab: AskedSlurm) -> None:
    job = lab.submit()
    until(lambda: lab.job(job, "State") == "RUNNING")
    (why,) = lab.ask(job_action.suspend([job]))
    assert code(why) is RefusalCode.FORBIDDEN
    assert lab.job(job, "State") == "RUNNING"
    assert lab.operate(job_action.suspend([job])) == [None]
    assert lab.job(job, "State") == "SUSPENDED"
    assert lab.operate(job_action.resume([job])) == [None]
    assert lab.job(job, "State") == "RUNNING"
    (why,) = lab.operate(job_action.resume([job]))
    assert code(why) is RefusalCode.CONFLICT
    lab.slurm("scancel", job)


def test_waiting_and_unknown_jobs_cannot_be_suspended(lab: AskedSlurm) -> None:
    waiting, unknown = lab.operate(job_action.suspend([lab.submit("--hold"), "999999"]))
    assert (code(waiting), code(unknown)) == (RefusalCode.CONFLICT, RefusalCode.NOT_FOUND)


@pytest.mark.parametrize("target", [SignalTarget.BATCH, SignalTarget.FULL])
def test_a_signal_reaches_the_batch_script_only_if_it_is_meant(lab: AskedSlurm, target: SignalTarget) -> None:
    ready = lab.cluster.user("ada").workspace / f"ready-{target.name}"
    # The shell heeds its traps while it waits for a process in the background.
    job = lab.submit(script=f"trap 'exit 7' USR1; trap 'exit 8' USR2; touch {ready}; sleep 300 & wait")
    until(ready.exists)
    lab.ask(job_action.cancel([job], "USR2", SignalTarget.STEPS))
    assert lab.ask(job_action.cancel([job], "USR1", target)) == [None]
    until(lambda: "ExitCode=7:0" in lab.slurm("scontrol", "show", "job", job))


# --- nodes and queues -----------------------------------------------------------------------------------------------


def test_a_node_is_drained_with_a_reason_and_taken_back(lab: AskedSlurm) -> None:
    assert lab.operate(node_update.update([NODE], NodeAction.DRAIN, "bad disk=1, see #7")) == [None]
    shown = lab.slurm("scontrol", "show", "node", NODE)
    assert "DRAIN" in shown
    assert "Reason=bad disk=1, see #7 [slurm@" in shown
    assert lab.operate(node_update.update([NODE], NodeAction.RESUME)) == [None]
    assert "DRAIN" not in lab.slurm("scontrol", "show", "node", NODE)


def test_a_node_is_put_down_and_taken_back(lab: AskedSlurm) -> None:
    assert lab.operate(node_update.update([NODE], NodeAction.DOWN, "gone")) == [None]
    assert lab.slurm("sinfo", "-h", "-n", NODE, "-o", "%T") in ("down", "down*")
    assert lab.operate(node_update.update([NODE], NodeAction.RESUME)) == [None]
    until(lambda: lab.slurm("sinfo", "-h", "-n", NODE, "-o", "%T") == "idle")
    (why,) = lab.operate(node_update.update([NODE], NodeAction.RESUME))
    assert code(why) is RefusalCode.CONFLICT


@pytest.mark.parametrize("name", ["ALL", "all"])
def test_no_name_means_every_node(name: str) -> None:
    """scontrol would drain the whole cluster."""
    with pytest.raises(InvalidInputError, match="every node of the cluster"):
        node_update.update([NODE, name], NodeAction.DRAIN, "test")


def test_one_unknown_node_does_not_affect_the_others(lab: AskedSlurm) -> None:
    nodes = ["queue1-dy-large-3", "nope"]
    done, unknown = lab.operate(node_update.update(nodes, NodeAction.DRAIN, "test"))
    assert done is None
    assert unknown is not None
    assert (unknown.code, unknown.id) == (RefusalCode.NOT_FOUND, "nope")
    lab.operate(node_update.update(nodes[:1], NodeAction.RESUME))


def test_a_cloud_node_is_powered_up_and_down_without_a_job(lab: AskedSlurm) -> None:
    node = "queue1-dy-large-4"
    assert lab.operate(node_update.update([node], NodeAction.POWER_UP)) == [None]
    until(lambda: lab.slurm("sinfo", "-h", "-n", node, "-o", "%T") == "idle")
    assert lab.operate(node_update.update([node], NodeAction.POWER_DOWN)) == [None]
    until(lambda: lab.slurm("sinfo", "-h", "-n", node, "-o", "%T") == "idle~")


@pytest.mark.parametrize("action", list(QueueAction))
def test_a_queue_is_opened_and_closed(lab: AskedSlurm, action: QueueAction) -> None:
    assert lab.operate(partition_update.update("gpu", action)) is None
    assert f"State={action.value} " in lab.slurm("scontrol", "-o", "show", "partition", "gpu")
    lab.slurm("scontrol", "update", "PartitionName=gpu", "State=UP")


def test_an_unknown_queue_is_not_found(lab: AskedSlurm) -> None:
    assert code(lab.operate(partition_update.update("nope", QueueAction.DOWN))) is RefusalCode.NOT_FOUND


# --- reservations ---------------------------------------------------------------------------------------------------


def test_a_reservation_is_made_shown_and_deleted(lab: AskedSlurm) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    new = NewReservation(
        name="maintenance",
        start_time=start,
        until=ReservationEnd(duration_seconds=5401),
        nodes=ReservationNodes(names=["queue1-st-small-[1-2]"]),
        users=["ada", "grace"],
        flags=[ReservationFlag.MAINT, ReservationFlag.IGNORE_JOBS],
    )
    assert lab.operate(reservation.create(new)) == "maintenance"
    (made,) = (row for row in lab.ask(reservation.reservations()) if row.name == "maintenance")
    assert (made.state, made.raw_state) == (ReservationState.INACTIVE, "INACTIVE")
    assert (made.start_time, made.end_time) == (start, start + timedelta(seconds=5460))
    assert made.duration_seconds == 5460
    assert made.node_names == ["queue1-st-small-1", "queue1-st-small-2"]
    assert (made.node_count, made.core_count, made.tres) == (2, 8, ["cpu=8"])
    assert (made.users, made.accounts, made.groups, made.licenses) == (["ada", "grace"], [], [], [])
    assert made.flags == ["MAINT", "IGNORE_JOBS", "SPEC_NODES"]
    assert (made.queue_name, made.features, made.comment, made.max_start_delay_seconds) == (None, None, None, None)
    assert lab.operate(reservation.delete("maintenance")) is None
    assert code(lab.operate(reservation.delete("maintenance"))) is RefusalCode.NOT_FOUND


def test_a_reservation_is_changed_and_what_is_left_out_stays(lab: AskedSlurm) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    new = NewReservation(
        name="moved",
        start_time=start,
        until=ReservationEnd(duration_seconds=600),
        nodes=ReservationNodes(count=1),
        queue="queue1",
        users=["ada"],
        flags=[ReservationFlag.MAINT, ReservationFlag.IGNORE_JOBS],
    )
    assert lab.operate(reservation.create(new)) == "moved"

    def changed(**changes: Any) -> reservation.Reservation:
        assert lab.operate(reservation.update(ReservationUpdate(name="moved", **changes))) is None
        (row,) = lab.ask(reservation.reservations())
        return row

    try:
        longer = changed(until=ReservationEnd(duration_seconds=7200))
        assert (longer.start_time, longer.duration_seconds, longer.users) == (start, 7200, ["ada"])
        later = start + timedelta(days=1)
        moved = changed(start_time=later, until=ReservationEnd(time=later + timedelta(hours=1)))
        assert (moved.start_time, moved.end_time) == (later, later + timedelta(hours=1))
        assert changed(users=["ada", "grace"]).users == ["ada", "grace"]
        assert changed(nodes=ReservationNodes(names=["queue1-dy-large-[1-2]"])).node_names == [
            "queue1-dy-large-1",
            "queue1-dy-large-2",
        ]
        assert changed(accounts=["physics"], users=None).users == []
        assert (changed(licenses="matlab:1").licenses, changed(licenses=None).licenses) == (["matlab:1"], [])
        flags = changed(flags=[ReservationFlag.FLEX], users=["grace"])
        assert ({"MAINT", "IGNORE_JOBS", "FLEX"} <= set(flags.flags), flags.users) == (True, ["grace"])
    finally:
        lab.operate(reservation.delete("moved"))


@pytest.mark.parametrize(
    ("wrong", "expected", "field"),
    [
        ({"name": "nope", "until": ReservationEnd(duration_seconds=600)}, RefusalCode.NOT_FOUND, "name"),
        ({"queue": "nope"}, RefusalCode.REJECTED_BY_SCHEDULER, "queue"),
        ({"users": ["nosuchuser"]}, RefusalCode.INVALID_INPUT, "users"),
        ({"licenses": "nope:1"}, RefusalCode.REJECTED_BY_SCHEDULER, "licenses"),
        ({"features": "static"}, RefusalCode.REJECTED_BY_SCHEDULER, "features"),
        ({"start_time": datetime(2001, 9, 9, tzinfo=UTC)}, RefusalCode.REJECTED_BY_SCHEDULER, "startTime"),
    ],
)
def test_reservation_changes_that_slurm_refuses(
    lab: AskedSlurm, wrong: dict[str, Any], expected: RefusalCode, field: str
) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    new = NewReservation(
        name="kept",
        start_time=later,
        until=ReservationEnd(duration_seconds=600),
        users=["ada"],
        nodes=ReservationNodes(count=1),
        queue="queue1",
    )
    assert lab.operate(reservation.create(new)) == "kept"
    try:
        why = lab.operate(reservation.update(ReservationUpdate(**{"name": "kept", **wrong})))
    finally:
        lab.operate(reservation.delete("kept"))
    assert isinstance(why, Refusal)
    assert (why.code, why.field, why.id) == (expected, ["input", field], wrong.get("name", "kept"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, ["input"]),
        ({"flags": []}, ["input"]),
        ({"until": ReservationEnd(duration_seconds=59)}, ["input", "until", "durationSeconds"]),
        ({"nodes": ReservationNodes(names=["a b"])}, ["input", "nodes", "names"]),
        ({"name": "a,b", "users": ["ada"]}, ["input", "name"]),
        *(({name: None}, ["input", name]) for name in ("until", "nodes", "flags")),
        ({"start_time": None}, ["input", "startTime"]),
        ({"users": ["a,b"]}, ["input", "users"]),
    ],
)
def test_wrong_changes_of_a_reservation_are_refused(wrong: dict[str, Any], field: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        reservation.update(ReservationUpdate(**{"name": "r", **wrong}))
    assert [refusal.field for refusal in caught.value.refusals] == [field]


def test_a_reservation_without_a_name_gets_one(lab: AskedSlurm) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    name = lab.operate(
        reservation.create(
            NewReservation(
                until=ReservationEnd(time=end), nodes=ReservationNodes(count=1), users=["grace"], queue="queue1"
            )
        )
    )
    assert isinstance(name, str)
    assert name.startswith("grace_")
    (made,) = lab.ask(reservation.reservations())
    assert (made.name, made.state, made.node_count, made.flags) == (name, ReservationState.ACTIVE, 1, [])
    lab.operate(reservation.delete(name))


def test_a_reservation_of_licenses_alone(lab: AskedSlurm) -> None:
    new = NewReservation(
        name="talk",
        until=ReservationEnd(duration_seconds=600),
        users=["ada"],
        licenses="matlab:3",
        flags=[ReservationFlag.ANY_NODES],
    )
    assert lab.operate(reservation.create(new)) == "talk"
    (made,) = lab.ask(reservation.reservations())
    assert (made.licenses, made.node_names, made.tres) == (["matlab:3"], [], [])
    lab.operate(reservation.delete("talk"))


def test_a_name_with_a_blank_is_read_whole(lab: AskedSlurm) -> None:
    lab.slurm(
        "scontrol", "create", "reservation", "ReservationName=a b", "StartTime=now", "Duration=5", "Users=ada",
        "Nodes=queue1-st-small-1", "Flags=IGNORE_JOBS",
    )  # fmt: skip
    (made,) = lab.ask(reservation.reservations())
    assert (made.name, made.users) == ("a b", ["ada"])
    lab.slurm("scontrol", "delete", "ReservationName=a b")


def test_no_reservation_is_an_empty_table(lab: AskedSlurm) -> None:
    rows = lab.ask(reservation.reservations())
    assert len(rows) == 0


@pytest.mark.parametrize(
    ("wrong", "expected", "field"),
    [
        ({"nodes": ReservationNodes(names=["nope"])}, RefusalCode.REJECTED_BY_SCHEDULER, "nodes"),
        ({"nodes": ReservationNodes(count=1), "queue": "nope"}, RefusalCode.REJECTED_BY_SCHEDULER, "queue"),
    ],
)
def test_new_reservations_that_slurm_refuses(
    lab: AskedSlurm, wrong: dict[str, object], expected: RefusalCode, field: str
) -> None:
    right: dict[str, Any] = {"until": ReservationEnd(duration_seconds=600), "users": ["ada"]}
    right["nodes"] = ReservationNodes(names=["queue1-st-small-1"])
    why = lab.operate(reservation.create(NewReservation(**{**right, **wrong})))
    assert isinstance(why, Refusal)
    assert (why.code, why.field) == (expected, ["input", field])


def test_a_node_is_reserved_once(lab: AskedSlurm) -> None:
    new = NewReservation(
        name="first",
        until=ReservationEnd(duration_seconds=600),
        users=["ada"],
        nodes=ReservationNodes(names=["queue1-dy-large-3"]),
    )
    assert lab.operate(reservation.create(new)) == "first"
    same_name = lab.operate(reservation.create(replace(new, nodes=ReservationNodes(names=["queue1-dy-large-1"]))))
    same_node = lab.operate(reservation.create(replace(new, name="second")))
    lab.operate(reservation.delete("first"))
    assert isinstance(same_name, Refusal)
    assert (same_name.code, same_name.field) == (RefusalCode.CONFLICT, ["input", "name"])
    assert isinstance(same_node, Refusal)
    assert (same_node.code, same_node.field) == (RefusalCode.CONFLICT, ["input", "nodes"])


def test_a_reservation_for_nobody_known_is_refused(lab: AskedSlurm) -> None:
    why = lab.operate(
        reservation.create(
            NewReservation(
                until=ReservationEnd(duration_seconds=600), users=["nosuchuser"], nodes=ReservationNodes(count=1)
            )
        )
    )
    assert isinstance(why, Refusal)
    # 26.05 does not say what is wrong.
    assert ("Unspecified error" in why.message) or (why.code, why.field) == (
        RefusalCode.INVALID_INPUT,
        ["input", "users"],
    )


# --- who may --------------------------------------------------------------------------------------------------------


def test_an_ordinary_user_administers_nothing(lab: AskedSlurm) -> None:
    drain = lab.ask(node_update.update([NODE], NodeAction.DRAIN, "mine"))
    close = lab.ask(partition_update.update("queue1", QueueAction.DOWN))
    new = NewReservation(
        name="mine", until=ReservationEnd(duration_seconds=600), users=["ada"], nodes=ReservationNodes(count=1)
    )
    make = lab.ask(reservation.create(new))
    assert [code(why) for why in (*drain, close, make)] == [RefusalCode.FORBIDDEN] * 3
    assert lab.slurm("sinfo", "-h", "-n", NODE, "-o", "%T") != "drained"
    assert "State=UP" in lab.slurm("scontrol", "-o", "show", "partition", "queue1")
    assert "mine" not in lab.slurm("scontrol", "show", "reservation")
