"""Every fault of the matrix: its name, how it is made, and what may be answered while it lasts."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from faults import head_node, scheduler
from faults.cells import JOBS, Rule
from faults.sandbox import CLOCK, REMEMBERED
from faults.world import COLUMNS, World
from local.cluster.relay import Loss
from local.line import Kind
from local.ssm.spoiling import WAYS

RIGHT: frozenset[str] = frozenset()
UNREACHABLE = frozenset({"CLUSTER_UNREACHABLE"})
UNKNOWN = frozenset({"OUTCOME_UNKNOWN"})
LATE = frozenset({"TIMEOUT"})
DOWN = frozenset({"SCHEDULER_UNAVAILABLE"})
SUBMIT_BATCH_JOB, KILL_JOB, JOB_INFO = 4003, 5032, 2003


@dataclass(frozen=True)
class Fault:
    """A row of the matrix.

    `cold`: the sandboxes have just begun; `short`: it is part of `make test`; `accounting`: the cluster keeps accounts.
    `clocks` has the seconds by which a column's sandbox is ahead of the others.
    """

    name: str
    make: Callable[[World], AbstractContextManager[None]]
    rule: Rule = field(default_factory=Rule)
    environment: Mapping[str, str] = field(default_factory=dict)
    cold: bool = False
    short: bool = False
    accounting: bool = True
    clocks: Mapping[str, float] = field(default_factory=dict)

    def environments(self) -> dict[str, dict[str, str]]:
        """The variables of each column's sandbox."""
        clocks = {column: {CLOCK: str(seconds)} for column, seconds in self.clocks.items()}
        return {column: {**self.environment, **clocks.get(column, {})} for column in COLUMNS}


def _lines(kind: Kind, *operations: str, times: int | None = None, seconds: float = 1.0) -> Any:
    return lambda world: world.trouble(kind, *operations, times=times, seconds=seconds)


def _knobs(**knobs: Any) -> Any:
    return lambda world: world.knobs(**knobs)


@contextmanager
def _throttled_for(world: World, seconds: float) -> Iterator[None]:
    with world.knobs(throttle=1.0):
        timer = threading.Timer(seconds, world.stack.ssm.faults.change, ({"throttle": 0.0},))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def _offline(world: World) -> Iterator[None]:
    world.head_node.online = False
    try:
        yield
    finally:
        world.head_node.online = True


@contextmanager
def _gone(world: World) -> Iterator[None]:
    world.head_node.stopped = True
    try:
        yield
    finally:
        world.head_node.stopped = False


@contextmanager
def _no_python(world: World) -> Iterator[None]:
    text = json.dumps(world.stack.document)
    for name in ("python3", "/usr/libexec/platform-python", "/opt/parallelcluster/pyenv"):
        text = text.replace(f" {name}", f" /nowhere{'/' * (not name.startswith('/'))}{name}")
    with world.document(json.loads(text)):
        yield


@contextmanager
def _worker_dies(world: World) -> Iterator[None]:
    """The agent's document worker: with it go the program and its reply."""
    with world.knobs(lose_reply=True), world.killing("python3", after=0.05):
        yield


def _later(value: dict[str, Any]) -> dict[str, Any]:
    """A lease or a snapshot as a sandbox would leave it whose clock is an hour ahead."""
    hour = 3600 * 1_000_000
    if "S" in value:
        _, _, holder = value["S"].partition(" ")
        return {"S": f"{_now() + hour} {holder.split(' ')[0] or '0123456789abcdef'}"}
    about = json.loads(value["M"]["about"]["S"])
    about["asked"] = _now() + hour
    return {"M": {**value["M"], "about": {"S": json.dumps(about)}}}


def _elsewhere(value: dict[str, Any]) -> dict[str, Any]:
    """A snapshot that should lie in the bucket, and does not."""
    about = {**json.loads(value["M"]["about"]["S"]), "asked": _now(), "key": "snapshots/deleted", "sha256": "0" * 64}
    return {"M": {**value["M"], "about": {"S": json.dumps(about)}}}


def _garbage(value: dict[str, Any]) -> dict[str, Any]:
    about = {**json.loads(value["M"]["about"]["S"]), "asked": _now(), "key": None}
    return {"M": {"about": {"S": json.dumps(about)}, "body": {"B": b"garbage"}}}


def _now() -> int:
    return time.time_ns() // 1000


def _seen(**changed: Any) -> Any:
    """Readers have left their snapshots and leases in the item, and then it is changed."""

    @contextmanager
    def make(world: World) -> Iterator[None]:
        world.sandboxes["read"].ask("{ jobs { totalCount } }", user=world.user)
        with world.item(**changed):
            yield

    return make


def _full(folder: Callable[[World], Path], keep: bool = True) -> Any:
    return lambda world: head_node.full(folder(world), keep)


def _agent(world: World) -> Path:
    return world.stack.directory / "ssm" / world.head_node.id


def _keys(world: World) -> Path:
    return world.stack.directory / "state"


def _slurmctld(world: World) -> Path:
    return world.cluster.state


def _warm(make: Callable[[World], AbstractContextManager[None]]) -> Any:
    """The fault comes when every sandbox knows the head node and the jobs already."""

    @contextmanager
    def later(world: World) -> Iterator[None]:
        for sandbox in world.sandboxes.values():
            sandbox.ask(JOBS, user=world.user)
        with make(world):
            yield

    return later


def _both(*makes: Callable[[World], AbstractContextManager[None]]) -> Any:
    @contextmanager
    def make(world: World) -> Iterator[None]:
        with ExitStack() as stack:
            for each in makes:
                stack.enter_context(each(world))
            yield

    return make


_SPOILT = Rule(read=UNREACHABLE | {"RESPONSE_TOO_LARGE"}, change=UNKNOWN)
_CLOCK = Rule(words="clock")
_NO_ROOM = Rule(read=RIGHT, change=DOWN, words="state: No space left")
_FORGOTTEN = Rule(read=RIGHT, change=RIGHT, forgotten=True)

FAULTS: tuple[Fault, ...] = (
    Fault("none", lambda world: nullcontext(), Rule(read=RIGHT, change=RIGHT), short=True),
    # SSM
    Fault("throttled for 1 s", lambda world: _throttled_for(world, 1.0), Rule(read=RIGHT, change=RIGHT)),
    Fault("throttled without end", _knobs(throttle=1.0), Rule(seconds=6, change=frozenset({"THROTTLED"}))),
    Fault("looks throttled", _knobs(throttle=0.5, seed=3), Rule(read=RIGHT, change=RIGHT)),
    Fault("InvocationDoesNotExist for 5 s", _knobs(invocation_missing=5.0), Rule(read=RIGHT, change=RIGHT)),
    Fault("Delayed for 5 s", _knobs(delivery_delay=5.0), Rule(read=RIGHT, change=RIGHT)),
    Fault("the agent's reply is dropped", _knobs(lose_reply=True), Rule(8, read=LATE, change=UNKNOWN)),
    Fault("Undeliverable", _knobs(ending="Undeliverable"), Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("DeliveryTimedOut", _knobs(ending="DeliveryTimedOut"), Rule(read=UNREACHABLE, change=UNKNOWN)),
    Fault(
        "ExecutionTimedOut: the OOM killer took the script",
        _knobs(ending="ExecutionTimedOut"),
        Rule(read=UNREACHABLE, change=UNKNOWN, words="killed"),
    ),
    Fault("Cancelled by another", _knobs(ending="Cancelled"), Rule(read=UNREACHABLE, change=UNKNOWN)),
    Fault("Terminated", _knobs(ending="Terminated"), Rule(read=UNREACHABLE, change=UNKNOWN)),
    *(Fault(f"envelope: {way}", _knobs(spoil=way), _SPOILT, short=way == "no replies") for way in WAYS),
    Fault(
        "500 on SendCommand, before the work",
        _lines(Kind.FAIL_BEFORE, "ssm:SendCommand", times=1),
        Rule(read=RIGHT, change=UNKNOWN),
    ),
    Fault(
        "500 on SendCommand, after the work",
        _lines(Kind.FAIL_AFTER, "ssm:SendCommand", times=1),
        Rule(read=RIGHT, change=UNKNOWN),
        short=True,
    ),
    Fault("500 on SendCommand, always", _lines(Kind.FAIL_BEFORE, "ssm:SendCommand"), Rule(8, change=UNKNOWN)),
    Fault(
        "SendCommand's connection cut, before the work",
        _lines(Kind.CUT_BEFORE, "ssm:SendCommand", times=1),
        Rule(read=RIGHT, change=UNKNOWN),
    ),
    Fault(
        "SendCommand's connection cut, after the work",
        _lines(Kind.CUT_AFTER, "ssm:SendCommand", times=1),
        Rule(read=RIGHT, change=UNKNOWN),
    ),
    Fault(
        "500 on three looks",
        _lines(Kind.FAIL_BEFORE, "ssm:GetCommandInvocation", times=3),
        Rule(read=RIGHT, change=RIGHT),
        short=True,
    ),
    Fault(
        "three looks cut",
        _lines(Kind.CUT_AFTER, "ssm:GetCommandInvocation", times=3),
        Rule(read=RIGHT, change=RIGHT),
    ),
    Fault("500 on every look", _lines(Kind.FAIL_BEFORE, "ssm:GetCommandInvocation"), Rule(8, change=UNKNOWN)),
    Fault("SSM hangs", _lines(Kind.HANG, "ssm:*"), Rule(change=UNKNOWN | UNREACHABLE)),
    Fault("looks hang", _lines(Kind.HANG, "ssm:GetCommandInvocation", "ssm:CancelCommand"), Rule(change=UNKNOWN)),
    Fault("the first look hangs", _lines(Kind.HANG, "ssm:GetCommandInvocation", times=1)),
    Fault("the role may not send", _lines(Kind.REFUSE, "ssm:SendCommand"), Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("the agent is dead", _offline, Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("InvalidInstanceId", _gone, Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("the head node was replaced by a new one", _warm(head_node.replaced), Rule(read=RIGHT, change=RIGHT)),
    Fault("no document", lambda world: world.document(None), Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("no python3", _no_python, Rule(read=UNREACHABLE, change=UNREACHABLE, words="Python")),
    # Disks and keys
    Fault("a full /tmp", head_node.full_tmp, replace(_NO_ROOM, words="No space left")),
    Fault("the agent's disk is full", _full(_agent, keep=False), Rule(read=UNREACHABLE, change=UNREACHABLE)),
    Fault("the disk of the keys is full", _full(_keys), _NO_ROOM),
    Fault("the disk of the keys is full, and the key is known", _full(_keys), replace(_NO_ROOM, known=True)),
    Fault("slurmctld's disk is full", _full(_slurmctld), Rule(read=RIGHT, change=frozenset({"REJECTED_BY_SCHEDULER"}))),
    Fault("20,000 keys", head_node.many_keys, Rule(read=RIGHT, change=RIGHT)),
    Fault("20,000 keys, and the key is known", head_node.many_keys, Rule(read=RIGHT, change=RIGHT, known=True)),
    # EC2
    Fault("EC2 hangs, cold", _lines(Kind.HANG, "ec2:*"), Rule(read=UNREACHABLE, change=UNREACHABLE), cold=True),
    Fault("EC2 fails, cold", _lines(Kind.FAIL_BEFORE, "ec2:*"), Rule(read=UNREACHABLE, change=UNREACHABLE), cold=True),
    Fault(
        "EC2 fails once, cold", _lines(Kind.FAIL_BEFORE, "ec2:*", times=1), Rule(read=RIGHT, change=RIGHT), cold=True
    ),
    Fault(
        "EC2 fails, the id is a minute old",
        _warm(_lines(Kind.FAIL_BEFORE, "ec2:*")),
        Rule(read=RIGHT, change=RIGHT),
        {REMEMBERED: "0.1"},
    ),
    Fault(
        "EC2 hangs, the id is a minute old",
        _warm(_lines(Kind.HANG, "ec2:*")),
        Rule(read=RIGHT, change=RIGHT),
        {REMEMBERED: "0.1"},
    ),
    # S3
    Fault("S3 hangs, large", _lines(Kind.HANG, "s3:*"), Rule(large=True)),
    Fault("S3 fails, large", _lines(Kind.FAIL_BEFORE, "s3:*"), Rule(large=True)),
    Fault("S3 fails once, large", _lines(Kind.FAIL_BEFORE, "s3:GetObject", times=1), Rule(large=True)),
    Fault("the head node's PUT is refused, large", _lines(Kind.REFUSE, "s3:PutObject"), Rule(large=True)),
    Fault("none, large", lambda world: nullcontext(), Rule(read=RIGHT, change=RIGHT, large=True)),
    # DynamoDB
    Fault("DynamoDB hangs", _lines(Kind.HANG, "dynamodb:*"), Rule(read=RIGHT, change=RIGHT), short=True),
    Fault("DynamoDB throttles", _lines(Kind.THROTTLE, "dynamodb:*"), Rule(read=RIGHT, change=RIGHT)),
    Fault("DynamoDB fails", _lines(Kind.FAIL_BEFORE, "dynamodb:*"), Rule(read=RIGHT, change=RIGHT)),
    Fault("DynamoDB takes 1.5 s", _lines(Kind.SLOW, "dynamodb:*", seconds=1.5), Rule(read=RIGHT, change=RIGHT)),
    Fault("DynamoDB is cut", _lines(Kind.CUT_AFTER, "dynamodb:*"), Rule(read=RIGHT, change=RIGHT)),
    Fault("a lease an hour ahead", _seen(lease=_later), Rule(within=12, read=RIGHT, change=RIGHT), short=True),
    Fault("a snapshot an hour ahead", _seen(snapshot=_later), Rule(read=RIGHT, change=RIGHT)),
    Fault("a snapshot's object deleted", _seen(snapshot=_elsewhere), Rule(read=RIGHT, change=RIGHT)),
    Fault("a snapshot that is garbage", _seen(snapshot=_garbage), Rule(read=RIGHT, change=RIGHT)),
    # Time
    Fault("Lambda with 3 s left", lambda world: nullcontext(), Rule(seconds=3, read=RIGHT, change=RIGHT)),
    Fault("3 s left, SSM hangs", _lines(Kind.HANG, "ssm:*"), Rule(seconds=3)),
    Fault("Lambda with 1.3 s left", lambda world: nullcontext(), Rule(seconds=1.3, change=LATE), short=True),
    Fault("Lambda with 0.5 s left", lambda world: nullcontext(), Rule(seconds=0.5, read=LATE, change=LATE)),
    Fault("the API's clock is an hour ahead", lambda world: nullcontext(), _CLOCK, {CLOCK: "3600"}),
    Fault("the API's clock is an hour behind", lambda world: nullcontext(), _CLOCK, {CLOCK: "-3600"}),
    Fault("the API's clock is 600 s ahead", lambda world: nullcontext(), _CLOCK, {CLOCK: "600"}),
    Fault("the API's clock is 600 s behind", lambda world: nullcontext(), _CLOCK, {CLOCK: "-600"}),
    Fault("the API's clock is 40 s ahead", lambda world: nullcontext(), _CLOCK, {CLOCK: "40"}),
    Fault("the API's clock is 40 s behind", lambda world: nullcontext(), _CLOCK, {CLOCK: "-40"}),
    Fault("the API's clock is 5 s ahead", lambda world: nullcontext(), Rule(read=RIGHT, change=RIGHT), {CLOCK: "5"}),
    Fault("the API's clock is 5 s behind", lambda world: nullcontext(), Rule(read=RIGHT, change=RIGHT), {CLOCK: "-5"}),
    Fault(
        "two sandboxes' clocks are 5 s apart",
        _warm(lambda world: nullcontext()),
        Rule(read=RIGHT, change=RIGHT, elsewhere=True),
        {"SLURMQL_TTL": "10"},
        clocks={"read": 5.0, "submit": 5.0},
    ),
    # Slurm
    Fault("slurmctld down", scheduler.down, Rule(within=15, read=DOWN, change=DOWN)),
    Fault("slurmctld hangs for 3 s", lambda world: world.stopped("slurmctld", 3.0), Rule(read=RIGHT, change=RIGHT)),
    Fault("slurmctld hangs", lambda world: world.stopped("slurmctld"), Rule(within=10, read=DOWN, change=DOWN)),
    Fault("slurmctld restarts", scheduler.restarts, Rule(read=DOWN, change=DOWN | UNKNOWN)),
    Fault("slurmctld is killed (-9) and started", scheduler.crashes, Rule(change=DOWN | UNKNOWN, loses_jobs=True)),
    *(
        Fault(
            f"slurmctld's reply to a change: {loss.value}",
            partial(scheduler.replies_lost, loss=loss, types=(SUBMIT_BATCH_JOB, KILL_JOB)),
            Rule(read=RIGHT, change=UNKNOWN),
            short=loss is Loss.EMPTY,
        )
        for loss in (Loss.RESET, Loss.EMPTY, Loss.HALF, Loss.SILENT)
    ),
    *(
        Fault(
            f"slurmctld's reply to squeue: {loss.value}",
            partial(scheduler.replies_lost, loss=loss, types=(JOB_INFO,)),
            Rule(read=DOWN),
        )
        for loss in (Loss.RESET, Loss.EMPTY, Loss.HALF)
    ),
    Fault(
        "sbatch and scancel killed at their start",
        _both(lambda world: world.killing("sbatch"), lambda world: world.killing("scancel")),
        Rule(read=RIGHT),
    ),
    Fault("squeue killed", lambda world: world.killing("squeue")),
    Fault("the program killed", lambda world: world.killing("python3", after=0.1)),
    Fault("the agent's document worker dies", _worker_dies, Rule(8)),
    Fault("MinJobAge is 2, and the job is forgotten", scheduler.purges, _FORGOTTEN),
    Fault("MinJobAge is 2, the job is forgotten, no accounting", scheduler.purges, _FORGOTTEN, accounting=False),
    Fault("slurmdbd is dead (-9)", scheduler.books_closed, Rule(read=RIGHT, change=RIGHT)),
    Fault("slurmdbd hangs", lambda world: world.stopped("slurmdbd"), Rule(read=RIGHT, change=RIGHT)),
)
"""In the order in which they are printed."""
