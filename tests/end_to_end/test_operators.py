"""Operators' changes of nodes, queues and reservations, and that they are nobody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slurm_words import until

from conftest import Api
from local.cluster import Cluster

NODE = "queue1-dy-large-3"
OPERATORS = {"groups": "slurmql-operators"}
ERRORS = "errors { code message field id: targetId }"
UPDATE_NODE = f"""mutation ($input: UpdateNodeInput!) {{ done: updateNode(input: $input) {{
  nodes {{ name state flags reason queues {{ name }} }} {ERRORS} }} }}"""
UPDATE_QUEUE = f"""mutation ($input: UpdateQueueInput!) {{ done: updateQueue(input: $input) {{
  queue {{ name state nodes {{ nodes {{ name }} }} }} {ERRORS} }} }}"""
CREATE = f"""mutation ($input: CreateReservationInput!) {{ done: createReservation(input: $input) {{
  reservation {{ id name state startTime endTime durationSeconds nodeNames users flags nodes {{ name state }}
    queue {{ name }} }} {ERRORS} }} }}"""
UPDATE = f"""mutation ($input: UpdateReservationInput!) {{ done: updateReservation(input: $input) {{
  reservation {{ id startTime endTime durationSeconds users flags nodes {{ name }} }} {ERRORS} }} }}"""
DELETE = (
    f"mutation ($input: DeleteReservationInput!) {{ done: deleteReservation(input: $input) {{ id name {ERRORS} }} }}"
)


def state(cluster: Cluster, node: str) -> str:
    return cluster.run("sinfo", "-h", "-n", node, "-o", "%T").stdout.split("\n")[0]


def refusals(api: Api, document: str, variables: dict[str, Any], **who: str) -> list[tuple[str, Any]]:
    """The codes and fields of a change's refusals; nothing else is in the payload."""
    done = api.data(document, variables, **who)["done"]
    errors = done.pop("errors")
    assert all(value in (None, []) for value in done.values())
    assert all(error["message"] for error in errors)
    return [(error["code"], error["field"]) for error in errors]


@pytest.fixture
def node(lab: Cluster) -> Iterator[str]:
    yield NODE
    lab.run("scontrol", "update", f"NodeName={NODE}", "State=RESUME", check=False)


@pytest.fixture
def queue(lab: Cluster) -> Iterator[str]:
    lab.run("scontrol", "create", "PartitionName=operators", f"Nodes={NODE}")
    yield "operators"
    lab.run("scontrol", "delete", "PartitionName=operators")


# --- nodes ----------------------------------------------------------------------------------------------------------


def test_a_node_is_drained_with_a_reason_and_taken_back_in_one_command_each(api: Api, lab: Cluster, node: str) -> None:
    asked = {"names": [f"lab:{node}"], "action": "DRAIN", "reason": "bad disk=1, see #7"}
    before = api.commands()
    done = api.data(UPDATE_NODE, {"input": asked}, **OPERATORS)["done"]
    assert api.commands() == before + 1
    assert done["errors"] == []
    (drained,) = done["nodes"]
    assert (drained["name"], drained["reason"]) == (node, "bad disk=1, see #7")
    assert "DRAIN" in drained["flags"]
    shown = lab.run("scontrol", "show", "node", node).stdout
    assert "Reason=bad disk=1, see #7 [" in shown
    assert "DRAIN" in shown
    (back,) = api.data(UPDATE_NODE, {"input": {"names": [node], "action": "RESUME"}}, **OPERATORS)["done"]["nodes"]
    assert "DRAIN" not in back["flags"]
    assert "DRAIN" not in lab.run("scontrol", "show", "node", node).stdout


def test_a_node_is_set_down_and_an_unknown_node_does_not_prevent_it(api: Api, lab: Cluster, node: str) -> None:
    asked = {"names": ["nope", node], "action": "DOWN", "reason": "gone"}
    done = api.data(UPDATE_NODE, {"input": asked}, **OPERATORS)["done"]
    assert [(each["name"], each["state"]) for each in done["nodes"]] == [(node, "DOWN")]
    assert [(error["code"], error["id"]) for error in done["errors"]] == [("NOT_FOUND", "lab:nope")]
    assert state(lab, node).startswith("down")


def test_a_cloud_node_is_powered_up_and_down_without_a_job(api: Api, lab: Cluster) -> None:
    name = "queue1-dy-large-2"
    # It may still be on its way up or down after another test's job.
    until(lambda: state(lab, name) == "idle~", 60)
    up = {"names": [name], "action": "POWER_UP"}
    assert api.data(UPDATE_NODE, {"input": up}, user="nobody-here", **OPERATORS)["done"]["errors"] == []
    until(lambda: state(lab, name) == "idle", 60)
    down = {"names": [name], "action": "POWER_DOWN"}
    assert api.data(UPDATE_NODE, {"input": down}, **OPERATORS)["done"]["errors"] == []
    until(lambda: state(lab, name) == "idle~", 60)


def test_what_does_not_fit_a_nodes_state_is_a_conflict(api: Api) -> None:
    asked = {"names": ["queue1-st-small-2"], "action": "RESUME"}
    assert refusals(api, UPDATE_NODE, {"input": asked}, **OPERATORS) == [("CONFLICT", None)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"names": [], "action": "RESUME"}, "names"),
        ({"names": [f"n{number}" for number in range(201)], "action": "RESUME"}, "names"),
        ({"names": ["ALL,x"], "action": "RESUME"}, "names"),
        ({"names": ["n1", "a b"], "action": "RESUME"}, "names"),
        ({"names": [NODE], "action": "DRAIN"}, "reason"),
        ({"names": [NODE], "action": "DOWN"}, "reason"),
        ({"names": [NODE], "action": "DRAIN", "reason": " "}, "reason"),
        ({"names": [NODE], "action": "DRAIN", "reason": "two\nlines"}, "reason"),
    ],
)
def test_wrong_inputs_for_nodes_are_refused_and_nothing_is_sent(api: Api, asked: dict[str, Any], field: str) -> None:
    before = api.commands()
    assert refusals(api, UPDATE_NODE, {"input": asked}, **OPERATORS) == [("INVALID_INPUT", ["input", field])]
    assert api.commands() == before


# --- queues ---------------------------------------------------------------------------------------------------------


def test_a_queue_is_closed_and_opened_again(api: Api, lab: Cluster, queue: str) -> None:
    for action in ("DOWN", "DRAIN", "INACTIVE", "UP"):
        done = api.data(UPDATE_QUEUE, {"input": {"name": queue, "action": action}}, **OPERATORS)["done"]
        assert done == {"queue": {"name": queue, "state": action, "nodes": {"nodes": [{"name": NODE}]}}, "errors": []}
        assert f" State={action} " in lab.run("scontrol", "-o", "show", "partition", queue).stdout


def test_unknown_and_wrong_queues(api: Api) -> None:
    for name in ("nope", "a b", "queue1;id"):
        unknown = {"name": f"lab:{name}", "action": "DOWN"}
        done = api.data(UPDATE_QUEUE, {"input": unknown}, **OPERATORS)["done"]
        assert done["queue"] is None
        assert [(error["code"], error["field"], error["id"]) for error in done["errors"]] == [
            ("NOT_FOUND", ["input", "name"], f"lab:{name}")
        ]
    before = api.commands()
    wrong = {"name": "a,b", "action": "DOWN"}
    assert refusals(api, UPDATE_QUEUE, {"input": wrong}, **OPERATORS) == [("INVALID_INPUT", ["input", "name"])]
    assert api.commands() == before


# --- reservations ---------------------------------------------------------------------------------------------------


def test_a_reservation_is_made_shown_and_deleted_in_one_command_each(api: Api, lab: Cluster) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    asked = {
        "name": "operators-make",
        "startTime": start.isoformat(),
        "until": {"durationSeconds": 5400},
        "nodes": {"names": ["queue1-dy-large-[3-4]"]},
        "users": ["ada", "root"],
        "queue": "queue1",
        "flags": ["MAINT", "IGNORE_JOBS"],
    }
    before = api.commands()
    done = api.data(CREATE, {"input": asked}, **OPERATORS)["done"]
    assert api.commands() == before + 1
    assert done["errors"] == []
    made = done["reservation"]
    assert (made["id"], made["name"], made["state"]) == ("lab:operators-make", "operators-make", "INACTIVE")
    assert (made["durationSeconds"], made["users"]) == (5400, ["ada", "root"])
    assert datetime.fromisoformat(made["startTime"]) == start
    assert datetime.fromisoformat(made["endTime"]) == start + timedelta(seconds=5400)
    assert [node["name"] for node in made["nodes"]] == ["queue1-dy-large-3", "queue1-dy-large-4"]
    assert {"MAINT", "IGNORE_JOBS"} <= set(made["flags"])
    shown = lab.run("scontrol", "show", "reservation", "operators-make").stdout
    assert "Nodes=queue1-dy-large-[3-4]" in shown
    assert "Users=ada,root" in shown
    name = {"input": {"name": "lab:operators-make"}}
    assert api.data(DELETE, name, **OPERATORS)["done"] == {
        "id": "lab:operators-make",
        "name": "operators-make",
        "errors": [],
    }
    assert "operators-make" not in lab.run("scontrol", "show", "reservation").stdout
    assert refusals(api, DELETE, name, **OPERATORS) == [("NOT_FOUND", ["input", "name"])]


def test_a_name_can_be_used_only_once(api: Api, lab: Cluster) -> None:
    asked = {"name": "once", "until": {"durationSeconds": 600}, "users": ["ada"], "licenses": "matlab:1"}
    asked["flags"] = ["ANY_NODES"]
    try:
        assert api.data(CREATE, {"input": asked}, **OPERATORS)["done"]["errors"] == []
        assert refusals(api, CREATE, {"input": asked}, **OPERATORS) == [("CONFLICT", ["input", "name"])]
    finally:
        lab.run("scontrol", "delete", "ReservationName=once")


def test_a_reservation_is_changed_in_one_command(api: Api, lab: Cluster) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    asked = {"name": "moved", "startTime": start.isoformat(), "queue": "queue1"}
    assert api.data(CREATE, {"input": {**RIGHT, **asked}}, **OPERATORS)["done"]["errors"] == []
    try:
        before = api.commands()
        changes = {
            "name": "lab:moved",
            "startTime": (start + timedelta(hours=1)).isoformat(),
            "until": {"time": (start + timedelta(hours=3)).isoformat()},
            "nodes": {"names": ["queue1-dy-large-[3-4]"]},
            "users": ["grace"],
            "flags": ["FLEX"],
        }
        done = api.data(UPDATE, {"input": changes}, **OPERATORS)["done"]
        assert api.commands() == before + 1
        assert done["errors"] == []
        changed = done["reservation"]
        assert (changed["id"], changed["durationSeconds"], changed["users"]) == ("lab:moved", 7200, ["grace"])
        assert datetime.fromisoformat(changed["startTime"]) == start + timedelta(hours=1)
        assert [node["name"] for node in changed["nodes"]] == ["queue1-dy-large-3", "queue1-dy-large-4"]
        assert "FLEX" in changed["flags"]
        shown = lab.run("scontrol", "show", "reservation", "moved").stdout
        assert "Users=grace" in shown
        assert "Nodes=queue1-dy-large-[3-4]" in shown
        only = api.data(UPDATE, {"input": {"name": "moved", "until": {"durationSeconds": 1200}}}, **OPERATORS)["done"]
        assert (only["reservation"]["durationSeconds"], only["reservation"]["users"]) == (1200, ["grace"])
        for wrong, field in (({"queue": "nope"}, "queue"), ({"nodes": {"names": ["nope"]}}, "nodes")):
            found = refusals(api, UPDATE, {"input": {"name": "moved", **wrong}}, **OPERATORS)
            assert found == [("REJECTED_BY_SCHEDULER", ["input", field])]
    finally:
        lab.run("scontrol", "delete", "ReservationName=moved")
    gone = api.data(UPDATE, {"input": {"name": "moved", "until": {"durationSeconds": 1200}}}, **OPERATORS)["done"][
        "errors"
    ]
    assert [(error["code"], error["field"], error["id"]) for error in gone] == [
        ("NOT_FOUND", ["input", "name"], "lab:moved")
    ]


def test_null_clears_what_a_reservation_has_and_the_rest_stays(api: Api, lab: Cluster) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=4)
    asked = {
        "name": "cleared",
        "startTime": start.isoformat(),
        "queue": "queue1",
        "features": "dynamic",
        "accounts": ["physics"],
        "licenses": "matlab:1",
    }
    made = api.data(CREATE, {"input": {**RIGHT, **asked}}, **OPERATORS)["done"]
    assert made["errors"] == []
    shown = "{ cluster { reservations { name queueName features users accounts licenses durationSeconds } } }"
    try:
        changes = {"name": "cleared", "queue": None, "features": None, "users": None, "licenses": None}
        assert api.data(UPDATE, {"input": changes}, **OPERATORS)["done"]["errors"] == []
        (found,) = (each for each in api.data(shown)["cluster"]["reservations"] if each["name"] == "cleared")
        assert found == {
            "name": "cleared", "queueName": None, "features": None, "users": [], "accounts": ["physics"],
            "licenses": [], "durationSeconds": 600,
        }  # fmt: skip
        both = {"name": "cleared", "accounts": None, "users": ["ada"]}
        assert api.data(UPDATE, {"input": both}, **OPERATORS)["done"]["reservation"]["users"] == ["ada"]
        assert refusals(api, UPDATE, {"input": {"name": "cleared", "users": None}}, **OPERATORS) == [
            ("REJECTED_BY_SCHEDULER", None)
        ]
    finally:
        lab.run("scontrol", "delete", "ReservationName=cleared")


@pytest.mark.parametrize("name", ["startTime", "until", "nodes", "flags"])
def test_what_slurm_cannot_clear_of_a_reservation_is_told_and_nothing_is_sent(api: Api, name: str) -> None:
    before = api.commands()
    done = api.data(UPDATE, {"input": {"name": "any", name: None}}, **OPERATORS)["done"]
    (error,) = done["errors"]
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", name])
    assert error["message"].startswith(f"{name} cannot be null: ")
    assert api.commands() == before


def test_only_resume_clears_a_nodes_reason(api: Api, lab: Cluster, node: str) -> None:
    before = api.commands()
    power = {"names": [node], "action": "POWER_DOWN", "reason": None}
    done = api.data(UPDATE_NODE, {"input": power}, **OPERATORS)["done"]
    assert [(error["code"], error["field"]) for error in done["errors"]] == [("INVALID_INPUT", ["input", "reason"])]
    assert "RESUME clears it" in done["errors"][0]["message"]
    assert api.commands() == before
    drain = {"names": [node], "action": "DRAIN", "reason": "null"}
    assert api.data(UPDATE_NODE, {"input": drain}, **OPERATORS)["done"]["nodes"][0]["reason"] == "null"
    resume = {"names": [node], "action": "RESUME", "reason": None}
    assert api.data(UPDATE_NODE, {"input": resume}, **OPERATORS)["done"]["nodes"][0]["reason"] is None


RIGHT: dict[str, Any] = {"until": {"durationSeconds": 600}, "users": ["ada"], "nodes": {"count": 1}}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "a\tb"}, "name"),
        ({"name": "-a"}, "name"),
        ({"until": {"durationSeconds": 59}}, "until.durationSeconds"),
        ({"nodes": None}, "nodes"),
        ({"nodes": {"count": 0}}, "nodes.count"),
        ({"nodes": {"names": ["ALL"]}}, "nodes.names"),
        ({"queue": "a,b"}, "queue"),
        ({"features": "a b"}, "features"),
        ({"users": None}, "users"),
        ({"users": []}, "users"),
        ({"accounts": ["a,b"]}, "accounts"),
        ({"accounts": ["-a"]}, "accounts"),
        ({"licenses": "a b"}, "licenses"),
    ],
)
def test_wrong_inputs_for_reservations_are_refused_and_nothing_is_sent(
    api: Api, asked: dict[str, Any], field: str
) -> None:
    before = api.commands()
    found = refusals(api, CREATE, {"input": {**RIGHT, **asked}}, **OPERATORS)
    assert ("INVALID_INPUT", ["input", *field.split(".")]) in found
    assert {code for code, _ in found} == {"INVALID_INPUT"}
    assert api.commands() == before


def test_a_wrong_name_to_delete_is_refused_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    for name in ("", "a,b", "-a", "a\nb", "a\ud800"):
        assert refusals(api, DELETE, {"input": {"name": name}}, **OPERATORS) == [("INVALID_INPUT", ["input", "name"])]
    assert api.commands() == before


@pytest.mark.parametrize("name", ["a b", "$(id)", "a;b@c", "back\\slash"])
def test_a_reservations_name_may_hold_what_slurm_takes(api: Api, lab: Cluster, name: str) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    asked = {**RIGHT, "name": name, "startTime": start.isoformat()}
    done = api.data(CREATE, {"input": asked}, **OPERATORS)["done"]
    assert (done["errors"], done["reservation"]["id"]) == ([], f"lab:{name}")
    assert f"ReservationName={name} StartTime=" in lab.run("scontrol", "show", "reservation").stdout
    changes = {"name": name, "until": {"durationSeconds": 1200}}
    done = api.data(UPDATE, {"input": changes}, **OPERATORS)["done"]
    assert (done["errors"], done["reservation"]["durationSeconds"]) == ([], 1200)
    done = api.data(DELETE, {"input": {"name": name}}, **OPERATORS)["done"]
    assert done == {"id": f"lab:{name}", "name": name, "errors": []}
    assert name not in lab.run("scontrol", "show", "reservation").stdout
    assert refusals(api, DELETE, {"input": {"name": name}}, **OPERATORS) == [("NOT_FOUND", ["input", "name"])]


def test_the_schedulers_refusal_names_the_input_it_is_about(api: Api) -> None:
    for wrong, field in (
        ({"queue": "nope"}, "queue"),
        ({"queue": "a b"}, "queue"),
        ({"users": None, "accounts": ["a b"]}, "accounts"),  # beside a user, 24.11 and 26.05 take any account
        ({"nodes": {"names": ["nope"]}}, "nodes"),
    ):
        found = refusals(api, CREATE, {"input": {**RIGHT, **wrong}}, **OPERATORS)
        assert found == [("REJECTED_BY_SCHEDULER", ["input", field])]


# --- who may --------------------------------------------------------------------------------------------------------

CHANGES = [
    (UPDATE_NODE, {"input": {"names": [NODE], "action": "DRAIN", "reason": "mine"}}),
    (UPDATE_QUEUE, {"input": {"name": "queue1", "action": "DOWN"}}),
    (CREATE, {"input": {**RIGHT, "name": "mine"}}),
    (UPDATE, {"input": {"name": "mine", "until": {"durationSeconds": 600}}}),
    (DELETE, {"input": {"name": "mine"}}),
]


@pytest.mark.parametrize("who", [{}, {"groups": "slurmql-viewers"}, {"user": "nobody-here"}, {"user": "root"}])
@pytest.mark.parametrize(("document", "variables"), CHANGES, ids=["node", "queue", "create", "update", "delete"])
def test_only_operators_administer_and_for_others_nothing_is_sent(
    api: Api, lab: Cluster, document: str, variables: dict[str, Any], who: dict[str, str]
) -> None:
    before = api.commands()
    assert refusals(api, document, variables, **who) == [("FORBIDDEN", None)]
    assert api.commands() == before
    assert " State=UP " in lab.run("scontrol", "-o", "show", "partition", "queue1").stdout
    assert "mine" not in lab.run("scontrol", "show", "node", NODE).stdout


@pytest.mark.parametrize(("document", "variables"), CHANGES, ids=["node", "queue", "create", "update", "delete"])
def test_an_unknown_cluster_is_refused_and_nothing_is_sent(api: Api, document: str, variables: dict[str, Any]) -> None:
    before = api.commands()
    elsewhere = {"input": {**variables["input"], "cluster": "nowhere"}}
    assert refusals(api, document, elsewhere, **OPERATORS) == [("NOT_FOUND", ["input", "cluster"])]
    assert api.commands() == before
