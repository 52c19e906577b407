"""What several sandboxes of one deployment ask a cluster, and what each of them knows, whatever fails between them.

A sandbox is here a Snapshots of its own, with its own AWS clients; DynamoDB and S3 are moto's server, and the head node
is in the hand of the test.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from headnode import lease, shared, shared_item
from headnode.aws import Clients
from headnode.dataset import Dataset, Snapshot
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError, HeadNodeError
from headnode.fetch import instant, wall_clock
from headnode.lease import Lease
from headnode.node import NOBODY, Actor, Answer, Bundle, HeadNode, Stored
from headnode.replies import pack
from headnode.settings import ClusterSettings, Settings
from headnode.snapshots import Snapshots
from headnode.storage import Storage
from local.aws import BUCKET, CREDENTIALS, TABLE, Aws
from slurm import framing
from slurm.command import AccountingDisabledError, Command, Question, Reply
from slurm.errors import ParseError
from slurm.operation import Operation, RunsAs

ADA = Actor("ada")
OWN = "what only ada may read"


def framed(name: str, in_full: Dataset[list[str]] | None = None) -> Dataset[list[str]]:
    """A dataset whose question has a separator, as squeue's has: every answer is its command and its number."""

    def ask() -> Question[list[str]]:
        separator = framing.separator()

        def read(replies: Sequence[Reply]) -> list[str]:
            if separator not in replies[0].stdout:
                raise ParseError("list", replies[0].stdout)
            return replies[0].stdout.split(separator)[:2]

        return Question((Command(Operation(name, RunsAs.READER), environment={"FORMAT": separator}),), read)

    return Dataset(in_full.key if in_full else name, ask, shared=True, in_full=in_full)


JOBS, NODES = framed("squeue"), framed("sinfo")
IN_BRIEF = framed("squeue in brief", in_full=JOBS)


def plain(operation: str, key: Hashable, **how: Any) -> Dataset[str]:
    """A dataset whose value is what its command printed."""
    return Dataset(
        key,
        partial(Question, (Command(Operation(operation, RunsAs.READER)),), lambda replies: replies[0].stdout),
        **how,
    )


SETTINGS = plain("scontrol", "scontrol", lifetime=300.0, shared=True)
OUTPUT = plain("read", ("output", ADA))


@dataclass
class Cluster:
    """A cluster that counts what it is asked; `filling` makes its answers long, `stores` puts them into the bucket."""

    aws: Aws
    asked: list[list[str]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    fault: HeadNodeError | None = None
    filling: int = 0
    stores: bool = False

    def __post_init__(self) -> None:
        self.answering.set()

    def answer(self, bundle: Bundle) -> Answer:
        commands = [command for step in bundle.steps for command in step]
        self.asked.append([command.operation.name for command in commands])
        number, fault = len(self.asked), self.fault
        assert self.answering.wait(30)
        if fault:
            raise fault
        replies = [self._reply(command, number) for command in commands]
        if not self.stores:
            return Answer(replies)
        body, key = pack(replies), f"answers/{number}"
        self.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return Answer(replies, Stored(key, hashlib.sha256(body).hexdigest()))

    def _reply(self, command: Command, number: int) -> Reply:
        if command.operation.name == "read":
            return Reply(0, OWN)
        filling = "".join(hashlib.sha256(str(each).encode()).hexdigest() for each in range(self.filling // 64))
        parts = (command.operation.name, str(number), filling)
        return Reply(0, command.environment.get("FORMAT", " ").join(parts))


class Node(HeadNode):
    """The cluster's head node, without the way there."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        return self.cluster.answer(bundle)


@dataclass
class Sandbox:
    """One sandbox: its snapshots, its clients, and the calls that it made of DynamoDB and S3."""

    snapshots: Snapshots
    clients: Clients
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for client in (self.clients.dynamodb, self.clients.s3):
            client.meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: object) -> None:
        self.calls[model.name] += 1

    def ask(self, *datasets: Dataset[Any], actor: Actor = ADA, seconds: float = 60) -> list[Any]:
        """Each dataset's value, or its fault."""
        answers = self.snapshots.ask(datasets, Deadline.after(seconds), "test", actor)
        return [answer.value if isinstance(answer, Snapshot) else answer for answer in map(answers.get, datasets)]

    def as_of(self, dataset: Dataset[Any], actor: Actor = ADA) -> datetime:
        answer = self.snapshots.ask([dataset], Deadline.after(60), "test", actor)[dataset]
        assert isinstance(answer, Snapshot), answer
        return answer.as_of

    def look(self) -> shared_item.ItemState:
        return shared_item.SharedItem(self.clients, TABLE, "lab").look()

    def fails(self, operation: str) -> None:
        """From now on the operation meets an endpoint that does not answer."""

        def fail(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url="http://test")

        for client in (self.clients.dynamodb, self.clients.s3):
            client.meta.events.register(f"before-call.*.{operation}", fail)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with Aws(tmp_path_factory.mktemp("aws") / "moto.log") as running:
        yield running


@pytest.fixture
def cluster(aws: Aws) -> Cluster:
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"key": {"S": "snapshots lab"}})
    return Cluster(aws)


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """One for all sandboxes: it has read botocore's models once."""
    return boto3.Session()


@pytest.fixture
def sandbox(
    cluster: Cluster, aws: Aws, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Sandbox]:
    """Makes a sandbox of the deployment; its endpoints can be moved."""
    monkeypatch.setattr(boto3, "Session", lambda: session)

    def made(ttl: float = 60, bucket: str | None = BUCKET, **endpoints: str) -> Sandbox:
        variables = {f"AWS_ENDPOINT_URL_{name}": endpoints.get(name, aws.url) for name in ("DYNAMODB", "S3")}
        for name, value in {**CREDENTIALS, **variables}.items():
            monkeypatch.setenv(name, value)
        clients, node = Clients(), Node(cluster)
        lab = ClusterSettings("lab", "lab")
        settings = Settings({"lab": lab}, "lab", "slurmql", bucket=bucket, table=TABLE, ttl=ttl)
        return Sandbox(Snapshots(node, ttl, shared.SharedSnapshots.of(node, clients, "lab", settings)), clients)

    return made


CLOSED = "http://127.0.0.1:9"  # nobody listens there


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_all_sandboxes_have_what_one_sandbox_fetched(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first, second, third = sandbox(), sandbox(), sandbox()
    assert first.ask(JOBS, NODES) == [["squeue", "1"], ["sinfo", "1"]]
    assert second.ask(JOBS, NODES) == [["squeue", "1"], ["sinfo", "1"]]
    assert third.ask(NODES) == [["sinfo", "1"]]
    assert cluster.asked == [["squeue", "sinfo"]]
    assert first.as_of(JOBS) == second.as_of(JOBS) == third.as_of(JOBS) <= datetime.now(UTC)


def _cannot_tell(replies: Sequence[Reply]) -> str:
    raise AccountingDisabledError(replies[0].stdout)


def test_all_sandboxes_know_what_the_cluster_cannot_tell(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    books = Dataset(
        "books", partial(Question, (Command(Operation("sacctmgr", RunsAs.READER)),), _cannot_tell), shared=True
    )
    for each in (sandbox(), sandbox(), sandbox()):
        ((fault,), (again,)) = each.ask(books), each.ask(books)
        assert isinstance(fault, AccountingDisabledError)
        assert str(fault) == str(again) == "sacctmgr 1 "
    assert cluster.asked == [["sacctmgr"]]


def test_only_what_no_sandbox_knows_is_fetched(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    sandbox().ask(JOBS)
    assert sandbox().ask(JOBS, SETTINGS, NODES) == [["squeue", "1"], "scontrol 2 ", ["sinfo", "2"]]
    assert cluster.asked == [["squeue"], ["scontrol", "sinfo"]]


def test_a_full_snapshot_of_one_sandbox_serves_brief_requests_of_others(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    first, second = sandbox(), sandbox()
    assert first.ask(IN_BRIEF) == second.ask(IN_BRIEF) == [["squeue in brief", "1"]]
    assert second.ask(JOBS) == [["squeue", "2"]]
    first.snapshots.drop()
    assert first.ask(IN_BRIEF) == [["squeue", "3"]], "the snapshot is forgotten, not what is of use"
    assert second.ask(IN_BRIEF) == second.ask(JOBS) == [["squeue", "3"]]


def test_a_dataset_that_nobody_needs_in_full_is_fetched_in_brief(
    sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "ALL_COLUMNS_FOR", 1.0)
    first, second = sandbox(ttl=0.01), sandbox(ttl=0.01)
    first.ask(JOBS)
    used = time.monotonic()
    while time.monotonic() < used + 0.5:  # fetching it in full because others need that does not extend their minute
        assert second.ask(IN_BRIEF)[0][0] == "squeue"
    wait_until(lambda: time.monotonic() > used + 1.1)
    assert second.ask(IN_BRIEF)[0][0] == "squeue in brief"


def test_a_longer_lifetime_holds_for_all_sandboxes(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    sandbox(ttl=0.01).ask(SETTINGS, JOBS)
    time.sleep(0.02)
    assert sandbox(ttl=0.01).ask(SETTINGS, JOBS) == ["scontrol 1 ", ["squeue", "2"]]


def test_without_a_ttl_nothing_is_shared(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first, second = sandbox(ttl=0), sandbox(ttl=0)
    first.ask(JOBS)
    second.ask(JOBS)
    assert len(cluster.asked) == 2
    assert not first.calls and not second.calls


def test_the_calls_to_dynamodb(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    """A caller who may change something reads the table once a request; a caller who may not does not read it."""
    first, second = sandbox(), sandbox()
    first.ask(JOBS, NODES)
    assert first.calls == {"GetItem": 1, "UpdateItem": 2}
    second.ask(JOBS, NODES)
    assert second.calls == {"GetItem": 1}
    second.ask(JOBS, NODES)
    assert second.calls == {"GetItem": 2}
    second.ask(JOBS, NODES, actor=NOBODY)
    assert second.calls == {"GetItem": 2}
    first.snapshots.drop()
    assert first.calls == {"GetItem": 1, "UpdateItem": 3}


@pytest.mark.parametrize(
    ("filling", "stores", "kept_in", "bucket"),
    [
        (0, False, "", BUCKET),
        (20_000, False, "snapshots/", BUCKET),
        (20_000, False, "", None),
        (50_000, True, "answers/", BUCKET),
        (0, True, "answers/", BUCKET),
    ],
)
def test_where_an_answer_lies(
    filling: int, stores: bool, kept_in: str, bucket: str | None, sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    """Small ones in the item, others in the bucket, where the head node has put the largest already."""
    cluster.filling, cluster.stores = filling, stores
    first, second = sandbox(bucket=bucket), sandbox(bucket=bucket)
    first.ask(JOBS, NODES)
    pointers = first.look().snapshots.values()
    assert len(pointers) == 2
    assert all((pointer.key or "").startswith(kept_in) and bool(pointer.body) != bool(kept_in) for pointer in pointers)
    assert first.calls["PutObject"] == (2 if kept_in == "snapshots/" else 0)
    assert second.ask(NODES, JOBS) == [["sinfo", "1"], ["squeue", "1"]]
    assert second.calls["GetObject"] == {"": 0, "snapshots/": 2, "answers/": 1}[kept_in]
    assert len(cluster.asked) == 1


@pytest.mark.parametrize("stores", [False, True])
def test_what_is_read_as_a_caller_is_left_to_nobody(
    stores: bool, sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    """The head node's own object has it, so no pointer leads there."""
    cluster.stores = stores
    assert sandbox().ask(OUTPUT, JOBS) == [OWN, ["squeue", "1"]]
    other = sandbox()
    item = other.look()
    assert [name.split()[0] for name in item.snapshots] == ["squeue"]
    assert all(pointer.key is None for pointer in item.snapshots.values())
    assert pack([Reply(0, OWN)]) not in [pointer.body for pointer in item.snapshots.values()]
    assert other.ask(OUTPUT, JOBS) == [OWN, ["squeue", "1"]]
    assert cluster.asked == [["read", "squeue"], ["read"]]


def test_many_sandboxes_at_once_ask_once(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    sandboxes = [sandbox() for _ in range(8)]
    cluster.answering.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(each.ask, JOBS) for each in sandboxes]
        wait_until(lambda: sum(each.calls["GetItem"] >= 2 for each in sandboxes) >= 7)
        cluster.answering.set()
        assert [future.result() for future in asked] == [[["squeue", "1"]]] * 8
    assert cluster.asked == [["squeue"]]


def test_two_that_want_different_things_ask_for_each_once(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first, second = sandbox(), sandbox()
    cluster.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 1)
        other = pool.submit(second.ask, JOBS, NODES)
        wait_until(lambda: len(cluster.asked) == 2)
        cluster.answering.set()
        assert one.result() == [["squeue", "1"]]
        assert other.result() == [["squeue", "1"], ["sinfo", "2"]]
    assert cluster.asked == [["squeue"], ["sinfo"]]


def test_while_one_asks_the_others_have_the_last_answer(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    """And say how old it is. It is not kept: the next request has the newer one."""
    cluster.filling = 20_000
    first, second = sandbox(ttl=3), sandbox(ttl=3)
    second.ask(JOBS)
    as_of = second.as_of(JOBS)
    wait_until(lambda: second.snapshots.kept(JOBS) is None)
    cluster.answering.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(first.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 2)
        for late in (second, sandbox(ttl=3)):
            assert late.as_of(JOBS) == as_of
            assert late.snapshots.kept(JOBS) is None
        assert second.calls["GetObject"] == 0
        cluster.answering.set()
        assert asking.result() == [["squeue", "2"]]
    assert second.ask(JOBS) == [["squeue", "2"]]
    assert len(cluster.asked) == 2


def test_an_answer_that_is_a_ttl_past_its_time_is_nobodys(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first, second = sandbox(ttl=0.2), sandbox(ttl=0.2)
    first.ask(JOBS)
    time.sleep(0.41)
    cluster.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(first.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 2)
        waiting = pool.submit(second.ask, JOBS)
        wait_until(lambda: second.calls["GetItem"] >= 2)
        assert not waiting.done()
        cluster.answering.set()
        assert asking.result() == [["squeue", "2"]]
        assert waiting.result()[0][1] >= "2"


def test_a_change_is_seen_in_every_sandbox(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first, second = sandbox(), sandbox()
    for each in (first, second):
        each.ask(JOBS, OUTPUT)
    first.snapshots.drop()
    assert second.ask(JOBS) == [["squeue", "3"]]
    assert first.ask(JOBS) == [["squeue", "3"]]
    second.ask(OUTPUT)
    assert cluster.asked[2:] == [["squeue"], ["read"]], "what is not shared is dropped, too"


def test_what_outlives_changes_is_shared_across_them(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    settings = replace(SETTINGS, outlives_changes=True)
    sandbox().ask(settings, JOBS)
    sandbox().snapshots.drop()
    assert sandbox().ask(settings, JOBS) == ["scontrol 1 ", ["squeue", "2"]]
    assert cluster.asked == [["scontrol", "squeue"], ["squeue"]]


def test_a_caller_who_can_change_nothing_may_see_a_change_a_ttl_later(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    first, second = sandbox(), sandbox()
    second.ask(JOBS, actor=NOBODY)
    first.snapshots.drop()
    assert second.ask(JOBS, actor=NOBODY) == [["squeue", "1"]]
    assert first.ask(JOBS, actor=NOBODY) == [["squeue", "2"]], "where the change was made it is known"


def test_what_was_asked_before_a_change_and_answered_after_it_is_not_taken(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    first, second, third = sandbox(), sandbox(), sandbox()
    cluster.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(first.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 1)
        second.snapshots.drop()
        waiting = pool.submit(third.ask, JOBS)
        wait_until(lambda: third.calls["GetItem"] >= 1)
        cluster.answering.set()
        assert early.result() == [["squeue", "1"]]
        assert waiting.result() == [["squeue", "2"]]
    assert first.ask(JOBS) == second.ask(JOBS) == [["squeue", "2"]]


def test_a_table_that_was_made_anew_is_used(sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws) -> None:
    first, second = sandbox(), sandbox()
    for _ in range(3):
        first.snapshots.drop()
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"key": {"S": "snapshots lab"}})
    assert second.ask(JOBS) == first.ask(JOBS) == first.ask(JOBS, actor=NOBODY) == [["squeue", "1"]]
    assert first.calls == {"GetItem": 1, "UpdateItem": 3}, "who can change nothing needs no look, as before"


def test_without_the_table_each_sandbox_asks_for_itself(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    sandboxes = [sandbox(DYNAMODB=CLOSED), sandbox(DYNAMODB=CLOSED)]
    for _ in range(2):
        assert [each.ask(JOBS, actor=NOBODY) for each in sandboxes] == [[["squeue", "1"]], [["squeue", "2"]]]
    sandboxes[0].snapshots.drop()
    assert sandboxes[0].ask(JOBS, actor=NOBODY) == [["squeue", "3"]]
    assert sandboxes[1].calls["GetItem"] == 2, "a table that failed twice is left alone for a while"


@pytest.mark.parametrize("where", [{"DYNAMODB": CLOSED}, None])
def test_without_the_table_a_caller_who_may_change_something_fetches_anew(
    where: dict[str, str] | None, sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    """Another sandbox may have made a change: who made it must not be shown what was before."""
    first = sandbox(**(where or {}))
    if where is None:
        first.snapshots = Snapshots(first.snapshots.node, 60)
    assert [first.ask(JOBS) for _ in range(2)] == [[["squeue", "1"]], [["squeue", "2"]]]
    assert first.ask(JOBS, actor=NOBODY) == [["squeue", "2"]]


@pytest.mark.parametrize("seconds", [-5.0, 5.0])
def test_a_change_is_seen_even_with_a_wrong_clock(
    seconds: float, sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox shares nothing, but it knows of the change: the table counts them."""
    first, other = sandbox(), sandbox()
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(seconds * 1e9))
    assert [other.ask(JOBS), other.ask(JOBS)] == [[["squeue", "1"]]] * 2
    first.snapshots.drop()
    assert other.ask(JOBS) == [["squeue", "2"]]


def test_a_lease_that_ends_later_than_any_can_is_not_believed(
    sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    name = shared.WantedDataset(JOBS, None).name
    lease = {"S": str(Lease("another", wall_clock() + 3_600_000_000))}
    aws.client("dynamodb").put_item(TableName=TABLE, Item={"key": {"S": "snapshots lab"}, f"lease {name}": lease})
    began = time.monotonic()
    assert sandbox().ask(JOBS, seconds=20) == [["squeue", "1"]]
    assert time.monotonic() - began < 10


def test_a_snapshot_from_the_future_is_not_believed(
    sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    name = shared.WantedDataset(JOBS, None).name
    separator = framing.separator()
    body = pack([Reply(0, separator.join(("squeue", "0", "")))])
    attribute = shared_item.Pointer(wall_clock() + 3_600_000_000, 0, [separator], 1, body=body).attribute()
    aws.client("dynamodb").put_item(
        TableName=TABLE, Item={"key": {"S": "snapshots lab"}, f"snapshot {name}": attribute}
    )
    assert sandbox().ask(JOBS) == [["squeue", "1"]]
    assert sandbox().ask(JOBS) == [["squeue", "1"]]


def test_a_table_that_comes_back_is_used_again(
    sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "REST", 0.05)
    sandbox().ask(JOBS)
    other = sandbox()
    failing = threading.Event()
    failing.set()

    def fail(**_: object) -> None:
        if failing.is_set():
            raise EndpointConnectionError(endpoint_url="http://test")

    other.clients.dynamodb.meta.events.register("before-call.*.GetItem", fail)
    assert other.ask(JOBS) == [["squeue", "2"]]
    failing.clear()
    time.sleep(0.06)
    other.snapshots.drop()
    assert other.ask(JOBS) == [["squeue", "3"]]
    assert sandbox().ask(JOBS) == [["squeue", "3"]]


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ResourceNotFoundException", "AccessDenied"]
)
def test_a_table_that_refuses_costs_a_command_and_nothing_else(
    code: str, sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    sandbox().ask(JOBS)
    other = sandbox()

    def refuse(params: Any, **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPHeaders": {}}}
        return SimpleNamespace(status_code=400), answer

    other.clients.dynamodb.meta.events.register("before-call.*.*", refuse)  # type: ignore[arg-type]  # what it returns is the response
    assert other.ask(JOBS) == [["squeue", "2"]]


@pytest.mark.parametrize("operation", ["UpdateItem", "PutObject"])
def test_an_answer_that_cannot_be_left_to_the_others_is_an_answer(
    operation: str, sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    cluster.filling = 20_000
    first = sandbox()
    first.fails(operation)
    assert first.ask(JOBS) == [["squeue", "1"]]
    assert first.ask(JOBS) == [["squeue", "1"]]
    assert sandbox().ask(JOBS) == [["squeue", "2"]]


def test_without_the_bucket_each_sandbox_asks_for_itself(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    cluster.filling = 20_000
    sandbox().ask(JOBS)
    other = sandbox(S3=CLOSED)
    assert [other.ask(JOBS), other.ask(JOBS)] == [[["squeue", "2"]]] * 2


@pytest.mark.parametrize("body", [b"", b"other", pack([Reply(0, "other")])])
def test_an_object_with_another_digest_is_not_used(
    body: bytes, sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    cluster.filling = 20_000
    first = sandbox()
    first.ask(JOBS)
    (pointer,) = first.look().snapshots.values()
    aws.client("s3").put_object(Bucket=BUCKET, Key=pointer.key, Body=body)
    assert sandbox().ask(JOBS) == [["squeue", "2"]]


def about(text: str) -> dict[str, Any]:
    return {"M": {"about": {"S": text}, "body": {"B": b""}}}


def pointer(separators: Sequence[str] = ("~0123abCD",), count: int = 1, **where: Any) -> dict[str, Any]:
    return shared_item.Pointer(wall_clock(), 0, list(separators), count, **where).attribute()


NO_POINTERS: dict[str, Any] = {
    "text": {"S": "text"},
    "empty": {"M": {}},
    "no JSON": about("{"),
    "of a newer release": about('{"newer": true}'),
    "a text for a time": about('{"asked": "now", "generation": 0, "separators": [], "count": 1}'),
    "a number for separators": about('{"asked": 1, "generation": 0, "separators": 2, "count": 1}'),
    "nothing packed": pointer(body=b"nothing"),
    "no separators": pointer((), body=pack([Reply(0, "unframed")])),
    "unframed": pointer(body=pack([Reply(0, "unframed")])),
    "too few replies": pointer(count=2, body=pack([])),
    "no such object": pointer(key="snapshots/none"),
}


@pytest.mark.parametrize("attribute", NO_POINTERS.values(), ids=NO_POINTERS)
def test_an_attribute_that_is_not_a_pointer_is_ignored(
    attribute: Any, sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    name = shared.WantedDataset(JOBS, None).name
    item = {"key": {"S": "snapshots lab"}, f"snapshot {name}": attribute, f"lease {name}": {"S": "nonsense"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    other = sandbox()
    assert other.ask(JOBS) == [["squeue", "1"]]


def test_an_item_of_something_else_is_left_alone(sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws) -> None:
    item = {"key": {"S": "snapshots lab"}, "generation": {"S": "first"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    first, second = sandbox(), sandbox()
    assert [first.ask(JOBS), second.ask(JOBS)] == [[["squeue", "1"]], [["squeue", "2"]]]


def test_another_release_that_asks_otherwise_has_its_own_answer(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    newer = Dataset(
        "squeue",
        partial(
            Question,
            (Command(Operation("squeue", RunsAs.READER), options={"all": ""}),),
            lambda replies: replies[0].stdout,
        ),
        shared=True,
    )
    assert sandbox().ask(JOBS) == [["squeue", "1"]]
    assert sandbox().ask(newer) == ["squeue 2 "]
    assert sandbox().ask(JOBS) == [["squeue", "1"]]
    assert sandbox().ask(newer) == ["squeue 2 "]


def test_what_an_earlier_release_left_is_removed_after_a_day(
    sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    old = shared_item.Pointer(wall_clock() - 90_000_000_000, 0, [], 1).attribute()
    item = {"key": {"S": "snapshots lab"}, "snapshot squeue 1-old": old, "lease squeue 1-old": {"S": "0 x"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    first = sandbox()
    first.ask(JOBS)
    assert set(first.look().leases) == set(first.look().snapshots) == {shared.WantedDataset(JOBS, None).name}


def test_the_lease_of_who_asks_again_after_a_day_is_not_removed(
    sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    old = shared_item.Pointer(wall_clock() - 90_000_000_000, 0, [], 1).attribute()
    held = {"S": str(Lease.taken(wall_clock()))}
    item = {"key": {"S": "snapshots lab"}, "snapshot squeue 1-old": old, "lease squeue 1-old": held}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    first = sandbox()
    first.ask(JOBS)
    assert set(first.look().leases) == {"squeue 1-old", shared.WantedDataset(JOBS, None).name}


def test_who_dies_while_asking_is_followed_by_another(
    sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 1.0)
    dead, first, second = sandbox(), sandbox(), sandbox()
    taken = Lease.taken(wall_clock())
    assert shared_item.SharedItem(dead.clients, TABLE, "lab").take(
        [shared.WantedDataset(JOBS, None).name], shared_item.ItemState(), taken
    )
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(each.ask, JOBS) for each in (first, second)]
        assert [future.result() for future in asked] == [[["squeue", "1"]]] * 2
    assert wall_clock() >= taken.until
    assert len(cluster.asked) == 1


def test_a_lease_whose_answer_was_lost_is_ours_when_the_call_is_made_again(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    """botocore makes the call again, and DynamoDB then says that the lease is taken."""
    first = sandbox()
    lost: list[int] = []

    def lose(attempts: int, **_: object) -> float | None:
        if attempts == 1 and not lost:
            lost.append(attempts)
            return 0.001  # seconds until it is made again
        return None

    first.clients.dynamodb.meta.events.register_first("needs-retry.dynamodb.UpdateItem", lose)  # type: ignore[arg-type]
    assert first.ask(JOBS) == [["squeue", "1"]]
    assert lost == [1]
    assert first.calls["GetItem"] == 2
    assert sandbox().ask(JOBS) == [["squeue", "1"]]


def test_who_comes_back_after_its_lease_ended_leaves_nothing(
    sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 0.2)
    slow, quick = sandbox(), sandbox()
    cluster.answering.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 1)
        second = pool.submit(quick.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 2)
        cluster.answering.set()
        assert [first.result(), second.result()] == [[["squeue", "1"]], [["squeue", "2"]]]
    assert sandbox().ask(JOBS) == [["squeue", "2"]]


def test_a_fault_is_left_to_nobody_and_those_who_waited_ask_for_themselves(
    sandbox: Callable[..., Sandbox], cluster: Cluster
) -> None:
    first, *others = [sandbox() for _ in range(4)]
    cluster.answering.clear()
    cluster.fault = ClusterUnreachableError("gone")
    with ThreadPoolExecutor(4) as pool:
        failing = pool.submit(first.ask, JOBS)
        wait_until(lambda: len(cluster.asked) == 1)
        cluster.fault = None
        waiting = [pool.submit(each.ask, JOBS) for each in others]
        wait_until(lambda: all(each.calls["GetItem"] >= 2 for each in others))
        cluster.answering.set()
        (fault,) = failing.result()
        assert isinstance(fault, ClusterUnreachableError)
        assert all(future.result()[0][0] == "squeue" for future in waiting)
    assert len(cluster.asked) == 4
    assert first.ask(JOBS) == [["squeue", "5"]]
    assert sandbox().ask(JOBS) == [["squeue", "5"]]


def test_what_cannot_be_read_is_left_to_nobody(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    def unreadable(replies: Sequence[Reply]) -> str:
        raise ParseError("list", replies[0].stdout)

    broken = Dataset(
        "broken", partial(Question, (Command(Operation("broken", RunsAs.READER)),), unreadable), shared=True
    )
    for _ in range(2):
        fault, jobs = sandbox().ask(broken, JOBS)
        assert isinstance(fault, ParseError)
        assert jobs == ["squeue", "1"]
    assert cluster.asked == [["broken", "squeue"], ["broken"]]


def test_a_defect_gives_the_lease_back(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    first = sandbox()

    def defect(bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        raise AssertionError("a defect")

    first.snapshots.node.answer = defect  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        first.ask(JOBS)
    assert sandbox().ask(JOBS) == [["squeue", "1"]]


@pytest.mark.parametrize("seconds", [-30.0, 30.0])
def test_a_sandbox_whose_clock_is_wrong_shares_nothing(
    seconds: float, sandbox: Callable[..., Sandbox], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sandbox()
    first.ask(JOBS)
    with monkeypatch.context() as patch:
        patch.setattr(shared_item, "time", SimpleNamespace(time=lambda: time.time() + seconds))
        wrong = sandbox()
        assert wrong.ask(JOBS) == [["squeue", "2"]]
    assert wrong.calls == {"GetItem": 1}
    assert sandbox().ask(JOBS) == [["squeue", "1"]]


def test_an_answer_from_a_clock_that_is_a_little_ahead_lives_no_longer(
    sandbox: Callable[..., Sandbox], cluster: Cluster, aws: Aws
) -> None:
    first = sandbox(ttl=0.3)
    name = shared.WantedDataset(JOBS, None).name
    asked = wall_clock() + 900_000
    separator = framing.separator()
    body = pack([Reply(0, separator.join(("squeue", "0", "")))])
    attribute = shared_item.Pointer(asked, 0, [separator], 1, body=body).attribute()
    aws.client("dynamodb").put_item(
        TableName=TABLE, Item={"key": {"S": "snapshots lab"}, f"snapshot {name}": attribute}
    )
    seen = time.monotonic()
    assert first.ask(JOBS) == [["squeue", "0"]]
    assert first.as_of(JOBS) == instant(asked)
    wait_until(lambda: first.snapshots.kept(JOBS) is None)
    assert time.monotonic() - seen < 0.9


def test_the_text_of_a_lease_says_it_all() -> None:
    taken = Lease.taken(1)
    assert (taken.is_held(6_000_000), taken.is_held(6_000_001)) == (True, False)
    for each in (taken, taken.given_back(failed=True), taken.given_back(failed=False)):
        assert Lease.parse(str(each)) == each
    for nonsense in ("", "x", "x y z", "-1 x", "٣ x failed "):
        assert not Lease.parse(nonsense).is_held(3)


def test_the_bucket_of_snapshots_is_the_bucket_of_answers(sandbox: Callable[..., Sandbox], cluster: Cluster) -> None:
    """Its rules let objects under snapshots/ expire, too."""
    cluster.filling = 20_000
    first = sandbox()
    first.ask(JOBS)
    (pointer,) = first.look().snapshots.values()
    assert pointer.key
    assert Storage(first.clients, BUCKET).get(pointer.key, pointer.sha256)
