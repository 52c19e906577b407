"""A request drops what it read when it ends, without the garbage collector, which hardly ever runs in production."""

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from resource import getpagesize
from typing import Any

import pytest
from http_call import CLAIMS, SETTINGS, call

from access.caller import signed_in
from access.configuration import access
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError
from headnode.node import Answer, Bundle, HeadNode
from headnode.snapshots import Snapshot, Snapshots
from resolvers import datasets
from resolvers.array import JobArray
from resolvers.context import RequestContext
from resolvers.job import JobConnection
from slurm import framing
from slurm.column import Rows
from slurm.command import Command, Question, Reply

JOBS = 10_000
REFRESHES = 100
MIB = 1 << 20
JOB = {
    "JobID": "{job}",
    "JobArrayID": "{job}",
    "Name": "train-{job}",
    "UserName": "user{user}",
    "Partition": "queue1",
    "State": "PENDING",
    "Reason": "Priority",
    "SubmitTime": "1795370447",
    "StartTime": "N/A",
    "EndTime": "N/A",
    "TimeLimit": "1:00:00",
    "TimeUsed": "0:00",
    "NumCPUs": "2",
    "NumNodes": "1",
    "PriorityLong": "{job}",
    "tres-alloc": "cpu=2,mem=4G,node=1,billing=2",
    "WorkDir": "/home/user{user}/{job}",
    "RestartCnt": "0",
}
TASK = {"JobArrayID": "90000_{job}", "ArrayJobID": "90000", "ArrayTaskID": "{job}"}
NODE = {"NodeList": "n1", "PartitionName": "queue1", "StateComplete": "IDLE", "CPUsState": "0/4/0/4"}
ANSWERS = {
    "scontrol show partition": "PartitionName=queue1 State=UP Nodes=n1",
    "sbatch": "12",
}


class Node(HeadNode):
    """A head node with this many jobs, one queue and one node.

    The operation named `failing` fails; with `failing` = "" the head node cannot be reached.
    """

    def __init__(self, jobs: int, failing: str | None = None) -> None:
        kinds = (JOB, JOB | TASK)
        self._rows = [
            {name: text.format(job=job, user=job % 50) for name, text in kinds[job % 2].items()} for job in range(jobs)
        ]
        self._failing = failing
        self._printed: dict[str, str] = {}

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        if self._failing == "":
            raise ClusterUnreachableError("It is switched off.")
        return Answer([self._reply(command) for step in bundle.steps for command in step])

    def script(self, uri: str, deadline: Deadline) -> str:
        raise ClusterUnreachableError("It is switched off.")

    def _reply(self, command: Command) -> Reply:
        name = command.operation.name
        if name == self._failing:
            return Reply(1, "", f"{name}: error: Something went wrong")
        if name == "squeue":
            return Reply(0, self._table(command.environment["SQUEUE_FORMAT2"], self._rows))
        if name == "sinfo":
            return Reply(0, self._table(str(command.options["Format"]), [NODE]))
        return Reply(0, ANSWERS.get(name, ""))

    def _table(self, form: str, rows: Sequence[Mapping[str, str]]) -> str:
        """What Slurm prints for a format such as `JobID:~,Name:~x1Y2z3A4`.

        It is made once; later calls only put in their own separator, or the test would mostly measure this.
        """
        (separator,) = framing.separators(form)
        plain = framing.without_separators(form)
        if plain not in self._printed:
            columns = [column.split(":") for column in form.replace(separator, "\0").split(",")]
            self._printed[plain] = "\n".join("".join(row.get(name, "") + end for name, end in columns) for row in rows)
        return self._printed[plain].replace("\0", separator)


def context(snapshots: Snapshots) -> RequestContext:
    """A request of an operator, as handler.py begins it."""
    event = {"requestContext": {"authorizer": {"jwt": {"claims": CLAIMS}}}}
    return RequestContext(
        {"lab": snapshots}, SETTINGS, signed_in(event, access("", ["lab"])), Deadline.after(30), "request-1"
    )


def ask(snapshots: Snapshots, document: str) -> Any:
    """The answer's JSON."""
    return call(body=json.dumps({"query": document}), begin=lambda scope: context(snapshots)).json


def resident() -> int:
    """Bytes of memory that this process has (proc_pid_statm(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def test_a_hundred_refreshes_take_no_more_memory_than_a_few() -> None:
    snapshots = Snapshots(Node(JOBS), ttl=60)
    document = "{ jobs(first: 50) { totalCount nodes { id name user state submitTime timeLimitSeconds cpuCount } } }"

    def refresh() -> None:
        answer = ask(snapshots, document)
        assert len(answer["data"]["jobs"]["nodes"]) == 50
        assert answer["data"]["jobs"]["totalCount"] == JOBS
        snapshots.drop()

    for _ in range(10):
        refresh()
    before = resident()
    for _ in range(REFRESHES):
        refresh()
    grown = (resident() - before) / MIB
    assert grown < 10, f"{grown:.0f} MiB more"


@pytest.fixture
def left_over() -> Iterator[Callable[[], list[object]]]:
    """What was made during the test, holds an answer and is alive. The garbage collector is switched off."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        holders = (Rows, Reply, Snapshot, Question, JobConnection, JobArray)
        yield lambda: [each for each in gc.get_objects() if isinstance(each, holders)]
    finally:
        gc.enable()
        gc.unfreeze()


QUERIES = [
    "{ jobs { totalCount nodes { id name submitTime } } }",
    "{ jobs { nodes { id queue { name jobs { totalCount } } array { taskCount } components { id } } } }",
    "{ jobs { nodes { id priorityFactors { queueName } stdoutPath } } nodes { nodes { name jobs { id } } } }",
    '{ job(id: "4") { id state output { text } } again: job(id: "2") { script } queue(name: "queue1") { state } }',
    "{ jobHistory { nodes { id steps { name } } } clusters { name slurmVersion } viewer { role } }",
]
MUTATIONS = [
    'mutation { holdJobs(input: {ids: ["4", "90000_1"]}) { jobs { id state queue { name } } errors { code } } }',
    'mutation { submitJob(input: {script: {text: "#!/bin/sh\\n"}}) { job { id } errors { code } } }',
    'mutation { submitJob(input: {script: {uri: "s3://scripts/a"}}) { job { id } errors { code } } }',
    'mutation { cancelJobs(input: {jobs: {matching: {filter: {users: ["user3"]}, limit: 100}}}) { jobs { id } } }',
    'mutation { cancelJobs(input: {jobs: {matching: {filter: {users: ["user3"]}, limit: 100, dryRun: true}}}) {'
    " jobs { id } } }",
    'mutation { updateNode(input: {names: ["n1"], action: DRAIN, reason: "x"}) { nodes { name } errors { code } } }',
]


@pytest.mark.parametrize("failing", [None, "", "squeue", "sinfo", "a value"])
@pytest.mark.parametrize("document", [*QUERIES, *MUTATIONS])
def test_nothing_that_was_read_outlives_its_request(
    left_over: Callable[[], list[object]], monkeypatch: pytest.MonkeyPatch, document: str, failing: str | None
) -> None:
    monkeypatch.setattr(logging.getLogger("slurmql"), "disabled", True)  # pytest keeps the tracebacks that are logged
    if failing == "a value":
        monkeypatch.setitem(JOB, "SubmitTime", "yesterday")
    snapshots = Snapshots(Node(20, failing), ttl=60)
    assert "data" in ask(snapshots, document)
    snapshots.drop()
    snapshots.drop([datasets.CONFIGURATION])  # which outlives changes
    give_up = time.monotonic() + 2
    while left_over() and time.monotonic() < give_up:  # a thread may be about to drop its finished work
        time.sleep(0.01)
    assert left_over() == []


def test_a_closed_view_takes_no_answers() -> None:
    """A thread may bring them late, when the request was given up."""
    snapshots = Snapshots(Node(20), ttl=60)
    with context(snapshots) as request:
        view = request.cluster("lab")
        view.ask([datasets.JOBS])
        assert datasets.JOBS in view.answers
    view.ask([datasets.JOBS])
    assert view.answers == {}
