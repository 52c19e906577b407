"""The list of operations is whole, and the head node takes every command that slurm/ makes."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slurm
from program_check import argv
from slurm import (
    account,
    argument,
    association,
    batch_script,
    configuration,
    fair_share,
    job_action,
    job_update,
    license,
    node_update,
    output_file,
    partition,
    partition_update,
    ping,
    qos,
    reservation,
    sacct,
    sacct_search,
    sbatch,
    sinfo,
    sprio,
    squeue,
    sstat,
    statistics,
    topology,
)
from slurm.command import Command, Question
from slurm.job_environment import EnvironmentVariable, Export
from slurm.job_update import JobUpdate
from slurm.operation import Operation
from slurm.operations import OPERATIONS
from slurm.refusal import InvalidInputError
from slurm.reservation import NewReservation, ReservationEnd, ReservationNodes, ReservationUpdate
from slurm.sbatch import JobMemory, OpenMode, Requeue, Submission
from slurm.script import Script

SCRIPT = "#!/bin/sh\ntrue\n"
DAY = datetime(2033, 5, 18, tzinfo=UTC)
TABLES: list[type] = [Submission, JobUpdate, NewReservation]


def defined() -> Iterator[Operation]:
    """Every operation that a module of slurm/ has a name for."""
    for module in pkgutil.iter_modules(slurm.__path__):
        yield from (
            value
            for value in vars(importlib.import_module(f"slurm.{module.name}")).values()
            if isinstance(value, Operation)
        )


def test_every_operation_is_listed() -> None:
    assert {each.name for each in set(defined()) - set(OPERATIONS)} == set()


def test_no_two_operations_have_the_same_name() -> None:
    names = [each.name for each in OPERATIONS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_its_patterns_are_patterns(operation: Operation) -> None:
    for pattern in (*operation.options.values(), *operation.environment, *operation.environment.values()):
        re.compile(pattern, re.ASCII)


# --- kinds ----------------------------------------------------------------------------------------------------------


def lines(table: type) -> dict[str, argument.Kind[Any]]:
    """The kind of each input of a table that has one."""
    return {line.name: line.metadata["kind"] for line in fields(table) if "key" in line.metadata}


def values(hint: Any, kind: argument.Kind[Any]) -> st.SearchStrategy[Any]:
    """Values of an input of that type (and None, which is not given), many of them right."""
    (wanted,) = [each for each in get_args(hint) if each not in (NoneType, argument.Left)]
    if wanted is str:
        return st.from_regex(rf"\A(?:{kind.pattern})\Z", alphabet=st.characters(codec="utf-8")) | st.text(max_size=9)
    if wanted is int:
        return st.integers(-3, 90) | st.integers()
    if wanted is datetime:
        return st.datetimes(timezones=st.just(UTC))
    if wanted is bool:
        return st.booleans()
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return st.sampled_from(wanted)
    (element,) = get_args(wanted)
    if element is str:
        return st.lists(st.text("ab1[]-,_.@ ", max_size=6) | st.sampled_from(["n1", "n[1-2]", "ALL", "é"]), max_size=3)
    return st.lists(st.sampled_from(element), max_size=3)


KINDS = [(table, name) for table in TABLES for name in lines(table)]


@pytest.mark.parametrize(("table", "name"), KINDS, ids=lambda each: getattr(each, "__name__", each))
@settings(max_examples=30)
@given(data=st.data())
def test_what_a_kind_writes_matches_its_pattern(data: st.DataObject, table: type, name: str) -> None:
    kind = lines(table)[name]
    value = data.draw(values(get_type_hints(table)[name], kind))
    try:
        written = kind(value)
    except ValueError:
        return
    assert re.fullmatch(kind.pattern, written, re.ASCII), written


@pytest.mark.parametrize("kind", [argument.word, argument.node, argument.words, argument.text, argument.line])
@given(value=st.text(max_size=9) | st.sampled_from(["ALL", "all", "a,b", "a\n", "\u0661", "a\0"]))
def test_what_a_kind_of_text_writes_matches_its_pattern(kind: argument.Kind[str], value: str) -> None:
    try:
        written = kind(value)
    except ValueError:
        return
    assert re.fullmatch(kind.pattern, written, re.ASCII), written


@pytest.mark.parametrize(("table", "name"), KINDS, ids=lambda each: getattr(each, "__name__", each))
def test_no_kind_lets_a_lone_surrogate_through(table: type, name: str) -> None:
    hint = str(get_type_hints(table)[name])
    if "str" in hint:
        with pytest.raises(ValueError):
            lines(table)[name](["a\ud800"] if "Sequence" in hint else "/a\ud800")


# --- what slurm/ makes ----------------------------------------------------------------------------------------------


def cleared(table: type) -> list[str]:
    """The inputs of an update that null clears."""
    return [line.name for line in fields(table) if "clear" in line.metadata]


def full() -> Submission:
    """A submission with all inputs but those that exclude each other."""
    return Submission(
        script=Script(text=SCRIPT),
        name="a\nb",
        queue="queue1,gpu",
        account="a.b",
        qos="q",
        work_dir="/a b",
        nodes=1,
        max_nodes=2,
        tasks=2,
        tasks_per_node=2,
        cpus_per_task=3,
        core_spec=1,
        memory=JobMemory(per_node_mib=4),
        gpus=5,
        gpus_per_node=5,
        gpus_per_task=5,
        gpu_type="nvidia-a100.80gb",
        constraint="[a|b]&c*2",
        exclusive=True,
        node_names=["a-[1-2]", "b"],
        excluded_node_names=["c"],
        licenses="matlab@db:2,ansys",
        reservation="r,s",
        time_limit_seconds=61,
        time_min_seconds=61,
        deadline=DAY,
        nice=-5,
        requeue=Requeue.NEVER,
        signal="B:SIGUSR1@65535",
        export=Export.NAMED,
        container="/a b",
        open_mode=OpenMode.APPEND,
        mail_types=list(sbatch.MailType),
        mail_user="a.b+c@example.org,d",
        begin_time=DAY,
        array="0-9:2,11%4",
        dependency="afterok:1_2:3+1,singleton",
        stdout_path="%j",
        stderr_path="-x",
        hold=True,
        comment="",
        environment=[EnvironmentVariable(name="A_1", value="\n,'\"")],
    )


def questions() -> Sequence[Question[Any]]:
    """What slurm/ asks, each operation at its fullest."""
    jobs = ["1", "1_2", "1_[2-5,7%3]", "1+0", "1_4294967293"]
    made = [
        full(),
        Submission(script=Script(text=SCRIPT), memory=JobMemory(per_cpu_mib=1), nodes=1, requeue=Requeue.ON_FAILURE),
        Submission(script=Script(text=SCRIPT), requeue=Requeue.EXPEDITED),
        Submission(script=Script(path="/a b"), memory=JobMemory(per_gpu_mib=1), export=Export.NONE),
    ]
    search = sacct_search.Search(users=["ada"], account="a", queue="q", node_name="n", name="x", since=DAY)
    changes = JobUpdate(
        time_limit_seconds=61, nodes=1, max_nodes=2, requeue=False, dependency="", node_names=[], features="a&b"
    )
    new = NewReservation(
        name="r",
        until=ReservationEnd(duration_seconds=61),
        nodes=ReservationNodes(count=2),
        users=["ada", "grace"],
        flags=[],
    )
    return [
        squeue.jobs(),
        squeue.jobs(["1", "2_3"]),
        squeue.jobs_in_brief(),
        sinfo.nodes(),
        partition.queues(),
        configuration.configuration(),
        reservation.reservations(),
        license.licenses(),
        topology.topology(),
        ping.ping(),
        qos.qos(),
        association.associations("cluster"),
        association.accounts(),
        fair_share.fair_shares(),
        statistics.statistics(),
        sprio.priority_factors(),
        sacct.history(search),
        sacct.allocations(sacct_search.Search(ids=jobs)),
        sstat.running_steps(["1", "2"]),
        batch_script.batch_script("1_2"),
        output_file.read_file("/a b", limit=100, from_end=True),
        output_file.read_file("/a\n", limit=100, offset=7),
        account.account("ada"),
        *(sbatch.check(submission).submit() for submission in made),
        sbatch.check(Submission(script=Script(text=SCRIPT), test_only=True, export=Export.ALL)).estimate(),
        job_action.cancel(jobs),
        job_action.cancel(jobs, "USR1", job_action.SignalTarget.BATCH),
        job_action.cancel(jobs, "9", job_action.SignalTarget.FULL),
        *(act(jobs) for act in (job_action.hold, job_action.release, job_action.requeue)),
        *(act(jobs) for act in (job_action.suspend, job_action.resume)),
        job_update.update(jobs, changes),
        *(node_update.update(["n1", "all-1"], action, "why = 1") for action in node_update.NodeAction),
        *(partition_update.update("q", action) for action in partition_update.QueueAction),
        reservation.create(new),
        reservation.update(
            ReservationUpdate(name="r", until=ReservationEnd(duration_seconds=60), users=["ada"], flags=[])
        ),
        *(job_update.update(["1"], JobUpdate(**{name: None})) for name in cleared(JobUpdate)),
        *(reservation.update(ReservationUpdate(name="r", **{name: None})) for name in cleared(ReservationUpdate)),
        reservation.delete("r"),
    ]


def commands(asked: Iterable[Question[Any]]) -> list[Command]:
    return [command for question in asked for command in question.commands]


def test_the_questions_above_need_every_operation() -> None:
    assert {command.operation for command in commands(questions())} == set(OPERATIONS)


@pytest.mark.parametrize("command", commands(questions()), ids=lambda command: command.operation.name)
def test_the_head_node_takes_every_command(command: Command) -> None:
    words = argv(command)
    assert words[: len(command.operation.words)] == list(command.operation.words)
    assert len(words) == len(command.operation.words) + len(command.options) + len(command.arguments) + len(
        command.operation.last_words
    )


def test_every_input_of_a_submission_is_in_the_questions_above() -> None:
    used = [command.options for command in commands(questions()) if command.operation is sbatch.SBATCH]
    assert {name for options in used for name in options} == set(sbatch.SBATCH.options)


INPUTS: Mapping[type, Mapping[str, Any]] = {
    Submission: {"script": Script(text=SCRIPT)},
    JobUpdate: {"comment": "x"},
    NewReservation: {
        "until": ReservationEnd(duration_seconds=60),
        "users": ["ada"],
        "nodes": ReservationNodes(count=1),
    },
    ReservationUpdate: {"name": "r"},
}
WITHIN: dict[type, tuple[type, str]] = {
    JobMemory: (Submission, "memory"),
    ReservationEnd: (NewReservation, "until"),
    ReservationNodes: (NewReservation, "nodes"),
}
"""Inputs that are part of others: of which, and where."""


@pytest.mark.parametrize(("table", "name"), KINDS, ids=lambda each: getattr(each, "__name__", each))
@settings(max_examples=30)
@given(data=st.data())
def test_the_head_node_takes_whatever_an_input_lets_through(data: st.DataObject, table: type, name: str) -> None:
    value = data.draw(values(get_type_hints(table)[name], lines(table)[name]))
    inputs = table(**{**INPUTS.get(table, {}), name: value})
    if table in WITHIN:
        whole, place = WITHIN[table]
        inputs = whole(**{**INPUTS[whole], place: inputs})
    try:
        if isinstance(inputs, Submission):
            question: Question[Any] = sbatch.check(inputs).submit()
        elif isinstance(inputs, JobUpdate):
            question = job_update.update(["1"], inputs)
        elif isinstance(inputs, ReservationUpdate):
            question = reservation.update(inputs)
        else:
            question = reservation.create(inputs)
    except InvalidInputError:
        return
    for command in question.commands:
        argv(command)


@pytest.mark.parametrize(
    "operation",
    [
        operation
        for operation in OPERATIONS
        if operation.name in ("squeue", "sinfo", "sprio", "sacct")
        or (operation.name.startswith("scontrol show ") and operation.name != "scontrol show config")
    ],
    ids=lambda operation: operation.name,
)
def test_a_federation_shows_this_cluster_alone(operation: Operation) -> None:
    """FederationParameters=fed_display makes them show all clusters. 20.11, 22.05, 24.11 and 26.05 take --local."""
    assert operation.words[1] == "--local"
