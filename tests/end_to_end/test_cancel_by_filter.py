"""cancelJobs by a filter: whose jobs it cancels, how many at most, and what a dry run shows."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster

CANCEL = """mutation ($input: CancelJobsInput!) {
  cancelJobs(input: $input) { jobs { jobId state queue { name } } errors { code message field id: targetId } }
}"""
OPERATORS = "slurmql-operators"
ENDED = {"CANCELLED", "COMPLETED", "FAILED"}

two_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make jobs of two users")


class Jobs:
    """Held jobs with a name of their own, submitted by sbatch itself; cancelled in the end."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.name = name

    def submit(self, *options: str, user: str = "ada", suffix: str = "") -> str:
        named = f"--job-name={self.name}{suffix}"
        folder = f"--chdir={self._cluster.user(user).workspace}"
        words = ("sbatch", "--parsable", "--hold", named, folder, *options)
        return self._cluster.run(*words, user=user, input="#!/bin/sh\nsleep 300\n").stdout.strip()

    def states(self, *ids: str) -> list[str]:
        listed = self._cluster.run("squeue", "-h", "-t", "all", "-o", "%i %T").stdout.splitlines()
        states = dict(line.split(" ") for line in listed)
        return [states[id] for id in ids]

    def waiting(self) -> list[str]:
        """The ids of the jobs that have not ended."""
        listed = self._cluster.run("squeue", "-h", "-o", "%i %j").stdout.splitlines()
        return sorted(id for id, name in (line.split(" ", 1) for line in listed) if name.startswith(self.name))


@pytest.fixture
def jobs(lab: Cluster, request: pytest.FixtureRequest) -> Iterator[Jobs]:
    made = Jobs(lab, f"f{time.time_ns()}")
    yield made
    if waiting := made.waiting():
        lab.run("scancel", *{id.split("_")[0] for id in waiting})


def cancel(api: Api, where: dict[str, Any], limit: int = 10, user: str = "ada", groups: str = "", **more: Any) -> Any:
    dry_run = {"dryRun": more.pop("dryRun")} if "dryRun" in more else {}
    matching = {"filter": where, "limit": limit, **dry_run}
    asked = {"input": {"jobs": {"matching": matching}, **more}}
    return api.data(CANCEL, asked, user=user, groups=groups)["cancelJobs"]


def ids(payload: dict[str, Any]) -> list[str]:
    assert payload["errors"] == []
    return sorted(job["jobId"] for job in payload["jobs"])


def test_the_matching_jobs_are_cancelled_and_no_others(api: Api, jobs: Jobs) -> None:
    ours, other = [jobs.submit(), jobs.submit()], jobs.submit(suffix="-other")
    before = api.commands()
    payload = cancel(api, {"nameContains": jobs.name, "ids": ours})
    assert api.commands() == before + 2
    assert ids(payload) == sorted(ours)
    assert {job["state"] for job in payload["jobs"]} == {"CANCELLED"}
    assert jobs.states(*ours) == ["CANCELLED", "CANCELLED"]
    assert jobs.waiting() == [other]


def test_a_dry_run_lists_the_jobs_and_cancels_none(api: Api, jobs: Jobs) -> None:
    ours = [jobs.submit(), jobs.submit("--partition=gpu")]
    before = api.commands()
    payload = cancel(api, {"nameContains": jobs.name}, dryRun=True)
    assert api.commands() == before + 1
    assert ids(payload) == sorted(ours)
    assert {job["queue"]["name"] for job in payload["jobs"]} == {"queue1", "gpu"}
    assert jobs.waiting() == sorted(ours)


def test_jobs_that_have_ended_are_not_taken(api: Api, lab: Cluster, jobs: Jobs) -> None:
    ended, waits = jobs.submit(), jobs.submit()
    lab.run("scancel", ended)
    assert ids(cancel(api, {"nameContains": jobs.name}, dryRun=True)) == [waits]
    assert ids(cancel(api, {"nameContains": jobs.name}, limit=1)) == [waits]
    assert ids(cancel(api, {"nameContains": jobs.name})) == []
    assert ids(cancel(api, {"nameContains": jobs.name, "states": ["CANCELLED"]})) == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_of_more_than_the_limit_none_is_cancelled(api: Api, jobs: Jobs, dry_run: bool) -> None:
    ours = sorted(jobs.submit() for _ in range(3))
    payload = cancel(api, {"nameContains": jobs.name}, limit=2, dryRun=dry_run)
    assert payload["jobs"] == []
    (error,) = payload["errors"]
    assert (error["code"], error["field"]) == ("LIMIT_EXCEEDED", ["input", "jobs", "matching", "limit"])
    assert "3 jobs" in error["message"]
    assert jobs.waiting() == ours


def test_a_job_submitted_since_the_last_answer_is_taken_too(api: Api, jobs: Jobs) -> None:
    first = jobs.submit()
    api.data("{ jobs { totalCount } }")
    second = jobs.submit()
    assert ids(cancel(api, {"nameContains": jobs.name})) == sorted([first, second])


@two_users
def test_other_peoples_jobs_are_left_alone(api: Api, jobs: Jobs) -> None:
    theirs, ours = jobs.submit(user="grace"), jobs.submit()
    assert ids(cancel(api, {"nameContains": jobs.name})) == [ours]
    assert jobs.waiting() == [theirs]


@pytest.mark.parametrize(
    "where", [{"user": "grace"}, {"users": ["ada", "grace"]}, {"user": "ada", "users": ["grace"]}], ids=str
)
def test_naming_another_user_is_forbidden_before_anything_is_sent(api: Api, where: dict[str, Any]) -> None:
    before = api.commands()
    payload = cancel(api, where)
    assert api.commands() == before
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("FORBIDDEN", ["input", "jobs", "matching", "filter"])
    ]


def test_a_viewer_cancels_nothing_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    payload = cancel(api, {}, groups="slurmql-viewers")
    assert api.commands() == before
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]


@two_users
def test_an_operator_may_name_users_and_without_takes_their_own(api: Api, jobs: Jobs) -> None:
    graces, adas = jobs.submit(user="grace"), jobs.submit()
    where = {"nameContains": jobs.name}
    assert ids(cancel(api, where, user="ada", groups=OPERATORS, dryRun=True)) == [adas]
    assert ids(cancel(api, {**where, "user": "grace"}, user="ada", groups=OPERATORS)) == [graces]
    assert jobs.waiting() == [adas]


def test_an_operator_without_an_account_has_to_name_users(api: Api, jobs: Jobs) -> None:
    ours = jobs.submit()
    before = api.commands()
    payload = cancel(api, {}, user="Operator@example.org", groups=OPERATORS)
    assert api.commands() == before
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("INVALID_INPUT", ["input", "jobs", "matching", "filter", "user"])
    ]
    where = {"nameContains": jobs.name, "users": ["ada"]}
    assert ids(cancel(api, where, user="Operator@example.org", groups=OPERATORS)) == [ours]


def test_of_an_arrays_waiting_tasks_only_those_named_are_cancelled(api: Api, jobs: Jobs) -> None:
    array = jobs.submit("--array=1-9:2%2")
    assert ids(cancel(api, {"ids": [f"{array}_7", f"{array}_[2-3,8]"]}, dryRun=True)) == [f"{array}_[1,3,5,7,9%2]"]
    # Slurm keeps no record of a task that was cancelled while it waited, so there is no job to show.
    assert ids(cancel(api, {"ids": [f"{array}_7", f"{array}_[2-3,8]"]})) == []
    assert jobs.waiting() == [f"{array}_[1,5,9%2]"]
    assert cancel(api, {"ids": [array]})["errors"] == []
    assert jobs.waiting() == []


def test_a_heterogeneous_job_is_cancelled_whole(api: Api, jobs: Jobs) -> None:
    leader = jobs.submit("-n1", ":", f"--job-name={jobs.name}-second", "-n1", "--hold")
    assert jobs.waiting() == [f"{leader}+0", f"{leader}+1"]
    payload = cancel(api, {"nameContains": f"{jobs.name}-second"})
    assert payload["errors"] == []
    assert jobs.waiting() == []


def test_a_signal_goes_to_the_matching_jobs(api: Api, lab: Cluster, jobs: Jobs) -> None:
    told = lab.user("ada").workspace / jobs.name
    script = f"#!/bin/bash\ntrap 'echo told >{told}' USR1\necho ready >{told}\nwhile sleep 0.1; do :; done\n"
    words = ("sbatch", "--parsable", "--constraint=static", f"--job-name={jobs.name}", f"--chdir={told.parent}")
    id = lab.run(*words, user="ada", input=script).stdout.strip()
    give_up = time.monotonic() + 60
    while not told.exists() or told.read_text() != "ready\n":
        assert time.monotonic() < give_up
        time.sleep(0.1)
    # Without a step a plain signal would go to nobody; scancel's own KILL ends the job.
    assert ids(cancel(api, {"nameContains": jobs.name}, signal="KILL")) == [id]
    while jobs.waiting():
        assert time.monotonic() < give_up
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"filter": {}, "limit": 0}, "limit"),
        ({"filter": {}, "limit": 201}, "limit"),
        ({"filter": {}, "limit": -1}, "limit"),
        ({"filter": {"ids": ["no id"]}, "limit": 1}, "filter"),
        ({"filter": {"ids": ["annex:1"]}, "limit": 1}, "filter"),
    ],
    ids=str,
)
def test_invalid_input_is_reported_before_anything_is_sent(api: Api, input: dict[str, Any], field: str) -> None:
    before = api.commands()
    payload = api.data(CANCEL, {"input": {"jobs": {"matching": input}}})["cancelJobs"]
    assert api.commands() == before
    assert payload["jobs"] == []
    path = ["input", "jobs", "matching", field]
    assert [(error["code"], error["field"][:4]) for error in payload["errors"]] == [("INVALID_INPUT", path)]


def test_a_signal_that_is_none_is_told_before_anything_is_sent(api: Api) -> None:
    before = api.commands()
    payload = cancel(api, {}, limit=1, signal="x y")
    assert api.commands() == before
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("INVALID_INPUT", ["input", "signal"])]


@pytest.mark.parametrize(
    "jobs",
    [
        {},
        {"ids": ["1"], "matching": {"filter": {}, "limit": 1}},
        {"ids": None},
        {"matching": {"filter": {}}},
        {"matching": {"limit": 1}},
    ],
    ids=str,
)
def test_jobs_are_named_or_matched_and_a_filter_has_a_limit(api: Api, jobs: dict[str, Any]) -> None:
    before = api.commands()
    assert api.codes(CANCEL, {"input": {"jobs": jobs}}) == ["GRAPHQL_VALIDATION_FAILED"]
    assert api.commands() == before


FIND = "query ($ids: [ID!], $id: ID!) { jobs(filter: {ids: $ids}) { nodes { jobId } } job(id: $id) { jobId } }"


@pytest.mark.parametrize("tasks", ["7", "[7]", "[5-8]", "[1-9:2%2]", "[7,99]"])
def test_a_waiting_task_is_found_in_the_row_that_holds_it(api: Api, jobs: Jobs, tasks: str) -> None:
    array = jobs.submit("--array=5,7,9%2")
    id = f"{array}_{tasks}"
    found = api.data(FIND, {"ids": [id], "id": id})
    assert [job["jobId"] for job in found["jobs"]["nodes"]] == [f"{array}_[5,7,9%2]"]
    assert found["job"]["jobId"].startswith(f"{array}_")


@pytest.mark.parametrize("tasks", ["6", "[6]", "[1-4,6]", "[6-8:2]"])
def test_a_task_that_there_is_not_is_not_found(api: Api, jobs: Jobs, tasks: str) -> None:
    id = f"{jobs.submit('--array=5,7,9%2')}_{tasks}"
    assert api.data(FIND, {"ids": [id], "id": id}) == {"jobs": {"nodes": []}, "job": None}
