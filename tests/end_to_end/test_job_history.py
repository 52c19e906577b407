"""Past jobs: each value and each condition, compared with another format of sacct."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slurm_words import Values, ask_anew, host_names, own_fields, say, until

from conftest import Api
from headnode.document import PARAMETER
from local.cluster import Cluster
from local.stack import Stack
from resolvers import datasets

NAME = "history"
"""All jobs of this module have it in their names, and no others."""
PAGE = """query ($filter: JobFilter) {
  jobHistory(filter: $filter, first: 1000) {
    nodes { id jobId name user account state rawState queueName nodeNames qos priority submitTime eligibleTime startTime
      endTime timeLimitSeconds elapsedSeconds nodeCount cpuCount exitCode exitSignal arrayJobId arrayTaskId workDir
      restartCount cpuTimeReservedSeconds cluster { name } queue { name } nodes { name } }
    totalCount countsByState { state count } source pageInfo { hasNextPage endCursor }
  }
}"""
IDS = """query ($since: DateTime, $until: DateTime, $filter: JobFilter, $first: Int = 1000, $after: String) {
  jobHistory(since: $since, until: $until, filter: $filter, first: $first, after: $after) {
    nodes { jobId name submitTime } totalCount pageInfo { hasNextPage endCursor }
  }
}"""
FORMAT = (
    "JobID,JobName,User,Account,State,Partition,NodeList,QOS,Priority,Submit,Eligible,Start,End,TimelimitRaw,ElapsedRaw,"
    "NNodes,AllocCPUS,ReqCPUS,ExitCode,WorkDir,CPUTimeRAW"
)
NO_TIME = {"Unknown", "None", ""}


@dataclass(frozen=True)
class Past:
    """The ids of one job of every kind, by the kind's name."""

    cluster: Cluster
    ids: Mapping[str, str]

    def kinds(self, connection: Values) -> set[str]:
        """Which of this module's jobs are on a page."""
        kinds = {id: kind for kind, id in self.ids.items()}
        return {kinds[job["jobId"].partition("_")[0]] for job in connection["nodes"] if job["name"].startswith(NAME)}


def sacct(cluster: Cluster, *options: str) -> list[dict[str, str]]:
    """The jobs that sacct lists with these options, column by column."""
    printed = say(cluster, "sacct", "-a", "-X", "-n", "-P", "-o", FORMAT, *options)
    return [dict(zip(FORMAT.split(","), line.split("|"), strict=True)) for line in printed.splitlines()]


def values(record: dict[str, str], cluster: Cluster) -> Values:
    """The fields of a Job, from one record of sacct."""
    code, signal = map(int, record["ExitCode"].split(":"))
    state = record["State"].split()[0]
    ended = state not in ("PENDING", "RUNNING", "SUSPENDED")
    by_itself = ended and state != "CANCELLED"
    array, _, task = record["JobID"].partition("_")
    limit = record["TimelimitRaw"]
    return {
        "id": f"{cluster.name}:{record['JobID']}",
        "jobId": record["JobID"],
        "name": record["JobName"],
        "user": record["User"],
        "account": record["Account"] or None,
        "state": state,
        "rawState": record["State"],
        "queueName": record["Partition"],
        "nodeNames": [] if record["NodeList"] == "None assigned" else host_names(cluster, record["NodeList"]),
        "qos": record["QOS"] or None,
        "priority": float(record["Priority"]),
        "submitTime": instant(record["Submit"]),
        "eligibleTime": instant(record["Eligible"]),
        "startTime": None if record["NodeList"] == "None assigned" else instant(record["Start"]),
        "endTime": instant(record["End"]),
        "timeLimitSeconds": int(limit) * 60 if limit.isdigit() else None,
        "elapsedSeconds": int(record["ElapsedRaw"]),
        "nodeCount": int(record["NNodes"]),
        "cpuCount": int(record["AllocCPUS"]) or int(record["ReqCPUS"]),
        "exitCode": code if by_itself and not signal else None,
        "exitSignal": signal if by_itself and signal else None,
        "arrayJobId": array if task else None,
        "arrayTaskId": int(task) if task.isdigit() else None,
        "workDir": record["WorkDir"],
        "cpuTimeReservedSeconds": float(record["CPUTimeRAW"]),
        "cluster": {"name": cluster.name},
        "queue": {"name": record["Partition"]},
    }


def instant(text: str) -> str | None:
    return None if text in NO_TIME else f"{text}+00:00"


def submit(cluster: Cluster, user: str, kind: str, script: str, *options: str) -> str:
    argv = ["sbatch", "--parsable", f"--job-name={NAME} {kind}", "--output=/dev/null", *options]
    return cluster.run(*argv, user=user, input=f"#!/bin/sh\n{script}\n").stdout.strip()


@pytest.fixture(scope="module")
def past(lab: Cluster) -> Iterator[Past]:
    """One job of each kind that has ended, runs or waits, as accounting has it."""
    one, other = lab.users[0].name, lab.users[-1].name
    static = "--constraint=static"
    ids = {
        "done": submit(lab, one, "done", "true", static, "--time=10"),
        "three": submit(lab, one, "three", "exit 3", static, "--account=genomics"),
        "killed": submit(lab, other, "killed", "kill -9 $$", static),
        "array": submit(lab, other, "array", "exit $SLURM_ARRAY_TASK_ID", static, "--array=0-1"),
        "held": submit(lab, one, "held", "true", "--hold", "--partition=gpu", "--time=2-0"),
        "given up": submit(lab, one, "given up", "true", "--hold"),
        "running": submit(lab, one, "RUNNING", "sleep 600", "--nodelist=queue1-st-small-2"),
        "requeued": submit(lab, other, "requeued", "sleep 600", static, "--requeue"),
    }
    until(lambda: say(lab, "squeue", "-h", "-j", ids["requeued"], "-o", "%T").strip() == "RUNNING", 60)
    lab.run("scontrol", "requeuehold", ids["requeued"])
    lab.run("scancel", ids["given up"])
    expected = {
        "done": {"COMPLETED"},
        "three": {"FAILED"},
        "killed": {"FAILED"},
        "array": {"COMPLETED", "FAILED"},
        "running": {"RUNNING"},
        "requeued": {"PENDING"},
        "given up": {"CANCELLED by 0"},
    }
    for kind, states in expected.items():
        until(lambda kind=kind, states=states: {each["State"] for each in sacct(lab, "-j", ids[kind])} == states, 60)  # type: ignore[misc] # mypy cannot infer it
    yield Past(lab, ids)
    lab.run("scancel", *ids.values())


def history(api: Api, **variables: Any) -> Values:
    found: Values = ask_anew(api, PAGE, variables)["jobHistory"]
    return found


@pytest.mark.parametrize("kind", ["done", "three", "killed", "array", "held", "given up", "running", "requeued"])
def test_every_value_is_what_sacct_says_by_another_format(api: Api, past: Past, kind: str) -> None:
    id = past.ids[kind]
    passing = ("elapsedSeconds", "cpuTimeReservedSeconds") if kind == "running" else ()
    answer = history(api, filter={"ids": [id]})
    expected = {each["JobID"]: values(each, past.cluster) for each in sacct(past.cluster, "-j", id)}
    assert answer["totalCount"] == len(expected)
    for job in answer["nodes"]:
        assert [node["name"] for node in job.pop("nodes")] == job["nodeNames"]
        assert job.pop("restartCount") == (1 if kind == "requeued" else 0)
        wanted = expected[job["jobId"]]
        assert {name: value for name, value in job.items() if name not in passing} == {
            name: value for name, value in wanted.items() if name not in passing
        }


def test_the_window_is_the_last_24_hours_and_the_latest_come_first(api: Api, past: Past) -> None:
    answer = history(api)
    assert answer["source"] == "ACCOUNTING"
    # 20.11's sacct leaves out a job that waits again where a time is given.
    waits_again = {"requeued"} if past.cluster.programs.slurm_version() >= (21, 8) else set()
    assert past.kinds(answer) >= {"done", "three", "killed", "array", "running"} | waits_again
    times = [job["submitTime"] for job in answer["nodes"]]
    assert times == sorted(times, reverse=True)
    listed = _of_last_day(past.cluster)
    assert {job["jobId"] for job in answer["nodes"]} == listed
    counted = {each["state"]: each["count"] for each in answer["countsByState"]}
    assert sum(counted.values()) == answer["totalCount"] == len(listed)


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        ({"states": ["FAILED"]}, {"three", "killed", "array"}),
        ({"succeeded": False}, {"three", "killed", "array", "given up"}),
        ({"names": [f"{NAME} given up"]}, {"given up"}),
        ({"states": ["COMPLETED", "RUNNING"]}, {"done", "array", "running"}),
        ({"states": ["NODE_FAIL"]}, set()),
        ({"states": ["COMPLETING"]}, set()),
        ({"account": "genomics"}, {"three"}),
        ({"queue": "queue1", "states": ["RUNNING"]}, {"running"}),
        ({"nodeName": "queue1-st-small-2", "states": ["RUNNING"]}, {"running"}),
        ({"nodeName": "nosuch"}, set()),
        ({"nameContains": "istory run"}, {"running"}),
        ({"user": "nosuch"}, set()),
        ({"users": []}, set()),
        ({"states": []}, set()),
        ({"submittedBefore": "2001-01-01T00:00:00Z"}, set()),
    ],
)
def test_each_condition_selects_its_jobs_and_no_others(api: Api, past: Past, where: Values, kinds: set[str]) -> None:
    found = ask_anew(api, IDS, {"filter": where})["jobHistory"]
    assert past.kinds(found) == kinds


@pytest.fixture
def waiting(lab: Cluster) -> Iterator[tuple[str, str]]:
    """A job that waits for either of two queues, and an array none of whose tasks has started."""
    user = lab.users[0].name
    holder = submit(lab, user, "", "sleep 600", "--job-name=holder", "--constraint=static", "--licenses=matlab:4")
    until(lambda: say(lab, "squeue", "-h", "-j", holder, "-o", "%T").strip() == "RUNNING", 60)
    several = submit(lab, user, "", "true", "--job-name=several", "--licenses=matlab:1", "--partition=queue1,gpu")
    array = submit(lab, user, "", "true", "--job-name=tasks", "--licenses=matlab:1", "--array=5-9")
    until(lambda: {f"{array}_[5-9]", several} <= {each["JobID"] for each in sacct(lab, "-S", "now-1hours")}, 60)
    yield several, array
    lab.run("scancel", holder, several, array)


def test_waiting_jobs_are_found_by_each_of_their_queues_and_tasks(
    api: Api, lab: Cluster, waiting: tuple[str, str]
) -> None:
    several, array = waiting

    def found(**where: Any) -> set[str]:
        return {job["jobId"] for job in ask_anew(api, IDS, {"filter": where})["jobHistory"]["nodes"]}

    assert sacct(lab, "-j", several, "-r", "gpu") == []  # sacct itself does not find it
    for queue in ("queue1", "gpu"):
        assert several in found(queue=queue)
        assert found(queue=queue, ids=[several]) == {several}
        assert several not in found(queue=queue, states=["COMPLETED"])
        listed = [job["jobId"] for job in ask_anew(api, IDS, {"filter": {"queue": queue}})["jobHistory"]["nodes"]]
        assert len(listed) == len(set(listed))
    assert found(ids=[f"{array}_7"]) == found(ids=[f"{array}_[6-7]"]) == {f"{array}_[5-9]"}
    assert found(ids=[f"{array}_4"]) == set()


def _of_last_day(cluster: Cluster, *options: str) -> set[str]:
    """The ids of the last day's jobs. By a time alone, sacct does not find jobs that never were eligible."""
    never_eligible = sacct(cluster, *options, "-S", "now-24hours", "-E", "now", "-s", "CA,DL")
    return {each["JobID"] for each in sacct(cluster, *options, "-S", "now-24hours") + never_eligible}


def test_each_user_has_their_own_history(api: Api, past: Past) -> None:
    one, other = past.cluster.users[0].name, past.cluster.users[-1].name
    for where in ({"user": one}, {"users": [one, "nosuch"]}, {"user": one, "users": [one, other]}):
        found = ask_anew(api, IDS, {"filter": where})["jobHistory"]
        assert {job["jobId"] for job in found["nodes"]} == _of_last_day(past.cluster, "-u", one)


def test_the_window_can_be_given(api: Api, past: Past) -> None:
    start = datetime.now(UTC)
    (done,) = sacct(past.cluster, "-j", past.ids["done"])
    end = datetime.fromisoformat(f"{done['End']}+00:00")
    submitted = datetime.fromisoformat(f"{done['Submit']}+00:00")

    def found(**window: datetime) -> set[str]:
        given = {name: time.isoformat() for name, time in window.items()}
        return past.kinds(ask_anew(api, IDS, {**given, "filter": {"nameContains": NAME}})["jobHistory"])

    assert "done" in found(since=submitted)
    assert "done" not in found(since=end + timedelta(seconds=1))
    assert "running" in found(since=start)
    assert found(until=submitted) == set()
    assert found(until=datetime(1, 1, 1, tzinfo=UTC)) == set()
    assert found(since=start + timedelta(days=1)) == set()
    assert "done" in found(since=datetime(1, 1, 1, tzinfo=UTC), until=datetime(9999, 12, 31, tzinfo=UTC))


def test_pages_follow_each_other_without_gap_or_repetition(api: Api, past: Past) -> None:
    where = {"nameContains": NAME}
    whole = ask_anew(api, IDS, {"filter": where})["jobHistory"]
    ids: list[str] = []
    after = None
    while True:
        part = api.data(IDS, {"filter": where, "first": 3, "after": after})["jobHistory"]
        ids += [job["jobId"] for job in part["nodes"]]
        assert part["totalCount"] == whole["totalCount"]
        if not part["pageInfo"]["hasNextPage"]:
            break
        after = part["pageInfo"]["endCursor"]
    assert ids == [job["jobId"] for job in whole["nodes"]]


def test_literals_and_variables_mean_the_same(api: Api, past: Past) -> None:
    """If the plan and the field built different questions, the field's data would not have been fetched."""
    literal = """{
      jobHistory(since: "2026-01-01T01:00:00+01:00", filter: {states: FAILED, ids: 1}, orderBy: {field: ID}) {
        totalCount
      }
    }"""
    variables = """query ($since: DateTime, $states: [JobState!], $id: ID!, $order: [JobOrder!]) {
      jobHistory(since: $since, filter: {states: $states, ids: [$id]}, orderBy: $order) { totalCount }
    }"""
    given = {"since": "2026-01-01T00:00:00Z", "states": ["FAILED"], "id": 1, "order": [{"field": "ID"}]}
    first = ask_anew(api, literal)
    before = api.commands()
    assert api.data(variables, given) == first
    assert api.commands() == before


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ('since: "2026-11-22T10:00:00Z", until: "2026-11-22T10:00:00Z"', "since"),
        ('since: "0001-01-01T00:00:00+14:00"', "since"),
        ('until: "9999-12-31T23:59:59-12:00"', "until"),
        ('filter: {ids: ["1;id"]}', "ids"),
        ("first: -1", "first"),
        ("first: 1000000", "first"),
        ('after: "nonsense"', "after"),
    ],
)
def test_invalid_input_is_refused_before_anything_is_sent(api: Api, arguments: str, argument: str) -> None:
    before = api.commands()
    for document in ("{ jobHistory(%s) { totalCount } }", "{ cluster { jobHistory(%s) { totalCount } } }"):
        (error,) = api.ask(document % arguments)["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert api.commands() == before


def test_a_history_with_the_usage_of_its_jobs_costs_one_command(api: Api, past: Past) -> None:
    document = """{ jobHistory(filter: {states: [COMPLETED]}) {
      nodes { maxRssMib cpuTimeSeconds steps { stepId } efficiency { cpu } } } }"""
    before = api.commands()
    data = ask_anew(api, document)
    assert any(job["steps"] for job in data["jobHistory"]["nodes"])
    assert api.commands() == before + 1
    assert "allocations" not in sent(api)["sacct"]


def test_jobs_are_fetched_without_steps_unless_a_field_shows_them(api: Api, past: Past) -> None:
    ask_anew(api, "{ jobHistory { nodes { exitCode } } }")
    assert "allocations" in sent(api)["sacct"]


def test_once_accounting_is_known_to_be_on_only_sacct_is_asked(
    api: Api, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    import handler

    monkeypatch.setattr(handler.clusters["lab"], "_shared", None)  # which has had the configuration for minutes
    handler.clusters["lab"].drop([datasets.CONFIGURATION])
    ask_anew(api, "{ jobHistory { totalCount } }")
    assert set(sent(api)) == {"sacct", "squeue", "scontrol show config", "reader"}
    handler.clusters["lab"].drop([datasets.JOBS])
    api.data('{ jobHistory(until: "2031-01-01T00:00:00Z") { totalCount } }')
    assert set(sent(api)) == {"sacct"}


def test_every_condition_that_accounting_supports_is_passed_to_sacct(api: Api, past: Past) -> None:
    """With ids, sacct gets no queue: for sacct, a job that waits for several queues is in none of them."""
    ask_anew(
        api,
        """{ jobHistory(since: "2026-01-01T00:00:00Z", filter: {user: "ada", account: "genomics", queue: "queue1",
          states: [FAILED], nodeName: "queue1-st-small-1", ids: [4]}) { totalCount } }""",
    )
    options = {name: value for name, value in sent(api)["sacct"].items() if name not in ("format", "delimiter")}
    assert options.pop("state").split(",") == ["BOOT_FAIL", "FAILED", "NODE_FAIL", "PREEMPTED", "REQUEUED", "RESIZING"]
    assert options == {
        "allocations": "",
        "user": "ada",
        "accounts": "genomics",
        "nodelist": "queue1-st-small-1",
        "jobs": "4",
        "starttime": "2026-01-01T00:00:00",
        "endtime": "now",
    }


def sent(api: Api) -> dict[str, dict[str, str]]:
    """The operations of the last command, each with its options."""
    (packed,) = api.ssm.sends[-1].parameters[PARAMETER]
    request = json.loads(gzip.decompress(base64.urlsafe_b64decode(packed)))
    return {each["operation"]: each["options"] for step in request["steps"] for each in step}


# --- without accounting ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def remembered(stack: Stack) -> Iterator[tuple[str, str]]:
    """On the annex, which has no accounting: a job that has ended, and a waiting job."""
    annex = stack.clusters["annex"]
    user = annex.users[0].name
    ended = submit(annex, user, "ended", "exit 3", "--constraint=static")
    waiting = submit(annex, user, "waiting", "true", "--hold")
    until(lambda: say(annex, "squeue", "-h", "-t", "all", "-j", ended, "-o", "%T").strip() == "FAILED", 60)
    yield ended, waiting
    annex.run("scancel", waiting)


def test_without_accounting_the_history_is_what_the_scheduler_remembers(api: Api, remembered: tuple[str, str]) -> None:
    document = """{ jobHistory(cluster: "annex", filter: {states: [FAILED], nameContains: "history"}) {
      source totalCount nodes { jobId exitCode queue { name } } } }"""
    for _ in range(2):  # the second time it is known that there are no accounts
        before = api.commands()
        found = ask_anew(api, document)["jobHistory"]
        assert api.commands() == before + 1
        assert (found["source"], found["totalCount"]) == ("SCHEDULER_MEMORY", 1)
        assert found["nodes"] == [{"jobId": remembered[0], "exitCode": 3, "queue": {"name": "queue1"}}]


def test_without_accounting_the_window_still_applies(api: Api, remembered: tuple[str, str]) -> None:
    document = """query ($since: DateTime, $until: DateTime) {
      jobHistory(cluster: "annex", since: $since, until: $until, filter: {nameContains: "history"}) { nodes { jobId } }
    }"""
    tomorrow, old = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) - timedelta(days=2)

    def ids(**window: str) -> list[str]:
        return [job["jobId"] for job in ask_anew(api, document, window)["jobHistory"]["nodes"]]

    assert remembered[0] in ids(since=old.isoformat())
    assert ids(since=datetime.now(UTC).isoformat()) == [remembered[1]]
    assert ids(since=tomorrow.isoformat()) == []
    assert ids(until=old.isoformat()) == []


def test_without_accounting_a_job_is_found_while_the_scheduler_remembers_it(
    api: Api, remembered: tuple[str, str]
) -> None:
    ended, _ = remembered
    document = (
        f'{{ a: job(cluster: "annex", id: {ended}) {{ exitCode }} b: job(cluster: "annex", id: 999999) {{ id }} }}'
    )
    before = api.commands()
    answer = api.ask(document)
    assert api.commands() == before + 1
    assert answer["data"] == {"a": {"exitCode": 3}, "b": None}
    (error,) = answer["errors"]
    assert error["path"] == ["b"]
    assert error["extensions"] == {"code": "JOB_NOT_REMEMBERED", "cluster": "annex", "jobId": "999999"}
    assert "switch accounting on" in error["message"]


DETAIL = """nodes { array { taskCount tasks(first: 1) { totalCount } } components { id } dependencies { kind }
  output { text } cluster { name } queues { name }"""


def test_a_past_job_has_every_field_of_a_job(api: Api, past: Past) -> None:
    """What accounting does not know is null, with an error if it cannot be answered; no field fails with a defect."""
    leaves = " ".join(sorted(own_fields("Job")))
    document = f"{{ jobHistory(first: 1000) {{ {DETAIL} {leaves} }} }} }}"
    assert "INTERNAL_SERVER_ERROR" not in api.codes(document)
