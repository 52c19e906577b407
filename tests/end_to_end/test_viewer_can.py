"""What the API says that a caller can do is what works: each right in each state of a job, by doing it."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from slurm_words import until

from conftest import Api
from local.cluster import Cluster

OPERATOR = {"user": "ada", "groups": "slurmql-operators"}
CHANGES = {
    "CANCEL_JOBS": 'cancelJobs(input: {jobs: {ids: ["%s"]}})',
    "HOLD_JOBS": 'holdJobs(input: {ids: ["%s"]})',
    "RELEASE_JOBS": 'releaseJobs(input: {ids: ["%s"]})',
    "REQUEUE_JOBS": 'requeueJobs(input: {ids: ["%s"]})',
    "UPDATE_JOB": 'updateJob(input: {id: "%s", name: "changed"})',
    "SIGNAL_JOBS": 'signalJobs(input: {ids: ["%s"], signal: "USR1", target: FULL})',
    "SUSPEND_JOBS": 'suspendJobs(input: {ids: ["%s"]})',
    "RESUME_JOBS": 'resumeJobs(input: {ids: ["%s"]})',
}
LIFE: Sequence[tuple[str, str]] = [
    ("RUNNING", "SUSPEND_JOBS"),
    ("SUSPENDED", "RESUME_JOBS"),
    ("RUNNING", "REQUEUE_JOBS"),
    ("PENDING", "HOLD_JOBS"),
    ("PENDING", "RELEASE_JOBS"),
    ("PENDING", "CANCEL_JOBS"),
    ("CANCELLED", "REQUEUE_JOBS"),
]
"""The states of one job, and what brings it from each into the next."""
KEEPS_THE_STATE = {"UPDATE_JOB", "SIGNAL_JOBS"}
WITHOUT_EFFECT = {"HOLD_JOBS", "RELEASE_JOBS"}
"""Slurm takes these of jobs that run, and of jobs that are held, or not held, already: they are not offered then.
Nor is suspending a suspended job, which Slurm takes, too."""


@pytest.fixture
def a_job(lab: Cluster) -> Iterator[str]:
    script = "#!/bin/bash\ntrap : USR1\nwhile :; do sleep 1; done\n"
    options = ["--parsable", "--constraint=static", "--output=/dev/null"]
    id = lab.run("sbatch", *options, user="ada", input=script).stdout.strip()
    yield id
    lab.run("scancel", id, check=False)


def is_in(lab: Cluster, id: str, state: str) -> bool:
    return lab.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%T").stdout.strip() == state


def can(api: Api, id: str, **who: str) -> set[str]:
    return set(api.data(f'{{ job(id: "{id}") {{ viewerCan }} }}', None, **who)["job"]["viewerCan"])


def refusals(api: Api, right: str, id: str) -> list[Any]:
    who = OPERATOR if right in ("SUSPEND_JOBS", "RESUME_JOBS") else {"user": "ada"}
    answer = api.data(f"mutation {{ done: {CHANGES[right] % id} {{ errors {{ code message }} }} }}", None, **who)
    errors: list[Any] = answer["done"]["errors"]
    return errors


def test_what_can_be_done_to_a_job_is_what_slurm_does(api: Api, lab: Cluster, a_job: str) -> None:
    for state, goes_on in LIFE:
        until(partial(is_in, lab, a_job, state), 30)
        offered = can(api, a_job, **OPERATOR) - {"JOB_SCRIPT", "JOB_OUTPUT"}
        assert can(api, a_job) >= offered - {"SUSPEND_JOBS", "RESUME_JOBS"}
        works = {right for right in offered & KEEPS_THE_STATE if refusals(api, right, a_job) == []}
        others = set(CHANGES) - offered - WITHOUT_EFFECT - ({"SUSPEND_JOBS"} if state == "SUSPENDED" else set())
        works |= {right for right in others if refusals(api, right, a_job) == []}
        assert (state, works) == (state, offered & KEEPS_THE_STATE)
        assert goes_on in offered, (state, offered)
        assert refusals(api, goes_on, a_job) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make jobs of two users")
def test_only_its_user_and_operators_can_do_something_to_a_job(api: Api, lab: Cluster) -> None:
    id = lab.run("sbatch", "--parsable", "--hold", user="ada", input="#!/bin/bash\ntrue\n").stdout.strip()
    lab.run("scontrol", "update", f"JobId={id}", "Priority=0")  # an administrator holds it
    theirs = {"JOB_SCRIPT", "CANCEL_JOBS", "UPDATE_JOB"}
    assert can(api, id, user="ada") == theirs | {"JOB_OUTPUT"}
    assert can(api, id, user="grace", groups="slurmql-operators") == theirs | {"RELEASE_JOBS"}
    assert can(api, id, user="grace") == set()
    assert can(api, id, user="ada", groups="slurmql-viewers") == set()
    assert refusals(api, "RELEASE_JOBS", id) != []
    lab.run("scancel", id)


def test_past_jobs_can_be_read_alone(api: Api, lab: Cluster) -> None:
    id = lab.run("sbatch", "--parsable", "--hold", user="ada", input="#!/bin/bash\ntrue\n").stdout.strip()
    lab.run("scancel", id)
    document = f'{{ jobHistory(filter: {{ids: ["{id}"]}}) {{ nodes {{ phase viewerCan }} }} }}'
    until(lambda: api.data(document)["jobHistory"]["nodes"] == [{"phase": "ENDED", "viewerCan": ["JOB_OUTPUT"]}], 20)


def test_what_the_caller_can_do_follows_from_their_role(api: Api) -> None:
    document = "{ viewer { can } nodes(first: 1) { nodes { viewerCan } } queues { viewerCan } }"
    ada, operator = api.data(document), api.data(document, None, **OPERATOR)
    viewer = api.data(document, groups="slurmql-viewers")
    theirs = {"SUBMIT_JOB", "CANCEL_JOBS", "HOLD_JOBS", "RELEASE_JOBS", "REQUEUE_JOBS", "UPDATE_JOB", "SIGNAL_JOBS"}
    assert set(ada["viewer"]["can"]) == theirs | {"JOB_SCRIPT", "JOB_OUTPUT"}
    assert set(operator["viewer"]["can"]) > set(ada["viewer"]["can"]) | {"UPDATE_NODE", "UPDATE_QUEUE"}
    assert viewer["viewer"]["can"] == []
    for asked, expected in ((ada, []), (operator, ["UPDATE_NODE"]), (viewer, [])):
        assert asked["nodes"]["nodes"] == [{"viewerCan": expected}]
        assert {tuple(queue["viewerCan"]) for queue in asked["queues"]} == {tuple(map(_of_queue, expected))}


def _of_queue(right: str) -> str:
    return right.replace("NODE", "QUEUE")
