"""Jobs that a change did not find as the scheduler has forgotten them: accounting may know that they have ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from resolvers import datasets
from resolvers.errors import RequestError
from resolvers.history import keeps_accounts, past_job
from slurm import sacct_search
from slurm.refusal import Refusal, RefusalCode
from slurm.squeue import ENDED

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


def finished(cluster: Cluster, refusals: Sequence[Refusal]) -> list[Refusal]:
    """The refusals, with ALREADY_FINISHED for what was not found and has ended by accounting.

    Costs one more command if something was not found, unless the cluster is known to keep no accounts. If accounting
    cannot be asked, the refusals stay as they are.
    """
    missing = [refusal.id for refusal in refusals if refusal.code is RefusalCode.NOT_FOUND and refusal.id]
    if not missing or keeps_accounts(cluster) is False:
        return list(refusals)
    cluster.ask([datasets.accounted(sacct_search.lookup_id(id)) for id in missing])
    return [_of_ended_job(cluster, refusal) for refusal in refusals]


def _of_ended_job(cluster: Cluster, refusal: Refusal) -> Refusal:
    if refusal.code is not RefusalCode.NOT_FOUND or not refusal.id:
        return refusal
    with suppress(RequestError):
        job = past_job(cluster, refusal.id)
        if job is not None and job.state in ENDED:
            message = f"Job {refusal.id} has ended: {job.state.name}."
            return replace(refusal, code=RefusalCode.ALREADY_FINISHED, message=message)
    return refusal
