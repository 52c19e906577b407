"""Steps, and how well jobs use what they were given, compared with sacct and sstat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from slurm_words import Values, ask_anew, host_names, say, until

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

NAME = "steps"
# Three seconds of CPU time, however busy the machine is, with 60 MiB.
BUSY = "import time; x = bytearray(60 << 20)\nwhile time.process_time() < 3: pass"
ENDED = f"""srun --ntasks=2 true
srun --ntasks=1 --job-name=second sh -c 'exit 7'
srun --ntasks=1 python3 -c '{BUSY}'
exit 0"""
RUNNING = f"""srun --ntasks=1 true
srun --ntasks=1 python3 -c '{BUSY}
time.sleep(600)'"""
STEPS = """stepId name state rawState exitCode exitSignal startTime endTime elapsedSeconds nodeNames nodeCount taskCount
  cpuCount cpuTimeSeconds maxRssMib aveCpuSeconds aveRssMib totalRssMib"""
FORMAT = (
    "JobID,JobName,State,ExitCode,Start,End,ElapsedRaw,NodeList,NNodes,NTasks,AllocCPUS,TotalCPU,MaxRSS,AveCPU,AveRSS,"
)
FORMAT += "TRESUsageInTot"
USE = "cpuTimeSeconds cpuTimeReservedSeconds maxRssMib steps { stepId } efficiency { cpu memory }"


@dataclass(frozen=True)
class Jobs:
    """A job that has ended with steps, one that runs, an array's task that has ended, and two that run: their ids."""

    cluster: Cluster
    ended: str
    running: str
    array: str
    running_array: str


@pytest.fixture(scope="module")
def jobs(lab: Cluster) -> Iterator[Jobs]:
    user, node = lab.users[0].name, "--nodelist=queue1-st-small-1"

    def submit(script: str, *options: str) -> str:
        argv = ["sbatch", "--parsable", f"--job-name={NAME}", "--output=/dev/null", node, *options]
        return lab.run(*argv, user=user, input=f"#!/bin/sh\n{script}\n").stdout.strip()

    ended = submit(ENDED, "--ntasks=2")
    until(lambda: told(lab, ended, "End")[:1] not in ([], ["Unknown"]), 90)
    running = submit(RUNNING)
    array = submit("true", "--array=3")
    running_array = submit(RUNNING, "--array=1-2")
    until(lambda: told(lab, running, "State")[-1:] == ["RUNNING"] and f"{running}.1" in told(lab, running, "JobID"), 60)
    until(lambda: told(lab, f"{array}_3", "State")[:1] == ["COMPLETED"], 60)
    until(lambda: {f"{running_array}_{task}.1" for task in (1, 2)} <= {*told(lab, running_array, "JobID")}, 60)
    yield Jobs(lab, ended, running, array, running_array)
    lab.run("scancel", running, running_array)


def told(cluster: Cluster, id: str, column: str) -> list[str]:
    """One column of sacct's rows of a job: the job's own, then its steps'."""
    return say(cluster, "sacct", "-n", "-P", "-j", id, "-o", column).splitlines()


def steps_by_sacct(cluster: Cluster, id: str) -> list[Values]:
    printed = say(cluster, "sacct", "-n", "-P", "-j", id, "-o", FORMAT).splitlines()
    rows = [dict(zip(FORMAT.split(","), line.split("|"), strict=True)) for line in printed]
    return [_step(row, cluster) for row in rows if "." in row["JobID"]]


def _step(row: Mapping[str, str], cluster: Cluster) -> Values:
    code, signal = map(int, row["ExitCode"].split(":"))
    return {
        "stepId": row["JobID"],
        "name": row["JobName"],
        "state": row["State"].split()[0],
        "rawState": row["State"],
        "exitCode": code if not signal else None,
        "exitSignal": signal or None,
        "startTime": f"{row['Start']}+00:00",
        "endTime": f"{row['End']}+00:00",
        "elapsedSeconds": int(row["ElapsedRaw"]),
        "nodeNames": host_names(cluster, row["NodeList"]),
        "nodeCount": int(row["NNodes"]),
        "taskCount": int(row["NTasks"]),
        "cpuCount": int(row["AllocCPUS"]),
        "cpuTimeSeconds": None if row["TotalCPU"] == "00:00:00" else float(int(seconds(row["TotalCPU"]))),
        "maxRssMib": mebibytes(row["MaxRSS"]),
        "aveCpuSeconds": int(seconds(row["AveCPU"])) if row["AveCPU"] else None,
        "aveRssMib": mebibytes(row["AveRSS"]),
        "totalRssMib": mebibytes(
            dict(part.split("=") for part in row["TRESUsageInTot"].split(",") if part).get("mem", "")
        ),
    }


def seconds(clock: str) -> float:
    """`01:02:03` and, under an hour, `02:03.456`."""
    total = 0.0
    for part in clock.split(":"):
        total = total * 60 + float(part)
    return total


def mebibytes(amount: str) -> int | None:
    """`62.5M`, `10960K`; whole ones, rounded up."""
    if amount in ("", "0"):
        return None if amount == "" else 0
    kibibytes = float(amount[:-1]) * {"K": 1, "M": 1024, "G": 1024**2}[amount[-1]]
    return int(-(-kibibytes // 1024))


def one(api: Api, id: str, fields: str) -> Any:
    return ask_anew(api, f"{{ job(id: {id}) {{ {fields} }} }}")["job"]


def test_every_value_of_a_step_agrees_with_another_format_of_sacct(api: Api, jobs: Jobs) -> None:
    told_of = one(api, jobs.ended, f"steps {{ {STEPS} }}")["steps"]
    assert len(told_of) >= 4
    assert told_of == steps_by_sacct(jobs.cluster, jobs.ended)


def test_a_task_has_its_own_steps(api: Api, jobs: Jobs) -> None:
    before = api.commands()
    steps = ask_anew(api, f'{{ job(id: "{jobs.array}_3") {{ steps {{ stepId }} }} }}')["job"]["steps"]
    assert [step["stepId"] for step in steps] == told(jobs.cluster, f"{jobs.array}_3", "JobID")[1:]
    assert api.commands() == before + 1


def test_the_efficiency_of_a_job_is_its_usage_divided_by_its_allocation(api: Api, jobs: Jobs) -> None:
    """As seff computes it."""
    found = one(api, jobs.ended, USE)
    cpu = seconds(told(jobs.cluster, jobs.ended, "TotalCPU")[0])
    reserved = int(told(jobs.cluster, jobs.ended, "CPUTimeRAW")[0])
    assert found["efficiency"]["cpu"] == pytest.approx(cpu / reserved, abs=1 / reserved)
    assert (found["cpuTimeSeconds"], found["cpuTimeReservedSeconds"]) == (float(int(cpu)), float(reserved))
    assert found["maxRssMib"] == max(filter(None, map(mebibytes, told(jobs.cluster, jobs.ended, "MaxRSS"))))
    memory = told(jobs.cluster, jobs.ended, "AllocTRES")[0]
    assert (found["efficiency"]["memory"] is not None) == ("mem=" in memory)


def test_a_history_shows_the_same_steps(api: Api, jobs: Jobs) -> None:
    past = ask_anew(api, f"{{ jobHistory(filter: {{ids: [{jobs.ended}]}}) {{ nodes {{ {USE} }} }} }}")["jobHistory"]
    assert past["nodes"] == [one(api, jobs.ended, USE)]


def test_while_a_job_runs_its_nodes_report_what_it_uses(api: Api, jobs: Jobs) -> None:
    id = f"{jobs.running}.1"
    document = f"steps {{ {STEPS} }} efficiency {{ cpu memory }} cpuCount elapsedSeconds"

    def measured() -> Values:
        (step,) = (step for step in one(api, jobs.running, document)["steps"] if step["stepId"] == id)
        found: Values = step
        return found

    until(lambda: (measured()["cpuTimeSeconds"] or 0) >= 1, 60)
    before = api.commands()
    job = one(api, jobs.running, document)
    assert api.commands() == before + 1
    (step,) = (step for step in job["steps"] if step["stepId"] == id)
    printed = say(jobs.cluster, "sstat", "-n", "-P", "-a", "-j", jobs.running, "-o", "JobID,MaxRSS,NTasks").splitlines()
    (said,) = (line.split("|") for line in printed if line.startswith(f"{id}|"))
    assert (step["state"], step["maxRssMib"], step["taskCount"]) == ("RUNNING", mebibytes(said[1]), int(said[2]))
    assert step["maxRssMib"] >= 60
    assert job["efficiency"]["cpu"] > 0
    assert (step["endTime"], step["exitCode"]) == (None, None)


@pytest.mark.parametrize("task", [1, 2])
def test_a_running_task_s_usage_costs_a_second_command_because_slurm_has_another_id_for_it(
    api: Api, jobs: Jobs, task: int
) -> None:
    """sstat takes `123_4` for all of array 123; the last task bears the array's number."""
    id = f"{jobs.running_array}_{task}"
    before = api.commands()
    (job,) = ask_anew(
        api, f'{{ a: job(id: "{id}") {{ steps {{ stepId taskCount maxRssMib }} efficiency {{ cpu }} }} }}'
    ).values()
    assert api.commands() == before + 2
    step = next(step for step in job["steps"] if step["stepId"] == f"{id}.1")
    raw = say(jobs.cluster, "squeue", "-h", "-j", id, "-o", "%A").strip()
    printed = say(jobs.cluster, "sstat", "-n", "-P", "-a", "-j", raw, "-o", "JobID,NTasks").splitlines()
    assert (f"{raw}.1|1" in printed, step["taskCount"], job["efficiency"]["cpu"] is not None) == (True, 1, True)
    assert (step["maxRssMib"] or 0) > 0


def test_the_usage_of_the_running_jobs_of_a_history_costs_a_second_command(api: Api, jobs: Jobs) -> None:
    """The first command finds the running jobs on the page, because sstat asks the nodes of each job it gets."""
    document = f"""{{ jobHistory(filter: {{ids: [{jobs.ended}, {jobs.running}, {jobs.running_array}]}}) {{
      nodes {{ jobId {USE} }} }} }}"""
    before = api.commands()
    nodes = {job["jobId"]: job for job in ask_anew(api, document)["jobHistory"]["nodes"]}
    assert api.commands() == before + 2
    running = {jobs.running, f"{jobs.running_array}_1", f"{jobs.running_array}_2"}
    assert set(nodes) == {jobs.ended, *running}
    assert all(nodes[id]["efficiency"]["cpu"] is not None for id in running)


def test_only_its_user_and_operators_see_what_a_running_job_uses(api: Api, jobs: Jobs) -> None:
    document = f"{{ job(id: {jobs.running}) {{ efficiency {{ cpu }} steps {{ stepId maxRssMib }} }} }}"
    owner, other = jobs.cluster.users[0].name, jobs.cluster.users[-1].name
    if owner == other:
        pytest.skip("one user only")
    for user, groups in ((other, ""), ("nobody-here", "slurmql-viewers")):
        answer = api.ask(document, user=user, groups=groups)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        steps = {step["stepId"]: step["maxRssMib"] for step in answer["data"]["job"]["steps"]}
        assert steps[f"{jobs.running}.1"] is None
    operator = ask_anew(api, document, user=other, groups="slurmql-operators")["job"]
    assert operator["efficiency"]["cpu"] is not None


def test_the_usage_of_a_whole_list_costs_one_more_command(api: Api, jobs: Jobs) -> None:
    document = (
        f'{{ jobs(first: 1000, filter: {{user: "{jobs.cluster.users[0].name}"}}) {{ nodes {{ jobId {USE} }} }} }}'
    )
    before = api.commands()
    nodes = ask_anew(api, document)["jobs"]["nodes"]
    assert api.commands() == before + 2
    listed = {job["jobId"]: job for job in nodes}
    assert listed[jobs.ended]["cpuTimeSeconds"] == one(api, jobs.ended, USE)["cpuTimeSeconds"]
    assert listed[jobs.running]["efficiency"]["cpu"] is not None


def test_a_waiting_job_has_no_steps_and_no_usage(api: Api, jobs: Jobs) -> None:
    argv = ["sbatch", "--parsable", "--hold"]
    id = jobs.cluster.run(*argv, user=jobs.cluster.users[0].name, input="#!/bin/sh\ntrue\n").stdout.strip()
    try:
        found = one(api, id, "cpuTimeSeconds maxRssMib steps { stepId } efficiency { cpu memory }")
    finally:
        jobs.cluster.run("scancel", id)
    assert found == {
        "cpuTimeSeconds": None,
        "maxRssMib": None,
        "steps": [],
        "efficiency": {"cpu": None, "memory": None},
    }


@pytest.mark.parametrize(
    "field",
    ["steps { stepId }", "efficiency { cpu }", "cpuTimeSeconds", "cpuTimeReservedSeconds", "maxRssMib"],
)
def test_without_accounting_the_error_says_what_to_switch_on(api: Api, stack: Stack, field: str) -> None:
    annex = stack.clusters["annex"]
    argv = ["sbatch", "--parsable", "--hold"]
    id = annex.run(*argv, user=annex.users[0].name, input="#!/bin/sh\ntrue\n").stdout.strip()
    try:
        answer = api.ask(f'{{ job(cluster: "annex", id: {id}) {{ jobId {field} }} }}')
    finally:
        annex.run("scancel", id)
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "ACCOUNTING_DISABLED", "cluster": "annex"}
    assert "slurmdbd" in error["message"]
    assert answer["data"]["job"] == {"jobId": id, field.split()[0]: None}
