"""Waiting for jobs to end: one request in the place of a client's loop of polls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headnode.deadline import Deadline
from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.arguments import IDS_LIMIT, LONGEST_WAIT, EndedWhen
from resolvers.array import Listed
from resolvers.errors import BadInputError
from resolvers.filters import local_id, rows_with_ids
from resolvers.history import keeps_accounts, keeps_no_accounts, past_jobs
from resolvers.past_array import remembers_all
from resolvers.reads import Parts, all_jobs
from slurm import job_id, sacct_search
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
    return [local_id(id, cluster.name, "ids") for id in ids]


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
        asked = [id for id in own if _lacks(view, id, jobs[id])] if until.passed or _over(jobs, when) else []
        known = await _with_accounting(view, jobs, asked)
        if _over(known, when) or until.passed:
            return _answer(view, known, when)
        await asyncio.sleep(min(pause, until.remaining))
        view = await asyncio.to_thread(view.later, [datasets.JOBS, *map(_accounted, asked)])


def _listed(view: Cluster, ids: Sequence[str]) -> dict[str, Sequence[Job]]:
    """The jobs that the scheduler lists; of an array all tasks."""
    rows = view.read(datasets.JOBS).value
    return {id: [view.listed_job(row) for row in rows_with_ids(rows, [id])] for id in ids}


def _over(jobs: Mapping[str, Sequence[Job]], when: EndedWhen) -> bool:
    """Whether all or any of the jobs have ended, as far as they are known; one that nobody knows counts as ended."""
    ended = [all(job.phase is JobPhase.ENDED for job in found) for found in jobs.values()]
    return all(ended) or (when is EndedWhen.ANY and any(ended))


def _lacks(view: Cluster, id: str, found: Sequence[Job]) -> bool:
    """Whether the id means jobs besides those found, or may: the scheduler forgets tasks of an array one by one."""
    if not found or (_names_tasks(id) and Listed([job.job_id for job in found]).others(id)):
        return True
    array = found[0].array_job_id
    return id == array and not remembers_all(view, view.family(found[0], "array_job_id", array))


def _names_tasks(id: str) -> bool:
    return bool(job_id.parse(id).task_numbers)


async def _with_accounting(
    view: Cluster, jobs: Mapping[str, Sequence[Job]], ids: Sequence[str]
) -> dict[str, Sequence[Job]]:
    """The jobs, with those of the given ids that the scheduler has forgotten, if the cluster keeps accounts."""
    if not ids or keeps_accounts(view) is False:
        return dict(jobs)
    await asyncio.gather(*(view.fetch(_accounted(id)) for id in ids))
    return {id: [*found, *(_forgotten(view, id, found) if id in ids else ())] for id, found in jobs.items()}


def _forgotten(view: Cluster, id: str, found: Sequence[Job]) -> Iterator[Job]:
    listed = Listed([job.job_id for job in found])
    return (job for job in past_jobs(view, id) if not found or listed.others(job.job_id))


def _accounted(id: str) -> Dataset[History]:
    return datasets.accounted(sacct_search.lookup_id(id))


def _answer(view: Cluster, jobs: Mapping[str, Sequence[Job]], when: EndedWhen) -> JobsEnded:
    once = {job.job_id: job for found in jobs.values() for job in found}.values()
    return JobsEnded(
        done=_over(jobs, when),
        jobs=sorted(once, key=lambda job: job.phase is JobPhase.ENDED)[:IDS_LIMIT],
        not_remembered=[f"{view.name}:{id}" for id, found in jobs.items() if _is_not_remembered(view, id, found)],
        as_of=view.read(datasets.JOBS).as_of,
    )


def _is_not_remembered(view: Cluster, id: str, found: Sequence[Job]) -> bool:
    """Whether nobody knows all of the id's jobs. Of a whole array, what accounting has is all that there is."""
    is_accounted = found and not _names_tasks(id) and not keeps_no_accounts(view, id)
    return _lacks(view, id, found) and not is_accounted
