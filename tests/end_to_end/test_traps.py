"""Slurm's output that does not mean what it seems to: each test provokes it on the real cluster and asks the API.

What depends on a release that does not run here is in tests/slurm, with that release's own texts.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from slurm_words import Values, ask_anew, lines, say, until

from conftest import Api
from local.cluster import Cluster

NAME = "trap"
MANY_TASKS = ",".join(str(task * task) for task in range(1, 30))
DAY = 86400


@dataclass(frozen=True)
class Jobs:
    """The ids of the jobs that the traps are about, by what they are; and when each was submitted, by squeue."""

    cluster: Cluster
    ids: dict[str, str]
    first_submitted: int

    def squeue(self, kind: str, *columns: str, cluster_id: str = "") -> list[str]:
        """Columns of a job as squeue prints them without our environment."""
        words = ",".join(f"{column}:0|" for column in columns)
        printed = say(self.cluster, "squeue", "-h", "-a", "-t", "all", "-j", cluster_id or self.ids[kind], "-O", words)
        return printed.splitlines()


@pytest.fixture(scope="module")
def jobs(lab: Cluster) -> Iterator[Jobs]:
    user = lab.users[0].name

    def submit(script: str, *options: str) -> str:
        argv = ["sbatch", "--parsable", f"--job-name={NAME}", "--output=/dev/null", *options]
        return lab.run(*argv, user=user, input=f"#!/bin/sh\n{script}\n").stdout.strip()

    def state(kind: str) -> set[str]:
        return set(lines(lab, "squeue", "-h", "-t", "all", "-j", ids[kind], "-o", "%T"))

    static = "--constraint=static"
    ids = {
        "exit 3": submit("exit 3", static),
        "exit 255": submit("exit 255", static),
        "killed": submit("kill -9 $$", static),
        "array": submit("true", static, "--array=0-1"),
        "running": submit("sleep 600", static, "--time=10"),
        "requeued": submit("sleep 600", static, "--requeue", "--time=1:00:00"),
        "limit over a year": submit("true", "--hold", "--time=400-0"),
        "limit over 32 bits": submit("true", "--hold", "--time=25000-0"),
        "many tasks": submit("true", "--hold", f"--array={MANY_TASKS}%2"),
        "every fourth task": submit("true", "--hold", "--array=0-40:4"),
        "all memory": submit("true", "--hold", "--mem=0"),
        "cancelled": submit("true", "--hold"),
        "two components": lab.run(
            *("sbatch", "--parsable", f"--job-name={NAME}", "--hold", "-n1", ":", "--hold", "-n1"),
            user=user,
            input="#!/bin/sh\ntrue\n",
        ).stdout.strip(),
    }
    until(lambda: state("requeued") == {"RUNNING"}, 90)
    first_submitted = int(lab.run("env", "SLURM_TIME_FORMAT=%s", lab.programs.path("squeue"), "-h", "-j",
                                  ids["requeued"], "-o", "%V").stdout)  # fmt: skip
    until(lambda: int(lab.run("date", "+%s").stdout) > first_submitted + 1, 10)
    lab.run("scontrol", "requeue", ids["requeued"])
    lab.run("scontrol", "hold", ids["requeued"])
    lab.run("scancel", ids["cancelled"], user=user)
    for kind in ("exit 3", "exit 255", "killed", "array", "cancelled"):
        until(lambda kind=kind: state(kind) <= {"COMPLETED", "FAILED", "CANCELLED"}, 90)  # type: ignore[misc]
    until(lambda: state("running") == {"RUNNING"} and state("requeued") == {"PENDING"}, 90)

    over = [ids[kind] for kind in ("exit 3", "exit 255", "killed", "array", "cancelled")]

    def accounted() -> bool:
        told = lines(lab, "sacct", "-n", "-X", "-P", "-j", ",".join(over), "-o", "JobIDRaw,JobName,End")
        return set(over) <= {row.split("|")[0] for row in told if NAME in row and not row.endswith("Unknown")}

    until(accounted, 90)
    yield Jobs(lab, ids, first_submitted)
    lab.run("scancel", "--quiet", *ids.values(), check=False)


def one(api: Api, id: str, fields: str) -> Values:
    document = "query ($id: ID!) { job(id: $id) { %s } }" % fields  # noqa: UP031 - braces
    found: Values = ask_anew(api, document, {"id": id})["job"]
    return found


def past(api: Api, id: str, fields: str) -> list[Values]:
    document = "query ($ids: [ID!]) { jobHistory(filter: {ids: $ids}) { nodes { %s } } }"
    document %= fields
    found: list[Values] = ask_anew(api, document, {"ids": [id]})["jobHistory"]["nodes"]
    return found


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [("exit 3", 3 << 8, (3, None)), ("exit 255", 255 << 8, (255, None)), ("killed", 9, (None, 9))],
)
def test_squeue_s_exit_code_is_a_raw_wait_status_up_to_22_05(
    api: Api, jobs: Jobs, kind: str, status: int, told: tuple[int | None, int | None]
) -> None:
    old = jobs.cluster.programs.slurm_version() < (23, 2)
    assert jobs.squeue(kind, "exit_code") == [f"{status}|" if old else f"{status >> 8}:{status & 127}|"]
    job = one(api, jobs.ids[kind], "exitCode exitSignal")
    assert (job["exitCode"], job["exitSignal"]) == told


def test_sacct_takes_128_off_an_exit_code_and_the_scheduler_does_not(api: Api, jobs: Jobs) -> None:
    (said,) = lines(jobs.cluster, "sacct", "-n", "-X", "-P", "-j", jobs.ids["exit 255"], "-o", "ExitCode")
    assert said == ("127:0" if jobs.cluster.programs.slurm_version() < (25, 11) else "255:0")
    assert past(api, jobs.ids["exit 255"], "exitCode") == [{"exitCode": int(said.split(":")[0])}]
    assert one(api, jobs.ids["exit 255"], "exitCode") == {"exitCode": 255}


def test_a_limit_over_a_year_is_invalid_to_squeue_and_known_to_accounting(api: Api, jobs: Jobs) -> None:
    assert jobs.squeue("limit over a year", "TimeLimit") == ["INVALID|"]
    assert one(api, jobs.ids["limit over a year"], "timeLimitSeconds") == {"timeLimitSeconds": None}
    assert past(api, jobs.ids["limit over a year"], "timeLimitSeconds") == [{"timeLimitSeconds": 400 * DAY}]


def test_the_last_task_of_an_array_keeps_the_arrays_raw_id(api: Api, jobs: Jobs) -> None:
    array = jobs.ids["array"]
    assert f"{array}_1|{array}|" in jobs.squeue("array", "JobArrayID", "JobID")
    task = one(api, f"{array}_1", "id jobId arrayJobId arrayTaskId")
    assert task == {"id": f"lab:{array}_1", "jobId": f"{array}_1", "arrayJobId": array, "arrayTaskId": 1}
    document = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { id } } }"
    listed = ask_anew(api, document, {"ids": [array]})["jobs"]["nodes"]
    assert [job["id"] for job in listed] == [f"lab:{array}_0", f"lab:{array}_1"]


def test_a_time_limit_of_more_than_32_bits_of_seconds_is_as_accounting_has_it(api: Api, jobs: Jobs) -> None:
    """Slurm's own clock has 32 bits: of 25,000 days it makes some thousand years."""
    id = jobs.ids["limit over 32 bits"]
    (minutes,) = lines(jobs.cluster, "sacct", "-n", "-X", "-P", "-j", id, "-o", "TimelimitRaw")
    assert 60 * int(minutes) >= 2**31
    assert past(api, id, "timeLimitSeconds") == [{"timeLimitSeconds": 60 * int(minutes)}]


def test_the_submit_time_changes_on_requeue_and_the_id_does_not(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["requeued"]
    job = one(api, id, "id submitTime restartCount state")
    assert (job["id"], job["restartCount"], job["state"]) == (f"lab:{id}", 1, "PENDING")
    assert datetime.fromisoformat(job["submitTime"]).timestamp() > jobs.first_submitted


def test_a_requeued_run_is_a_row_of_its_own_to_sacct_and_counts_as_a_restart(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["requeued"]
    until(lambda: len(lines(jobs.cluster, "sacct", "-n", "-X", "-D", "-P", "-j", id, "-o", "State")) == 2, 60)
    assert lines(jobs.cluster, "sacct", "-n", "-X", "-D", "-P", "-j", id, "-o", "State")[0] == "REQUEUED"
    assert past(api, id, "jobId state restartCount") == [{"jobId": id, "state": "PENDING", "restartCount": 1}]


def test_cancelled_by_uid_is_cancelled_and_the_words_are_kept(api: Api, jobs: Jobs) -> None:
    words = f"CANCELLED by {jobs.cluster.users[0].uid}"
    assert past(api, jobs.ids["cancelled"], "state rawState") == [{"state": "CANCELLED", "rawState": words}]


def test_a_task_list_that_squeue_cuts_off_by_default_is_complete(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["many tasks"]
    program = jobs.cluster.programs.path("squeue")
    printed = jobs.cluster.run(program, "-h", "-j", id, "-O", "JobArrayID:0|").stdout
    assert MANY_TASKS not in printed
    assert one(api, id, "jobId")["jobId"] == f"{id}_[{MANY_TASKS}%2]"


def test_regular_steps_of_a_task_list_are_read(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["every fourth task"]
    assert jobs.squeue("every fourth task", "ArrayTaskID") == ["0-40:4|"]
    assert one(api, id, "jobId") == {"jobId": f"{id}_[0-40:4]"}
    assert one(api, f"{id}_8", "jobId") == {"jobId": f"{id}_8"}
    assert ask_anew(api, f'{{ job(id: "{id}_9") {{ jobId }} }}') == {"job": None}


def test_the_end_of_a_running_job_is_an_expected_one(api: Api, jobs: Jobs) -> None:
    job = one(api, jobs.ids["running"], "state startTime endTime exitCode")
    start, end = (datetime.fromisoformat(job[name]) for name in ("startTime", "endTime"))
    assert (job["state"], end - start, job["exitCode"]) == ("RUNNING", timedelta(minutes=10), None)


def test_memory_0_means_all_that_a_node_has(api: Api, jobs: Jobs) -> None:
    assert jobs.squeue("all memory", "MinMemory") == ["0|"]
    shown = {int(line) for line in lines(jobs.cluster, "sinfo", "-h", "-a", "-e", "-o", "%m")}
    told = one(api, jobs.ids["all memory"], "memoryMib")["memoryMib"]
    if jobs.cluster.programs.slurm_version() < (21, 8):  # shows how much once the job runs
        assert told is None
    else:
        assert told in shown


def test_priority_0_is_held(api: Api, jobs: Jobs) -> None:
    assert one(api, jobs.ids["limit over a year"], "priority reasonCode") == {
        "priority": 0,
        "reasonCode": "JOB_HELD_USER",
    }


@pytest.fixture
def drained_and_down(lab: Cluster) -> Iterator[str]:
    node = "queue1-dy-large-2"

    def update(*words: str) -> None:
        lab.run("scontrol", "update", f"NodeName={node}", *words)

    update("State=DOWN", "Reason=broken")
    update("State=DRAIN", "Reason=a board, and a fan, are to be changed")
    yield node
    update("State=RESUME")
    until(lambda: "drain" not in say(lab, "sinfo", "-h", "-n", node, "-o", "%T"), 60)


def test_drain_hides_down_in_sinfo_s_states(api: Api, lab: Cluster, drained_and_down: str) -> None:
    assert {state.rstrip("~*") for state in lines(lab, "sinfo", "-h", "-n", drained_and_down, "-o", "%T")} == {
        "drained"
    }
    node = ask_anew(api, f'{{ node(name: "{drained_and_down}") {{ state flags reason }} }}')["node"]
    assert (node["state"], "DRAIN" in node["flags"]) == ("DOWN", True)
    assert node["reason"] == "a board, and a fan, are to be changed"


# --- doing ----------------------------------------------------------------------------------------------------------

SUBMIT = "mutation ($input: SubmitJobInput!) { submitJob(input: $input) { job { jobId } errors { code field } } }"
CANCEL = """mutation ($ids: [ID!]!) { cancelJobs(input: {jobs: {ids: $ids}}) { jobs { jobId }
      errors { code id: targetId message } } }"""
HOLD = "mutation ($ids: [ID!]!) { holdJobs(input: {ids: $ids}) { jobs { jobId state } errors { code } } }"


def test_seconds_of_a_time_limit_round_up_to_minutes(api: Api, lab: Cluster) -> None:
    asked = {"script": {"text": "#!/bin/sh\ntrue\n"}, "hold": True, "timeLimitSeconds": 90}
    id = api.data(SUBMIT, {"input": asked})["submitJob"]["job"]["jobId"]
    try:
        assert one(api, id, "timeLimitSeconds") == {"timeLimitSeconds": 120}
    finally:
        lab.run("scancel", id)


@pytest.mark.skipif(os.geteuid() != 0, reason="what root may and users may not")
@pytest.mark.parametrize("option", ["--uid=0", "--uid=root", "--gid=0"])
def test_options_for_root_in_a_script_are_refused_as_the_user_s_own_would_be(api: Api, option: str) -> None:
    asked = {"script": {"text": f"#!/bin/sh\n#SBATCH {option}\nid\n"}, "hold": True}
    done = api.data(SUBMIT, {"input": asked})["submitJob"]
    assert (done["job"], len(done["errors"])) == (None, 1)


def test_a_component_cannot_be_cancelled_alone(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["two components"]
    done = api.data(CANCEL, {"ids": [f"{id}+1"]})["cancelJobs"]
    assert (done["jobs"], [error["id"] for error in done["errors"]]) == ([], [f"lab:{id}+1"])
    assert set(jobs.squeue("two components", "State")) == {"PENDING|"}


def test_a_running_job_that_is_held_runs_on_and_has_priority_0(api: Api, jobs: Jobs) -> None:
    id = jobs.ids["running"]
    done: dict[str, Any] = api.data(HOLD, {"ids": [id]})["holdJobs"]
    assert done == {"jobs": [{"jobId": id, "state": "RUNNING"}], "errors": []}
    assert one(api, id, "state priority") == {"state": "RUNNING", "priority": 0}
