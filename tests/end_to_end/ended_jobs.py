"""One job of each way to end, made on a real Slurm all at once: what was submitted, what was done to it, its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.cluster import Cluster
from local.cluster.configuration import ComputeResource

NODES = ComputeResource("queue1", "small", "t3.small", count=4, cpus=64, memory=8192, static=True)
FAILING, BUSY = NODES.nodes[2:]
"""The node that fails, and the node whose jobs an urgent job preempts; no other jobs run there."""
SETTINGS = {
    "KillWait": "2",
    # Heterogeneous jobs start by backfill alone.
    "SchedulerParameters": "batch_sched_delay=1,sched_min_interval=200000,bf_interval=1",
    "JobAcctGatherParams": "OverMemoryKill",
    "SelectTypeParameters": "CR_CPU_Memory",
    "DefMemPerCPU": "20",
    "PreemptType": "preempt/partition_prio",
    "PreemptMode": "CANCEL",
    # A queue of its own, before the others: each line of slurm.conf is a key and a value.
    "PartitionName": f"urgent Nodes={','.join(NODES.nodes)} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF",
}
NEVER = [f"--nodelist={FAILING}", "--exclusive"]
"""A job that runs there is preempted, or its node goes down."""
NOT_ELSEWHERE = [f"--exclude={FAILING},{BUSY}"]
ENDED = {
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "TIMEOUT",
    "DEADLINE",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "BOOT_FAIL",
}
FIRST = "exit 0"
SLEEP = "sleep 300"
BATCH, SRUN, ALLOCATION = ("sbatch", "--parsable"), ("srun",), ("salloc", "--no-shell")

WITHIN = 55.0
"""Seconds for all jobs to end: slurmctld looks at time limits every 30."""

Act = Callable[[Cluster, str], object]
"""An action on a job, once the job is in the state that it needs."""


def scontrol(*words: str) -> Act:
    return lambda cluster, id: cluster.run("scontrol", words[0], id, *words[1:])


def update(*settings: str) -> Act:
    return lambda cluster, id: cluster.run("scontrol", "update", f"JobId={id}", *settings)


def scancel(*options: str) -> Act:
    """As the user whose job it is."""
    return lambda cluster, id: cluster.run("scancel", *options, id, user=cluster.users[0].name)


def scancel_tasks(tasks: str) -> Act:
    return lambda cluster, id: cluster.run("scancel", f"{id}_{tasks}")


def fail_node(cluster: Cluster, id: str) -> None:
    cluster.run("scontrol", "update", f"NodeName={FAILING}", "State=DOWN", "Reason=broken")


def preempt(cluster: Cluster, id: str) -> None:
    options = ["--partition=urgent", f"--nodelist={BUSY}", "--exclusive", "--job-name=urgent", "--output=/dev/null"]
    cluster.run("sbatch", *options, user=cluster.users[0].name, input="#!/bin/bash\nsleep 1\n")


@dataclass(frozen=True)
class Way:
    """A way to end.

    `states` is the state of all its rows in the end, `code` and `signal` those of its first row; with `varies` they are
    other ones in some releases. `acts` follow each other, each once a row of the job is in the state it goes with.
    `output` is the file that the job names, or None for the default; FIRST in an option is the first job's id.
    """

    name: str
    script: str
    states: str
    code: int | None = None
    signal: int | None = None
    options: Sequence[str] = ()
    acts: Sequence[tuple[str, Act]] = ()
    command: Sequence[str] = BATCH
    interpreter: str = "/bin/bash"
    output: str | None = "/dev/null"
    varies: bool = False


def _exits() -> list[Way]:
    codes = (1, 2, 9, 126, 127, 128, 137, 143, 254, 255)
    return [Way(f"exit {code}", f"exit {code}", "FAILED", code) for code in codes]


def _signals() -> list[Way]:
    signals = {"TERM": 15, "KILL": 9, "SEGV": 11, "ABRT": 6, "USR1": 10, "HUP": 1}
    by_itself = [Way(f"kill -{name}", f"kill -{name} $$", "FAILED", None, each) for name, each in signals.items()]
    by_scancel = [
        Way(
            f"scancel --batch {name}",
            f"exec {SLEEP}",
            "FAILED",
            None,
            signals[name],
            acts=[("RUNNING", _signal(signals[name], "--batch"))],
        )
        for name in ("TERM", "KILL", "SEGV", "ABRT")
    ]
    return by_itself + by_scancel


def _signal(number: int, *options: str) -> Act:
    def act(cluster: Cluster, id: str) -> None:
        time.sleep(0.5)  # the script has begun
        cluster.run("scancel", *options, f"--signal={number}", id)

    return act


def _cancelled() -> list[Way]:
    catches = "trap 'exit %d' TERM; sleep 300 & wait"
    running = [("RUNNING", scancel())]
    return [
        Way("cancelled", SLEEP, "CANCELLED", acts=running),
        Way("cancelled with a step", f"srun {SLEEP}", "CANCELLED", acts=running),
        Way("cancelled, exits 0", catches % 0, "CANCELLED", acts=running),
        Way("cancelled, exits 3", catches % 3, "CANCELLED", acts=running),
        Way("cancelled by root", SLEEP, "CANCELLED", acts=[("RUNNING", lambda c, id: c.run("scancel", id))]),
        Way("cancelled fully", SLEEP, "CANCELLED", options=["--signal=B:USR1@60"], acts=[("RUNNING", scancel("-f"))]),
        Way("cancelled held", SLEEP, "CANCELLED", options=["--hold"], acts=[("PENDING", scancel())]),
        Way("cancelled early", SLEEP, "CANCELLED", options=["--begin=now+1hour"], acts=[("PENDING", scancel())]),
        Way("cancelled waiting", SLEEP, "CANCELLED", options=NEVER, acts=[("PENDING", scancel())]),
        Way(
            "cancelled suspended", SLEEP, "CANCELLED", acts=[("RUNNING", scontrol("suspend")), ("SUSPENDED", scancel())]
        ),
        Way("KILL for all", SLEEP, "CANCELLED", acts=[("RUNNING", scancel("--full", "--signal=KILL"))]),
        Way("USR1 for its steps", f"srun {SLEEP}", "FAILED", 138, acts=[("RUNNING", _signal(10))]),
    ]


def _ended_by_slurm() -> list[Way]:
    limit = [("RUNNING", update("EndTime=now"))]
    return [
        Way("time limit", SLEEP, "TIMEOUT", options=["--time=1"], acts=limit),
        Way("time limit with a step", f"srun {SLEEP}", "TIMEOUT", options=["--time=1"], acts=limit),
        Way("time limit, exits 0", "trap 'exit 0' TERM; sleep 300 & wait", "TIMEOUT", options=["--time=1"], acts=limit),
        Way("deadline", SLEEP, "DEADLINE", options=["--time=1", "--deadline=now+65", *NEVER]),
        Way("preempted", SLEEP, "PREEMPTED", options=[f"--nodelist={BUSY}"], acts=[("RUNNING", preempt)]),
        Way(
            "memory",
            """srun python3 -c 'x = b"x" * (300 << 20); import time; time.sleep(60)'""",
            "FAILED",
            137,
            options=["--mem=50"],
        ),
        Way("dependency", SLEEP, "CANCELLED", options=["--dependency=afternotok:FIRST", "--kill-on-invalid-dep=yes"]),
    ]


def _node_failure() -> Way:
    options = [f"--nodelist={FAILING}", "--no-requeue"]
    return Way("node fails", SLEEP, "NODE_FAIL", options=options, acts=[("RUNNING", fail_node)])


def _requeued() -> list[Way]:
    once = '[ "$SLURM_RESTART_COUNT" ] && exit 4; sleep 300'
    hold = scontrol("requeuehold")
    return [
        Way(
            "requeued, exits 4",
            once,
            "FAILED",
            4,
            acts=[("RUNNING", scontrol("requeue")), ("PENDING", update("StartTime=now"))],
        ),
        Way("requeued, cancelled", SLEEP, "CANCELLED", acts=[("RUNNING", hold), ("PENDING", scancel())]),
    ]


def _arrays() -> list[Way]:
    return [
        Way("array", "exit 0", "COMPLETED", 0, options=["--array=0-2"], output=None),
        Way("array of exits", "exit $SLURM_ARRAY_TASK_ID", "FAILED", 3, options=["--array=3,137,255"]),
        Way("array of kills", "kill -9 $$", "FAILED", None, 9, options=["--array=1,2"]),
        Way("array cancelled waiting", SLEEP, "CANCELLED", options=["--array=0-5%1"], acts=[("RUNNING", scancel())]),
        Way(
            "array cancelled held", SLEEP, "CANCELLED", options=["--array=1-3", "--hold"], acts=[("PENDING", scancel())]
        ),
        Way("array, a task cancelled", SLEEP, "CANCELLED", options=["--array=0-1"], acts=[("RUNNING", scancel())]),
    ]


def _het_jobs() -> list[Way]:
    parts = ["--ntasks=1", ":", "--ntasks=1"]
    return [
        Way("het", "exit 0", "COMPLETED", 0, options=parts),
        Way("het exit 5", "exit 5", "FAILED", 5, options=parts),
        Way("het cancelled", SLEEP, "CANCELLED", options=parts, acts=[("RUNNING", scancel())]),
    ]


def _steps() -> list[Way]:
    return [
        Way("a step fails", "srun sh -c 'exit 4'\nexit 0", "COMPLETED", 0, output="%x-%j.%u"),
        Way("the last step fails", "srun sh -c 'exit 4'", "FAILED", 4),
        Way("the last step exits 137", "srun sh -c 'exit 137'", "FAILED", 137),
        Way("a step is killed", "srun sh -c 'kill -9 $$'\nexit 6", "FAILED", 6),
        Way("srun is killed", "srun sleep 300 & sleep 1; kill -9 $!; wait $!; exit 7", "FAILED", 7),
    ]


def _without_script() -> list[Way]:
    return [
        Way("srun true", "true", "COMPLETED", 0, command=SRUN),
        Way("srun exits 8", "exit 8", "FAILED", 8, command=SRUN),
        Way("srun killed", "kill -9 $$", "FAILED", None, 9, command=SRUN),
        Way("allocation", "", "CANCELLED", acts=[("RUNNING", scancel())], command=ALLOCATION),
    ]


def _not_launched() -> list[Way]:
    return [
        Way("no such output", "exit 0", "FAILED", None, 53, output="/no/such/folder/%j", varies=True),
        Way("no such interpreter", "exit 0", "FAILED", 2, interpreter="/no/such/program"),
    ]


WAYS: Mapping[str, Way] = {
    way.name: way
    for ways in (
        [Way(FIRST, "exit 0", "COMPLETED", 0, output=None), _node_failure()],
        _exits(),
        _signals(),
        _cancelled(),
        _ended_by_slurm(),
        _requeued(),
        _arrays(),
        _het_jobs(),
        _steps(),
        _without_script(),
        _not_launched(),
    )
    for way in ways
}


def make(cluster: Cluster, seconds: float) -> dict[str, str]:
    """The ids of a job of each way, by the way's name, once all have ended; AssertionError if they do not in time."""
    with ThreadPoolExecutor() as pool:
        first = _submit(cluster, WAYS[FIRST], "")
        for way in list(WAYS.values())[1:]:
            if way.command == BATCH:
                _submit(cluster, way, first)
            else:
                pool.submit(_submit, cluster, way, first)
        return _acted_on(cluster, time.monotonic() + seconds)


def _submit(cluster: Cluster, way: Way, first: str) -> str:
    """What the command prints: sbatch the id."""
    files = [] if way.output is None or way.command == ALLOCATION else [f"--output={way.output}"]
    away = [] if any(option.startswith("--nodelist") for option in way.options) else NOT_ELSEWHERE
    options = [option.replace("FIRST", first) for option in way.options]
    argv = [*way.command, f"--job-name={way.name}", *away, *files, *options]
    if way.command == SRUN:
        argv += ["sh", "-c", way.script]
    script = f"#!{way.interpreter}\n{way.script}\n"
    return cluster.run(*argv, user=cluster.users[0].name, input=script, check=False).stdout.strip()


def _acted_on(cluster: Cluster, deadline: float) -> dict[str, str]:
    to_do = {name: list(way.acts) for name, way in WAYS.items()}
    while True:
        jobs = listed(cluster)
        for name, acts in to_do.items():
            states = {state for id, state in jobs.get(name, ())}
            if acts and acts[0][0] in states:
                _, act = acts.pop(0)
                act(cluster, jobs[name][0][0])
        waiting = [name for name in WAYS if not jobs.get(name) or {state for _, state in jobs[name]} - ENDED]
        if not waiting:
            return {name: jobs[name][0][0] for name in WAYS}
        assert time.monotonic() < deadline, {name: jobs.get(name) for name in waiting}
        time.sleep(0.2)


def listed(cluster: Cluster) -> dict[str, list[tuple[str, str]]]:
    """The ids (of the whole array or heterogeneous job) and states of all jobs, by their names."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in cluster.run("squeue", "-h", "-a", "-t", "all", "-o", "%i|%T|%j").stdout.splitlines():
        id, state, name = line.split("|", 2)
        found.setdefault(name, []).append((re.split("[_+]", id)[0], state))
    return found


def codes_by_accounting(name: str, code: int | None, version: tuple[int, int]) -> set[int | None]:
    """The exit codes that accounting may have for this way to end, by the scheduler's: the description says why."""
    if name == "kill -HUP":
        return {1}
    if code is None or code <= 128 or version >= (25, 11):
        return {code}
    if name == "memory":  # slurmctld ends the job and its step at once, and in one of eight runs records the job first
        return {code, code - 128}
    return {code} if WAYS[name].script.startswith("srun") else {code - 128}


def otherwise(name: str, version: tuple[int, int]) -> dict[str, Any]:
    """What else accounting has in place of the scheduler's values, for this way to end: the descriptions say so."""
    if name == "kill -HUP":
        return {"exitSignal": None}
    if name in ("cancelled waiting", "deadline"):  # it asked for a node of its own
        return {"cpuCount": 1}
    if name == "dependency" and version > (20, 11):  # 20.11 records the reason
        return {"reasonText": None}
    return {}
