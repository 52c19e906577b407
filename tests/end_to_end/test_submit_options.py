"""submitJob's inputs, each as Slurm's own tools show it; and the estimate that makes no job."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster

SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) { job { jobId } estimatedStartTime errors { code message field } }
}"""
SCRIPT = "#!/bin/sh\ntrue\n"
NOTHING: dict[str, Any] = {"job": None, "estimatedStartTime": None}

Submit = Callable[..., str]


def payload(api: Api, **input: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.data(SUBMIT, {"input": {"script": {"text": SCRIPT}, **input}})["submitJob"]
    return answer


@pytest.fixture
def submit(api: Api, lab: Cluster) -> Iterator[Submit]:
    """Submits a job, held unless asked otherwise; it is cancelled in the end."""
    jobs: list[str] = []

    def submit(**input: Any) -> str:
        answer = payload(api, **{"hold": True, **input})
        assert answer["errors"] == []
        jobs.append(answer["job"]["jobId"].split("_")[0])
        return jobs[-1]

    yield submit
    if jobs:
        lab.run("scancel", *jobs)


def show(cluster: Cluster, job: str) -> str:
    """The job's record; each word of it stands between blanks."""
    record = " ".join(cluster.run("env", "TZ=UTC", "scontrol", "--oneliner", "show", "job", job).stdout.split()) + " "
    # 26.05 distinguishes what earlier releases call OK: not exclusive, and not shared.
    return record.replace("OverSubscribe=NO Exclusive=NO ", "OverSubscribe=OK ")


def column(cluster: Cluster, job: str, name: str) -> str:
    return cluster.run("squeue", "-h", "-a", "-t", "all", "-j", job, "-O", f"{name}:200").stdout.strip()


def gpus(words: str) -> str:
    """What follows `gpu` in the spellings: gpu:2 (20.11), gres:gpu:2, gres/gpu:2 (23.11), gres/gpu=2 (24.11)."""
    return words.partition("gpu")[2].replace("=", ":")


@pytest.mark.parametrize(
    ("input", "words"),
    [
        ({"nodes": 2}, ["NumNodes=2-2"]),
        ({"nodes": 2, "maxNodes": 3}, ["NumNodes=2-3"]),
        ({"maxNodes": 3}, ["NumNodes=1-3"]),
        ({"nodes": 2, "tasksPerNode": 2}, ["NtasksPerN:B:S:C=2:0:*:*"]),
        ({"constraint": "[static|dynamic]"}, ["Features=[static|dynamic]"]),
        ({"exclusive": True}, ["OverSubscribe=NO"]),
        ({"exclusive": False}, ["OverSubscribe=OK"]),
        ({"nodeNames": ["queue1-st-small-[1-2]"]}, ["ReqNodeList=queue1-st-small-[1-2]"]),
        (
            {"excludedNodeNames": ["queue1-st-small-1", "queue1-dy-large-1"]},
            ["ExcNodeList=queue1-dy-large-1,queue1-st-small-1"],
        ),
        ({"memory": {"perNodeMib": 300}}, ["MinMemoryNode=300M"]),
        ({"coreSpec": 1}, ["CoreSpec=1"]),
        ({"memory": {"perCpuMib": 100}}, ["MinMemoryCPU=100M"]),
        ({"memory": {"perGpuMib": 100}, "gpus": 1, "queue": "gpu"}, ["gpu:100"]),
        ({"timeLimitSeconds": 3600, "timeMinSeconds": 600}, ["TimeLimit=01:00:00", "TimeMin=00:10:00"]),
        ({"timeLimitSeconds": 60, "deadline": "2033-05-18T03:33:20Z"}, ["Deadline=2033-05-18T03:33:20"]),
        ({"licenses": "matlab:2"}, ["Licenses=matlab:2"]),
        ({"nice": 42}, ["Nice=42"]),
        ({"requeue": "ON_FAILURE"}, ["Requeue=1"]),
        ({"requeue": "NEVER"}, ["Requeue=0"]),
        ({"mailTypes": ["END", "TIME_LIMIT_80"], "mailUser": "ada@example.org"}, ["MailUser=ada@example.org"]),
        ({"mailTypes": ["END", "TIME_LIMIT_80"]}, ["MailType=END,TIME_LIMIT_80"]),
        ({"mailTypes": ["NONE"]}, []),
        ({"array": "1-9:4%2"}, ["ArrayTaskId=1,5,9%2"]),
        ({"dependency": "singleton"}, ["Dependency=singleton"]),
    ],
    ids=str,
)
def test_an_option_is_as_scontrol_shows_it(
    lab: Cluster, submit: Submit, input: dict[str, Any], words: list[str]
) -> None:
    job = submit(**input)
    told = show(lab, job)
    assert [word for word in words if f"{word} " not in told and f"{word}(" not in told] == [], told


@pytest.mark.parametrize(
    ("input", "name", "words"),
    [
        ({"gpus": 3}, "tres-per-job", ":3"),
        ({"gpus": 3, "gpuType": "a100"}, "tres-per-job", ":a100:3"),
        ({"gpusPerNode": 2}, "tres-per-node", ":2"),
        ({"gpusPerNode": 2, "gpuType": "a100"}, "tres-per-node", ":a100:2"),
        ({"gpusPerTask": 2, "tasks": 3}, "tres-per-task", ":2"),
        ({"gpusPerTask": 2, "tasks": 3, "gpuType": "a100"}, "tres-per-task", ":a100:2"),
    ],
    ids=str,
)
def test_gpus_are_as_squeue_shows_them(
    lab: Cluster, submit: Submit, input: dict[str, Any], name: str, words: str
) -> None:
    assert gpus(column(lab, submit(queue="gpu", **input), name)) == words


def test_a_container_is_as_scontrol_shows_it(api: Api, lab: Cluster, submit: Submit) -> None:
    if lab.programs.slurm_version() >= (21, 8):
        assert "Container=/home/ada/bundle " in show(lab, submit(container="/home/ada/bundle"))
        return
    refused = payload(api, container="/home/ada/bundle")
    assert refused["job"] is None
    assert [error["code"] for error in refused["errors"]] == ["REJECTED_BY_SCHEDULER"]
    assert "unrecognized option" in refused["errors"][0]["message"]


def test_an_expedited_requeue_is_refused_where_sbatch_has_none(api: Api, lab: Cluster, submit: Submit) -> None:
    if lab.programs.slurm_version() >= (25, 11):
        assert submit(requeue="EXPEDITED")
        return
    refused = payload(api, requeue="EXPEDITED")
    assert refused["job"] is None
    assert [error["code"] for error in refused["errors"]] == ["REJECTED_BY_SCHEDULER"]
    assert "doesn't allow an argument" in refused["errors"][0]["message"]


def test_a_reservation_is_as_scontrol_shows_it(lab: Cluster, submit: Submit) -> None:
    words = ["ReservationName=for-ada", "StartTime=now+1hour", "Duration=10", "Users=ada", "Nodes=queue1-dy-large-4"]
    lab.run("scontrol", "create", "reservation", *words)
    try:
        job = submit(reservation="for-ada")
        assert "Reservation=for-ada " in show(lab, job)
        lab.run("scancel", job)
    finally:
        lab.run("scontrol", "delete", "ReservationName=for-ada")


def ended(cluster: Cluster, job: str) -> None:
    give_up = time.monotonic() + 120
    while column(cluster, job, "State") not in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"):
        assert time.monotonic() < give_up
        time.sleep(0.1)


def workspace(cluster: Cluster) -> Path:
    return cluster.user("ada").workspace


def test_a_signal_comes_before_the_time_limit(lab: Cluster, submit: Submit) -> None:
    told = workspace(lab) / "signalled"
    script = f"#!/bin/bash\ntrap 'echo told >{told}; exit 0' USR1\nfor n in $(seq 600); do sleep 0.1; done\n"
    # A minute's limit and a minute's warning: the signal comes at once.
    job = submit(script={"text": script}, timeLimitSeconds=60, signal="B:USR1@60", hold=False, constraint="static")
    ended(lab, job)
    assert told.read_text() == "told\n"


def test_output_is_appended_or_begins_anew(lab: Cluster, submit: Submit) -> None:
    for mode, text in (("APPEND", "old\nnew\n"), ("TRUNCATE", "new\n")):
        file = workspace(lab) / f"{mode}.out"
        file.write_text("old\n")
        file.chmod(0o666)
        ended(
            lab,
            submit(
                script={"text": "#!/bin/sh\necho new\n"},
                stdoutPath=str(file),
                openMode=mode,
                hold=False,
                constraint="static",
            ),
        )
        assert file.read_text() == text


@pytest.mark.parametrize(
    ("export", "seen"),
    [
        (None, {"MINE": "a,b\n'c'", "PROFILE": "/home/ada"}),
        ("ALL", {"MINE": "a,b\n'c'", "PROFILE": "/home/ada"}),
        ("NAMED", {"MINE": "a,b\n'c'", "PROFILE": "/home/ada"}),
        ("NONE", {"MINE": None, "PROFILE": "/home/ada"}),
    ],
)
def test_the_job_gets_the_variables_that_were_chosen(
    lab: Cluster, submit: Submit, export: str | None, seen: dict[str, str | None]
) -> None:
    file = workspace(lab) / f"{export}.env"
    environment = [{"name": "MINE", "value": "a,b\n'c'"}] if seen["MINE"] else []
    given = {"export": export} if export else {}
    script = f"#!/bin/bash\nenv -0 >{file}\n"
    ended(lab, submit(script={"text": script}, environment=environment, hold=False, constraint="static", **given))
    variables = dict(variable.split("=", 1) for variable in file.read_text().split("\0") if variable)
    assert variables.get("MINE") == seen["MINE"]
    assert variables["HOME"] == seen["PROFILE"]


def test_an_estimate_is_given_and_no_job_is_made(api: Api, lab: Cluster) -> None:
    before = api.commands()
    answer = payload(api, name="only tested", testOnly=True, idempotencyKey="counts for nothing")
    assert api.commands() == before + 1
    assert (answer["job"], answer["errors"]) == (None, [])
    away = datetime.fromisoformat(answer["estimatedStartTime"]) - datetime.now(UTC)
    assert timedelta(minutes=-1) < away < timedelta(days=366)
    assert lab.run("squeue", "-h", "-t", "all", "-n", "only tested", "-o", "%i").stdout == ""


def test_an_estimate_is_not_before_the_begin_time(api: Api) -> None:
    answer = payload(api, testOnly=True, beginTime="2033-05-18T03:33:20Z")
    assert answer["estimatedStartTime"] == "2033-05-18T03:33:20+00:00"


def test_a_job_that_would_be_held_has_no_estimate(api: Api) -> None:
    assert payload(api, testOnly=True, hold=True) == {**NOTHING, "errors": []}


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"queue": "nonesuch"}, "queue"),
        ({"queue": "queue1;id"}, "queue"),
        ({"queue": "$(id) @ \\"}, "queue"),
        ({"constraint": "nonesuch"}, "constraint"),
        ({"nodeNames": ["nonesuch"]}, "nodeNames"),
        ({"licenses": "nonesuch:2"}, "licenses"),
        ({"reservation": "nonesuch"}, "reservation"),
        ({"reservation": "none such"}, "reservation"),
        ({"nice": -5}, "nice"),
        ({"signal": "NONESUCH@60"}, "signal"),
        ({"gpusPerTask": 1, "queue": "gpu"}, "gpusPerTask"),
    ],
    ids=str,
)
@pytest.mark.parametrize("test_only", [False, True])
def test_what_the_scheduler_refuses_names_the_input(
    api: Api, lab: Cluster, input: dict[str, Any], field: str, test_only: bool
) -> None:
    if field == "gpusPerTask" and lab.programs.slurm_version() < (21, 8):
        pytest.skip("Slurm 20.11 does not say which")
    answer = payload(api, testOnly=test_only, **input)
    assert (answer["job"], answer["estimatedStartTime"]) == (None, None)
    (error,) = answer["errors"]
    assert (error["code"], error["field"]) == ("REJECTED_BY_SCHEDULER", ["input", field]), error


@pytest.mark.parametrize(
    ("input", "fields"),
    [
        ({"nodes": 0, "maxNodes": 2}, ["nodes"]),
        ({"nodes": 3, "maxNodes": 2}, ["maxNodes"]),
        ({"maxNodes": 0}, ["maxNodes"]),
        ({"tasksPerNode": 0}, ["tasksPerNode"]),
        ({"memory": {"perCpuMib": 0}}, ["memory.perCpuMib"]),
        ({"memory": {"perGpuMib": 0}}, ["memory.perGpuMib"]),
        ({"gpusPerNode": 0}, ["gpusPerNode"]),
        ({"gpusPerTask": -1}, ["gpusPerTask"]),
        ({"gpuType": "a100"}, ["gpuType"]),
        ({"gpus": 1, "gpuType": "a100:2"}, ["gpuType"]),
        ({"constraint": "a b"}, ["constraint"]),
        ({"constraint": ""}, ["constraint"]),
        ({"nodeNames": []}, ["nodeNames"]),
        ({"nodeNames": ["ALL"]}, ["nodeNames"]),
        ({"nodeNames": ["n[1-"]}, ["nodeNames"]),
        ({"excludedNodeNames": ["--uid=0"]}, ["excludedNodeNames"]),
        ({"licenses": "a b"}, ["licenses"]),
        ({"reservation": ""}, ["reservation"]),
        ({"timeMinSeconds": 0}, ["timeMinSeconds"]),
        ({"nice": 2**31 - 1}, ["nice"]),
        ({"signal": "usr1"}, ["signal"]),
        ({"signal": "USR1@65536"}, ["signal"]),
        ({"signal": "X:USR1"}, ["signal"]),
        ({"container": "bundle"}, ["container"]),
        ({"mailTypes": []}, ["mailTypes"]),
        ({"mailUser": "-S"}, ["mailUser"]),
        ({"mailUser": "a b@c"}, ["mailUser"]),
        ({"export": "NAMED"}, ["export"]),
        ({"export": "NONE", "environment": [{"name": "A", "value": ""}]}, ["export"]),
        ({"export": "NAMED", "environment": [{"name": "NONE", "value": ""}]}, ["environment"]),
    ],
    ids=str,
)
def test_invalid_input_is_reported_before_anything_is_sent(api: Api, input: dict[str, Any], fields: list[str]) -> None:
    before = api.commands()
    answer = payload(api, **input)
    assert api.commands() == before
    assert answer["job"] is None
    assert [error["field"] for error in answer["errors"]] == [["input", *field.split(".")] for field in fields]
    assert {error["code"] for error in answer["errors"]} == {"INVALID_INPUT"}
