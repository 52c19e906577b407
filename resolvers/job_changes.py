"""Changes of existing jobs: the table of actions on them, and updates of what they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from access.role import Role
from resolvers import datasets
from resolvers.arguments import IDS_LIMIT, JOB_ID, THE_JOBS
from resolvers.change import Change, ChangeField, ChangeRefusedError, JobsInput, change_field, refused
from resolvers.cluster import Cluster
from resolvers.described import Id, described, required
from resolvers.errors import BadInputError
from resolvers.filters import JobFilter, matching_jobs, named_tasks
from resolvers.job import Job
from resolvers.job_action import (
    JobActionPayload,
    JobsById,
    Outcomes,
    act_on,
    act_on_named,
    local_ids,
)
from slurm import job_action, job_update, squeue
from slurm.argument import INPUT, OneOf, checked, require
from slurm.job_action import SignalTarget
from slurm.job_update import JobUpdate
from slurm.refusal import Refusal, RefusalCode
from slurm.states import ENDED, JobState

_IDS = [*INPUT, "ids"]
_JOBS = [*INPUT, "jobs"]
_MATCHING = [*_JOBS, "matching"]
_LIMIT = [*_MATCHING, "limit"]


@dataclass(kw_only=True)
class MatchingJobs:
    """The jobs that match a filter, unless there are more than the limit."""

    filter: JobFilter = required(
        "Jobs that have not ended and meet every given condition; only the caller's own, unless an operator names "
        "users."
    )
    limit: int = required(
        f"How many jobs the filter may match, 1 to {IDS_LIMIT}; an array's waiting tasks count as one. If it "
        "matches more, none is cancelled."
    )
    dry_run: bool | None = described("Cancel nothing; return the jobs that the filter matches.")


@dataclass(kw_only=True)
class JobsToCancel(OneOf):
    """Jobs by their ids, or by a filter."""

    ids: Sequence[Id] | None = described(THE_JOBS)
    matching: MatchingJobs | None = described("The jobs that match a filter.")


@dataclass(kw_only=True)
class CancelJobs(JobsInput):
    """Which jobs to cancel, and how."""

    jobs: JobsToCancel = required("Which jobs.")
    signal: str | None = described(
        "Send this signal (TERM, USR1, 9 ...) instead of cancelling. scancel: --signal.", kind=job_action.SIGNAL
    )


@dataclass(kw_only=True)
class SignalJobs(JobsById):
    """Which jobs, and the signal."""

    signal: str = required("The signal, as TERM, USR1 or 9. scancel: --signal.", job_action.SIGNAL)
    target: SignalTarget = described("Which processes of each job receive it.", SignalTarget.STEPS)


@dataclass(kw_only=True)
class UpdateJob(JobUpdate, JobsInput):
    """Which job, and what to change of it. What is left out stays as it is; null clears it."""

    id: Id = required(JOB_ID)


@dataclass(frozen=True, kw_only=True)
class UpdateJobPayload:
    """The changed job, or why it was not changed."""

    id: Id | None = described("The job's id; null if it was not changed.")
    job: Job | None = described("The job as it is now; null if it was not changed or could not be read.")
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())
    warnings: Sequence[str] = described("What else there is to know, such as why the job could not be read.", ())


class ActByIds(Protocol):
    """An action on jobs that takes nothing but their ids."""

    def __call__(self, change: Change, input: JobsById) -> Awaitable[JobActionPayload]: ...  # noqa: D102


def _named(question: Callable[[Sequence[str]], Outcomes]) -> ActByIds:
    async def act(change: Change, input: JobsById) -> JobActionPayload:
        return await act_on_named(change, input.ids, question, _IDS)

    return act


async def _signal(change: Change, input: SignalJobs) -> JobActionPayload:
    _check_signal(input.signal)
    return await act_on_named(change, input.ids, lambda jobs: job_action.cancel(jobs, input.signal, input.target), _IDS)


async def _cancel(change: Change, input: CancelJobs) -> JobActionPayload:
    _check_signal(input.signal)
    if input.jobs.matching is not None:
        return await _cancel_matching(change, input.jobs.matching, input.signal)
    ids = input.jobs.ids or ()
    return await act_on_named(change, ids, lambda jobs: job_action.cancel(jobs, input.signal), [*_JOBS, "ids"])


async def _cancel_matching(change: Change, jobs: MatchingJobs, signal: str | None) -> JobActionPayload:
    if not 1 <= jobs.limit <= IDS_LIMIT:
        raise refused(RefusalCode.INVALID_INPUT, f"limit must be from 1 to {IDS_LIMIT}.", _LIMIT)
    found = await asyncio.to_thread(_found, change, _reach(change.view, jobs.filter), bool(jobs.dry_run))
    if len(found) > jobs.limit:
        message = f"{len(found)} jobs match, and the limit is {jobs.limit}. Nothing was done."
        raise refused(RefusalCode.LIMIT_EXCEEDED, message, _LIMIT)
    if jobs.dry_run:
        return JobActionPayload(jobs=found)
    ids, _ = local_ids(change.view, jobs.filter.ids or (), [])
    targets = list(dict.fromkeys(id for job in found for id in _targets(job, ids)))
    return await act_on(change, targets, job_action.cancel(targets, signal)) if targets else JobActionPayload()


def _check_signal(signal: str | None) -> None:
    if signal is not None:
        require(checked("signal", job_action.SIGNAL, signal))


def _reach(view: Cluster, where: JobFilter) -> JobFilter:
    """The filter, for the caller's own jobs unless an operator names users."""
    caller, path = view.request.caller, [*_MATCHING, "filter"]
    named = {*(where.users or ()), *((where.user,) if where.user is not None else ())}
    if caller.role is not Role.OPERATOR and named - {caller.cluster_user}:
        raise refused(RefusalCode.FORBIDDEN, "Only operators may cancel other people's jobs.", path)
    try:
        matching_jobs(squeue.no_jobs(), view.name, where)
    except BadInputError as error:
        raise refused(RefusalCode.INVALID_INPUT, str(error), path) from error
    if where.user is not None or where.users is not None:
        return where
    if caller.cluster_user is None:
        message = f"{caller.identity} has no jobs. Name a user in the filter."
        raise refused(RefusalCode.INVALID_INPUT, message, [*path, "user"])
    return replace(where, user=caller.cluster_user)


def _found(change: Change, where: JobFilter, shown: bool) -> list[Job]:
    """The jobs that match the filter and have not ended; `shown` fetches what the payload selects of them, too."""
    view = change.look()
    view.snapshots.drop([datasets.JOBS], view.request.deadline)  # an older snapshot may lack the newest jobs
    view.ask([datasets.JOBS, *(change.selected(view) if shown else ())])
    rows = view.read(datasets.JOBS).value
    states = rows.values(squeue.Job.state)
    over = ENDED | {JobState.COMPLETING}
    return [Job(view, rows, at) for at in matching_jobs(rows, view.name, where) if states[at] not in over]


def _targets(job: Job, ids: Sequence[str]) -> list[str]:
    """What to cancel for a job that a filter matched: of waiting tasks only those that `ids` name, if it names any.

    A heterogeneous job can only be cancelled whole (scancel(1)).
    """
    return [job.het_job_id] if job.het_job_id else named_tasks(job.job_id, ids) or [job.job_id]


def _action(name: str, act: Callable[..., Awaitable[JobActionPayload]], sentence: str) -> ChangeField[JobActionPayload]:
    return ChangeField(name, sentence, JobActionPayload, act)


JOB_ACTIONS = (
    _action("cancel_jobs", _cancel, "Cancel jobs, or send them a signal. scancel."),
    _action("signal_jobs", _signal, "Send jobs a signal. scancel --signal."),
    _action(
        "hold_jobs", _named(job_action.hold), "Keep waiting jobs from starting until they are released. scontrol hold."
    ),
    _action("release_jobs", _named(job_action.release), "Let held jobs start. scontrol release."),
    _action(
        "requeue_jobs",
        _named(job_action.requeue),
        "Stop running or ended jobs and put them back into their queue. scontrol requeue.",
    ),
    _action(
        "suspend_jobs",
        _named(job_action.suspend),
        "Stop running jobs' processes, so that others can have their CPUs. Operators only. scontrol suspend.",
    ),
    _action(
        "resume_jobs",
        _named(job_action.resume),
        "Resume suspended jobs. Operators only. scontrol resume.",
    ),
)
"""The actions on jobs: the field's name, what is sent (a function checks more before), and the field's description.

access/permissions.py decides who may.
"""


@change_field(
    UpdateJobPayload, "Change what a job asks for; an array's id means all of its tasks. scontrol update JobId."
)
async def update_job(change: Change, input: UpdateJob) -> UpdateJobPayload:
    """Change what a job asks for."""
    if change.view.request.caller.role is not Role.OPERATOR and (forbidden := job_update.for_operators(input)):
        raise ChangeRefusedError(*forbidden)
    jobs, wrong = local_ids(change.view, [input.id], [*INPUT, "id"])
    if wrong:
        raise ChangeRefusedError(*wrong)
    acted = await act_on(change, jobs, job_update.update(jobs, input))
    first, job = next(iter(acted.ids), None), next(iter(acted.jobs), None)
    return UpdateJobPayload(id=first, job=job, errors=acted.errors, warnings=acted.warnings)


CHANGES = (*JOB_ACTIONS, update_job)
