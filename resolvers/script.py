"""A job's batch script, read as the calling user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.permissions import why_not
from resolvers import datasets
from resolvers.errors import ForbiddenError, NotFoundError, RequestError
from slurm.refusal import Refusal, RefusalCode

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


async def read_script(cluster: Cluster, job_id: str) -> str | None:
    """The script; None for a job without one.

    Raises ForbiddenError for another user's job, unless the caller is an operator, NotFoundError for a job that the
    scheduler has forgotten, RequestError if the scheduler cannot be reached.
    """
    if refusal := why_not(cluster.request.caller, ("Job", "script")):
        raise ForbiddenError(refusal)
    found = await cluster.load(datasets.script(job_id, cluster.request.actor))
    if isinstance(found, Refusal):
        raise _refused(found, job_id)
    return found


def _refused(refusal: Refusal, job_id: str) -> RequestError:
    if refusal.code is RefusalCode.FORBIDDEN:
        return ForbiddenError(f"Only its owner and operators may see the script of job {job_id}: {refusal.message}.")
    if refusal.code is RefusalCode.NOT_FOUND:
        return NotFoundError(f"The scheduler has forgotten job {job_id} and its script.")
    return NotFoundError(f"The scheduler does not return the script of job {job_id}: {refusal.message}.")
