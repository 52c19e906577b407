"""Waiting for jobs to end: one request in the place of a client's loop of polls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headnode.deadline import Deadline
from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.arguments import IDS_LIMIT, LONGEST_WAIT, EndedWhen
from resolvers.errors import BadInputError
from resolvers.filters import local_id, rows_with_ids
from resolvers.history import keeps_accounts, past_jobs
from resolvers.reads import Parts, all_jobs
from slurm import sacct_search
from slurm.sacct import History
from slurm.states import JobPhase

if TYPE_CHECKING:
    from resolvers.cluster import Cluster
    from resolvers.job import Job

_PAUSE = 1.0
"""Seconds between two looks, unless snapshots are kept for longer."""
_LOOK = 3.0
"""Seconds of the request's time that the last look may take."""


@dataclass(frozen=True)
class JobsEnded:
    """What is known of the jobs that a caller waits for."""

    done: bool
    jobs: Sequence[Job]
    not_remembered: Sequence[str]
    as_of: datetime


def check(cluster: Cluster, ids: Sequence[str], timeout_seconds: int) -> list[str]:
    """The ids in Slurm's spelling. Raises BadInputError."""
    if not 1 <= len(ids) <= IDS_LIMIT:
        raise BadInputError(f"ids must name 1 to {IDS_LIMIT} jobs.", argument="ids")
    if not 0 <= timeout_seconds <= LONGEST_WAIT:
        raise BadInputError(f"timeoutSeconds must be from 0 to {LONGEST_WAIT}.", argument="timeoutSeconds")
    return [local_id(id, cluster.name) for id in ids]


def reads(
    cluster: Cluster, below: Parts, ids: Sequence[str], when: EndedWhen, timeout_seconds: int
) -> list[Dataset[Any]]:
    """The jobs; nothing if the arguments are wrong, as the field itself reports that."""
    try:
        check(cluster, ids, timeout_seconds)
    except BadInputError:
        return []
    return [all_jobs(below)]


async def jobs_ended(cluster: Cluster, ids: Sequence[str], when: EndedWhen, timeout_seconds: int) -> JobsEnded:
    """What is known of the jobs when they have ended, or when the time is over. Raises RequestError.

    The jobs are looked up in the snapshots that all requests share, so waiting costs a cluster what one dashboard
    costs it, however many wait.
    """
    own = check(cluster, ids, timeout_seconds)
    until = Deadline(min(Deadline.after(timeout_seconds).at, cluster.request.deadline.at - _LOOK))
    pause = max(_PAUSE, cluster.snapshots.ttl)
    view = cluster
    while True:
        jobs = _listed(view, own)
        forgotten = [id for id, found in jobs.items() if not found]
        found = _known(view, jobs | await _from_accounting(view, forgotten), when)
        if found.done or until.passed:
            return found
        await asyncio.sleep(min(pause, until.remaining))
        view = await asyncio.to_thread(view.later, [datasets.JOBS, *map(_accounted, forgotten)])


def _listed(view: Cluster, ids: Sequence[str]) -> dict[str, Sequence[Job]]:
    """The jobs that the scheduler lists; of an array all tasks."""
    rows = view.read(datasets.JOBS).value
    return {id: [view.listed_job(row) for row in rows_with_ids(rows, [id])] for id in ids}


async def _from_accounting(view: Cluster, ids: Sequence[str]) -> dict[str, Sequence[Job]]:
    """The jobs that the scheduler has forgotten; none if the cluster keeps no accounts."""
    if not ids or keeps_accounts(view) is False:
        return {}
    await asyncio.gather(*(view.fetch(_accounted(id)) for id in ids))
    return {id: past_jobs(view, id) for id in ids}


def _accounted(id: str) -> Dataset[History]:
    return datasets.accounted(sacct_search.lookup_id(id))


def _known(view: Cluster, jobs: Mapping[str, Sequence[Job]], when: EndedWhen) -> JobsEnded:
    ended = [all(job.phase is JobPhase.ENDED for job in found) for found in jobs.values()]
    once = {job.job_id: job for found in jobs.values() for job in found}.values()
    return JobsEnded(
        done=all(ended) or (when is EndedWhen.ANY and any(ended)),
        jobs=sorted(once, key=lambda job: job.phase is JobPhase.ENDED)[:IDS_LIMIT],
        not_remembered=[f"{view.name}:{id}" for id, found in jobs.items() if not found],
        as_of=view.read(datasets.JOBS).as_of,
    )
