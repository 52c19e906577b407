"""Jobs that the scheduler has forgotten and accounting knows: they are found and complete, and cannot be changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from another_cluster import endpoint, reachable, started
from slurm_words import say, until

from conftest import Api
from local.cluster import Cluster
from local.gateway import Handler
from local.ssm import Endpoint
from local.stack import Stack
from local.suite import Chroot

NO_TIME = {"Unknown", "None", ""}


@dataclass(frozen=True)
class Forgetful:
    """A cluster whose slurmctld has forgotten jobs of several kinds that accounting knows: their ids by their kinds."""

    cluster: Cluster
    endpoint: Endpoint
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def forgetful(stack: Stack, chroot: Chroot | None) -> Iterator[Forgetful]:
    settings = {"SchedulerParameters": "batch_sched_delay=1,sched_min_interval=200000,permit_job_expansion"}
    with (
        started("forgetful", chroot, accounting=True, settings=settings) as cluster,
        endpoint(cluster, stack, chroot) as made,
    ):
        yield Forgetful(cluster, made, _forgotten(cluster))


def submit(cluster: Cluster, name: str, script: str, *options: str) -> str:
    files = () if any(option.startswith("--output") for option in options) else ("--output=/dev/null",)
    argv = ["sbatch", "--parsable", f"--job-name={name}", "--constraint=static", *files, *options]
    return cluster.run(*argv, user=cluster.users[0].name, input=f"#!/bin/sh\n{script}\n").stdout.strip()


def records(cluster: Cluster, id: str, columns: str = "JobID,State,NodeList,Submit,End") -> list[list[str]]:
    """What accounting has of a job: its rows, without steps."""
    printed = say(cluster, "sacct", "-a", "-X", "-n", "-P", "-D", "-o", columns, "-j", id)
    return [line.split("|") for line in printed.splitlines()]


def _forgotten(cluster: Cluster) -> dict[str, str]:
    """slurmctld forgets a job MinJobAge after its end, in minutes at the soonest; or when its state is lost."""
    ids = {
        "plain": submit(cluster, "plain", "srun true"),
        "array": submit(cluster, "array", "exit $SLURM_ARRAY_TASK_ID", "--array=0-2"),
        "waiting": submit(cluster, "waiting", "sleep 300", "--array=0-5%1"),
        "held": submit(cluster, "held", "true", "--array=1-3", "--hold"),
        "resized": submit(cluster, "resized", "srun -N2 true; sleep 4; srun -N1 -n1 true", "--nodes=2"),
        "output": submit(cluster, "output", "echo $SLURM_JOB_ID; echo wrong >&2", "--output=%x-%j-%u.txt"),
        "both": submit(cluster, "both", "echo out; echo err >&2", "--output=o-%A_%a", "--error=e-%A_%a", "--array=7"),
    }

    def states(kind: str) -> list[str]:
        return [state.split()[0] for _, state, *_ in records(cluster, ids[kind])]

    until(lambda: "RUNNING" in states("resized") and "RUNNING" in states("waiting"), 60)
    until(lambda: "resized.0" in "".join(_steps(cluster, ids["resized"], "resized")), 20)
    cluster.run("scontrol", "update", f"JobId={ids['resized']}", "NumNodes=1")
    for kind in ("waiting", "held"):
        cluster.run("scancel", ids[kind])
    over = {"COMPLETED", "FAILED", "CANCELLED", "RESIZING"}
    until(lambda: all(states(kind) and set(states(kind)) <= over for kind in ids), 60, lambda: records(cluster, ""))
    cluster.stop_controller()
    state = Path(say_config(cluster, "StateSaveLocation"))
    for file in state.glob("*"):
        if file.is_file() and (file.name.startswith("job_state") or cluster.programs.slurm_version() >= (25, 11)):
            file.unlink()  # 26.05 does not start where only the jobs' state is missing
    cluster.start_controller()
    assert say(cluster, "squeue", "-h", "-t", "all").split() == []
    return ids


def _steps(cluster: Cluster, id: str, name: str) -> list[str]:
    """The steps of a job, `name.0` ..., that have ended."""
    printed = say(cluster, "sacct", "-a", "-n", "-P", "-D", "-o", "JobID,End", "-j", id)
    ended = [row.split("|")[0] for row in printed.splitlines() if row.split("|")[1] not in NO_TIME]
    return [row.replace(f"{id}.", f"{name}.") for row in ended]


def say_config(cluster: Cluster, key: str) -> str:
    text = Path(cluster.environment["SLURM_CONF"]).read_text()
    return next(line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}="))


@pytest.fixture
def forgetful_api(api: Api, forgetful: Forgetful, stack: Stack, entry: Handler) -> Iterator[Api]:
    """The API with the forgetful cluster behind it, too."""
    with reachable(forgetful.cluster, stack, forgetful.endpoint, entry) as made:
        yield made


def test_a_job_that_the_scheduler_has_forgotten_is_found_in_the_same_command(
    forgetful_api: Api, forgetful: Forgetful
) -> None:
    id = forgetful.ids["plain"]
    document = f"""{{ job(id: "forgetful:{id}") {{ id state exitCode endTime queue {{ name }} nodes {{ name }}
      cpuTimeReservedSeconds steps {{ stepId state }} efficiency {{ cpu memory }} }} }}"""
    before = forgetful_api.commands()
    job = forgetful_api.data(document)["job"]
    assert forgetful_api.commands() == before + 1
    ((_, state, node, _, end),) = records(forgetful.cluster, id)
    assert (job["id"], job["state"], job["endTime"]) == (f"forgetful:{id}", state, f"{end}+00:00")
    assert [each["name"] for each in job["nodes"]] == [node]
    listed = say(forgetful.cluster, "sacct", "-n", "-P", "-j", id, "-o", "JobID,State").splitlines()
    assert [f"{step['stepId']}|{step['state']}" for step in job["steps"]] == listed[1:]


def test_a_task_that_the_scheduler_has_forgotten_is_found_by_its_own_id(
    forgetful_api: Api, forgetful: Forgetful
) -> None:
    id = forgetful.ids["array"]
    document = f"""{{ cluster(name: "forgetful") {{
      task: job(id: "{id}_2") {{ jobId arrayTaskId exitCode steps {{ stepId }} }} whole: job(id: "{id}") {{ jobId }}
      none: job(id: "{id}_7") {{ jobId }} }} }}"""
    before = forgetful_api.commands()
    found = forgetful_api.data(document)["cluster"]
    assert forgetful_api.commands() == before + 1
    steps = found["task"].pop("steps")
    assert found == {
        "task": {"jobId": f"{id}_2", "arrayTaskId": 2, "exitCode": 2},
        "whole": {"jobId": f"{id}_0"},
        "none": None,
    }
    assert f"{id}_2.batch" in [step["stepId"] for step in steps]


def test_the_history_has_them_still(forgetful_api: Api, forgetful: Forgetful) -> None:
    document = '{ jobs(cluster: "forgetful") { totalCount } jobHistory(cluster: "forgetful") { totalCount source } }'
    found = forgetful_api.data(document)
    assert found["jobs"] == {"totalCount": 0}
    assert found["jobHistory"]["source"] == "ACCOUNTING"
    assert found["jobHistory"]["totalCount"] >= 4


def job(api: Api, id: str, fields: str) -> Any:
    return api.data(f'{{ job(id: "forgetful:{id}") {{ {fields} }} }}')["job"]


@pytest.mark.parametrize(("kind", "task", "row"), [("waiting", 3, "[1-5%1]"), ("held", 2, "[1-3]")])
def test_a_task_that_was_cancelled_while_it_waited_is_found_in_the_row_of_those(
    forgetful_api: Api, forgetful: Forgetful, kind: str, task: int, row: str
) -> None:
    id = forgetful.ids[kind]
    before = forgetful_api.commands()
    found = job(forgetful_api, f"{id}_{task}", "jobId state exitCode exitSignal reasonText")
    assert forgetful_api.commands() == before + 1
    ended = {"state": "CANCELLED", "exitCode": None, "exitSignal": None, "reasonText": None}
    assert found == {"jobId": f"{id}_{row}", **ended}


def test_the_tasks_of_an_array_are_counted_inside_such_a_row(forgetful_api: Api, forgetful: Forgetful) -> None:
    fields = "array { taskCount phase succeeded countsByState { state count } tasks { nodes { jobId state } } }"
    id = forgetful.ids["waiting"]
    before = forgetful_api.commands()
    for asked in (f"{id}_3", f"{id}_0"):
        array = job(forgetful_api, asked, fields)["array"]
        assert (array["taskCount"], array["countsByState"]) == (6, [{"state": "CANCELLED", "count": 6}])
        assert (array["phase"], array["succeeded"]) == ("ENDED", False)
        assert [task["jobId"] for task in array["tasks"]["nodes"]] == [f"{id}_0", f"{id}_[1-5%1]"]
    assert forgetful_api.commands() == before + 2
    array = job(forgetful_api, f"{forgetful.ids['array']}_1", fields)["array"]
    assert sorted((each["state"], each["count"]) for each in array["countsByState"]) == [
        ("COMPLETED", 1),
        ("FAILED", 2),
    ]


def test_a_job_that_was_resized_has_all_its_steps_and_its_first_submit_time(
    forgetful_api: Api, forgetful: Forgetful
) -> None:
    id = forgetful.ids["resized"]
    rows = records(forgetful.cluster, id, "JobID,State,Submit,Start,End")
    assert [state for _, state, *_ in rows] == ["RESIZING", "COMPLETED"]
    found = job(forgetful_api, id, "submitTime startTime endTime elapsedSeconds restartCount steps { stepId }")
    first, last = rows
    assert found["submitTime"] == f"{first[2]}+00:00"
    assert (found["startTime"], found["endTime"]) == (f"{first[3]}+00:00", f"{last[4]}+00:00")
    assert found["restartCount"] == 0
    steps = {step["stepId"] for step in found["steps"]}
    assert steps >= {f"{id}.batch", f"{id}.0", f"{id}.1"}
    assert found["elapsedSeconds"] >= 4


def test_an_ended_job_cannot_be_changed_and_the_error_says_that_it_ended(
    forgetful_api: Api, forgetful: Forgetful
) -> None:
    ids = [forgetful.ids["plain"], f"{forgetful.ids['waiting']}_3", "4000000"]
    document = """mutation ($ids: [ID!]!) { cancelJobs(input: {cluster: "forgetful", jobs: {ids: $ids}}) {
      jobs { id } errors { code id: targetId message } } }"""
    answer = forgetful_api.data(document, {"ids": ids})["cancelJobs"]
    assert answer["jobs"] == []
    plain, task, _ = ids
    assert [(error["code"], error["id"]) for error in answer["errors"]] == [
        ("ALREADY_FINISHED", f"forgetful:{plain}"),
        ("ALREADY_FINISHED", f"forgetful:{task}"),
        ("NOT_FOUND", "forgetful:4000000"),
    ]
    assert answer["errors"][0]["message"] == f"Job {plain} has ended: COMPLETED."


def test_its_output_is_found_where_accounting_records_its_files(forgetful_api: Api, forgetful: Forgetful) -> None:
    cluster, id = forgetful.cluster, forgetful.ids["output"]
    fields = (
        """stdoutPath stderrPath workDir output { path exists text message } errors: output(stream: STDERR) { text }"""
    )
    found = job(forgetful_api, id, fields)
    if cluster.programs.slurm_version() < (24, 5):
        assert (found["stdoutPath"], found["stderrPath"]) == (None, None)
        assert found["output"].pop("message").startswith("Accounting records a job's files since Slurm 24.05 only")
        assert found["output"] == {"path": None, "exists": False, "text": None}
        return
    path = f"{found['workDir']}/output-{id}-{cluster.users[0].name}.txt"
    assert (found["stdoutPath"], found["stderrPath"]) == (path, path)
    assert found["output"] == {"path": path, "exists": True, "text": f"{id}\nwrong\n", "message": None}
    both = forgetful.ids["both"]
    found = job(forgetful_api, f"{both}_7", fields)
    assert (found["output"]["text"], found["errors"]["text"]) == ("out\n", "err\n")
    assert found["stderrPath"] == f"{found['workDir']}/e-{both}_7"
    document = f'{{ jobHistory(cluster: "forgetful", filter: {{ids: [{id}, {both}]}}) {{ nodes {{ stdoutPath }} }} }}'
    listed = {each["stdoutPath"] for each in forgetful_api.data(document)["jobHistory"]["nodes"]}
    assert listed == {path, f"{found['workDir']}/o-{both}_7"}


def test_a_wait_for_jobs_that_the_scheduler_has_forgotten_is_over_at_once(
    forgetful_api: Api, forgetful: Forgetful
) -> None:
    ids = [forgetful.ids["plain"], forgetful.ids["array"], f"{forgetful.ids['held']}_2"]
    document = """query ($ids: [ID!]!) { jobsEnded(ids: $ids, cluster: "forgetful") {
      done jobs { jobId state exitCode } notRemembered } }"""
    found = forgetful_api.data(document, {"ids": ids})["jobsEnded"]
    assert found["done"]
    assert found["notRemembered"] == []
    states = {job["jobId"]: (job["state"], job["exitCode"]) for job in found["jobs"]}
    assert states[ids[0]] == ("COMPLETED", 0)
    assert [states[f"{ids[1]}_{task}"] for task in range(3)] == [("COMPLETED", 0), ("FAILED", 1), ("FAILED", 2)]
    assert ("CANCELLED", None) in states.values()
