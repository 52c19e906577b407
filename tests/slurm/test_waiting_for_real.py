"""What a real Slurm says of jobs that wait is known: every reason has a code, every dependency is read."""

import time
from collections.abc import Callable

from local.cluster import Cluster
from slurm.capacity import capacity_code
from slurm.dependency import Dependency, DependencyKind, parse
from slurm.reason import ReasonCode, reason_code

SCRIPT = "#!/bin/bash\n"


def submit(cluster: Cluster, *options: str) -> str:
    argv = ["sbatch", "--parsable", "-o", "/dev/null", *options]
    return cluster.run(*argv, user=cluster.users[0].name, input=SCRIPT).stdout.strip()


def column(cluster: Cluster, job: str, name: str) -> str:
    return cluster.run("squeue", "-h", "-t", "all", "-j", job, "-O", f"{name}:.999").stdout.strip()


def settled(cluster: Cluster, job: str, code: ReasonCode) -> bool:
    """Whether the job's reason becomes that code: slurmctld looks at jobs by and by."""
    return within(30, lambda: reason_code(column(cluster, job, "Reason")) is code)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.1)
    return True


def test_each_reason_for_waiting_has_its_code(lab: Cluster) -> None:
    held = submit(lab, "--hold")
    jobs = {
        held: ReasonCode.JOB_HELD_USER,
        submit(lab, "--begin=now+1hour"): ReasonCode.BEGIN_TIME,
        submit(lab, f"--dependency=afterok:{held}"): ReasonCode.DEPENDENCY,
    }
    try:
        for job, code in jobs.items():
            assert settled(lab, job, code), column(lab, job, "Reason")
    finally:
        lab.run("scancel", *jobs)


def test_a_dependency_that_failed_never_lets_the_job_start(lab: Cluster) -> None:
    held = submit(lab, "--hold")
    waiting = submit(lab, f"--dependency=afterok:{held}")
    lab.run("scancel", held)
    try:
        assert settled(lab, waiting, ReasonCode.DEPENDENCY_NEVER_SATISFIED), column(lab, waiting, "Reason")
    finally:
        lab.run("scancel", waiting)


def test_a_job_for_a_drained_node_has_its_code_and_the_node_no_ec2_code(lab: Cluster) -> None:
    node, why = "queue1-dy-large-4", "(Code:InsufficientInstanceCapacity)Failure when resuming nodes"
    lab.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", f"Reason={why}")
    job = submit(lab, "-w", node)
    try:
        assert settled(lab, job, ReasonCode.REQ_NODE_NOT_AVAIL), column(lab, job, "Reason")
        printed = lab.run("sinfo", "-h", "-n", node, "-O", "Reason:.999").stdout.strip()
        assert capacity_code(printed) is not None
    finally:
        lab.run("scancel", job)
        lab.run("scontrol", "update", f"NodeName={node}", "State=RESUME")


def test_a_requeued_and_held_jobs_sentence_has_its_code(lab: Cluster) -> None:
    job = submit(lab)
    assert within(60, lambda: column(lab, job, "State") == "COMPLETED")
    lab.run("scontrol", "requeuehold", job)
    try:
        assert settled(lab, job, ReasonCode.JOB_HELD_USER), column(lab, job, "Reason")
        assert column(lab, job, "Reason") == "job requeued in held state"
    finally:
        lab.run("scancel", job)


def test_dependencies_are_read_as_squeue_prints_them(lab: Cluster) -> None:
    one, array = submit(lab, "--hold"), submit(lab, "--hold", "--array=1-3")
    every = submit(lab, f"--dependency=afterok:{one}:{array}_2,after:{one}+5,afterany:{array},singleton")
    either = submit(lab, f"--dependency=afterok:{one}?afternotok:{array}_1")
    try:
        assert parse(column(lab, every, "Dependency")) == [
            Dependency(DependencyKind.AFTEROK, one),
            Dependency(DependencyKind.AFTEROK, array, task=2),
            Dependency(DependencyKind.AFTER, one, minutes=5),
            Dependency(DependencyKind.AFTERANY, array, all_tasks=True),
            Dependency(DependencyKind.SINGLETON),
        ]
        assert parse(column(lab, either, "Dependency")) == [
            Dependency(DependencyKind.AFTEROK, one, any_suffices=True),
            Dependency(DependencyKind.AFTERNOTOK, array, task=1, any_suffices=True),
        ]
        assert parse(column(lab, one, "Dependency")) == []
    finally:
        lab.run("scancel", one, array, every, either)
