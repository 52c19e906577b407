"""Health for monitors: what it shows when all is well and when something fails; the query itself succeeds."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from slurm_words import ask_anew, say

from conftest import Api
from local.cluster import Cluster
from local.ssm import Instance
from local.stack import Stack

CHECK = "ok message code"
FIELDS = f"""name health {{ ok agent {{ {CHECK} }} headNode {{ {CHECK} }} scheduler {{ {CHECK} }}
  accounting {{ {CHECK} }} controllers {{ role host isUp }} snapshots {{ name asOf ageSeconds }} }}"""
WELL = {"ok": True, "message": None, "code": None}


def health(api: Api, cluster: str, besides: str = "") -> dict[str, Any]:
    """The cluster's health, read anew; the answer has no errors."""
    told: dict[str, Any] = ask_anew(api, f'{{ cluster(name: "{cluster}") {{ {FIELDS} {besides} }} }}')["cluster"][
        "health"
    ]
    return told


@pytest.fixture
def stopped_annex(stack: Stack) -> Iterator[Instance]:
    instance = stack.ssm.instances[1]
    instance.stopped = True
    yield instance
    instance.stopped = False


@pytest.fixture
def annex_without_agent(stack: Stack) -> Iterator[Instance]:
    instance = stack.ssm.instances[1]
    instance.online = False
    yield instance
    instance.online = True


@pytest.fixture
def down(stack: Stack) -> Iterator[Cluster]:
    annex = stack.clusters["annex"]
    annex.stop_controller()
    yield annex
    annex.start_controller()


def test_when_all_is_well_every_check_says_so_and_it_costs_one_command(api: Api, lab: Cluster) -> None:
    before = api.commands()
    told = health(api, "lab")
    assert api.commands() == before + 1
    assert (told["ok"], told["agent"], told["headNode"], told["scheduler"], told["accounting"]) == (True, *[WELL] * 4)
    (controller,) = told["controllers"]
    assert (controller["role"], controller["isUp"]) == ("primary", True)
    assert f"at {controller['host']} is UP" in say(lab, "scontrol", "ping")


def test_a_cluster_without_accounting_is_well_all_the_same(api: Api) -> None:
    told = health(api, "annex")
    assert (told["ok"], told["accounting"]) == (True, None)


def test_kept_snapshots_are_reported_with_their_age(api: Api) -> None:
    assert health(api, "lab")["snapshots"] == []
    query = "{ cluster { jobs { asOf } nodes { asOf } health { snapshots { name asOf ageSeconds } } } }"
    told = api.data(query)["cluster"]
    ages = {each["name"]: each for each in told["health"]["snapshots"]}
    assert set(ages) == {"jobs", "nodes"}
    assert ages["jobs"]["asOf"] == told["jobs"]["asOf"]
    assert 0 <= ages["nodes"]["ageSeconds"] < 5
    first = ages["jobs"]["ageSeconds"]
    later = api.data("{ cluster { health { snapshots { name asOf ageSeconds } } } }")["cluster"]["health"]["snapshots"]
    assert next(each["ageSeconds"] for each in later if each["name"] == "jobs") > first
    assert datetime.fromisoformat(later[0]["asOf"]).tzinfo is not None


def test_a_dead_scheduler_is_reported_and_the_query_succeeds(api: Api, down: Cluster) -> None:
    told = health(api, "annex")
    assert (told["ok"], told["agent"], told["headNode"]) == (False, WELL, WELL)
    assert (told["scheduler"]["ok"], told["scheduler"]["code"]) == (False, "SCHEDULER_UNAVAILABLE")
    assert told["scheduler"]["message"].startswith("No slurmctld answers: ")
    assert [controller["isUp"] for controller in told["controllers"]] == [False]
    assert told["accounting"] is None


def test_a_stopped_head_node_is_reported_and_other_clusters_are_well(api: Api, stopped_annex: Instance) -> None:
    lab, annex = (each["health"] for each in ask_anew(api, f"{{ clusters {{ {FIELDS} }} }}")["clusters"])
    assert lab["ok"] is True
    assert annex["ok"] is False
    for check in ("agent", "headNode", "scheduler"):
        assert annex[check]["ok"] is False
        assert annex[check]["code"] == "CLUSTER_UNREACHABLE"
        assert annex[check]["message"]
    assert annex["controllers"] == []


def test_a_dead_agent_is_reported_with_its_last_ping_and_the_query_succeeds(
    api: Api, annex_without_agent: Instance
) -> None:
    lab, annex = (each["health"] for each in ask_anew(api, f"{{ clusters {{ {FIELDS} }} }}")["clusters"])
    assert lab["ok"] is True
    assert (annex["ok"], annex["agent"]["code"]) == (False, "CLUSTER_UNREACHABLE")
    assert annex["agent"]["message"].startswith(
        "Systems Manager reports the agent as ConnectionLost, last heard of at 20"
    )
    assert (annex["headNode"]["ok"], annex["headNode"]["code"]) == (False, "CLUSTER_UNREACHABLE")
    assert annex_without_agent.id in annex["headNode"]["message"]
    assert annex["controllers"] == []


def test_what_fails_beside_it_fails_alone(api: Api, down: Cluster) -> None:
    answer = api.ask('{ cluster(name: "annex") { jobs { totalCount } health { ok scheduler { ok } } } }')
    assert answer["data"]["cluster"] == {"jobs": None, "health": {"ok": False, "scheduler": {"ok": False}}}
    assert [error["path"] for error in answer["errors"]] == [["cluster", "jobs"]]


def test_an_unknown_caller_learns_nothing(api: Api) -> None:
    import json

    from conftest import event
    from local.gateway import Context

    body = json.dumps({"query": "{ cluster { health { ok } } }"})
    answer = json.loads(api.handler(event(body, None), Context())["body"])
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
