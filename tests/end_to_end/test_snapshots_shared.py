"""Snapshots as requests share them: one command for many, none after a change that came too early."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

T = TypeVar("T")

JOBS = "{ jobs(first: 1000) { totalCount asOf nodes { id name state } } }"
SUBMIT = """mutation ($name: String!) {
  submitJob(input: { script: {text: "#!/bin/bash\\ntrue\\n"}, name: $name, hold: true }) {
  job { id } errors { message } } }"""


def in_own_loop(call: Callable[[], T]) -> T:
    """As local/gateway.py does it: Mangum wants an event loop of its own in every thread."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return call()
    finally:
        loop.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(10) as threads:
        yield threads


@pytest.fixture(autouse=True)
def no_delay(stack: Stack) -> Iterator[None]:
    yield
    stack.ssm.faults.delivery_delay = 0.0


def names(data: dict[str, Any]) -> list[str]:
    return [job["name"] for job in data["jobs"]["nodes"]]


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_ten_requests_at_once_cost_one_command(api: Api, stack: Stack, pool: ThreadPoolExecutor) -> None:
    stack.ssm.faults.delivery_delay = 0.5  # so that all of them are there before the first is answered
    before = api.commands()
    asked = [pool.submit(in_own_loop, lambda: api.data(JOBS)) for _ in range(10)]
    answers = [future.result() for future in asked]
    assert api.commands() == before + 1
    assert all(answer == answers[0] for answer in answers)


def test_overlapping_requests_share_their_common_datasets(api: Api, stack: Stack, pool: ThreadPoolExecutor) -> None:
    stack.ssm.faults.delivery_delay = 0.5
    before = api.commands()
    first = pool.submit(in_own_loop, lambda: api.data("{ jobs { asOf } }"))
    wait_until(lambda: api.commands() == before + 1)
    second = pool.submit(in_own_loop, lambda: api.data("{ jobs { asOf } nodes { asOf } }"))
    assert first.result()["jobs"] == second.result()["jobs"]
    assert api.commands() == before + 2


def test_as_of_is_no_younger_than_the_data(api: Api, stack: Stack) -> None:
    stack.ssm.faults.delivery_delay = 0.3
    before = datetime.now(UTC)
    as_of = datetime.fromisoformat(api.data(JOBS)["jobs"]["asOf"])
    assert before <= as_of
    assert (datetime.now(UTC) - as_of).total_seconds() >= 0.3
    again = datetime.fromisoformat(api.data(JOBS)["jobs"]["asOf"])
    assert again == as_of


def test_a_query_after_a_submission_sees_the_job(api: Api) -> None:
    api.data(JOBS)
    api.data(SUBMIT, {"name": "seen-at-once"})
    assert "seen-at-once" in names(api.data(JOBS))


def test_a_query_after_a_cancel_sees_it_cancelled(api: Api) -> None:
    id = api.data(SUBMIT, {"name": "gone-at-once"})["submitJob"]["job"]["id"]
    api.data(JOBS)
    cancel = "mutation ($id: ID!) { cancelJobs(input: {jobs: {ids: [$id]} }) { errors { message } } }"
    assert api.data(cancel, {"id": id})["cancelJobs"]["errors"] == []
    (state,) = [job["state"] for job in api.data(JOBS)["jobs"]["nodes"] if job["id"] == id]
    assert state == "CANCELLED"


def test_a_change_on_one_cluster_leaves_the_others_snapshots(api: Api) -> None:
    annex = '{ jobs(cluster: "annex") { totalCount } }'
    api.data(annex)
    api.data(SUBMIT, {"name": "on-the-lab"})
    before = api.commands()
    api.data(annex)
    assert api.commands() == before


def test_a_fetch_that_began_before_a_change_is_not_kept(api: Api, stack: Stack, pool: ThreadPoolExecutor) -> None:
    """The fetch is held up, a job is submitted meanwhile, and only then the fetch is over."""
    stack.ssm.faults.delivery_delay = 1.5
    before = api.commands()
    early = pool.submit(in_own_loop, lambda: api.data(JOBS))
    wait_until(lambda: api.commands() == before + 1)
    stack.ssm.faults.delivery_delay = 0.0
    api.data(SUBMIT, {"name": "overtook"})
    early.result()
    sent = api.commands()
    assert "overtook" in names(api.data(JOBS))
    assert api.commands() == sent + 1, "what the early fetch brought was kept"


def test_without_a_ttl_every_request_asks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import handler
    from headnode.snapshots import Snapshots

    lab = handler.clusters["lab"]
    monkeypatch.setitem(handler.clusters, "lab", Snapshots(lab.node, 0.0))
    before = api.commands()
    first, second = api.data(JOBS), api.data(JOBS)
    assert api.commands() == before + 2
    assert first["jobs"]["asOf"] < second["jobs"]["asOf"]


@pytest.fixture(scope="module", autouse=True)
def no_jobs_left(lab: Cluster) -> Iterator[None]:
    yield
    for name in ("seen-at-once", "on-the-lab", "overtook"):
        lab.run("scancel", f"--name={name}")
