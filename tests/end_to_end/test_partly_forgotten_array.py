"""An array of which the scheduler has forgotten the tasks that have ended: by accounting they count, too."""

from collections.abc import Iterator

import pytest
from another_cluster import purging
from slurm_words import until

from conftest import Api
from local.cluster import Cluster

FIELDS = "array { taskCount isComplete phase succeeded countsByState { state count } }"
WAIT = "query ($id: ID!) { jobsEnded(ids: [$id], timeoutSeconds: 0) { done jobs { jobId succeeded } notRemembered } }"


@pytest.fixture(scope="module")
def partly(lab: Cluster) -> Iterator[str]:
    """The id of an array of four tasks: two have ended and are forgotten, two wait."""
    words = ["sbatch", "--parsable", "--constraint=static", "--output=/dev/null", "--array=0-3", "--hold"]
    id = lab.run(*words, user="ada", input="#!/bin/sh\nexit 0\n").stdout.strip()
    for task in (0, 1):
        lab.run("scontrol", "release", f"{id}_{task}")
    with purging(lab):
        until(lambda: listed(lab, id) == [f"{id}_[2-3]"], 90)
        yield id


def listed(lab: Cluster, id: str) -> list[str]:
    return lab.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%i").stdout.split()


def test_all_tasks_count_whether_one_job_is_fetched_or_all_jobs_are_kept(api: Api, partly: str) -> None:
    for kept in (False, True):
        if kept:
            api.data("{ jobs { nodes { workDir } } }", groups="slurmql-viewers")
        for asked in (partly, f"{partly}_2"):
            before = api.commands()
            array = api.data(f'{{ job(id: "{asked}") {{ {FIELDS} }} }}')["job"]["array"]
            assert api.commands() <= before + 1
            assert {each["state"]: each["count"] for each in array["countsByState"]} == {"COMPLETED": 2, "PENDING": 2}
            assert (array["taskCount"], array["phase"], array["succeeded"]) == (4, "ACTIVE", None)
            assert array["isComplete"]


def test_a_list_does_not_claim_to_know_all(api: Api, partly: str) -> None:
    document = f'{{ jobs(filter: {{ids: ["{partly}"]}}) {{ nodes {{ {FIELDS} }} }} }}'
    (job,) = api.data(document)["jobs"]["nodes"]
    assert (job["array"]["taskCount"], job["array"]["isComplete"]) == (2, False)


def test_it_has_ended_when_the_last_task_has(api: Api, lab: Cluster, partly: str) -> None:
    lab.run("scancel", partly)
    for id, forgotten in ((partly, "01"), (f"{partly}_[0-2]", "01"), (f"{partly}_[1-9]", "1")):
        answer = api.data(WAIT, {"id": id})["jobsEnded"]
        ends = {job["jobId"]: job["succeeded"] for job in answer["jobs"]}
        assert answer["done"]
        assert {ends[f"{partly}_{task}"] for task in forgotten} == {True}
        assert False in ends.values(), "the tasks that were cancelled"
        assert answer["notRemembered"] == ([f"lab:{id}"] if "9" in id else [])
    until(lambda: api.data(f'{{ job(id: "{partly}_0") {{ {FIELDS} }} }}')["job"]["array"]["phase"] == "ENDED", 20)
