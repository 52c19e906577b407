"""The caller as they see themselves: who they are on a cluster, and what they may do to it and to each of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from access.caller import Caller
from access.permissions import PERMISSIONS, Permission, Place, may
from access.role import JobVisibility, Role
from slurm.job_phase import Hold
from slurm.states import ENDED, JobPhase, JobState

if TYPE_CHECKING:
    from resolvers.cluster import Cluster


@dataclass(frozen=True)
class Viewer:
    """The caller, as the API sees them on a cluster."""

    id: str
    identity: str
    cluster_user: str | None
    role: Role
    job_visibility: JobVisibility
    can: Sequence[Permission]


def viewer(cluster: str, caller: Caller, has_account: bool) -> Viewer:
    """The caller and their role: without a role of their own, whoever has an account on the cluster is a USER."""
    role = caller.role or (Role.USER if has_account else Role.VIEWER)
    known = replace(caller, role=role)
    can = [permission for place, permission in PERMISSIONS.items() if may(known, place)]
    return Viewer(f"{cluster}:{caller.identity}", caller.identity, known.cluster_user, role, caller.job_visibility, can)


_OVER = ENDED | {JobState.COMPLETING, JobState.STAGE_OUT}
"""A job that has ended cannot be changed, also while its nodes are cleaned up or its files staged out."""

_SIGNALLED = frozenset({JobState.RUNNING, JobState.STOPPED, JobState.SIGNALING})
"""Signals other than KILL reach running jobs alone, and KILL is what cancelling is for."""

_REQUEUED = frozenset(state for state in JobState if state.phase is not JobPhase.WAITING) - {
    JobState.COMPLETING,
    JobState.STAGE_OUT,
    JobState.EXPEDITING,
    JobState.REVOKED,
}
"""Jobs that run, are suspended or have ended."""

_POSSIBLE: Mapping[str, Callable[[JobState, Hold | None], bool]] = {
    "script": lambda state, hold: True,
    "output": lambda state, hold: True,
    "cancelJobs": lambda state, hold: state not in _OVER,
    "holdJobs": lambda state, hold: state.phase is JobPhase.WAITING and hold is None,
    "releaseJobs": lambda state, hold: hold is not None,
    "requeueJobs": lambda state, hold: state in _REQUEUED,
    "updateJob": lambda state, hold: state not in _OVER,
    "signalJobs": lambda state, hold: state in _SIGNALLED,
    "suspendJobs": lambda state, hold: state is JobState.RUNNING,
    "resumeJobs": lambda state, hold: state is JobState.SUSPENDED,
}
"""What Slurm does to a job in that state, held or not, by the names of the fields. More can be refused: a job that may
not be requeued, or one that is about to end."""

OF_JOBS: Mapping[Place, Permission] = {place: each for place, each in PERMISSIONS.items() if place[1] in _POSSIBLE}
"""What can be done to a job."""
_FORGOTTEN = frozenset({("Job", "output")})
"""What can be done to a job that the scheduler may have forgotten."""


def can_do_to_job(cluster: Cluster, state: JobState, user: str, hold: Hold | None) -> list[Permission]:
    """What the caller can do to the job that the scheduler knows."""
    caller = cluster.request.caller
    held_for_good = hold is Hold.ADMINISTRATOR and caller.role is not Role.OPERATOR
    return [
        permission
        for place, permission in OF_JOBS.items()
        if _POSSIBLE[place[1]](state, hold)
        and may(caller, place, user)
        and not (held_for_good and place[1] == "releaseJobs")
    ]


def can_do_to_past_job(cluster: Cluster, state: JobState, user: str, hold: Hold | None) -> list[Permission]:
    """What the caller can do to a job by accounting; once it has ended, the scheduler may have forgotten it."""
    if state not in ENDED:
        return can_do_to_job(cluster, state, user, hold)
    caller = cluster.request.caller
    return [PERMISSIONS[place] for place in _FORGOTTEN if may(caller, place, user)]


def can_change(cluster: Cluster, mutation: str) -> list[Permission]:
    """Whether the caller may make that change of a node or a queue: a list with it, or an empty one."""
    place = ("Mutation", mutation)
    return [PERMISSIONS[place]] if may(cluster.request.caller, place) else []
