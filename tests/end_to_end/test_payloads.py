"""A change's payload names what was changed, even if nothing can be read afterwards."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from slurm_words import until

from conftest import Api
from local.cluster import Cluster
from local.cluster.relay import Loss, Relay
from local.stack import Stack

SUBMIT = """mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
  id job { id name } idempotencyKey warnings errors { code message } } }"""
CANCEL = """mutation ($input: CancelJobsInput!) { cancelJobs(input: $input) {
  ids jobs { id state } warnings errors { id: targetId code message } } }"""
HOLD = """mutation ($ids: [ID!]!) { holdJobs(input: {ids: $ids}) { ids jobs { id } warnings
      errors { id: targetId code message } } }"""
UPDATE = """mutation ($id: ID!) { updateJob(input: { id: $id, comment: "x" }) {
  id job { id } warnings errors { code } } }"""
SCRIPT = "#!/bin/sh\nsleep 300\n"


@pytest.fixture
def name(lab: Cluster) -> Iterator[str]:
    name = f"paid-{secrets.token_hex(4)}"
    yield name
    lab.run("scancel", f"--name={name}")


def submit(api: Api, name: str, **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(
        SUBMIT, {"input": {"script": {"text": SCRIPT}, "hold": True, "name": name, **input}}
    )["submitJob"]
    return payload


@contextmanager
def head_node(stack: Stack, **environment: str) -> Iterator[None]:
    """The lab's head node with other variables."""
    instance = stack.ssm.instances[0]
    before = instance.environment
    instance.environment = {**before, **environment}
    try:
        yield
    finally:
        instance.environment = before


@contextmanager
def lost(stack: Stack, lab: Cluster, tmp_path: Path, *messages: int) -> Iterator[None]:
    """slurmctld's replies to some types of messages are lost."""
    conf = Path(lab.environment["SLURM_CONF"])
    with Relay(conf, conf.with_name(f"relayed-{tmp_path.name}.conf")) as relay:
        relay.loss, relay.only = Loss.RESET, frozenset(messages)
        with head_node(stack, SLURM_CONF=str(relay.slurm_conf)):
            yield


# slurm_protocol_defs.h
REQUEST_JOB_INFO, REQUEST_JOB_INFO_SINGLE, REQUEST_KILL_JOB = 2003, 2021, 5032
REQUEST_NODE_INFO, REQUEST_PARTITION_INFO, REQUEST_RESERVATION_INFO = 2007, 2009, 2024


def test_the_payload_has_the_id_and_a_key_that_the_api_made(api: Api, lab: Cluster, name: str) -> None:
    first = submit(api, name)
    assert first["id"] == first["job"]["id"]
    assert first["idempotencyKey"]
    again = submit(api, name, idempotencyKey=first["idempotencyKey"])
    assert again == first
    assert submit(api, name)["idempotencyKey"] != first["idempotencyKey"]


def test_a_job_that_cannot_be_read_was_still_submitted(
    api: Api, stack: Stack, lab: Cluster, name: str, tmp_path: Path
) -> None:
    with lost(stack, lab, tmp_path, REQUEST_JOB_INFO_SINGLE):
        answer = api.ask(SUBMIT, {"input": {"script": {"text": SCRIPT}, "hold": True, "name": name}})
    payload = answer["data"]["submitJob"]
    assert payload["job"] is None
    assert payload["id"].removeprefix("lab:") in lab.run("squeue", "-h", "-n", name, "-o", "%i").stdout.split()
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["submitJob", "job"], "SCHEDULER_UNAVAILABLE")


def test_sbatchs_remarks_on_a_submitted_job_are_warnings(api: Api, lab: Cluster, name: str) -> None:
    payload = submit(api, name, nodes=3, tasks=1)
    assert payload["errors"] == []
    word = "warning" if lab.programs.slurm_version() >= (24, 11) else "Warning"
    assert payload["warnings"] == [f"{word}: can't run 1 processes on 3 nodes, setting nnodes to 1"]


def test_tasks_that_were_cancelled_by_their_numbers_are_in_the_payload(api: Api, name: str) -> None:
    array = submit(api, name, array="0-499")["id"]
    payload = api.data(CANCEL, {"input": {"jobs": {"ids": [f"{array}_[0-499]"]}}})["cancelJobs"]
    assert payload["ids"] == [f"{array}_[0-499]"]
    assert payload["errors"] == []
    assert payload["jobs"]
    assert {job["state"] for job in payload["jobs"]} == {"CANCELLED"}


def test_a_task_that_is_not_there_hides_nothing_of_the_others(api: Api, lab: Cluster, name: str) -> None:
    """scancel says `Invalid job id specified` of `7_[0-9]` if one task has gone, and cancels the others."""
    array = submit(api, name, array="0-9")["id"]
    api.data(CANCEL, {"input": {"jobs": {"ids": [f"{array}_5"]}}})
    held = api.data(HOLD, {"ids": [f"{array}_[3-5]"]})["holdJobs"]
    assert held["ids"] == [f"{array}_[3-4]"]
    assert [(error["id"], error["code"]) for error in held["errors"]] == [(f"{array}_[3-5]", "NOT_FOUND")]
    payload = api.data(CANCEL, {"input": {"jobs": {"ids": [f"{array}_[4-6]"]}}})["cancelJobs"]
    assert payload["ids"] == [f"{array}_[4,6]"]
    assert [(error["id"], error["code"]) for error in payload["errors"]] == [(f"{array}_[4-6]", "NOT_FOUND")]
    number = array.removeprefix("lab:")
    assert lab.run("squeue", "-h", "-j", number, "-o", "%i").stdout.strip() == f"{number}_[0-3,7-9]"


def test_tasks_that_have_ended_hide_nothing_of_the_others(api: Api, lab: Cluster, name: str) -> None:
    script = "#!/bin/sh\n[ $SLURM_ARRAY_TASK_ID = 0 ] || sleep 300\n"
    array = submit(api, name, array="0-3%1", script={"text": script}, hold=False, stdoutPath="/dev/null")["id"]
    number = array.removeprefix("lab:")
    running = ("squeue", "-h", "-t", "running", "-j", number, "-o", "%i")
    until(lambda: lab.run(*running).stdout.strip() == f"{number}_1", 30)
    held = api.data(HOLD, {"ids": [array]})["holdJobs"]
    assert held["ids"] == [f"{array}_[1-3]"]
    payload = api.data(CANCEL, {"input": {"jobs": {"ids": [f"{array}_[0-3]"]}}})["cancelJobs"]
    assert set(payload["ids"]) == {f"{array}_1", f"{array}_[2-3]"}
    assert [(error["id"], error["code"]) for error in payload["errors"]] == [(f"{array}_[0-3]", "ALREADY_FINISHED")]


def test_jobs_that_cannot_be_read_were_still_changed(
    api: Api, stack: Stack, lab: Cluster, name: str, tmp_path: Path
) -> None:
    ids = [submit(api, name)["id"] for _ in range(2)]
    with lost(stack, lab, tmp_path, REQUEST_JOB_INFO):
        payload = api.data(HOLD, {"ids": ids})["holdJobs"]
        assert (payload["ids"], payload["jobs"], payload["errors"]) == (ids, [], [])
        assert "could not be read" in payload["warnings"][0]
    with lost(stack, lab, tmp_path, REQUEST_JOB_INFO_SINGLE):
        payload = api.data(UPDATE, {"id": ids[0]})["updateJob"]
        assert (payload["id"], payload["job"], payload["errors"]) == (ids[0], None, [])
        assert "could not be read" in payload["warnings"][0]


def test_a_lost_reply_to_scancel_is_an_unknown_outcome(
    api: Api, stack: Stack, lab: Cluster, name: str, tmp_path: Path
) -> None:
    id = submit(api, name)["id"]
    with lost(stack, lab, tmp_path, REQUEST_KILL_JOB):
        assert api.codes(CANCEL, {"input": {"jobs": {"ids": [id]}}}) == ["OUTCOME_UNKNOWN"]


def test_nodes_queues_and_reservations_that_cannot_be_read_were_still_changed(
    api: Api, stack: Stack, lab: Cluster, name: str, tmp_path: Path
) -> None:
    def change(document: str) -> tuple[dict[str, Any], list[Any]]:
        answer = api.ask(document, groups="slurmql-operators")
        (payload,) = answer["data"].values()
        return payload, [error["path"] for error in answer.get("errors", [])]

    with lost(stack, lab, tmp_path, REQUEST_NODE_INFO, REQUEST_PARTITION_INFO, REQUEST_RESERVATION_INFO):
        node, errors = change(
            """mutation { updateNode(input: { names: ["queue1-st-small-2"], action: DRAIN, reason: "x" }) {
            ids nodes { name } warnings errors { code } } }"""
        )
        assert (node["ids"], node["nodes"], node["errors"]) == (["lab:queue1-st-small-2"], [], [])
        assert "could not be read" in node["warnings"][0]
        assert errors == []
        queue, errors = change(
            """mutation { updateQueue(input: { name: "queue1", action: UP }) { id queue { name } errors { code } } }"""
        )
        assert queue == {"id": "lab:queue1", "queue": None, "errors": []}
        assert errors == [["updateQueue", "queue"]]
        made, errors = change(
            f"""mutation {{ createReservation(input: {{ name: "{name}", startTime: "2033-01-10T08:00:00Z",
            until: {{ durationSeconds: 7200 }}, nodes: {{ count: 1 }}, users: ["ada"] }}) {{
            id reservation {{ name }} errors {{ code }} }} }}"""
        )
        assert made == {"id": f"lab:{name}", "reservation": None, "errors": []}
        assert errors == [["createReservation", "reservation"]]
    lab.run("scontrol", "update", "NodeName=queue1-st-small-2", "State=RESUME")
    lab.run("scontrol", "delete", f"ReservationName={name}")
