"""Signing in locally, and what each role may do: through the local gateway, on the real cluster."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster
from local.gateway import Gateway
from local.stack import Stack

VIEWER = "{ viewer { identity clusterUser role } }"


@pytest.fixture
def gateway(api: Api, stack: Stack) -> Iterator[Gateway]:
    with Gateway(api.handler, stack.demo_user) as running:
        yield running


def ask(gateway: Gateway, document: str, authorization: str | None = None, **variables: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    body = json.dumps({"query": document, "variables": variables}).encode()
    request = urllib.request.Request(f"{gateway.url}/graphql", body, headers)  # noqa: S310 - ours, on loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - ours, on loopback
        content: dict[str, Any] = json.load(answer)
    assert "errors" not in content, content
    data: dict[str, Any] = content["data"]
    return data


def viewer(gateway: Gateway, authorization: str | None) -> tuple[str, str | None, str]:
    found = ask(gateway, VIEWER, authorization)["viewer"]
    return found["identity"], found["clusterUser"], found["role"]


def test_without_a_header_it_is_the_demo_user(gateway: Gateway, stack: Stack) -> None:
    assert viewer(gateway, None) == (stack.demo_user, stack.demo_user, "USER")


def test_a_bearer_is_who_it_names(gateway: Gateway, lab: Cluster) -> None:
    other = lab.users[-1].name
    assert viewer(gateway, f"Bearer {other}") == (other, other, "USER")


def test_a_name_without_an_account_may_look(gateway: Gateway) -> None:
    assert viewer(gateway, "Bearer nobody-here") == ("nobody-here", None, "VIEWER")


@pytest.mark.parametrize("name", ["root", "slurm", "munge", "daemon", "nobody"])
def test_a_systems_account_is_nobody_to_act_as(gateway: Gateway, name: str) -> None:
    assert viewer(gateway, f"Bearer {name}") == (name, None, "VIEWER")


def test_the_groups_behind_the_name_give_the_role(gateway: Gateway, stack: Stack) -> None:
    name = stack.demo_user
    assert viewer(gateway, f"Bearer {name};groups=staff,slurmql-operators") == (name, name, "OPERATOR")
    assert viewer(gateway, f"Bearer {name};groups=slurmql-viewers") == (name, None, "VIEWER")
    assert viewer(gateway, f"Bearer {name};groups=staff") == (name, name, "USER")
    assert viewer(gateway, f"Bearer {name};groups=") == (name, name, "USER")


@pytest.fixture
def job(lab: Cluster) -> Iterator[str]:
    """A held job of the first demo user."""
    user = lab.users[0].name
    made = lab.run("sbatch", "--parsable", "--hold", user=user, input="#!/bin/bash\ntrue\n").stdout.strip()
    yield made
    lab.run("scancel", made)


def cancel(gateway: Gateway, authorization: str, job: str) -> list[str]:
    """The codes of what was refused."""
    document = "mutation ($ids: [ID!]!) { cancelJobs(input: {jobs: {ids: $ids} }) { errors { code } } }"
    return [error["code"] for error in ask(gateway, document, authorization, ids=[job])["cancelJobs"]["errors"]]


def state(lab: Cluster, job: str) -> str:
    return lab.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").stdout.strip()


def test_another_user_may_not_cancel_the_job_and_its_owner_may(gateway: Gateway, lab: Cluster, job: str) -> None:
    owner, other = lab.users[0].name, lab.users[-1].name
    if owner != other:  # an ordinary user's cluster has but one
        assert cancel(gateway, f"Bearer {other}", job) == ["FORBIDDEN"]
    assert state(lab, job) == "PENDING"
    assert cancel(gateway, f"Bearer {owner}", job) == []
    assert state(lab, job) == "CANCELLED"


@pytest.mark.parametrize("who", ["Bearer ada;groups=slurmql-viewers", "Bearer Ada Lovelace"])
def test_a_viewer_may_not_change_anything_and_nothing_is_sent(
    gateway: Gateway, api: Api, lab: Cluster, job: str, who: str
) -> None:
    before = api.commands()
    assert cancel(gateway, who, job) == ["FORBIDDEN"]
    assert api.commands() == before
    assert state(lab, job) == "PENDING"


@pytest.mark.parametrize("who", ["Bearer nobody-here", "Bearer root", "Bearer slurm"])
def test_who_has_no_account_to_act_as_may_not_change_anything(
    gateway: Gateway, lab: Cluster, job: str, who: str
) -> None:
    assert cancel(gateway, who, job) == ["FORBIDDEN"]
    submit = 'mutation { submitJob(input: { script: {text: "#!/bin/sh\\ntrue\\n"} }) { job { id } errors { code } } }'
    assert ask(gateway, submit, who)["submitJob"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
    assert state(lab, job) == "PENDING"


def test_an_operator_may_cancel_anybodys_job_without_an_account(gateway: Gateway, lab: Cluster, job: str) -> None:
    assert cancel(gateway, "Bearer Ada Lovelace;groups=slurmql-operators", job) == []
    assert state(lab, job) == "CANCELLED"
