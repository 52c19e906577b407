"""A client that knows `phase`, `succeeded` and `exitCode` alone is never wrong about a job.

It polls jobs of every end (ended_jobs.py) from their submission until slurmctld has forgotten them all, on a cluster
with accounting and on one without: each answer is right, or says that nobody remembers the job.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from another_cluster import endpoint, purging, reachable, started
from ended_jobs import NODES, SETTINGS, WAYS, WITHIN, codes_by_accounting, listed, make

from conftest import Api
from local.gateway import Handler
from local.stack import Stack
from local.suite import Chroot

FIELDS = "jobId phase succeeded exitCode"
WAIT = f"""query ($ids: [ID!]!) {{
  jobsEnded(ids: $ids, timeoutSeconds: 0) {{ done jobs {{ {FIELDS} }} notRemembered }} }}"""
ONE = f"query ($id: ID!) {{ job(id: $id) {{ {FIELDS} }} }}"
FORGOTTEN_WITHIN = 60.0

pytestmark = pytest.mark.timeout(600)  # the fixture polls for two minutes, and longer on a busy machine


@dataclass
class Client:
    """A client, and the answers that it got. A job goes by the name of the way that it ends."""

    api: Api
    cluster: str
    answers: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: {name: [] for name in WAYS})
    """The answers about each job, in the order in which they came."""
    not_remembered: set[str] = field(default_factory=set)
    """The ways whose jobs `jobsEnded` does not know any more."""
    codes: dict[str, list[str]] = field(default_factory=dict)
    """The errors of `job` in the last poll."""
    done_too_soon: list[Sequence[str]] = field(default_factory=list)

    def poll(self, ids: Mapping[str, str]) -> None:
        """Ask for all jobs together, and for each alone."""
        names = {id: name for name, id in ids.items()}
        answer = self.api.data(WAIT, {"ids": [f"{self.cluster}:{id}" for id in names]})["jobsEnded"]
        self._note(names, answer["jobs"])
        self.not_remembered = {names[id.partition(":")[2]] for id in answer["notRemembered"]}
        unfinished = [job["jobId"] for job in answer["jobs"] if job["phase"] != "ENDED"]
        if answer["done"] and unfinished:
            self.done_too_soon.append(unfinished)
        for id, name in names.items():
            answer = self.api.ask(ONE, {"id": f"{self.cluster}:{id}"})
            self.codes[name] = [error["extensions"]["code"] for error in answer.get("errors", ())]
            if answer["data"]["job"]:
                self._note(names, [answer["data"]["job"]])

    def _note(self, names: Mapping[str, str], jobs: Sequence[Mapping[str, Any]]) -> None:
        for job in jobs:
            self.answers[names[job["jobId"].replace("+", "_").partition("_")[0]]].append(job)


@dataclass(frozen=True)
class Polled:
    """A client that has polled until everything was forgotten."""

    client: Client
    accounting: bool
    version: tuple[int, int]


@pytest.fixture(scope="module", params=[True, False], ids=["accounting", "no accounting"])
def polled(request: pytest.FixtureRequest, stack: Stack, chroot: Chroot | None, entry: Handler) -> Iterator[Polled]:
    """The client polls every second while the jobs are made and end, and then until slurmctld has forgotten them."""
    name = "remembers" if request.param else "forgets"
    # Slurm samples memory, and ends jobs that use too much, where it keeps no accounts, too.
    settings = {"JobAcctGatherType": "jobacct_gather/linux", "JobAcctGatherFrequency": "task=1", **SETTINGS}
    options = {"accounting": request.param, "compute": (NODES,), "settings": settings}
    with (
        started(name, chroot, **options) as cluster,
        endpoint(cluster, stack, chroot) as made,
        reachable(cluster, stack, made, entry) as api,
    ):
        client = Client(api, name)
        with ThreadPoolExecutor() as pool:
            making = pool.submit(make, cluster, WITHIN)
            while not making.done():
                time.sleep(1)
                client.poll({way: jobs[0][0] for way, jobs in listed(cluster).items() if way in WAYS})
        ids = making.result()
        client.poll(ids)
        assert not client.not_remembered
        with purging(cluster):
            deadline = time.monotonic() + FORGOTTEN_WITHIN
            while listed(cluster):
                assert time.monotonic() < deadline, listed(cluster)
                client.poll(ids)
            client.poll(ids)
        yield Polled(client, request.param, cluster.programs.slurm_version())


@pytest.mark.parametrize("name", WAYS)
def test_no_answer_is_wrong(polled: Polled, name: str) -> None:
    way, ended = WAYS[name], set()
    answers = polled.client.answers[name]
    assert answers
    for job in answers:
        id, said = job["jobId"], (job["succeeded"], job["exitCode"])
        if job["phase"] != "ENDED":
            assert said == (None, None)
            assert id not in ended, "it had ended before"
            continue
        ended.add(id)
        code = int(id.partition("_")[2]) if name == "array of exits" and "_" in id else way.code
        assert job["succeeded"] is (code == 0)
        if not way.varies:
            by_accounting = codes_by_accounting(name, code, polled.version) if polled.accounting else set()
            assert job["exitCode"] in {code} | by_accounting
    assert ended


def test_a_wait_is_over_only_when_all_have_ended(polled: Polled) -> None:
    assert polled.client.done_too_soon == []


def test_the_client_learns_what_nobody_remembers(polled: Polled) -> None:
    """With accounting that is no job; without it, all that slurmctld has forgotten."""
    forgotten = set() if polled.accounting else WAYS.keys()
    assert polled.client.not_remembered == forgotten
    assert polled.client.codes == {name: ["JOB_NOT_REMEMBERED"] if name in forgotten else [] for name in WAYS}
