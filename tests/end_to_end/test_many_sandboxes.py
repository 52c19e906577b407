"""Several processes with the handler in them, as a busy deployment has sandboxes: what all of them ask a cluster."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sandbox_process import SandboxProcess

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

PROCESSES, REQUESTS, TTL = 5, 20, 2.0
DASHBOARD = "{ jobs(first: 100) { asOf totalCount nodes { id name } } nodes { asOf totalCount } queues { name } }"


@pytest.fixture(scope="module")
def sandboxes(stack: Stack) -> Iterator[list[SandboxProcess]]:
    started = [SandboxProcess({**stack.environment, "SLURMQL_TTL": str(TTL)}) for _ in range(PROCESSES)]
    yield started
    for sandbox in started:
        sandbox.kill()


def all_ask(sandboxes: list[SandboxProcess], times: int, pause: float, user: str = "ada") -> list[dict[str, Any]]:
    with ThreadPoolExecutor(len(sandboxes)) as pool:
        answered = list(pool.map(lambda sandbox: sandbox.ask(DASHBOARD, user, times, pause), sandboxes))
    answers = [answer for each in answered for answer in each]
    assert not [answer["body"] for answer in answers if "errors" in answer["body"]]
    return answers


def as_of(answer: dict[str, Any]) -> float:
    """When the cluster was asked, by the answer."""
    data = answer["body"]["data"]
    assert data["jobs"]["asOf"] == data["nodes"]["asOf"], "both come by one command"
    return datetime.fromisoformat(data["jobs"]["asOf"]).timestamp()


def test_all_sandboxes_ask_a_cluster_once_in_a_ttl(api: Api, sandboxes: list[SandboxProcess]) -> None:
    """If the table takes over a second to answer, a sandbox cannot check its clock and fetches for itself.

    A machine that is busy with other tests may be as slow as that for a moment: then they are watched once more.
    """
    all_ask(sandboxes, 1, 0)  # every process has begun
    for _ in range(3):
        time.sleep(2 * TTL)  # and knows nothing any more that would do
        before = api.commands()
        answers = all_ask(sandboxes, REQUESTS, 0.1)
        asked = sorted({as_of(answer) for answer in answers})
        assert len(asked) == api.commands() - before
        for answer in answers:
            assert as_of(answer) <= answer["ended"]
            assert answer["began"] - as_of(answer) <= 2 * TTL
        if all(later - earlier >= TTL for earlier, later in itertools.pairwise(asked)):
            return
    pytest.fail(f"asked at {asked}")


def test_a_change_in_one_process_is_seen_in_the_others(sandboxes: list[SandboxProcess], lab: Cluster) -> None:
    first, *others = sandboxes
    for round in range(3):
        all_ask(sandboxes, 1, 0)
        script = f'{{script: {{text: "#!/bin/sh\\n"}}, name: "shared{round}", hold: true}}'
        submitted = first.data(f"mutation {{ submitJob(input: {script}) {{ job {{ id }} }} }}")
        for other in others:
            seen = other.data("{ jobs(first: 1000) { nodes { id } } }")["jobs"]["nodes"]
            assert submitted["submitJob"]["job"] in seen
        own = "{ jobs(first: 1000) { nodes { id name } } }"
        assert f"shared{round}" in [job["name"] for job in first.data(own)["jobs"]["nodes"]]


def test_a_process_that_dies_while_it_asks_is_followed_by_another(
    api: Api, sandboxes: list[SandboxProcess], stack: Stack
) -> None:
    doomed = SandboxProcess({**stack.environment, "SLURMQL_TTL": str(TTL)})
    doomed.data("{ __typename }")
    api.ask("{ __typename }")
    time.sleep(2 * TTL)
    before = api.commands()
    stack.ssm.faults.delivery_delay = 3.0
    try:
        with ThreadPoolExecutor(1) as pool:
            lost = pool.submit(doomed.ask, DASHBOARD)
            while api.commands() == before:
                time.sleep(0.02)
            doomed.kill()
            assert lost.exception()
        stack.ssm.faults.delivery_delay = 0.0
        assert all_ask(sandboxes, 1, 0)
    finally:
        stack.ssm.faults.delivery_delay = 0.0
    assert api.commands() == before + 2


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_DYNAMODB", "SLURMQL_TABLE"])
def test_without_the_table_a_process_asks_for_itself(variable: str, api: Api, stack: Stack) -> None:
    """Once in a TTL for who can change nothing; each time for the others, who may have made a change elsewhere."""
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", "SLURMQL_TABLE": ""}[variable]
    alone = SandboxProcess({**stack.environment, "SLURMQL_TTL": "60", variable: nowhere})
    try:
        before = api.commands()
        first, second = (alone.data(DASHBOARD, "guest;groups=slurmql-viewers") for _ in range(2))
        of_viewers = api.commands() - before
        for _ in range(2):
            alone.data(DASHBOARD)
    finally:
        alone.kill()
    assert (of_viewers, api.commands() - before) == (1, 3)
    assert first == second


@pytest.fixture(scope="module", autouse=True)
def no_jobs_left(lab: Cluster) -> Iterator[None]:
    yield
    for round in range(3):
        lab.run("scancel", f"--name=shared{round}")
