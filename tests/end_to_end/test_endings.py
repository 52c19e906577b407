"""An ended job is the same from the scheduler and from accounting, in every field.

One job of each way to end (ended_jobs.py), asked for while the scheduler remembers them all: `jobs` reads squeue,
`jobHistory` reads sacct, with the jobs' steps and without.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from another_cluster import endpoint, reachable, started
from ended_jobs import NODES, SETTINGS, WAYS, WITHIN, codes_by_accounting, make, otherwise
from slurm_words import Values, own_fields, until

from conftest import Api
from local.gateway import Handler
from local.stack import Stack
from local.suite import Chroot

WITH_STEPS = {"maxRssMib", "cpuTimeSeconds"}
ONLY_BY_ACCOUNTING = WITH_STEPS | {"cpuTimeReservedSeconds"}
ONLY_BY_SCHEDULER = {"command", "comment", "dependency"}
FILES = {"stdoutPath", "stderrPath"}
OTHERWISE_BY_ACCOUNTING = {"reason", "reasonCode", "rawState", "viewerCan"}
"""Fields that the two sources show differently for any job: the fields' descriptions say how."""


@dataclass(frozen=True)
class Ended:
    """The rows of all jobs, by id: from the scheduler, and from accounting without and with steps."""

    ids: Mapping[str, str]
    by_scheduler: Mapping[str, Values]
    by_accounting: Mapping[str, Values]
    with_steps: Mapping[str, Values]
    version: tuple[int, int]

    def rows(self, name: str) -> list[str]:
        """The ids of the rows of one way's job, in their order."""
        id = self.ids[name]
        return [row for row in self.by_scheduler if row.replace("+", "_").partition("_")[0] == id]


@pytest.fixture(scope="module")
def ended(stack: Stack, chroot: Chroot | None, entry: Handler) -> Iterator[Ended]:
    """Everything that is compared, asked for once."""
    options = {"accounting": True, "compute": (NODES,), "settings": SETTINGS}
    with started("endings", chroot, **options) as cluster, endpoint(cluster, stack, chroot) as made:
        ids = make(cluster, WITHIN)
        with reachable(cluster, stack, made, entry) as api:
            until(lambda: not _running(api, ids), 20, lambda: _running(api, ids))
            fields = own_fields("Job") - {"script"}
            yield Ended(
                ids,
                _jobs(api, "jobs(first: 1000, orderBy: {field: ID}", fields - ONLY_BY_ACCOUNTING),
                _history(api, ids, fields - WITH_STEPS),
                _history(api, ids, fields),
                cluster.programs.slurm_version(),
            )


def _running(api: Api, ids: Mapping[str, str]) -> list[Values]:
    """The jobs whose end accounting does not know yet."""
    return [job for job in _history(api, ids, {"name", "state", "endTime"}).values() if not job["endTime"]]


def _history(api: Api, ids: Mapping[str, str], fields: set[str]) -> dict[str, Values]:
    where = f"filter: {{ids: [{', '.join(ids.values())}]}}"
    return _jobs(api, f"jobHistory(first: 1000, orderBy: {{field: ID}}, {where}", fields)


def _jobs(api: Api, question: str, fields: set[str]) -> dict[str, Values]:
    document = f'{{ found: {question}, cluster: "endings") {{ nodes {{ jobId {" ".join(sorted(fields))} }} }} }}'
    return {job["jobId"]: job for job in api.data(document)["found"]["nodes"]}


@pytest.mark.parametrize("name", WAYS)
def test_every_field_is_the_same_by_both(ended: Ended, name: str) -> None:
    way, rows = WAYS[name], ended.rows(name)
    not_compared = ONLY_BY_SCHEDULER | OTHERWISE_BY_ACCOUNTING | (FILES if ended.version < (24, 5) else set())
    if name == "cancelled suspended":
        not_compared = not_compared | {"priority"}  # the scheduler holds back what is suspended: 0
    for row in rows:
        by_scheduler, by_accounting = ended.by_scheduler[row], ended.by_accounting[row]
        expected = {**by_scheduler, **otherwise(name, ended.version)}
        assert by_accounting["exitCode"] in codes_by_accounting(name, by_scheduler["exitCode"], ended.version)
        compared = by_scheduler.keys() - not_compared - {"exitCode"}
        assert {field: by_accounting[field] for field in compared} == {field: expected[field] for field in compared}
        assert ended.with_steps[row].items() >= by_accounting.items()
    assert {ended.by_scheduler[row]["state"] for row in rows} == {way.states}
    first = ended.by_scheduler[rows[0]]
    if not way.varies:
        assert (first["exitCode"], first["exitSignal"]) == (way.code, way.signal)


def test_no_end_but_a_success_has_exit_code_0(ended: Ended) -> None:
    for jobs in (ended.by_scheduler, ended.by_accounting, ended.with_steps):
        assert {job["state"] for job in jobs.values() if job["exitCode"] == 0} == {"COMPLETED"}


@pytest.mark.parametrize("name", WAYS)
def test_each_has_ended_and_only_a_success_succeeded(ended: Ended, name: str) -> None:
    """A client that knows `phase`, `succeeded` and `exitCode` alone is right about each."""
    for row in ended.rows(name):
        for jobs in (ended.by_scheduler, ended.by_accounting, ended.with_steps):
            job = jobs[row]
            assert job["phase"] == "ENDED"
            assert job["succeeded"] is (job["exitCode"] == 0)
            assert job["updateTime"] == job["endTime"]
    way = WAYS[name]
    if not way.varies:
        assert ended.by_scheduler[ended.rows(name)[0]]["succeeded"] is (way.code == 0)


def test_no_job_that_has_ended_has_a_reason_to_wait(ended: Ended) -> None:
    for jobs in (ended.by_scheduler, ended.by_accounting):
        for job in jobs.values():
            said = job["reasonText"] or ""
            assert "Starts" not in said
            assert bool(said) == (job["state"] not in ("COMPLETED", "CANCELLED")) or "never started" in said


def test_accounting_and_the_scheduler_name_the_same_file(ended: Ended) -> None:
    recorded = [row for row in ended.by_accounting if ended.by_accounting[row]["stdoutPath"]]
    assert bool(recorded) == (ended.version >= (24, 5))
