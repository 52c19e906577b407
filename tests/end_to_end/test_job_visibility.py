"""jobVisibility OWN: a caller who is not an operator sees only their own jobs, in every field."""

import dataclasses
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type, is_required_argument
from test_actions import two_users

import schema as contract
from access.configuration import access
from conftest import Api
from local.cluster import Cluster

SCHEMA = build_schema(contract.schema.as_str())
MARK = "unseen-by-others"
OPERATOR: dict[str, Any] = {"user": "grace", "groups": "slurmql-operators"}
VIEWER: dict[str, Any] = {"user": "grace", "groups": "slurmql-viewers"}
NOBODY: dict[str, Any] = {"user": "nobody-here"}
LEVELS = 4

pytestmark = two_users


class Jobs:
    """Jobs of ada's that grace must not see, and one of grace's own that waits for one of them."""

    def __init__(self, cluster: Cluster) -> None:
        def submit(user: str, *options: str) -> str:
            script = f"#!/bin/bash\n# {MARK if user == 'ada' else ''}\nexec sleep 300\n"
            return cluster.run("sbatch", "--parsable", *options, user=user, input=script).stdout.strip()

        mark = [f"--job-name={MARK}", f"--comment={MARK}", "--output=/tmp/" + MARK]
        self.running = submit("ada", "--nodelist=queue1-st-small-1", "--output=/dev/null", *mark[:2])
        self.held = submit("ada", "--hold", *mark)
        self.array = submit("ada", "--hold", "--array=1-3", *mark)
        self.ended = submit("ada", "--hold", *mark)
        cluster.run("scancel", self.ended)
        self.own = submit("grace", "--job-name=of-graces-own", f"--dependency=afterany:{self.held}")
        self.of_ada = [self.running, self.held, self.array, self.ended]
        self.all = [*self.of_ada, self.own]
        for command, told in (
            (["squeue", "-h", "-j", self.running, "-o", "%T"], "RUNNING"),
            # In a time window, because accounting may have a step's record before its job's, which has the times.
            (["sacct", "-n", "-X", "-a", "-S", "now-1hour", "-o", "State", "-j", self.running], "RUNNING"),
            (["sacct", "-n", "-X", "-a", "-o", "JobID", "-j", self.own], self.own),
        ):
            give_up = time.monotonic() + 90
            while cluster.run(*command).stdout.strip() != told:
                assert time.monotonic() < give_up, command
                time.sleep(0.1)


@pytest.fixture(scope="module")
def jobs(lab: Cluster) -> Iterator[Jobs]:
    made = Jobs(lab)
    yield made
    for id in made.all:
        lab.run("scancel", id)


def configure(configured: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import handler

    monkeypatch.setattr(handler, "rules", access(json.dumps(configured), handler.settings.clusters))


@pytest.fixture(autouse=True)
def own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    configure({"jobVisibility": "OWN"}, monkeypatch)


def ids(api: Api, document: str, **who: Any) -> list[str]:
    """The job ids of a page called `it`."""
    return [job["jobId"] for job in api.data(document, **who)["it"]["nodes"]]


LISTS = [
    "{ it: jobs(first: 1000) { nodes { jobId } } }",
    "{ it: jobHistory(first: 1000) { nodes { jobId } } }",
    '{ it: jobs(first: 1000, filter: {user: "ada"}) { nodes { jobId } } }',
    '{ it: jobs(first: 1000, filter: {nameContains: "seen-by"}) { nodes { jobId } } }',
    "{ it: jobs(first: 1000, filter: {states: [RUNNING, PENDING]}, orderBy: [{field: NAME}]) { nodes { jobId } } }",
]


@pytest.mark.parametrize("document", LISTS)
def test_a_user_sees_their_own_jobs_and_an_operator_all(document: str, api: Api, jobs: Jobs) -> None:
    seen = set(ids(api, document, user="grace"))
    assert seen.isdisjoint(jobs.of_ada)
    assert jobs.running not in seen
    assert jobs.running in ids(api, document, **OPERATOR)
    assert jobs.running in ids(api, document, user="ada")


def test_own_jobs_are_seen_as_before(api: Api, jobs: Jobs) -> None:
    one = f'{{ job(id: "{jobs.own}") {{ name user script dependencies {{ jobId job {{ id }} }} }} }}'
    found = api.data(one, user="grace")["job"]
    assert (found["name"], found["user"]) == ("of-graces-own", "grace")
    assert found["dependencies"] == [{"jobId": jobs.held, "job": None}]
    assert api.data(one, **OPERATOR)["job"]["dependencies"] == [{"jobId": jobs.held, "job": {"id": f"lab:{jobs.held}"}}]


@pytest.mark.parametrize("warm", [False, True])
def test_another_users_job_is_null_like_one_that_does_not_exist(warm: bool, api: Api, jobs: Jobs) -> None:
    for id in [*jobs.of_ada, f"{jobs.array}_2", f"lab:{jobs.held}"]:
        one = f'{{ job(id: "{id}") {{ id name script output {{ text }} steps {{ name }} }} }}'
        if warm:
            api.data("{ jobs { totalCount } }", **OPERATOR)
        assert api.data(one, user="grace") == {"job": None}
        assert api.data(f'{{ job(id: "{id}") {{ user }} }}', user="ada")["job"] == {"user": "ada"}


def test_counts_include_only_visible_jobs(api: Api, jobs: Jobs) -> None:
    asked = "{ jobs(first: 0) { totalCount countsByState { count } } }"
    seen = api.data("{ jobs(first: 1000) { nodes { user } } }", user="grace")["jobs"]["nodes"]
    found = api.data(asked, user="grace")["jobs"]
    assert found["totalCount"] == len(seen) == sum(state["count"] for state in found["countsByState"])
    assert api.data(asked, **OPERATOR)["jobs"]["totalCount"] >= found["totalCount"] + len(jobs.of_ada) - 1


@pytest.mark.parametrize("who", [NOBODY, {"user": "Grace"}, {"user": "root"}])
def test_a_viewer_without_an_account_sees_no_jobs(who: dict[str, Any], api: Api, jobs: Jobs) -> None:
    asked = "{ jobs { totalCount } jobHistory { totalCount } nodes { nodes { jobs { id } } } viewer { jobVisibility } }"
    found = api.data(asked, **who)
    assert found["jobs"] == found["jobHistory"] == {"totalCount": 0}
    assert {str(node["jobs"]) for node in found["nodes"]["nodes"]} == {"[]"}
    assert found["viewer"] == {"jobVisibility": "OWN"}


def test_a_viewer_with_an_account_sees_their_own(api: Api, jobs: Jobs) -> None:
    assert set(ids(api, LISTS[0], **VIEWER)) >= {jobs.own}
    assert set(ids(api, LISTS[0], **VIEWER)).isdisjoint(jobs.of_ada)


def test_the_place_in_the_queue_is_hidden_because_it_counts_other_peoples_jobs(api: Api, jobs: Jobs) -> None:
    asked = "{ jobs(filter: {states: [PENDING]}) { nodes { queuePosition } } }"
    assert {job["queuePosition"] for job in api.data(asked, user="grace")["jobs"]["nodes"]} == {None}


def test_associations_and_shares_of_others_are_not_shown(api: Api) -> None:
    asked = """{ cluster { associations { nodes { user account } }
      accounts { nodes { associations { nodes { user } } } } } }"""
    found = api.data(asked, user="grace")["cluster"]
    nested = {line["user"] for account in found["accounts"]["nodes"] for line in account["associations"]["nodes"]}
    assert {line["user"] for line in found["associations"]["nodes"]} == nested == {"grace", None}
    everybody = api.data(asked, **OPERATOR)["cluster"]["associations"]["nodes"]
    assert {"ada", "grace"} <= {line["user"] for line in everybody}


ACTIONS = {
    "cancelJobs": "cancelJobs(input: {jobs: {ids: %s}}) { jobs { id } errors { code message id: targetId } }",
    "holdJobs": "holdJobs(input: {ids: %s}) { jobs { id } errors { code message id: targetId } }",
    "releaseJobs": "releaseJobs(input: {ids: %s}) { jobs { id } errors { code message id: targetId } }",
    "requeueJobs": "requeueJobs(input: {ids: %s}) { jobs { id } errors { code message id: targetId } }",
    "signalJobs": 'signalJobs(input: {ids: %s, signal: "USR1"}) { jobs { id } errors { code message id: targetId } }',
}


@pytest.mark.parametrize("action", ACTIONS)
def test_acting_on_another_users_job_reveals_no_more_than_acting_on_none(
    action: str, api: Api, lab: Cluster, jobs: Jobs
) -> None:
    before = lab.run("squeue", "-h", "-j", ",".join(jobs.of_ada[:3]), "-o", "%i %T %r").stdout
    asked = [*jobs.of_ada, f"{jobs.array}_2", "4294960000"]
    done = api.data(f"mutation {{ {ACTIONS[action] % json.dumps(asked)} }}", user="grace")[action]
    assert done["jobs"] == []
    assert [error["id"] for error in done["errors"]] == [f"lab:{id}" for id in asked]
    told = {(error["code"], error["message"]) for error in done["errors"]}
    assert told == {("NOT_FOUND", "You have no job with that id.")}
    assert lab.run("squeue", "-h", "-j", ",".join(jobs.of_ada[:3]), "-o", "%i %T %r").stdout == before


def test_changing_another_users_job_reveals_no_more(api: Api, jobs: Jobs) -> None:
    for id in [*jobs.of_ada, "4294960000"]:
        document = f'mutation {{ updateJob(input: {{id: "{id}", comment: "x"}}) {{ job {{ id }} errors {{ code }} }} }}'
        assert api.data(document, user="grace")["updateJob"] == {"job": None, "errors": [{"code": "NOT_FOUND"}]}


def test_a_dry_run_shows_only_own_jobs(api: Api, jobs: Jobs) -> None:
    matching = "{filter: {states: [PENDING, RUNNING]}, limit: 200, dryRun: true}"
    chosen = f"input: {{jobs: {{matching: {matching}}}}}"
    document = f"mutation {{ cancelJobs({chosen}) {{ jobs {{ user }} errors {{ code }} }} }}"
    done = api.data(document, user="grace")["cancelJobs"]
    assert ({job["user"] for job in done["jobs"]}, done["errors"]) == ({"grace"}, [])


def test_each_cluster_has_its_own_visibility(api: Api, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    configure({"clusters": {"annex": {"jobVisibility": "OWN"}}}, monkeypatch)
    assert jobs.running in ids(api, LISTS[0], user="grace")
    asked = '{ viewer { jobVisibility } there: viewer(cluster: "annex") { jobVisibility } }'
    assert api.data(asked, user="grace") == {"viewer": {"jobVisibility": "ALL"}, "there": {"jobVisibility": "OWN"}}


# --- everything there is --------------------------------------------------------------------------------------------

ARGUMENTS = {"Query.queue": '(name: "queue1")', "Query.node": '(name: "queue1-st-small-1")'}


def everything(kind: GraphQLObjectType, above: tuple[str, ...]) -> str:
    """Every field of a type, and below it what LEVELS and the types above leave."""
    selected = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        call = name + ARGUMENTS.get(f"{kind.name}.{name}", "(first: 1000)" if "first" in field.args else "")
        if "(" not in call and any(map(is_required_argument, field.args.values())):
            continue
        if not isinstance(below, GraphQLObjectType):
            selected.append(call)
        elif below.name not in above and len(above) < LEVELS:
            selected.append(f"{call} {{ {everything(below, (*above, below.name))} }}")
    return " ".join(selected) or "__typename"


def documents() -> list[Any]:
    """A document for each field of Query that asks for whatever can be asked below it."""
    query = SCHEMA.query_type
    assert query is not None
    made = {
        name: everything(GraphQLObjectType("Query", {name: field}), ("Query",)) for name, field in query.fields.items()
    }
    return [pytest.param(name, f"{{ {asked} }}", id=name) for name, asked in made.items() if asked != "__typename"]


def users(answer: Any) -> set[str]:
    """Every `user` in an answer."""
    if isinstance(answer, list):
        return set().union(*map(users, answer))
    if not isinstance(answer, dict):
        return set()
    own = {answer["user"]} if isinstance(answer.get("user"), str) else set()
    return own.union(*map(users, answer.values()))


@pytest.fixture
def unlimited(own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import handler

    monkeypatch.setattr(handler, "settings", dataclasses.replace(handler.settings, cost_limit=10**12, depth_limit=60))


@pytest.mark.parametrize(("name", "document"), documents())
def test_no_query_shows_another_users_job(name: str, document: str, api: Api, jobs: Jobs, unlimited: None) -> None:
    """An operator sees them with the same document, so a missing job means that it is hidden."""
    found, everybodys = (api.ask(document, **who) for who in ({"user": "grace"}, OPERATOR))
    assert MARK not in json.dumps(found["data"])
    assert users(found["data"]) <= {"grace"}
    assert (MARK in json.dumps(everybodys["data"])) == (name not in ("viewer", "suggestedPollSeconds")), everybodys.get(
        "errors"
    )
