"""Every value of a job agrees with other formats of scontrol and squeue, for jobs of every kind."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slurm_words import Values, ask_anew, at_one_moment, but_for_time, lines, own_fields, show_jobs, until

from conftest import Api
from local.cluster import Cluster

NAME = "values"
"""All jobs of this module have it in their names, and no others."""
ELSEWHERE = {"script", "reasonCode", "reasonText", "capacityCode", "queuePosition"} | {
    "cpuTimeSeconds",
    "cpuTimeReservedSeconds",
    "maxRssMib",
    "phase",
    "succeeded",
    "updateTime",
    "viewerCan",
}
"""Fields with tests of their own: test_job_detail.py, test_why_waiting.py, test_job_history.py, test_endings.py,
test_job_filters.py, test_viewer_can.py.
"""
FIELDS = " ".join(sorted(own_fields("Job") - ELSEWHERE))
PAGE = """query ($filter: JobFilter, $order: [JobOrder!], $first: Int = 1000, $after: String) {
  jobs(filter: $filter, orderBy: $order, first: $first, after: $after) {
    nodes { %s } totalCount countsByState { state count } pageInfo { hasNextPage endCursor }
  }
}"""
STATIC = "--constraint=static"
SLEEP = "sleep 900"


@dataclass(frozen=True)
class Jobs:
    """The ids of one job of every kind, by the kind's name, in squeue's spelling."""

    cluster: Cluster
    ids: Mapping[str, str]

    def said(self, kind: str, columns: str = "%T") -> str:
        """What squeue prints of the job with another format."""
        return self.cluster.run("squeue", "-h", "-t", "all", "-j", self.ids[kind], "-o", columns).stdout.strip()


@pytest.fixture(scope="module")
def jobs(lab: Cluster) -> Iterator[Jobs]:
    """Jobs of every kind. Those that need no booting node, no backfill and no time limit have reached their state."""
    ids: dict[str, str] = {}
    outputs = lab.user("ada").workspace

    def submit(kind: str, script: str, *options: str, user: str = "ada") -> str:
        argv = ["sbatch", "--parsable", f"--job-name={NAME} {kind}", *options]
        ids[kind] = lab.run(*argv, user=user, input=f"#!/bin/bash\n{script}\n").stdout.strip()
        return ids[kind]

    try:
        limited = submit("time limit", SLEEP, STATIC, "--time=1")
        running = submit(
            "running", SLEEP, STATIC, "--time=1-02:03:00", "--comment=von Müller, 5 % | x", "--account=physics"
        )
        begun = int(time.time())
        suspended = submit("suspended", SLEEP, STATIC, "--time=20", user="grace")
        array = submit("array", SLEEP, STATIC, "--array=1,3-9:2,12%2", f"--output={outputs}/array.out", "--time=7")
        submit("completed", "true", STATIC, f"--output={outputs}/done.out", f"--error={outputs}/done.err")
        submit("exit 3", "exit 3", STATIC)
        submit("signal 9", "kill -9 $$", STATIC, user="grace")
        until(lambda: lab.run("squeue", "-h", "-j", limited, "-o", "%T").stdout == "RUNNING\n", 30)
        # Slurm looks every 30 s; a second that turns meanwhile makes "now" the past, which is refused.
        until(lambda: lab.run("scontrol", "update", f"JobId={limited}", "EndTime=now", check=False).returncode == 0, 5)
        submit("on a dynamic node", SLEEP, "--constraint=c5.large", "--cpus-per-task=2")
        submit("gpus", SLEEP, "--partition=gpu", "--gpus=3")
        submit("gpus per node", SLEEP, "--partition=gpu", "--gpus-per-node=a100:2", "--nodes=2")
        submit("gpus per task", SLEEP, "--partition=gpu", "--gpus-per-task=1", "--ntasks=3")
        # A job that waits for backfill must not delay the others.
        het = submit("het", SLEEP, STATIC, "--nice=1000", ":", STATIC, "--nice=1000")
        submit("dependent", "true", f"--dependency=afterok:{running},afterany:{suspended}")
        submit("held", "true", "--hold", "--nodes=1-2", "--ntasks=3", user="grace")
        submit("begin", "true", "--begin=now+2hours", "--time=90")
        submit("two queues", "true", "--hold", "--partition=gpu,queue1")
        submit("waiting for gpus", "true", "--hold", "--partition=gpu", "--gres=gpu:2", "--nodes=2")
        submit("waiting for typed gpus", "true", "--hold", "--partition=gpu", "--gpus-per-task=a100:2", "--ntasks=4")
        submit("resources", "true", "--constraint=static", "--nodes=2", "--exclusive", "--nice=100000")
        until(lambda: int(time.time()) > begun, 5)  # Slurm's times are whole seconds, and below they are compared
        cancelled = submit("cancelled", SLEEP, STATIC)
        submit("cancelled early", "true", "--hold")
        file = outputs / "values.sh"
        file.write_text("#!/bin/bash\ntrue\n")
        ids["from a file"] = lab.run(
            "sbatch", "--parsable", "--hold", f"--job-name={NAME} from a file", str(file), "--rate", "a b", user="ada"
        ).stdout.strip()
        submit("patterns", "true", "--hold", "--array=5", "--output=%x-%A_%4a-%u%%.out", "--error=%j.err")
        lab.run("salloc", "--no-shell", STATIC, f"--job-name={NAME} interactive", user="ada")
        ids["interactive"] = lab.run("squeue", "-h", "-n", f"{NAME} interactive", "-o", "%i").stdout.strip()
        ids["patterns"] += "_[5]"
        ids |= {"array task": f"{array}_1", "array rest": f"{array}_[5,7,9,12%2]"}
        ids |= {"het first": f"{het}+0", "het second": f"{het}+1"}
        made = Jobs(lab, ids)
        until(lambda: made.said("suspended") == made.said("cancelled") == "RUNNING", 30)
        lab.run("scontrol", "suspend", suspended)
        lab.run("scancel", cancelled, ids["cancelled early"])
        ends = ("completed", "exit 3", "signal 9", "cancelled", "cancelled early")
        until(lambda: {made.said(kind) for kind in ends} <= {"COMPLETED", "FAILED", "CANCELLED"}, 30)
        until(lambda: made.said("array task") == "RUNNING" and made.said("suspended") == "SUSPENDED", 30)
        yield made
    finally:
        lab.run("scancel", "--quiet", *{id.split("_")[0].split("+")[0] for id in ids.values()}, check=False)
        until(lambda: NAME not in lab.run("squeue", "-h", "-o", "%j").stdout, 60)


@pytest.fixture(scope="module")
def settled(jobs: Jobs) -> Jobs:
    """The same jobs when nodes have booted, backfill has started the het job and the time limit was noticed."""
    slow = ("on a dynamic node", "gpus", "gpus per node", "gpus per task", "het")
    until(
        lambda: {state for kind in slow for state in jobs.said(kind).split()} == {"RUNNING"},
        240,
        lambda: (
            {kind: jobs.said(kind, "%T %r %S %N") for kind in slow} | {"nodes": jobs.cluster.run("sinfo", "-NR").stdout}
        ),
    )
    until(lambda: jobs.said("time limit") == "TIMEOUT", 60)
    return jobs


@dataclass(frozen=True)
class Comparison:
    """All jobs from the API, and from Slurm just before and just after, by their ids."""

    given: Mapping[str, Values]
    before: Mapping[str, Values]
    after: Mapping[str, Values]


def compare(api: Api, lab: Cluster, order: Sequence[Values] = (), **where: Any) -> Comparison:
    """Ask both until nothing but the time has changed between; only the API by a filter and in an order.

    It compares only this module's jobs: others may have names that look like scontrol's keys.
    """
    given, before, after = at_one_moment(lambda: show_jobs(lab), lambda: every_job(api, where, order), but_for_time)
    return Comparison(_ours({job["jobId"]: job for job in given}), _ours(before), _ours(after))


def _ours(jobs: Mapping[str, Values]) -> dict[str, Values]:
    return {id: job for id, job in jobs.items() if job["name"].startswith(NAME)}


def every_job(api: Api, where: Values, order: Sequence[Values] = ()) -> list[Values]:
    """The jobs of all pages, read anew."""
    variables = {"filter": where, "order": list(order)}
    pages = [ask_anew(api, PAGE % FIELDS, variables)["jobs"]]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append(api.data(PAGE % FIELDS, variables | {"after": pages[-1]["pageInfo"]["endCursor"]})["jobs"])
    return [job for page in pages for job in page["nodes"]]


def differences(given: Mapping[str, Values], said: Mapping[str, Values]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Where API and Slurm differ, by job and field, apart from elapsed time."""
    expected = but_for_time(said)
    return {
        (id, field): (value, expected[id].get(field, "is not compared"))
        for id, job in but_for_time(given).items()
        for field, value in job.items()
        if value != expected[id].get(field, "is not compared")
    }


def test_while_nodes_boot_and_jobs_wait_every_value_agrees(jobs: Jobs, lab: Cluster, api: Api) -> None:
    seen = compare(api, lab)
    assert set(jobs.ids.values()) - {jobs.ids["array"], jobs.ids["het"]} <= set(seen.given)
    assert set(seen.given) == set(seen.before)
    # Its paths, which scontrol does not fill in for a waiting task, have a test of their own, below.
    aside = {(jobs.ids["patterns"], field) for field in ("stdoutPath", "stderrPath")}
    assert differences(seen.given, seen.before).keys() <= aside


BY_FILTER: Mapping[str, tuple[Callable[[Jobs], Values], Callable[[Values, Jobs], bool]]] = {
    "ids, of an array all": (
        lambda jobs: {"ids": [jobs.ids["array"], f"lab:{jobs.ids['held']}", jobs.ids["het"]]},
        lambda job, jobs: (
            (job["arrayJobId"] or job["hetJobId"] or job["raw"])
            in (jobs.ids["array"], jobs.ids["held"], jobs.ids["het"])
        ),
    ),
    "ids, exact": (
        lambda jobs: {"ids": [jobs.ids["array task"], jobs.ids["het second"], jobs.ids["array rest"]]},
        lambda job, jobs: job["jobId"] in (jobs.ids["array task"], jobs.ids["het second"], jobs.ids["array rest"]),
    ),
    "user": (lambda _: {"user": "grace"}, lambda job, _: job["user"] == "grace"),
    "users": (lambda _: {"users": ["grace", "nobody"]}, lambda job, _: job["user"] in ("grace", "nobody")),
    "account": (lambda _: {"account": "physics"}, lambda job, _: job["account"] == "physics"),
    "queue": (lambda _: {"queue": "gpu"}, lambda job, _: "gpu" in job["queueName"].split(",")),
    "states": (lambda _: {"states": ["PENDING", "FAILED"]}, lambda job, _: job["state"] in ("PENDING", "FAILED")),
    "nodeName": (lambda _: {"nodeName": "gpu-dy-p4d-1"}, lambda job, _: "gpu-dy-p4d-1" in job["nodeNames"]),
    "nameContains": (lambda _: {"nameContains": "VALUES GPU"}, lambda job, _: "values gpu" in job["name"]),
    "user and state": (
        lambda _: {"user": "ada", "states": ["RUNNING"]},
        lambda job, _: job["user"] == "ada" and job["state"] == "RUNNING",
    ),
}


@pytest.mark.parametrize("name", BY_FILTER)
def test_a_filter_selects_the_jobs_that_match_in_slurm(name: str, jobs: Jobs, lab: Cluster, api: Api) -> None:
    where, meets = BY_FILTER[name]
    seen = compare(api, lab, **where(jobs))
    expected = {id for id, job in seen.before.items() if meets(job, jobs)}
    assert set(seen.given) == expected
    assert 0 < len(expected) < len(seen.before)


def test_submission_times_are_compared_to_the_second(jobs: Jobs, lab: Cluster, api: Api) -> None:
    at = {show_jobs(lab)[jobs.ids["cancelled"]]["submitTime"]}.pop()
    later, earlier = compare(api, lab, submittedAfter=at), compare(api, lab, submittedBefore=at)
    assert set(later.given) == {id for id, job in later.before.items() if job["submitTime"] >= at}
    assert set(earlier.given) == {id for id, job in earlier.before.items() if job["submitTime"] < at}
    assert jobs.ids["cancelled"] in later.given
    assert jobs.ids["running"] in earlier.given


KEYS = {
    "ID": None,
    "NAME": "name",
    "USER": "user",
    "STATE": "state",
    "QUEUE": "queueName",
    "PRIORITY": "priority",
    "SUBMIT_TIME": "submitTime",
    "START_TIME": "startTime",
    "END_TIME": "endTime",
    "ELAPSED": "elapsedSeconds",
    "CPU_COUNT": "cpuCount",
    "NODE_COUNT": "nodeCount",
}


def in_order(jobs: Mapping[str, Values], field: str, direction: str) -> list[str]:
    """The ids ordered as the contract says: the value either way, those without one last, then the id upward."""
    ids = sorted(
        jobs, key=lambda id: [int(part) if part.isdigit() else 2**40 for part in id.replace("+", "_").split("_")]
    )
    key = KEYS[field]
    if key is None:
        return ids if direction == "ASC" else ids[::-1]
    known = [id for id in ids if jobs[id][key] is not None]
    known.sort(key=lambda id: jobs[id][key], reverse=direction == "DESC")
    return known + [id for id in ids if jobs[id][key] is None]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", KEYS)
def test_jobs_are_ordered_by_slurms_values(field: str, direction: str, jobs: Jobs, lab: Cluster, api: Api) -> None:
    seen = compare(api, lab, [{"field": field, "direction": direction}], nameContains=NAME)
    # Time passes between the queries, so other tests compare each job's elapsed time.
    values = {id: seen.before[id] | {"elapsedSeconds": job["elapsedSeconds"]} for id, job in seen.given.items()}
    assert len(values) > 20
    assert list(seen.given) == in_order(values, field, direction)


def test_the_first_field_of_an_order_counts_most(jobs: Jobs, lab: Cluster, api: Api) -> None:
    order = [{"field": "STATE", "direction": "DESC"}, {"field": "CPU_COUNT", "direction": "DESC"}, {"field": "NAME"}]
    seen = compare(api, lab, order, nameContains=NAME)
    by_name = sorted(in_order(seen.given, "ID", "ASC"), key=lambda id: seen.before[id]["name"])
    by_count = sorted(by_name, key=lambda id: -seen.before[id]["cpuCount"])
    assert list(seen.given) == sorted(by_count, key=lambda id: seen.before[id]["state"], reverse=True)


def counted(cluster: Cluster, argv: Sequence[str]) -> Counter[str]:
    """How often each line of a command's output occurs."""
    return Counter(lines(cluster, *argv))


def test_totals_and_counts_are_squeue_s_own(jobs: Jobs, lab: Cluster, api: Api) -> None:
    for options, where in (([], {}), (["-u", "grace"], {"user": "grace"}), (["-p", "gpu"], {"queue": "gpu"})):
        argv = ["squeue", "-h", "-a", "-t", "all", *options, "-o", "%T"]
        variables = {"filter": where, "first": 1}
        answer, states, _ = at_one_moment(partial(counted, lab, argv), partial(ask_anew, api, PAGE % "id", variables))
        page = answer["jobs"]
        assert page["totalCount"] == states.total() > 1 == len(page["nodes"])
        assert {count["state"]: count["count"] for count in page["countsByState"]} == states
        frequencies = [count["count"] for count in page["countsByState"]]
        assert frequencies == sorted(frequencies, reverse=True)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["ID", "NAME", "SUBMIT_TIME", "PRIORITY", "START_TIME"])
def test_pages_neither_skip_nor_repeat_while_jobs_come_and_go(
    field: str, direction: str, lab: Cluster, api: Api
) -> None:
    def submit(name: str) -> str:
        argv = ["sbatch", "--parsable", "--hold", f"--job-name=paged {name}"]
        return lab.run(*argv, user="ada", input="#!/bin/bash\ntrue\n").stdout.strip()

    def page(after: str | None) -> Values:
        order = [{"field": field, "direction": direction}]
        where = {"nameContains": "paged", "states": ["PENDING"]}
        found: Values = ask_anew(api, PAGE % "jobId", {"filter": where, "order": order, "first": 3, "after": after})[
            "jobs"
        ]
        return found

    made = [submit(name) for name in "dbhafceg"]
    try:
        seen, left, cursor, more = [], set(), None, True
        while more:
            now = page(cursor)
            seen += [job["jobId"] for job in now["nodes"]]
            cursor, more = now["pageInfo"]["endCursor"], now["pageInfo"]["hasNextPage"]
            if len(seen) == 3:
                # The very row that the cursor names goes, and one that is still to come; two come in.
                still = next(id for id in made if id not in seen)
                left = {seen[-1], still}
                lab.run("scancel", *left)
                made += [submit("0"), submit("z")]
        assert len(seen) == len(set(seen))
        assert set(made[:8]) - left <= set(seen) <= set(made)
        assert still not in seen
    finally:
        lab.run("scancel", *made)


def test_a_job_is_found_by_every_form_of_its_id(jobs: Jobs, lab: Cluster, api: Api) -> None:
    raw = {id: job["raw"] for id, job in show_jobs(lab).items()}
    array, het = jobs.ids["array"], jobs.ids["het"]
    forms = {
        jobs.ids["running"]: jobs.ids["running"],
        f"{array}_1": f"{array}_1",
        f"{array}_7": f"{array}_7",  # squeue -j shows a single waiting task of a row
        jobs.ids["array rest"]: jobs.ids["array rest"],
        array: jobs.ids["array rest"],
        raw[f"{array}_1"]: f"{array}_1",
        het: f"{het}+0",
        f"{het}+1": f"{het}+1",
        raw[f"{het}+1"]: f"{het}+1",
    }
    document = "query ($id: ID!) { job(id: $id) { id jobId } cluster { job(id: $id) { id } } }"
    for prefix in ("", "lab:"):
        for asked, found in forms.items():
            # From squeue -j, then from what is kept, where a waiting task is found in the row that holds it.
            kept = jobs.ids["array rest"] if asked == f"{array}_7" else found
            for read, id in ((ask_anew, found), (Api.data, kept)):
                job = {"id": f"lab:{id}", "jobId": id}
                assert read(api, document, {"id": prefix + asked}) == {
                    "job": job,
                    "cluster": {"job": {"id": job["id"]}},
                }
                api.data("{ jobs { totalCount } }")


def test_a_task_or_job_that_slurm_does_not_know_is_null(jobs: Jobs, api: Api) -> None:
    for id in ("999999", f"{jobs.ids['array']}_99", f"{jobs.ids['het']}+7", "lab:999999_[1-3]"):
        assert ask_anew(api, "query ($id: ID!) { job(id: $id) { id } }", {"id": id}) == {"job": None}


def test_a_job_is_linked_to_its_queues_and_nodes(jobs: Jobs, lab: Cluster, api: Api) -> None:
    fields = "jobId queue { id name } queues { name isDefault } nodes { name id jobs { jobId } }"
    ask = partial(ask_anew, api, PAGE % fields, {"filter": {"nameContains": NAME}})
    answer, said, _ = at_one_moment(lambda: show_jobs(lab), ask, but_for_time)
    for job in answer["jobs"]["nodes"]:
        expected = said[job["jobId"]]
        queues = expected["queueName"].split(",")
        assert job["queue"] == {"id": f"lab:{queues[0]}", "name": queues[0]}
        assert job["queues"] == [{"name": name, "isDefault": name == "queue1"} for name in queues]
        assert [node["name"] for node in job["nodes"]] == expected["nodeNames"]
        for node in job["nodes"]:
            assert node["id"] == f"lab:{node['name']}"
            ended = expected["state"] in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT")
            assert (job["jobId"] in {other["jobId"] for other in node["jobs"]}) is not ended


KINDS: Mapping[str, Values] = {
    "running": {"state": "RUNNING", "timeLimitSeconds": 93780, "account": "physics", "comment": "von Müller, 5 % | x"},
    "completed": {"state": "COMPLETED", "exitCode": 0, "exitSignal": None, "dependency": None},
    "dependent": {"state": "PENDING", "reason": "Dependency", "eligibleTime": None, "startTime": None, "nodeNames": []},
    "held": {"state": "PENDING", "reason": "JobHeldUser", "priority": 0, "user": "grace", "cpuCount": 3},
    "begin": {"state": "PENDING", "reason": "BeginTime", "timeLimitSeconds": 5400},
    "array rest": {"state": "PENDING", "reason": "JobArrayTaskLimit", "arrayTaskId": None},
    "array task": {"state": "RUNNING", "arrayTaskId": 1, "timeLimitSeconds": 420},
    "het first": {"state": "RUNNING", "nodeCount": 1, "arrayJobId": None},
    "het second": {"state": "RUNNING", "nodeCount": 1, "arrayJobId": None},
    "exit 3": {"state": "FAILED", "exitCode": 3, "exitSignal": None, "reason": "NonZeroExitCode"},
    "signal 9": {"state": "FAILED", "exitCode": None, "exitSignal": 9},
    "cancelled": {"state": "CANCELLED", "reason": None, "nodeCount": 1, "exitCode": None, "exitSignal": None},
    "cancelled early": {"state": "CANCELLED", "elapsedSeconds": 0, "nodeNames": [], "startTime": None},
    "time limit": {"state": "TIMEOUT", "reason": "TimeLimit", "timeLimitSeconds": 60, "exitCode": None}
    | {"exitSignal": None},
    "on a dynamic node": {"state": "RUNNING", "nodeNames": ["queue1-dy-large-1"], "cpuCount": 2},
    "gpus": {"state": "RUNNING", "gpuCount": 3, "gpuType": None},
    "gpus per node": {"state": "RUNNING", "gpuCount": 4, "gpuType": "a100", "nodeCount": 2},
    "gpus per task": {"state": "RUNNING", "gpuCount": 3, "gpuType": None},
    "waiting for gpus": {"state": "PENDING", "gpuCount": 4, "gpuType": None},
    "waiting for typed gpus": {"state": "PENDING", "gpuCount": 8, "gpuType": "a100"},
    "two queues": {"state": "PENDING", "queueName": "gpu,queue1"},
    "suspended": {"state": "SUSPENDED", "user": "grace", "timeLimitSeconds": 1200},
    "resources": {"state": "PENDING", "reason": "Resources", "nodeCount": 2},
    "from a file": {"state": "PENDING", "reason": "JobHeldUser"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_of_a_job_agrees(kind: str, settled: Jobs, lab: Cluster, api: Api) -> None:
    if kind == "resources":  # which for a moment may wait for Priority instead, while nodes boot for others
        until(lambda: lab.run("squeue", "-h", "-j", settled.ids[kind], "-o", "%r").stdout == "Resources\n", 60)
    seen = compare(api, lab)
    job, before, after = (jobs[settled.ids[kind]] for jobs in (seen.given, seen.before, seen.after))
    assert differences({kind: job}, {kind: before}) == {}
    assert before["elapsedSeconds"] <= job["elapsedSeconds"] <= after["elapsedSeconds"]
    assert job | KINDS[kind] == job


def test_the_path_of_the_script_is_shown(settled: Jobs, api: Api) -> None:
    document = "query ($id: ID!) { job(id: $id) { command workDir } }"
    workspace = settled.cluster.user("ada").workspace
    answer = ask_anew(api, document, {"id": settled.ids["from a file"]})
    # Slurm 20.11 and 22.05 show the script's arguments too, 24.11 and 26.05 do not.
    arguments = " --rate a b" if settled.cluster.programs.slurm_version() < (23, 2) else ""
    assert answer["job"] == {"command": f"{workspace}/values.sh{arguments}", "workDir": str(workspace)}


def test_the_paths_of_output_and_errors_are_filled_in(settled: Jobs, lab: Cluster, api: Api) -> None:
    array = settled.ids["patterns"].removesuffix("_[5]")
    document = "query ($id: ID!) { job(id: $id) { stdoutPath stderrPath } }"
    lab.run("scontrol", "release", array)
    state = ("squeue", "-h", "-t", "all", "-j", array, "-o", "%T")
    until(lambda: lab.run(*state).stdout == "COMPLETED\n", 30)
    job = ask_anew(api, document, {"id": f"{array}_5"})["job"]
    assert Path(job["stdoutPath"]).name == f"{NAME} patterns-{array}_0005-ada%.out"
    assert Path(job["stdoutPath"]).exists()
    assert Path(job["stderrPath"]).exists()


def test_a_job_without_a_script_has_no_file_for_output(settled: Jobs, api: Api) -> None:
    document = "query ($id: ID!) { job(id: $id) { stdoutPath stderrPath } }"
    job = ask_anew(api, document, {"id": settled.ids["interactive"]})["job"]
    assert job == {"stdoutPath": None, "stderrPath": None}
