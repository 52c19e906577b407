"""SLURMQL_ACCESS on real clusters: each caller has exactly the account and role that the rules give."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from test_actions import two_users

from access.configuration import access
from conftest import Api, event
from local.cluster import Cluster
from local.gateway import Context

PORTAL = "arn:aws:sts::111122223333:assumed-role/HpcPortal/"
CONFIGURED = {
    "users": {
        "lovelace@example.com": "ada",
        "boss@example.com": {"role": "OPERATOR"},
        "mallory@example.com": {"role": "NONE"},
        PORTAL + "{user}@example.com": "{user}",
    },
    "groups": {"staff": "OPERATOR"},
    "others": {"user": None, "role": "VIEWER"},
    "clusters": {
        "annex": {
            "users": {"lovelace@example.com": "grace"},
            "groups": {"staff": "USER"},
            "others": {"role": "NONE"},
        }
    },
}
WHO = "{ viewer { identity clusterUser role } }"
SUBMIT = """mutation ($cluster: String) {
  submitJob(input: {script: {text: "#!/bin/sh\\ntrue\\n"}, hold: true, name: "submitted-by-rule", cluster: $cluster}) {
    job { id user } errors { code message field }
  }
}"""


@pytest.fixture(autouse=True)
def configured(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import handler

    monkeypatch.setattr(handler, "rules", access(json.dumps(CONFIGURED), handler.settings.clusters))


@pytest.fixture(autouse=True, scope="module")
def no_job_stays(lab: Cluster) -> Iterator[None]:
    yield
    lab.run("scancel", "--name=submitted-by-rule")


def ask(api: Api, document: str, arn: str | None = None, **variables: Any) -> dict[str, Any]:
    """The answer for an IAM principal."""
    asked = event(json.dumps({"query": document, "variables": variables}), user=None)
    asked["requestContext"]["authorizer"] = {"iam": {"userArn": arn}}
    answer: dict[str, Any] = json.loads(api.handler(asked, Context())["body"])
    return answer


@two_users
def test_a_name_in_the_mapping_acts_as_its_account(api: Api) -> None:
    assert api.data(WHO, user="lovelace@example.com")["viewer"] == {
        "identity": "lovelace@example.com",
        "clusterUser": "ada",
        "role": "USER",
    }
    assert api.data(SUBMIT, user="lovelace@example.com")["submitJob"]["job"]["user"] == "ada"


@two_users
def test_an_iam_session_acts_as_the_account_that_its_name_is(api: Api) -> None:
    arn = PORTAL + "grace@example.com"
    assert ask(api, WHO, arn)["data"]["viewer"] == {"identity": arn, "clusterUser": "grace", "role": "USER"}
    assert ask(api, SUBMIT, arn)["data"]["submitJob"]["job"]["user"] == "grace"


@pytest.mark.parametrize(
    "arn",
    [
        PORTAL + "grace",
        PORTAL + "Grace@example.com",
        PORTAL + "../grace@example.com",
        PORTAL + "root@example.com",
        PORTAL + "slurm@example.com",
        "arn:aws:sts::444455556666:assumed-role/HpcPortal/grace@example.com",
        "arn:aws:iam::111122223333:root",
    ],
)
def test_another_principal_may_only_look(arn: str, api: Api) -> None:
    before = api.commands()
    assert ask(api, WHO, arn)["data"]["viewer"] == {"identity": arn, "clusterUser": None, "role": "VIEWER"}
    assert [error["code"] for error in ask(api, SUBMIT, arn)["data"]["submitJob"]["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before


@pytest.mark.parametrize("user", ["ada", "../ada", "ADA", "root", "slurm", PORTAL + "ada@example.com"])
def test_a_name_that_matches_no_line_may_only_look(user: str, api: Api) -> None:
    """Even if it is the name of an account: `others` decides."""
    before = api.commands()
    assert api.data(WHO, user=user)["viewer"] == {"identity": user, "clusterUser": None, "role": "VIEWER"}
    assert [error["code"] for error in api.data(SUBMIT, user=user)["submitJob"]["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before


def test_a_caller_without_any_role_gets_nothing_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    for document in ("{ jobs { totalCount } }", "{ clusters { name } }", WHO, '{ job(id: "lab:1") { id } }'):
        assert api.codes(document, user="mallory@example.com") == ["FORBIDDEN"]
    refused = api.data(SUBMIT, user="mallory@example.com")["submitJob"]
    assert (refused["job"], [error["code"] for error in refused["errors"]]) == (None, ["FORBIDDEN"])
    assert api.commands() == before


def test_a_cluster_without_access_is_not_shown_and_no_command_goes_to_it(api: Api) -> None:
    assert api.data("{ clusters { name queues { name } } }", user="guest")["clusters"][0]["name"] == "lab"
    sent = api.commands()
    asked = api.ask('{ here: queues { name } there: queues(cluster: "annex") { name } }', user="guest")
    assert asked["data"]["here"] and asked["data"]["there"] is None
    (error,) = asked["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "argument": "cluster"}
    assert error["message"] == "guest has no access to the cluster annex. Your clusters: lab."
    for document in (
        '{ cluster(name: "annex") { nodes { totalCount } } }',
        '{ job(id: "annex:1") { id } }',
        '{ viewer(cluster: "annex") { role } }',
    ):
        assert api.codes(document, user="guest") == ["FORBIDDEN"]
    assert api.commands() == sent


def test_a_change_on_a_cluster_without_access_is_refused(api: Api) -> None:
    before = api.commands()
    refused = api.data(SUBMIT, {"cluster": "annex"}, user="guest")["submitJob"]
    assert refused["errors"] == [
        {
            "code": "FORBIDDEN",
            "message": "guest has no access to the cluster annex. Your clusters: lab.",
            "field": ["input", "cluster"],
        }
    ]
    assert api.commands() == before


@two_users
def test_a_cluster_may_have_its_own_account_for_a_user(api: Api, lab: Cluster) -> None:
    asked = '{ viewer { clusterUser } there: viewer(cluster: "annex") { clusterUser } }'
    found = api.data(asked, user="lovelace@example.com")
    assert found == {"viewer": {"clusterUser": "ada"}, "there": {"clusterUser": "grace"}}


def test_an_operator_of_one_cluster_is_not_an_operator_of_another(api: Api) -> None:
    document = 'mutation { updateQueue(input: {name: "queue1", action: UP, cluster: %s}) { errors { code } } }'
    who = {"user": "lovelace@example.com", "groups": "staff"}
    assert api.data(document % '"lab"', None, **who)["updateQueue"] == {"errors": []}
    before = api.commands()
    assert api.data(document % '"annex"', None, **who)["updateQueue"] == {"errors": [{"code": "FORBIDDEN"}]}
    assert api.commands() == before


def test_an_operator_by_name_needs_no_group_and_no_account(api: Api) -> None:
    assert api.data(WHO, user="boss@example.com")["viewer"] == {
        "identity": "boss@example.com",
        "clusterUser": None,
        "role": "OPERATOR",
    }
