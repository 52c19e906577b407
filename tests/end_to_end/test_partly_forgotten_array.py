"""An array of which the scheduler has forgotten the tasks that have ended: by accounting they count, too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from another_cluster import endpoint, reachable, started
from slurm_words import ask_anew, until

from conftest import Api
from local.cluster import Cluster
from local.gateway import Handler
from local.stack import Stack
from local.suite import Chroot

FIELDS = "array { taskCount isComplete phase succeeded countsByState { state count } }"
WAIT = "query ($id: ID!) { jobsEnded(ids: [$id], timeoutSeconds: 0) { done jobs { jobId succeeded } notRemembered } }"


@dataclass(frozen=True)
class Partly:
    """An array of four tasks of which two have ended and are forgotten and two wait."""

    cluster: Cluster
    api: Api
    id: str


@pytest.fixture(scope="module")
def partly(stack: Stack, chroot: Chroot | None, entry: Handler) -> Iterator[Partly]:
    """On a cluster that forgets a job two seconds after its end; it looks for such jobs every ten."""
    with (
        started("partly", chroot, accounting=True, settings={"MinJobAge": "2"}) as cluster,
        endpoint(cluster, stack, chroot) as made,
        reachable(cluster, stack, made, entry) as api,
    ):
        words = ["sbatch", "--parsable", "--constraint=static", "--output=/dev/null", "--array=0-3", "--hold"]
        id = cluster.run(*words, user=cluster.users[0].name, input="#!/bin/sh\nexit 0\n").stdout.strip()
        for task in (0, 1):
            cluster.run("scontrol", "release", f"{id}_{task}")
        until(lambda: listed(cluster, id) == [f"{id}_[2-3]"], 90)
        yield Partly(cluster, api, id)


def listed(lab: Cluster, id: str) -> list[str]:
    return lab.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%i").stdout.split()


def ask(partly: Partly, document: str, **variables: str) -> dict[str, Any]:
    return ask_anew(partly.api, document.replace("$array", partly.id), variables)


def test_all_tasks_count_whether_one_job_is_fetched_or_all_jobs_are_kept(partly: Partly) -> None:
    for kept in (False, True):
        ask(partly, '{ cluster(name: "partly") { name } }')  # nothing is kept
        if kept:
            partly.api.data('{ cluster(name: "partly") { jobs { nodes { workDir } } } }', groups="slurmql-viewers")
        for asked in (partly.id, f"{partly.id}_2"):
            before = partly.api.commands()
            array = partly.api.data(f'{{ job(id: "partly:{asked}") {{ {FIELDS} }} }}')["job"]["array"]
            assert partly.api.commands() <= before + 1
            assert {each["state"]: each["count"] for each in array["countsByState"]} == {"COMPLETED": 2, "PENDING": 2}
            assert (array["taskCount"], array["phase"], array["succeeded"]) == (4, "ACTIVE", None)
            assert array["isComplete"]


def test_a_list_does_not_claim_to_know_all(partly: Partly) -> None:
    found = ask(partly, f'{{ jobs(cluster: "partly", filter: {{ids: ["$array"]}}) {{ nodes {{ {FIELDS} }} }} }}')
    (job,) = found["jobs"]["nodes"]
    assert (job["array"]["taskCount"], job["array"]["isComplete"]) == (2, False)


def test_it_has_ended_when_the_last_task_has(partly: Partly) -> None:
    partly.cluster.run("scancel", partly.id)
    for id, forgotten in ((partly.id, "01"), (f"{partly.id}_[0-2]", "01"), (f"{partly.id}_[1-9]", "1")):
        answer = ask(partly, WAIT, id=f"partly:{id}")["jobsEnded"]
        ends = {job["jobId"]: job["succeeded"] for job in answer["jobs"]}
        assert answer["done"]
        assert {ends[f"{partly.id}_{task}"] for task in forgotten} == {True}
        assert False in ends.values(), "the tasks that were cancelled"
        assert answer["notRemembered"] == ([f"partly:{id}"] if "9" in id else [])
    document = f'{{ job(id: "partly:{partly.id}_0") {{ {FIELDS} }} }}'
    until(lambda: ask(partly, document)["job"]["array"]["phase"] == "ENDED", 20)
