"""Every value of a queue is what scontrol and sinfo say of it by other formats."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from slurm_words import Values, ask_anew, at_one_moment, lines, own_fields, show_nodes, show_queues, until

from conftest import Api
from local.cluster import Cluster

FIELDS = " ".join(sorted(own_fields("Queue") - {"viewerCan"})) + " cpuCounts { allocated idle other total }"
ADDED = {
    "values-short": ("Nodes=queue1-st-small-1,gpu-dy-p4d-1", "MaxTime=1-02:03:04", "DefaultTime=30", "MaxNodes=2"),
    "values-empty": (),
    "values-hidden": ("Nodes=queue1-dy-large-[2-3]", "Hidden=YES", "State=DRAIN", "MaxTime=0:45"),
}


@pytest.fixture(scope="module")
def queues(lab: Cluster) -> Iterator[Cluster]:
    """The cluster with queues of other kinds, and jobs that run and wait in them."""
    jobs: list[str] = []

    def submit(script: str, *options: str, user: str = "ada") -> None:
        argv = ["sbatch", "--parsable", "--job-name=in queues", *options]
        jobs.append(lab.run(*argv, user=user, input=f"#!/bin/bash\n{script}\n").stdout.strip())

    try:
        for name, settings in ADDED.items():
            lab.run("scontrol", "create", f"PartitionName={name}", *settings)
        submit("sleep 900", "--partition=values-short", "--nodelist=queue1-st-small-1")
        submit("true", "--partition=values-short,queue1", "--hold", "--time=20")
        submit("true", "--partition=queue1", user="grace")
        submit("true", "--partition=gpu", "--hold", "--array=1-40")
        until(lambda: lab.run("squeue", "-h", "-j", jobs[0], "-o", "%T").stdout == "RUNNING\n", 30)
        until(lambda: lab.run("squeue", "-h", "-t", "all", "-j", jobs[2], "-o", "%T").stdout == "COMPLETED\n", 30)
        yield lab
    finally:
        lab.run("scancel", "--quiet", *jobs, check=False)
        until(lambda: not lab.run("squeue", "-h", "-a", "-j", ",".join(jobs), check=False).stdout, 60)
        for name in ADDED:
            lab.run("scontrol", "delete", f"PartitionName={name}", check=False)


def asked(api: Api, fields: str = FIELDS) -> list[Values]:
    """All queues, read anew."""
    found: list[Values] = ask_anew(api, f"{{ queues {{ {fields} }} }}")["queues"]
    return found


def test_every_value_of_every_queue_agrees(queues: Cluster, api: Api) -> None:
    given, said, _ = at_one_moment(lambda: show_queues(queues), lambda: asked(api))
    expected = {queue["name"]: queue for queue in said}
    assert {queue["name"] for queue in given} == set(expected) >= {"queue1", "gpu", *ADDED}
    for queue in given:
        assert queue == expected[queue["name"]]


def test_queues_come_in_the_order_of_the_configuration(queues: Cluster, api: Api) -> None:
    names = [queue["name"] for queue in asked(api, "name")]
    assert names == list(dict.fromkeys(lines(queues, "sinfo", "-h", "-a", "-o", "%R")))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("queue1", {"isDefault": True, "state": "UP", "maxTimeSeconds": None, "maxNodes": None}),
        ("gpu", {"isDefault": False, "nodeNames": ["gpu-dy-p4d-1", "gpu-dy-p4d-2"], "defaultTimeSeconds": None}),
        ("values-short", {"maxTimeSeconds": 93840, "defaultTimeSeconds": 1800, "maxNodes": 2}),
        ("values-empty", {"nodeNames": [], "cpuCounts": {"allocated": 0, "idle": 0, "other": 0, "total": 0}}),
        ("values-hidden", {"state": "DRAIN", "maxTimeSeconds": 60}),
    ],
)
def test_a_queue_shows_its_configuration(name: str, values: Values, queues: Cluster, api: Api) -> None:
    queue = ask_anew(api, f"query ($name: String!) {{ queue(name: $name) {{ {FIELDS} }} }}", {"name": name})["queue"]
    assert queue | values == queue


@pytest.mark.parametrize("state", ["DOWN", "DRAIN", "INACTIVE", "UP"])
def test_a_change_of_state_is_seen(state: str, queues: Cluster, api: Api) -> None:
    queues.run("scontrol", "update", "PartitionName=values-short", f"State={state}")
    assert ask_anew(api, '{ queue(name: "lab:values-short") { state } }') == {"queue": {"state": state}}
    shown = lines(queues, "sinfo", "-h", "-p", "values-short", "-o", "%a")
    assert set(shown) == {state.lower()}


def nodes_of(cluster: Cluster) -> dict[str, dict[str, str]]:
    """The base state of each node, by queue and name."""
    states = {node["name"]: node["state"] for node in show_nodes(cluster)}
    pairs = [line.split() for line in lines(cluster, "sinfo", "-h", "-a", "-N", "-o", "%R %N")]
    names = [queue["name"] for queue in show_queues(cluster)]
    return {name: {node: states[node] for queue, node in pairs if queue == name} for name in names}


def test_a_queue_is_linked_to_its_nodes_and_counts_them(queues: Cluster, api: Api) -> None:
    fields = "name nodes { nodes { name state queues { name } } } nodeCounts { state count }"
    given, said, _ = at_one_moment(partial(nodes_of, queues), partial(asked, api, fields))
    assert {queue["name"]: {node["name"]: node["state"] for node in queue["nodes"]["nodes"]} for queue in given} == said
    for queue in given:
        counts = {count["state"]: count["count"] for count in queue["nodeCounts"]}
        assert counts == Counter(said[queue["name"]].values())
        assert all(queue["name"] in {back["name"] for back in node["queues"]} for node in queue["nodes"]["nodes"])


def jobs_in(cluster: Cluster) -> dict[str, set[str]]:
    """The ids of all jobs that squeue lists for each queue."""
    names = [queue["name"] for queue in show_queues(cluster)]
    return {name: set(lines(cluster, "squeue", "-h", "-a", "-t", "all", "-p", name, "-o", "%i")) for name in names}


def test_a_queue_is_linked_to_the_jobs_that_run_or_wait_in_it(queues: Cluster, api: Api) -> None:
    fields = "name jobs(first: 1000) { totalCount nodes { jobId queues { name } } }"
    given, said, _ = at_one_moment(partial(jobs_in, queues), partial(asked, api, fields))
    for queue in given:
        ids = {job["jobId"] for job in queue["jobs"]["nodes"]}
        assert queue["jobs"]["totalCount"] == len(said[queue["name"]])
        assert ids <= said[queue["name"]]
        assert len(ids) == min(1000, len(said[queue["name"]]))
        assert all(queue["name"] in {back["name"] for back in job["queues"]} for job in queue["jobs"]["nodes"])
    assert len(said["values-short"]) == 2
    assert not said["values-empty"]


def test_a_queue_s_jobs_are_filtered_and_paged(queues: Cluster, api: Api) -> None:
    def page(after: str | None) -> Values:
        document = """query ($after: String) { queue(name: "queue1") {
          jobs(filter: { nameContains: "in queues" }, first: 1, after: $after) {
            nodes { jobId } totalCount pageInfo { hasNextPage endCursor }
          }
        } }"""
        found: Values = ask_anew(api, document, {"after": after})["queue"]["jobs"]
        return found

    first = page(None)
    second = page(first["pageInfo"]["endCursor"])
    given = [job["jobId"] for job in first["nodes"] + second["nodes"]]
    said = lines(queues, "squeue", "-h", "-t", "all", "-p", "queue1", "-n", "in queues", "-o", "%i")
    assert given == sorted(said, key=int)
    assert (first["totalCount"], second["totalCount"]) == (2, 2)
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
