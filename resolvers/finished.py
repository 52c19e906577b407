"""Jobs that a change did not find because they have ended: the scheduler or accounting may still know them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from resolvers import datasets
from resolvers.errors import RequestError
from resolvers.filters import find_jobs
from resolvers.history import keeps_accounts, past_job
from slurm import sacct_search, squeue
from slurm.column import Rows
from slurm.refusal import Refusal, RefusalCode
from slurm.states import ENDED, JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


def finished(cluster: Cluster, listed: Rows[squeue.Job], refusals: Sequence[Refusal]) -> list[Refusal]:
    """The refusals, with ALREADY_FINISHED for what was not found and has ended.

    `listed` has the jobs as the scheduler lists them after the change. Asking accounting costs one more command if
    something was not found and is not listed as ended, unless the cluster is known to keep no accounts. If accounting
    cannot be asked, the other refusals stay as they are.
    """
    known = [_of_ended_job(refusal, _listed_state(listed, refusal)) for refusal in refusals]
    missing = [id for refusal in known if (id := _missing(refusal))]
    if not missing or keeps_accounts(cluster) is False:
        return known
    cluster.ask([datasets.accounted(sacct_search.lookup_id(id)) for id in missing])
    return [_of_ended_job(refusal, _accounted_state(cluster, refusal)) for refusal in known]


def _missing(refusal: Refusal) -> str | None:
    """The id of the job that was not found."""
    return refusal.id if refusal.code is RefusalCode.NOT_FOUND else None


def _listed_state(listed: Rows[squeue.Job], refusal: Refusal) -> JobState | None:
    """The state of a job, or of an array's first task, that the scheduler lists; None unless all of it has ended."""
    id = _missing(refusal)
    states = [listed[index].state for index in find_jobs(listed, id)] if id else []
    return states[0] if states and ENDED.issuperset(states) else None


def _accounted_state(cluster: Cluster, refusal: Refusal) -> JobState | None:
    """The state of a job that has ended by accounting."""
    with suppress(RequestError):
        id = _missing(refusal)
        job = past_job(cluster, id) if id else None
        return job.state if job is not None and job.state in ENDED else None
    return None


def _of_ended_job(refusal: Refusal, state: JobState | None) -> Refusal:
    if state is None:
        return refusal
    message = f"Job {refusal.id} has ended: {state.name}."
    return replace(refusal, code=RefusalCode.ALREADY_FINISHED, message=message)
