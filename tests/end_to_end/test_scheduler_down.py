"""slurmctld is really down: the errors, how soon they come, and that all is well once it is up again."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

DEADLINE = 15
"""Seconds: half of what the handler has. squeue alone goes on trying for MessageTimeout, 60 s as on ParallelCluster."""
SUBMIT = """mutation { submitJob(input: {cluster: "annex", script: {text: "#!/bin/bash\\nsleep 300\\n"} }) {
  job { id } errors { code message } } }"""


@pytest.fixture(scope="module")
def annex(stack: Stack) -> Cluster:
    return stack.clusters["annex"]


def test_a_failure_is_not_kept_the_next_query_after_the_start_works(api: Api, annex: Cluster) -> None:
    everything = '{ cluster(name: "annex") { slurmVersion jobs { totalCount } nodes { totalCount } } }'
    annex.stop_controller()
    try:
        assert set(api.codes(everything)) == {"SCHEDULER_UNAVAILABLE"}
    finally:
        annex.start_controller()
    assert api.data(everything)["cluster"]["slurmVersion"]
    payload = api.data(SUBMIT)["submitJob"]
    assert payload["errors"] == []
    own = payload["job"]["id"]
    assert api.data('{ job(id: "%s") { id } }' % own)["job"] == {"id": own}  # noqa: UP031 - GraphQL is full of braces
    cancel = "mutation ($id: ID!) { cancelJobs(input: {jobs: {ids: [$id]}}) { errors { message } } }"
    api.data(cancel, {"id": own})


@pytest.fixture(scope="module")
def down(annex: Cluster) -> Iterator[str]:
    """The annex without slurmctld; a job that was there before."""
    user = annex.users[0].name
    job = annex.run("sbatch", "--parsable", "--hold", user=user, input="#!/bin/bash\ntrue\n").stdout.strip()
    annex.stop_controller()
    try:
        yield job
    finally:
        annex.start_controller()
        annex.run("scancel", job, user=user)


def only_error(api: Api, document: str) -> dict[str, Any]:
    started = time.monotonic()
    answer = api.ask(document)
    assert time.monotonic() - started < DEADLINE
    (error,) = answer["errors"]
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize(
    "field",
    [
        "jobs(cluster: $c) { totalCount }",
        "queues(cluster: $c) { name }",
        "nodes(cluster: $c) { totalCount }",
        "job(cluster: $c, id: 1) { state }",
        "cluster(name: $c) { jobs { totalCount } }",
    ],
)
def test_a_query_reports_slurms_own_words(field: str, api: Api, down: str) -> None:
    error = only_error(api, "{ " + field.replace("$c", '"annex"') + " }")
    assert error["extensions"]["code"] == "SCHEDULER_UNAVAILABLE"
    assert error["extensions"]["cluster"] == "annex"
    assert error["extensions"]["scheduler"].startswith("Slurmctld(primary) at ")
    assert error["extensions"]["scheduler"].endswith(" is DOWN")
    assert error["message"] == f"The scheduler of annex does not answer: {error['extensions']['scheduler']}"


def test_another_clusters_data_is_still_answered(api: Api, down: str) -> None:
    answer = api.ask('{ jobs { totalCount } dead: jobs(cluster: "annex") { totalCount } }')
    assert answer["data"]["jobs"]["totalCount"] >= 0
    assert answer["data"]["dead"] is None
    assert [error["path"] for error in answer["errors"]] == [["dead"]]


def test_all_fields_of_the_cluster_cost_one_command_and_an_error_each(api: Api, down: str) -> None:
    before = api.commands()
    answer = api.ask('{ cluster(name: "annex") { name nodes { totalCount } jobs { totalCount } queues { name } } }')
    assert api.commands() == before + 1
    assert answer["data"]["cluster"] == {"name": "annex", "nodes": None, "jobs": None, "queues": None}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"SCHEDULER_UNAVAILABLE"}
    assert len(answer["errors"]) == 3


@pytest.mark.parametrize(
    "change",
    [
        'cancelJobs(input: {cluster: "annex", jobs: {ids: ["%s"]}}) { jobs { id } errors { code message } }',
        'holdJobs(input: {cluster: "annex", ids: ["%s"]}) { jobs { id } errors { code message } }',
        'releaseJobs(input: {cluster: "annex", ids: ["%s"]}) { jobs { id } errors { code message } }',
        'requeueJobs(input: {cluster: "annex", ids: ["%s"]}) { jobs { id } errors { code message } }',
    ],
)
def test_a_change_is_not_made_and_reports_slurms_own_words(change: str, api: Api, down: str) -> None:
    error = only_error(api, "mutation { " + change % down + " }")
    assert error["extensions"]["code"] == "SCHEDULER_UNAVAILABLE"
    assert error["extensions"]["scheduler"].endswith(" is DOWN")


def test_a_submission_is_not_made_and_reports_slurms_own_words(api: Api, down: str) -> None:
    error = only_error(api, SUBMIT)
    assert error["extensions"]["code"] == "SCHEDULER_UNAVAILABLE"
    assert error["extensions"]["scheduler"].endswith(" is DOWN")
