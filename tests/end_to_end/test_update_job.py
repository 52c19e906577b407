"""Changing what a job asks for, signalling, suspending and resuming: who may, what becomes of the jobs, why not."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType
from slurm_words import until

from conftest import Api
from local.cluster import Cluster
from schema import schema

UPDATE = """mutation ($input: UpdateJobInput!) {
  done: updateJob(input: $input) {
    job { jobId name comment timeLimitSeconds queueName dependency nodeCount cpuCount memoryMib priority
      queue { name } }
    errors { code message field id: targetId } } }"""
SIGNAL = """mutation ($ids: [ID!]!, $signal: String!, $target: SignalTarget! = STEPS) {
  done: signalJobs(input: {ids: $ids, signal: $signal, target: $target}) {
    jobs { jobId state } errors { code message field id: targetId } }
}"""
OPERATE = """mutation ($ids: [ID!]!) { done: %s(input: {ids: $ids}) { jobs { jobId state }
      errors { code message field id: targetId } } }"""
SUSPEND, RESUME = OPERATE % "suspendJobs", OPERATE % "resumeJobs"
OPERATORS = "slurmql-operators"
UNKNOWN = "4294960000"

two_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make jobs of two users")


class Jobs:
    """Jobs submitted by sbatch itself."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ids: list[str] = []

    def submit(self, *options: str, script: str = "sleep 300", user: str = "ada") -> str:
        argv = ["sbatch", "--parsable", "--output=/dev/null", *options]
        self.ids.append(self.cluster.run(*argv, user=user, input=f"#!/bin/bash\n{script}\n").stdout.strip())
        return self.ids[-1]

    def running(self, *options: str, script: str = "sleep 300") -> str:
        id = self.submit("--constraint=static", *options, script=script)
        until(lambda: self.told(id, "%T") == "RUNNING", 90)
        return id

    def told(self, id: str, column: str) -> str:
        """A column of squeue's, by its short format."""
        return self.cluster.run("squeue", "-h", "-t", "all", "-j", id, "-o", column).stdout.strip()

    def shown(self, id: str) -> str:
        return self.cluster.run("scontrol", "show", "job", id).stdout


@pytest.fixture
def jobs(lab: Cluster) -> Iterator[Jobs]:
    jobs = Jobs(lab)
    yield jobs
    for id in jobs.ids:  # a line in a name looks like a record to tests that read scontrol's output
        lab.run("scontrol", "update", f"JobId={id}", "Name=updated", check=False)
    lab.run("scancel", "--quiet", *jobs.ids, check=False)


def update(api: Api, id: str, changes: dict[str, Any], **who: str) -> dict[str, Any]:
    done: dict[str, Any] = api.data(UPDATE, {"input": {"id": id, **changes}}, **who)["done"]
    assert all(error["message"] for error in done["errors"])
    return done


def refused(api: Api, id: str, changes: dict[str, Any], **who: str) -> list[tuple[str, list[str] | None]]:
    """The codes and fields of a change's refusals."""
    done = update(api, id, changes, **who)
    assert done["job"] is None
    return [(error["code"], error["field"]) for error in done["errors"]]


def act(api: Api, document: str, *ids: str, user: str = "ada", groups: str = "", **variables: str) -> Any:
    """The state of every job that was acted on, and the code of every refusal, by the job's id."""
    done = api.data(document, {"ids": ids, **variables}, user=user, groups=groups)["done"]
    return {job["jobId"]: job["state"] for job in done["jobs"]}, {
        error["id"]: error["code"] for error in done["errors"]
    }


# --- changing -------------------------------------------------------------------------------------------------------


def test_a_waiting_job_is_changed_and_shown_as_it_is_now(api: Api, jobs: Jobs) -> None:
    first, id = jobs.submit("--hold"), jobs.submit("--hold")
    changes = {
        "timeLimitSeconds": 1200,
        "name": 'a "b"=c\nJobId=1',
        "comment": "x y='z'",
        "dependency": f"afterok:{first}",
        "nice": 7,
        "features": "static|dynamic",
        "excludedNodeNames": ["queue1-dy-large-[1-2]"],
        "licenses": "matlab:2",
        "requeue": False,
    }
    done = update(api, id, changes)
    assert done["errors"] == []
    assert (done["job"]["jobId"], done["job"]["name"]) == (id, changes["name"])
    assert (done["job"]["comment"], done["job"]["timeLimitSeconds"]) == ("x y='z'", 1200)
    assert done["job"]["dependency"].startswith(f"afterok:{first}")
    told = jobs.shown(id)
    assert jobs.told(id, "%l") == "20:00"
    for words in (
        "Nice=7",
        "Features=static|dynamic",
        "Licenses=matlab:2",
        "Requeue=0",
        "ExcNodeList=queue1-dy-large-",
    ):
        assert words in told


def test_a_job_moves_to_another_queue(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold")
    # 24.11 and 26.05 first say "Resource temporarily unavailable" now and then.
    until(lambda: update(api, f"lab:{id}", {"queue": "gpu"})["errors"] == [], 30)
    assert jobs.told(id, "%P") == "gpu"


def test_null_clears_what_was_set(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold", "--licenses=matlab:1", "--dependency=singleton")
    assert update(api, id, {"licenses": "", "dependency": ""})["errors"] == []
    assert jobs.told(id, "%W") in ("", "(null)")
    assert "Dependency=(null)" in jobs.shown(id)


NULLS = [
    (("--time=20",), "timeLimitSeconds", "TimeLimit=UNLIMITED"),
    (("--time=20", "--time-min=10"), "timeMinSeconds", "TimeMin=N/A"),
    (("--nice=5",), "nice", "Nice=0"),
    (("--comment=x",), "comment", "Comment="),
    (("--account=physics",), "account", "Account=pcdefault"),
    (("--dependency=singleton",), "dependency", "Dependency=(null)"),
    (("--cpus-per-task=2",), "cpusPerTask", "CPUs/Task=1"),
    (("--constraint=static",), "features", "Features=(null)"),
    (("--nodelist=queue1-dy-large-1",), "nodeNames", "ReqNodeList=(null)"),
    (("--exclude=queue1-dy-large-1",), "excludedNodeNames", "ExcNodeList=(null)"),
]
"""An option of sbatch, the input that null clears, and how scontrol then shows the job."""


@pytest.mark.parametrize(("options", "name", "shown"), NULLS, ids=[name for _, name, _ in NULLS])
def test_null_clears_what_was_set_and_what_is_left_out_stays(
    api: Api, jobs: Jobs, options: tuple[str, ...], name: str, shown: str
) -> None:
    id = jobs.submit("--hold", "--job-name=stays", *options)
    before = jobs.shown(id)
    assert update(api, id, {name: None})["errors"] == []
    key, _, value = shown.partition("=")
    was, told = (value_of(record, key) for record in (before, jobs.shown(id)))
    assert was not in (value, None)
    assert told == (value or None)
    assert "JobName=stays" in jobs.shown(id)


def value_of(record: str, key: str) -> str | None:
    """A value of `scontrol show job`; None if it is empty or not shown."""
    found = re.search(rf"(?m)(?:^|\s){re.escape(key)}=(\S*)", record)
    return found[1] or None if found else None


def test_a_variable_that_is_left_out_leaves_the_value_and_null_clears_it(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold", "--comment=stays", "--nice=3")
    document = """mutation ($id: ID!, $comment: String, $nice: BigInt) {
      done: updateJob(input: {id: $id, comment: $comment, nice: $nice}) { errors { code } } }"""
    assert api.data(document, {"id": id, "nice": None})["done"] == {"errors": []}
    shown = jobs.shown(id)
    assert (value_of(shown, "Nice"), value_of(shown, "Comment")) == ("0", "stays")


def test_null_clears_a_name_a_begin_time_and_a_limit_of_tasks(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--begin=now+1hour", "--job-name=x", "--array=1-9%2", "--hold")
    done = update(api, id, {"name": None, "beginTime": None, "arrayLimit": None})
    assert done["errors"] == []
    shown = jobs.shown(id)
    assert value_of(shown, "JobName") is None
    assert value_of(shown, "ArrayTaskId") == "1-9"
    begins = datetime.fromisoformat(str(value_of(shown, "EligibleTime"))) if "EligibleTime=2" in shown else None
    assert begins is None or begins < datetime.now() + timedelta(minutes=5)


def test_null_clears_a_reservation_and_licenses(api: Api, jobs: Jobs, lab: Cluster) -> None:
    words = ["ReservationName=nulls", "StartTime=now+1hour", "Duration=10", "Users=ada", "Nodes=queue1-dy-large-4"]
    lab.run("scontrol", "create", "reservation", *words)
    try:
        id = jobs.submit("--hold", "--reservation=nulls", "--licenses=matlab:1")
        assert "Reservation=nulls" in jobs.shown(id)
        assert update(api, id, {"reservation": None, "licenses": None})["errors"] == []
        assert "Reservation=" not in jobs.shown(id)
        assert value_of(jobs.shown(id), "Licenses") in (None, "(null)")
    finally:
        lab.run("scontrol", "delete", "ReservationName=nulls")


def test_null_clears_what_operators_set(api: Api, jobs: Jobs, lab: Cluster) -> None:
    id = jobs.submit("--hold", "--time=1")
    lab.run("scontrol", "update", f"JobId={id}", "Deadline=now+1day", "AdminComment=x")
    assert value_of(jobs.shown(id), "AdminComment") == "x"
    assert update(api, id, {"deadline": None, "adminComment": None}, groups=OPERATORS)["errors"] == []
    shown = jobs.shown(id)
    assert value_of(shown, "AdminComment") is None
    assert value_of(shown, "Deadline") in (None, "None", "N/A")
    query = "query ($id: ID!) { job(id: $id) { state adminComment } }"
    assert api.data(query, {"id": id})["job"] == {"state": "PENDING", "adminComment": None}


def test_a_comment_that_was_cleared_is_null(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold", "--comment=x")
    assert update(api, id, {"comment": None})["job"]["comment"] is None
    assert api.data("query ($id: ID!) { job(id: $id) { comment } }", {"id": id}) == {"job": {"comment": None}}


NOT_NULL = {
    "queue": "a job always has a queue; name one",
    "priority": "give a number",
    "qos": "name a QOS",
    "nodes": "give a number",
    "maxNodes": "give as many as nodes",
    "tasks": "give a number",
    "cpus": "give a number",
    "memoryMib": "give a number, or 0",
    "requeue": "give true or false",
    "stdoutPath": "slurm-%j.out",
}


@pytest.mark.parametrize("name", NOT_NULL)
def test_what_slurm_cannot_clear_is_told_with_what_to_do_and_nothing_is_sent(api: Api, name: str) -> None:
    before = api.commands()
    (error,) = update(api, "1", {name: None}, groups=OPERATORS)["errors"]
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", name])
    assert error["message"].startswith(f"{name} cannot be null: ")
    assert NOT_NULL[name] in error["message"]
    assert api.commands() == before


def test_every_input_of_an_update_says_what_null_means() -> None:
    tried = {name for _, name, _ in NULLS} | {"name", "beginTime", "arrayLimit", "reservation", "licenses", "deadline"}
    kind = schema._schema.type_map["UpdateJobInput"]
    assert isinstance(kind, GraphQLInputObjectType)
    assert set(kind.fields) == tried | set(NOT_NULL) | {"adminComment", "id", "cluster"}


def test_an_arrays_id_means_all_of_its_tasks(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold", "--array=1-9%2")
    assert update(api, id, {"arrayLimit": 4, "comment": "all"})["errors"] == []
    assert jobs.told(id, "%i %k") == f"{id}_[1-9%4] all"


def test_a_change_costs_one_command_and_the_next_answer_shows_it(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--hold")
    query = "query ($id: ID!) { job(id: $id) { comment } }"
    api.data(query, {"id": id})
    before = api.commands()
    update(api, id, {"comment": "seen"})
    assert api.commands() == before + 1
    assert api.data(query, {"id": id}) == {"job": {"comment": "seen"}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, []),
        ({"timeLimitSeconds": 0}, ["timeLimitSeconds"]),
        ({"timeMinSeconds": -1}, ["timeMinSeconds"]),
        ({"queue": "a,,b"}, ["queue"]),
        ({"nice": 2147483646}, ["nice"]),
        ({"name": "x" * 1025}, ["name"]),
        ({"comment": "a\0b"}, ["comment"]),
        ({"account": "--uid=0"}, ["account"]),
        ({"qos": "a,b"}, ["qos"]),
        ({"qos": "a\ud800"}, ["qos"]),
        ({"dependency": "afterok"}, ["dependency"]),
        ({"beginTime": "1960-11-22T10:00:00Z"}, ["beginTime"]),
        ({"nodes": 0}, ["nodes"]),
        ({"nodes": 3, "maxNodes": 2}, ["maxNodes"]),
        ({"maxNodes": 2}, ["maxNodes"]),
        ({"tasks": 0}, ["tasks"]),
        ({"cpus": 0}, ["cpus"]),
        ({"cpusPerTask": -4}, ["cpusPerTask"]),
        ({"memoryMib": -1}, ["memoryMib"]),
        ({"features": "a;b"}, ["features"]),
        ({"nodeNames": ["ALL"]}, ["nodeNames"]),
        ({"excludedNodeNames": ["a[1-"]}, ["excludedNodeNames"]),
        ({"licenses": "a b"}, ["licenses"]),
        ({"reservation": "a\tb"}, ["reservation"]),
        ({"arrayLimit": -1}, ["arrayLimit"]),
        ({"stdoutPath": ""}, ["stdoutPath"]),
    ],
)
def test_a_wrong_input_is_reported_by_its_path_and_nothing_is_sent(
    api: Api, changes: dict[str, Any], field: list[str]
) -> None:
    before = api.commands()
    assert refused(api, "1", changes) == [("INVALID_INPUT", ["input", *field])]
    assert api.commands() == before


def test_wrong_values_of_fields_for_operators_are_reported(api: Api) -> None:
    before = api.commands()
    changes = {"priority": -1, "adminComment": "x" * 1025, "deadline": "1960-11-22T10:00:00Z"}
    found = refused(api, "1", changes, groups=OPERATORS)
    assert found == [("INVALID_INPUT", ["input", name]) for name in changes]
    assert api.commands() == before


def test_wrong_ids_and_clusters_are_refused_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    assert refused(api, "1; id", {"comment": "x"}) == [("INVALID_INPUT", ["input", "id"])]
    assert refused(api, "nowhere:1", {"comment": "x"}) == [("NOT_FOUND", ["input", "cluster"])]
    assert api.commands() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"queue": "nope"}, "queue"),
        ({"queue": "a b;$(id)"}, "queue"),
        ({"licenses": "nope:1"}, "licenses"),
        ({"reservation": "nope"}, "reservation"),
        ({"reservation": "a b"}, "reservation"),
        ({"nodeNames": ["nope"]}, "nodeNames"),
    ],
)
def test_the_schedulers_refusal_names_the_input_it_is_about(
    api: Api, jobs: Jobs, changes: dict[str, Any], field: str
) -> None:
    assert refused(api, jobs.submit("--hold"), changes) == [("REJECTED_BY_SCHEDULER", ["input", field])]


def test_an_unknown_job_is_not_found(api: Api) -> None:
    done = update(api, UNKNOWN, {"comment": "x"})
    assert [(error["code"], error["id"]) for error in done["errors"]] == [("NOT_FOUND", f"lab:{UNKNOWN}")]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"priority": 5, "comment": "x"}, ["priority"]),
        ({"adminComment": "x", "deadline": "2030-01-01T00:00:00Z"}, ["adminComment", "deadline"]),
        ({"nice": -1}, ["nice"]),
    ],
)
def test_fields_for_operators_are_forbidden_to_a_user_and_nothing_is_sent(
    api: Api, changes: dict[str, Any], fields: list[str]
) -> None:
    before = api.commands()
    assert refused(api, "1", changes) == [("FORBIDDEN", ["input", field]) for field in fields]
    assert api.commands() == before


@two_users
def test_another_users_job_is_forbidden_and_an_operator_may(api: Api, jobs: Jobs) -> None:
    id = jobs.submit("--begin=now+1hour")
    assert refused(api, id, {"comment": "x"}, user="grace") == [("FORBIDDEN", None)]
    assert jobs.told(id, "%k") == "(null)"
    for operator, priority in (("grace", 4294901758), ("nobody-here", 78)):
        changes = {"comment": operator, "priority": priority, "nice": 0}
        assert update(api, id, changes, user=operator, groups=OPERATORS)["job"]["priority"] == priority
        assert jobs.told(id, "%k %Q") == f"{operator} {priority}"


def test_only_an_operator_can_raise_the_time_limit_of_a_running_job(api: Api, jobs: Jobs) -> None:
    id = jobs.running("--time=20")
    assert update(api, id, {"timeLimitSeconds": 600})["errors"] == []
    assert [code for code, _ in refused(api, id, {"timeLimitSeconds": 1800})] == ["FORBIDDEN"]
    assert jobs.told(id, "%l") == "10:00"
    assert update(api, id, {"timeLimitSeconds": 1800}, groups=OPERATORS)["errors"] == []
    assert jobs.told(id, "%l") == "30:00"
    assert [code for code, _ in refused(api, id, {"queue": "gpu"})] == ["CONFLICT"]


def test_a_viewer_cannot_change_even_own_jobs_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    assert refused(api, "1", {"comment": "x"}, groups="slurmql-viewers") == [("FORBIDDEN", None)]
    for document in (SIGNAL, SUSPEND, RESUME):
        signal = {"signal": "USR1"} if document == SIGNAL else {}
        done = api.data(document, {"ids": ["1"], **signal}, groups="slurmql-viewers")["done"]
        assert [error["code"] for error in done["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before


# --- signalling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["BATCH", "FULL"])
def test_a_signal_can_go_to_the_batch_script(api: Api, jobs: Jobs, lab: Cluster, target: str) -> None:
    ready = lab.user("ada").workspace / f"ready-{target}"
    # The shell heeds its traps while it waits for a process in the background.
    id = jobs.running(script=f"trap 'exit 7' USR1; touch {ready}; sleep 300 & wait")
    until(ready.exists, 60)
    done, errors = act(api, SIGNAL, id, signal="USR1", target=target)
    assert (set(done), errors) == ({id}, {})
    until(lambda: "ExitCode=7:0" in jobs.shown(id), 60)


def test_wrong_signals_and_ids_are_refused_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    for variables, field in (
        ({"ids": ["1"], "signal": "-KILL"}, ["signal"]),
        ({"ids": ["1"], "signal": ""}, ["signal"]),
        ({"ids": ["x"], "signal": "USR1"}, ["ids"]),
        ({"ids": [], "signal": "USR1"}, ["ids"]),
        ({"ids": [str(id) for id in range(1, 202)], "signal": "USR1"}, ["ids"]),
    ):
        done = api.data(SIGNAL, variables)["done"]
        assert [(error["code"], error["field"]) for error in done["errors"]] == [("INVALID_INPUT", ["input", *field])]
    assert api.codes(SIGNAL, {"ids": ["1"], "signal": "USR1", "target": "NODES"}) == ["GRAPHQL_VALIDATION_FAILED"]
    assert api.commands() == before


@two_users
def test_another_user_cannot_signal_a_job_and_an_operator_can(api: Api, jobs: Jobs) -> None:
    id = jobs.running()
    assert act(api, SIGNAL, id, UNKNOWN, user="grace", signal="KILL") == (
        {},
        {f"lab:{id}": "FORBIDDEN", f"lab:{UNKNOWN}": "NOT_FOUND"},
    )
    assert jobs.told(id, "%T") == "RUNNING"
    assert act(api, SIGNAL, id, user="grace", groups=OPERATORS, signal="CONT") == ({id: "RUNNING"}, {})


# --- suspending -----------------------------------------------------------------------------------------------------


def test_an_operator_suspends_and_resumes_with_an_answer_for_each_job(api: Api, jobs: Jobs) -> None:
    id, waiting = jobs.running(), jobs.submit("--hold")
    done = act(api, SUSPEND, id, waiting, UNKNOWN, groups=OPERATORS)
    assert done == ({id: "SUSPENDED"}, {f"lab:{waiting}": "CONFLICT", f"lab:{UNKNOWN}": "NOT_FOUND"})
    assert jobs.told(id, "%T") == "SUSPENDED"
    assert act(api, RESUME, f"lab:{id}", groups=OPERATORS) == ({id: "RUNNING"}, {})
    assert jobs.told(id, "%T") == "RUNNING"
    assert act(api, RESUME, id, groups=OPERATORS) == ({}, {f"lab:{id}": "CONFLICT"})


def test_a_jobs_own_user_cannot_suspend_or_resume_it_and_nothing_is_sent(api: Api, jobs: Jobs) -> None:
    id = jobs.running()
    before = api.commands()
    for document in (SUSPEND, RESUME):
        done = api.data(document, {"ids": [id]})["done"]
        assert done["jobs"] == []
        assert [error["code"] for error in done["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before
    assert jobs.told(id, "%T") == "RUNNING"


def test_wrong_ids_to_suspend_are_refused_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    for ids in ([], ["x"]):
        for document in (SUSPEND, RESUME):
            done = api.data(document, {"ids": ids}, groups=OPERATORS)["done"]
            assert [(error["code"], error["field"]) for error in done["errors"]] == [
                ("INVALID_INPUT", ["input", "ids"])
            ]
    assert api.commands() == before
