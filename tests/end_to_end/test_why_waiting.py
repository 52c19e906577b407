"""Why does my job wait: a code, a sentence, EC2's capacity, the place in the queue, the expected start."""

from collections.abc import Callable, Iterator

import pytest
from slurm_words import Values, ask_anew, lines, until

from conftest import Api
from local.cluster import Cluster
from slurm.capacity import CapacityCode
from slurm.reason import ReasonCode

FIELDS = "reason reasonCode reasonText capacityCode queuePosition startTime"

Submit = Callable[..., str]


@pytest.fixture(scope="module")
def submit(lab: Cluster) -> Iterator[Submit]:
    """Submits a job that ends at once, unless its options keep it from starting, and gives its id."""
    made: list[str] = []

    def submit(*options: str, script: str = "true") -> str:
        argv = ["sbatch", "--parsable", "--output=/dev/null", "--job-name=why", *options]
        made.append(lab.run(*argv, user="ada", input=f"#!/bin/bash\n{script}\n").stdout.strip())
        return made[-1]

    yield submit
    lab.run("scancel", "--quiet", *made, check=False)
    until(lambda: not lines(lab, "squeue", "-h", "-n", "why", "-o", "%i"), 60)


def why(api: Api, id: str) -> Values:
    found: Values = ask_anew(api, f"query ($id: ID!) {{ job(id: $id) {{ {FIELDS} }} }}", {"id": id})["job"]
    return found


def says(lab: Cluster, id: str, reason: str) -> bool:
    """Whether squeue gives that reason by another format."""
    return lines(lab, "squeue", "-h", "-t", "all", "-j", id, "-o", "%r")[0].startswith(reason)


def test_a_job_that_cannot_start_says_why_in_a_code_and_a_sentence(api: Api, lab: Cluster, submit: Submit) -> None:
    held, later = submit("--hold"), submit("--begin=now+1hour")
    dependent = submit(f"--dependency=afterok:{held}")
    reasons = {held: "JobHeldUser", later: "BeginTime", dependent: "Dependency"}
    for id, words in reasons.items():
        until(lambda id=id, words=words: says(lab, id, words), 30)  # type: ignore[misc] # mypy: lambda with defaults
    for id, code in ((held, "JOB_HELD_USER"), (later, "BEGIN_TIME"), (dependent, "DEPENDENCY")):
        found = why(api, id)
        assert (found["reason"], found["reasonCode"]) == (reasons[id], code)
        assert found["reasonText"] == ReasonCode[code].description
        assert (found["capacityCode"], found["queuePosition"]) == (None, None)
    assert why(api, later)["startTime"] is not None


def test_a_failed_job_has_its_reason_too(api: Api, lab: Cluster, submit: Submit) -> None:
    failed = submit("--constraint=static", script="exit 3")
    until(lambda: says(lab, failed, "NonZeroExitCode"), 60)
    found = why(api, failed)
    assert (found["reasonCode"], found["queuePosition"]) == ("NON_ZERO_EXIT_CODE", None)
    assert found["reasonText"] == (
        "It ended with an exit code other than 0, a signal ended it, or its nodes could not launch it. "
        "Look at its output."
    )


def test_a_job_that_is_not_waiting_has_no_reason(api: Api, lab: Cluster, submit: Submit) -> None:
    done = submit("--constraint=static")
    until(lambda: lines(lab, "squeue", "-h", "-t", "all", "-j", done, "-o", "%T") == ["COMPLETED"], 60)
    found = why(api, done)
    assert (found["reason"], found["reasonCode"], found["reasonText"], found["queuePosition"]) == (None,) * 4


@pytest.fixture
def without_capacity(lab: Cluster) -> Iterator[str]:
    """A node as ParallelCluster leaves it that EC2 gave no instance for."""
    node, why = "queue1-dy-large-4", "(Code:InsufficientInstanceCapacity)Failure when resuming nodes"
    lab.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", f"Reason={why}")
    yield node
    lab.run("scontrol", "update", f"NodeName={node}", "State=RESUME")


def test_a_node_without_an_ec2_instance_shows_the_code_and_so_does_its_waiting_job(
    api: Api, lab: Cluster, submit: Submit, without_capacity: str
) -> None:
    waiting = submit(f"--nodelist={without_capacity}")
    elsewhere = submit("--partition=gpu", "--hold")
    until(lambda: says(lab, waiting, "ReqNodeNotAvail") or says(lab, waiting, "Nodes required"), 30)
    document = """query ($id: ID!, $node: String!) {
      node(name: $node) { reason capacityCode } job(id: $id) { reasonCode reasonText capacityCode } }"""
    found = ask_anew(api, document, {"id": waiting, "node": without_capacity})
    assert found["node"] == {
        "reason": lines(lab, "sinfo", "-h", "-n", without_capacity, "-o", "%E")[0],
        "capacityCode": "INSUFFICIENT_INSTANCE_CAPACITY",
    }
    assert found["job"] == {
        "reasonCode": "REQ_NODE_NOT_AVAIL",
        "reasonText": f"{ReasonCode.REQ_NODE_NOT_AVAIL.description} Node {without_capacity} was not started: "
        + CapacityCode.INSUFFICIENT_INSTANCE_CAPACITY.description,
        "capacityCode": "INSUFFICIENT_INSTANCE_CAPACITY",
    }
    assert why(api, elsewhere)["capacityCode"] is None


def test_a_drained_node_has_no_ec2_code(api: Api, lab: Cluster) -> None:
    node = "queue1-dy-large-3"
    lab.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=(Code: by hand) no")
    try:
        document = "query ($node: String!) { node(name: $node) { capacityCode } }"
        assert ask_anew(api, document, {"node": node})["node"]["capacityCode"] == "UNKNOWN"
        lab.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=broken fan")
        assert ask_anew(api, document, {"node": node})["node"]["capacityCode"] is None
    finally:
        lab.run("scontrol", "update", f"NodeName={node}", "State=RESUME")


def test_the_place_in_the_queue_is_that_of_squeue_s_own_order(api: Api, lab: Cluster, submit: Submit) -> None:
    lab.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")  # so that all of them wait
    try:
        usual, low = submit("--partition=gpu"), submit("--partition=gpu", "--nice=1000")
        array, last = submit("--partition=gpu", "--array=1-4"), submit("--partition=gpu")
        held = submit("--partition=gpu", "--hold")
        ids = (usual, low, array, last)
        until(lambda: all(says(lab, id, "PartitionDown") for id in ids), 30)
        order = lines(lab, "squeue", "-h", "--array", "-p", "gpu", "-t", "PD", "-S", "-p,i", "-o", "%i %Q %r")
        eligible = [line.split()[0] for line in order if not line.endswith("JobHeldUser")]
        place = {id.split("_")[0]: place for place, id in reversed(list(enumerate(eligible, 1)))}
        found = {id: why(api, id)["queuePosition"] for id in (*ids, held)}
        assert found == {id: place[id] for id in ids} | {held: None}
        assert found[last] - found[array] == 4
        assert found[low] > found[last]
        assert why(api, usual)["reasonCode"] == "PARTITION_DOWN"
    finally:
        lab.run("scontrol", "update", "PartitionName=gpu", "State=UP")
