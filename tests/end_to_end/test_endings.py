"""A job that has ended is the same job whoever tells of it: every field, by the scheduler and by accounting.

One job of each way to end (ended_jobs.py), asked for while the scheduler remembers them all: `jobs` reads squeue,
`jobHistory` reads sacct, with the jobs' steps and without.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from another_cluster import endpoint, reachable, started
from ended_jobs import NODES, SETTINGS, WAYS, make
from slurm_words import Values, own_fields, until

from conftest import Api
from local.gateway import Handler
from local.stack import Stack
from local.suite import Chroot

WITHIN = 55.0
"""Seconds for all jobs to end: slurmctld looks at time limits every 30."""
WITH_STEPS = {"maxRssMib", "cpuTimeSeconds"}
ONLY_BY_ACCOUNTING = WITH_STEPS | {"cpuTimeReservedSeconds"}
ONLY_BY_SCHEDULER = {"command", "comment", "dependency"}
OTHERWISE_BY_ACCOUNTING = {"reason", "reasonCode", "rawState"}
"""Fields that the two tell differently: the fields' descriptions say how."""


@dataclass(frozen=True)
class Ended:
    """The rows of all jobs, by id: as the scheduler, and as accounting tells of them without steps and with."""

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
            until(lambda: all(job["endTime"] for job in _history(api, ids, {"endTime"}).values()), 20)
            fields = own_fields("Job") - {"script"}
            yield Ended(
                ids,
                _jobs(api, "jobs(first: 1000, orderBy: {field: ID}", fields - ONLY_BY_ACCOUNTING),
                _history(api, ids, fields - WITH_STEPS),
                _history(api, ids, fields),
                cluster.programs.slurm_version(),
            )


def _history(api: Api, ids: Mapping[str, str], fields: set[str]) -> dict[str, Values]:
    where = f"filter: {{ids: [{', '.join(ids.values())}]}}"
    return _jobs(api, f"jobHistory(first: 1000, orderBy: {{field: ID}}, {where}", fields)


def _jobs(api: Api, question: str, fields: set[str]) -> dict[str, Values]:
    document = f'{{ found: {question}, cluster: "endings") {{ nodes {{ jobId {" ".join(sorted(fields))} }} }} }}'
    return {job["jobId"]: job for job in api.data(document)["found"]["nodes"]}


@pytest.mark.parametrize("name", WAYS)
def test_every_field_is_the_same_by_both(ended: Ended, name: str) -> None:
    way = WAYS[name]
    rows = ended.rows(name)
    assert rows
    for row in rows:
        by_scheduler, by_accounting = ended.by_scheduler[row], ended.by_accounting[row]
        print(
            row, {f: (by_scheduler[f], by_accounting[f]) for f in by_scheduler if by_scheduler[f] != by_accounting[f]}
        )
    for row in rows:
        by_scheduler, by_accounting = ended.by_scheduler[row], ended.by_accounting[row]
        compared = by_scheduler.keys() - ONLY_BY_SCHEDULER - OTHERWISE_BY_ACCOUNTING
        assert {field: by_accounting[field] for field in compared} == {field: by_scheduler[field] for field in compared}
        assert ended.with_steps[row].items() >= by_accounting.items()
    assert {ended.by_scheduler[row]["state"] for row in rows} == {way.states}
