"""Every value of a node is what scontrol and sinfo say of it by other formats, whatever state it is in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from slurm_words import Values, ask_anew, at_one_moment, lines, own_fields, show_nodes, until

from conftest import Api
from local.cluster import Cluster

CPUS = "cpuCounts { allocated idle other total }"
FIELDS = " ".join(sorted(own_fields("Node") - {"viewerCan"})) + f" {CPUS}"
PAGE = """query ($filter: NodeFilter, $first: Int, $after: String) {
  nodes(filter: $filter, first: $first, after: $after) {
    nodes { %s } totalCount pageInfo { hasNextPage endCursor }
  }
}"""
SLEEP = "#!/bin/bash\nsleep 900\n"
REASON = "disk /dev/nvme1 | 93 % full, see [4711]"
ANOTHER_QUEUE = "values-both"


@pytest.fixture(scope="module")
def nodes(lab: Cluster) -> Iterator[Cluster]:
    """The cluster with a node that runs a job, one drained under it, one down, one reserved, two that boot."""
    jobs: list[str] = []
    reserved = "values"

    def submit(*options: str) -> None:
        jobs.append(lab.run("sbatch", "--parsable", *options, user="ada", input=SLEEP).stdout.strip())

    def update(node: str, *settings: str, check: bool = True) -> None:
        lab.run("scontrol", "update", f"NodeName={node}", *settings, check=check)

    changed = ("queue1-st-small-1", "queue1-dy-large-3", "queue1-dy-large-4")
    try:
        lab.run("scontrol", "create", f"PartitionName={ANOTHER_QUEUE}", "Nodes=queue1-st-small-[1-2],gpu-dy-p4d-2")
        submit("--nodelist=queue1-st-small-1", "--cpus-per-task=3")
        submit("--nodelist=gpu-dy-p4d-1", "--partition=gpu", "--gpus=a100:5", "--nodes=1", "--cpus-per-task=96")
        submit("--nodelist=queue1-st-small-2", "--cpus-per-task=4")
        running = ("squeue", "-h", "-t", "R,CF", "-j", ",".join(jobs), "-o", "%i")
        until(lambda: len(lab.run(*running).stdout.split()) == len(jobs), 30)
        update("queue1-st-small-1", "State=DRAIN", f"Reason={REASON}")
        update("queue1-dy-large-4", "State=DRAIN", "Reason=none")
        update("queue1-dy-large-3", "State=DOWN", "Reason=  blanks around  ")
        lab.run(
            "scontrol", "create", f"ReservationName={reserved}", "Nodes=queue1-dy-large-2", "StartTime=now",
            "Duration=60", "Users=root", "Flags=MAINT",
        )  # fmt: skip
        yield lab
    finally:
        lab.run("scontrol", "delete", f"ReservationName={reserved}", check=False)
        lab.run("scancel", "--quiet", *jobs, check=False)
        until(lambda: not lab.run("squeue", "-h", "-j", ",".join(jobs), check=False).stdout, 60)
        for node in changed:
            update(node, "State=RESUME", check=False)
        lab.run("scontrol", "delete", f"PartitionName={ANOTHER_QUEUE}", check=False)
        states = ("sinfo", "-h", "-n", ",".join(changed), "-O", "StateComplete:60")
        until(lambda: not any(word in lab.run(*states).stdout for word in ("drain", "down+cloud ", "maint")), 60)


def asked(api: Api, fields: str = FIELDS, **variables: Any) -> list[Values]:
    """The nodes of one page, read anew."""
    found: list[Values] = ask_anew(api, PAGE % fields, variables)["nodes"]["nodes"]
    return found


def test_every_value_of_every_node_agrees(nodes: Cluster, api: Api) -> None:
    given, said, _ = at_one_moment(lambda: show_nodes(nodes), lambda: asked(api))
    expected = {node["name"]: node for node in said}
    assert len(expected) == len(given) == 8
    for node in given:
        # The order of a node's queues changes with each of scontrol's answers.
        assert node | {"queueNames": sorted(node["queueNames"])} == expected[node["name"]]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("queue1-st-small-1", {"state": "MIXED", "flags": ["DRAIN"], "reason": REASON, "provisioning": "STATIC"}),
        ("queue1-st-small-2", {"state": "ALLOCATED", "reason": None, "reasonTime": None, "flags": []}),
        ("queue1-dy-large-1", {"instanceType": "c5.large", "provisioning": "DYNAMIC", "gpuCount": None}),
        ("queue1-dy-large-2", {"state": "IDLE", "reason": None}),
        ("queue1-dy-large-3", {"state": "DOWN", "reason": "  blanks around  ", "cpuLoad": None, "slurmVersion": None}),
        ("queue1-dy-large-4", {"state": "IDLE", "reason": "none"}),
        ("gpu-dy-p4d-1", {"gpuCount": 8, "allocatedGpuCount": 5, "gpuType": "a100", "state": "ALLOCATED"}),
        ("gpu-dy-p4d-2", {"allocatedGpuCount": 0, "state": "IDLE"}),
    ],
)
def test_a_node_shows_what_was_done_to_it(name: str, values: Values, nodes: Cluster, api: Api) -> None:
    node = ask_anew(api, f"query ($name: String!) {{ node(name: $name) {{ {FIELDS} }} }}", {"name": name})["node"]
    # Whether the scheduler keeps it for a job of another test is not what is meant here.
    node["flags"] = [flag for flag in node["flags"] if flag != "PLANNED"]
    assert node | values == node


FILTERS: Mapping[str, tuple[Values, Callable[[Values], bool]]] = {
    "names": ({"names": ["gpu-dy-p4d-2", "x"]}, lambda node: node["name"] in ("gpu-dy-p4d-2", "x")),
    "states": ({"states": ["DOWN", "ALLOCATED"]}, lambda node: node["state"] in ("DOWN", "ALLOCATED")),
    "flags, all of them": ({"flags": ["CLOUD", "DRAIN"]}, lambda node: {"CLOUD", "DRAIN"} <= set(node["flags"])),
    "queue": ({"queue": ANOTHER_QUEUE}, lambda node: ANOTHER_QUEUE in node["queueNames"]),
    "queue and flag": (
        {"queue": ANOTHER_QUEUE, "flags": ["DRAIN"]},
        lambda node: ANOTHER_QUEUE in node["queueNames"] and "DRAIN" in node["flags"],
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_selects_the_nodes_that_match_in_slurm(name: str, nodes: Cluster, api: Api) -> None:
    where, meets = FILTERS[name]
    given, said, _ = at_one_moment(lambda: show_nodes(nodes), lambda: asked(api, filter=where))
    expected = {node["name"] for node in said if meets(node)}
    assert {node["name"] for node in given} == expected
    assert 0 < len(expected) < len(said)


def test_pages_of_nodes_are_in_order_and_complete(nodes: Cluster, api: Api) -> None:
    names, more, cursor = [], True, None
    while more:
        page = ask_anew(api, PAGE % "name", {"first": 3, "after": cursor})["nodes"]
        names += [node["name"] for node in page["nodes"]]
        more, cursor = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        assert page["totalCount"] == 8
    assert names == sorted(set(lines(nodes, "sinfo", "-h", "-a", "-N", "-o", "%N")))


def jobs_on(cluster: Cluster, names: Sequence[str]) -> dict[str, set[str]]:
    """The ids of the jobs that squeue lists for each node."""
    return {name: set(lines(cluster, "squeue", "-h", "-a", "-w", name, "-o", "%i")) for name in names}


def test_a_node_is_linked_to_its_jobs_and_queues(nodes: Cluster, api: Api) -> None:
    names = [node["name"] for node in show_nodes(nodes)]
    look = partial(jobs_on, nodes, names)
    given, said, _ = at_one_moment(look, partial(asked, api, "name jobs { jobId nodes { name } } queues { id name }"))
    assert {node["name"]: {job["jobId"] for job in node["jobs"]} for node in given} == said
    assert len(set().union(*said.values())) >= 3
    assert all(node["name"] in {n["name"] for n in job["nodes"]} for node in given for job in node["jobs"])
    queues = {node["name"]: node["queueNames"] for node in show_nodes(nodes)}
    assert {node["name"]: sorted(queue["name"] for queue in node["queues"]) for node in given} == queues
    assert all(queue["id"] == f"lab:{queue['name']}" for node in given for queue in node["queues"])


def test_a_node_in_a_maintenance_reservation_is_flagged(nodes: Cluster, api: Api) -> None:
    show = ("scontrol", "show", "node", "queue1-dy-large-2")
    until(lambda: "MAINT" in nodes.run(*show).stdout, 90)
    (node,) = asked(api, filter={"names": ["queue1-dy-large-2"]})
    assert {"CLOUD", "MAINTENANCE"} <= set(node["flags"])
    (found,) = asked(api, "name", filter={"flags": ["MAINTENANCE"]})
    assert found == {"name": "queue1-dy-large-2"}
