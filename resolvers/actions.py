"""Changes of jobs: submit, update, cancel ... Each is one SSM command, which also reads the result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from access.role import JobVisibility, Role
from headnode.errors import HeadNodeError
from headnode.node import Bundle
from headnode.snapshots import Dataset, Snapshot
from headnode.storage import ScriptUnavailableError
from resolvers import change, datasets, plan
from resolvers.change import RefusedError, payload_datasets, with_cluster
from resolvers.cluster import Cluster
from resolvers.errors import BadInputError, RequestError, unavailable
from resolvers.filters import JobFilter, find_job, local_id, matching_jobs, named_tasks
from resolvers.graph import Graph
from resolvers.job import Job
from slurm import job_action, job_update, sbatch, squeue
from slurm.column import Rows
from slurm.command import Question, SlurmError
from slurm.job_action import SignalTarget
from slurm.job_update import JobUpdate
from slurm.refusal import InvalidInputError, Refusal, RefusalCode
from slurm.states import JobState

NOT_A_SIGNAL = "signal must be a name or number such as TERM, USR1 or 9."
IDS_LIMIT = 200
"""Jobs that one change may name: each is a command on the head node."""

Action = Callable[[Sequence[str]], Question[list[Refusal | None]]]
"""From ids to the commands that act on each job."""


@dataclass(frozen=True)
class SubmitJobPayload:
    """The job, or why there is none."""

    job: Job | None
    errors: Sequence[Refusal]
    estimated_start_time: datetime | None = None


@dataclass(frozen=True)
class UpdateJobPayload:
    """The job as it is now, or why it was not changed."""

    job: Job | None
    errors: Sequence[Refusal]


@dataclass(frozen=True)
class JobActionPayload:
    """The jobs that were acted on, as they are now, and why others were not."""

    jobs: Sequence[Job]
    errors: Sequence[Refusal]


@dataclass(kw_only=True)
class CancelJobs:
    """Which jobs to cancel."""

    ids: Sequence[str] | None = field(
        default=None,
        metadata={"about": f"The jobs, at most {IDS_LIMIT}; an array's id means all of its tasks."},
    )
    filter: JobFilter | None = field(
        default=None,
        metadata={
            "about": "Jobs that have not ended and meet every condition given; the caller's own, unless an operator "
            "names users. Exactly one of ids and filter is given."
        },
    )
    limit: int | None = field(
        default=None,
        metadata={
            "about": f"How many jobs the filter may match, 1 to {IDS_LIMIT}; an array's waiting tasks are one. If it "
            "matches more, none is cancelled. A filter needs it."
        },
    )
    dry_run: bool | None = field(
        default=None, metadata={"about": "Cancel none, but tell which jobs the filter matches. Goes with a filter."}
    )
    signal: str | None = field(
        default=None,
        metadata={"about": "Send this signal (TERM, USR1, 9 ...) instead of cancelling. scancel: --signal."},
    )


async def submit(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, submission: sbatch.Submission
) -> SubmitJobPayload:
    """Submit a job as the caller's account."""
    try:
        view = change.view(graph, info, cluster)
        sbatch.check(submission)
        text = await asyncio.to_thread(_fetched, view, submission.script_uri)
        if submission.test_only:
            return await asyncio.to_thread(_estimate, view, sbatch.estimate(submission, text))
        question = sbatch.submit(submission, text)
    except (RefusedError, InvalidInputError) as error:
        return SubmitJobPayload(None, error.refusals)
    return await asyncio.to_thread(_submit, graph, info, view, question)


def _fetched(view: Cluster, uri: str | None) -> str | None:
    """The script's text, if it lies in S3."""
    try:
        return view.snapshots.node.script(uri) if uri is not None else None
    except ScriptUnavailableError as error:
        raise RefusedError(replace(error.refusal, field=["input", "scriptUri"])) from error
    except HeadNodeError as error:
        raise unavailable(view.name, error) from error


def _estimate(view: Cluster, question: Question[datetime | Refusal | None]) -> SubmitJobPayload:
    bundle = Bundle([question.commands], view.request.actor)
    try:
        outcome = question.read(view.snapshots.node.run(bundle, view.request.deadline, view.request.comment))
    except (HeadNodeError, SlurmError) as error:
        raise unavailable(view.name, error) from error
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(None, [outcome])
    return SubmitJobPayload(None, [], outcome)


def _submit(graph: Graph, info: plan.ResolveInfo, view: Cluster, question: Question[str | Refusal]) -> SubmitJobPayload:
    result = Dataset("submitted job", partial(squeue.submitted_job, 0))
    outcome = change.make(graph, info, view, question, result)
    rows = _read_jobs(view, result)
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(None, [outcome])
    index = find_job(rows, outcome)
    if index is None:
        raise RequestError(f"Job {outcome} was submitted, and the scheduler does not list it.", jobId=outcome)
    return SubmitJobPayload(Job(view, rows, index), [])


async def cancel(graph: Graph, info: plan.ResolveInfo, cluster: str | None, request: CancelJobs) -> JobActionPayload:
    """Cancel jobs, or send them a signal."""

    def action(jobs: Sequence[str]) -> Question[list[Refusal | None]]:
        return job_action.cancel(jobs, request.signal)

    try:
        view = change.view(graph, info, cluster or plan.cluster_in(next(iter(request.ids or ()), "")))
        if wrong := _wrong_request(request):
            raise RefusedError(*wrong)
        if request.filter is None or request.limit is None:
            return await _act(graph, info, view.name, request.ids or (), action, ["input", "ids"])
        where = _reach(view, request.filter)
    except RefusedError as error:
        return JobActionPayload([], error.refusals)
    return await asyncio.to_thread(
        _cancel_matching, graph, info, view, action, where, request.limit, bool(request.dry_run)
    )


def _wrong_request(request: CancelJobs) -> list[Refusal]:
    wrong: list[tuple[str, str]] = []
    if request.signal is not None and not job_action.SIGNAL.fullmatch(request.signal):
        wrong.append(("signal", NOT_A_SIGNAL))
    if (request.ids is None) == (request.filter is None):
        wrong.append(("ids", "Give exactly one of ids and filter."))
    elif request.filter is None and request.limit is not None:
        wrong.append(("limit", "limit goes with a filter, not with ids."))
    elif request.filter is not None and not 1 <= (request.limit or 0) <= IDS_LIMIT:
        wrong.append(("limit", f"A filter needs a limit, 1 to {IDS_LIMIT}: how many jobs it may match."))
    if request.filter is None and request.dry_run:
        wrong.append(("dryRun", "dryRun goes with a filter, not with ids."))
    return [Refusal(RefusalCode.INVALID_INPUT, message, ["input", name]) for name, message in wrong]


def _reach(view: Cluster, where: JobFilter) -> JobFilter:
    """The filter, for the caller's own jobs unless an operator names users."""
    caller, path = view.request.caller, ["input", "filter"]
    named = {*(where.users or ()), *((where.user,) if where.user is not None else ())}
    if caller.role is not Role.OPERATOR and named - {caller.cluster_user}:
        message = "Only operators may cancel other people's jobs."
        raise RefusedError(Refusal(RefusalCode.FORBIDDEN, message, path))
    try:
        matching_jobs(squeue.no_jobs(), view.name, where)
    except BadInputError as error:
        raise RefusedError(Refusal(RefusalCode.INVALID_INPUT, str(error), path)) from error
    if where.user is not None or where.users is not None:
        return where
    if caller.cluster_user is None:
        message = f"{caller.identity} has no jobs of their own: name a user."
        raise RefusedError(Refusal(RefusalCode.INVALID_INPUT, message, [*path, "user"]))
    return replace(where, user=caller.cluster_user)


def _cancel_matching(
    graph: Graph,
    info: plan.ResolveInfo,
    view: Cluster,
    action: Action,
    where: JobFilter,
    limit: int,
    dry_run: bool,
) -> JobActionPayload:
    view.snapshots.drop([datasets.JOBS])  # who was asked before may not know the newest jobs
    view.ask([datasets.JOBS, *(payload_datasets(graph, info, view) if dry_run else ())])
    rows = view.read(datasets.JOBS).value
    states = rows.values(squeue.Job.state)
    over = squeue.ENDED | {JobState.COMPLETING}
    found = [index for index in matching_jobs(rows, view.name, where) if states[index] not in over]
    if len(found) > limit:
        message = f"{len(found)} jobs match, and the limit is {limit}: nothing was done."
        return JobActionPayload([], [Refusal(RefusalCode.LIMIT_EXCEEDED, message, ["input", "limit"])])
    if dry_run:
        return JobActionPayload([Job(view, rows, index) for index in found], [])
    ids = [local_id(id, view.name) for id in where.ids or ()]
    targets = dict.fromkeys(id for index in found for id in _targets(Job(view, rows, index), ids))
    if not targets:
        return JobActionPayload([], [])
    return _act_on(graph, info, change.view(graph, info, view.name), action, list(targets), [])


def _targets(job: Job, ids: Sequence[str]) -> list[str]:
    """What to cancel for a job that a filter matched: of waiting tasks the named ones, all by default.

    A heterogeneous job can only be cancelled whole (scancel(1)).
    """
    return [job.het_job_id] if job.het_job_id else named_tasks(job.job_id, ids) or [job.job_id]


async def hold(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Keep waiting jobs from starting."""
    return await _act(graph, info, cluster, ids, job_action.hold, ["ids"])


async def release(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Let held jobs start."""
    return await _act(graph, info, cluster, ids, job_action.release, ["ids"])


async def requeue(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Put jobs back into their queue."""
    return await _act(graph, info, cluster, ids, job_action.requeue, ["ids"])


async def suspend(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Stop running jobs' processes, for now."""
    return await _act(graph, info, cluster, ids, job_action.suspend, ["ids"])


async def resume(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Let suspended jobs go on."""
    return await _act(graph, info, cluster, ids, job_action.resume, ["ids"])


async def signal(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str], name: str, target: SignalTarget
) -> JobActionPayload:
    """Send jobs a signal."""
    wrong = [] if job_action.SIGNAL.fullmatch(name) else [Refusal(RefusalCode.INVALID_INPUT, NOT_A_SIGNAL, ["signal"])]
    return await _act(graph, info, cluster, ids, lambda jobs: job_action.cancel(jobs, name, target), ["ids"], wrong)


async def update(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, id: str, changes: JobUpdate
) -> UpdateJobPayload:
    """Change what a job asks for."""
    try:
        view = change.view(graph, info, cluster or plan.cluster_in(id))
        if view.request.caller.role is not Role.OPERATOR and (forbidden := job_update.for_operators(changes)):
            raise RefusedError(*forbidden)
        jobs, wrong = _local_ids(view, [id], ["id"])
        if wrong:
            raise RefusedError(*wrong)
        question = job_update.update(jobs, changes)
    except (RefusedError, InvalidInputError) as error:
        return UpdateJobPayload(None, error.refusals)
    acted = await asyncio.to_thread(_act_on, graph, info, view, lambda _: question, jobs, [])
    return UpdateJobPayload(next(iter(acted.jobs), None), acted.errors)


async def _act(
    graph: Graph,
    info: plan.ResolveInfo,
    cluster: str | None,
    ids: Sequence[str],
    action: Action,
    path: Sequence[str],
    wrong_arguments: Sequence[Refusal] = (),
) -> JobActionPayload:
    """Act on jobs, unless other arguments are wrong: who may not act at all is told that first."""
    try:
        view = change.view(graph, info, cluster or plan.cluster_in(next(iter(ids), "")))
        if wrong_arguments:
            raise RefusedError(*wrong_arguments)
        if not 1 <= len(ids) <= IDS_LIMIT:
            message = f"Name 1 to {IDS_LIMIT} jobs."
            raise RefusedError(Refusal(RefusalCode.INVALID_INPUT, message, path))
        jobs, wrong = _local_ids(view, ids, path)
    except RefusedError as error:
        return JobActionPayload([], error.refusals)
    if not jobs:
        return JobActionPayload([], wrong)
    return await asyncio.to_thread(_act_on, graph, info, view, action, jobs, wrong)


def _act_on(
    graph: Graph,
    info: plan.ResolveInfo,
    view: Cluster,
    action: Action,
    jobs: Sequence[str],
    wrong: Sequence[Refusal],
) -> JobActionPayload:
    lookup = tuple(dict.fromkeys(squeue.lookup_id(job) for job in jobs))
    result = Dataset(("changed jobs", lookup), partial(squeue.jobs, lookup))
    outcomes = change.make(graph, info, view, action(jobs), result)
    rows = _read_jobs(view, result)
    done = [find_job(rows, job) for job, refusal in zip(jobs, outcomes, strict=True) if refusal is None]
    refusals = [with_cluster(_visible(refusal, rows, view), view) for refusal in outcomes if refusal is not None]
    acted = [Job(view, rows, index) for index in dict.fromkeys(done) if index is not None]
    return JobActionPayload(acted, [*wrong, *refusals])


def _visible(refusal: Refusal, rows: Rows[squeue.Job], view: Cluster) -> Refusal:
    """The refusal; a job that the caller does not see is refused like one that does not exist."""
    sees_all = view.request.caller.job_visibility is JobVisibility.ALL
    if sees_all or (refusal.id and find_job(rows, refusal.id) is not None):
        return refusal
    return replace(refusal, code=RefusalCode.NOT_FOUND, message="No job of yours by that id was found.")


def _read_jobs(view: Cluster, result: Dataset[Rows[squeue.Job]]) -> Rows[squeue.Job]:
    """The jobs that the change was about; none if they cannot be read."""
    answer = view.answers[result]
    return answer.value if isinstance(answer, Snapshot) else squeue.no_jobs()


def _local_ids(view: Cluster, ids: Sequence[str], path: Sequence[str]) -> tuple[list[str], list[Refusal]]:
    jobs: dict[str, None] = {}
    wrong: list[Refusal] = []
    for id in ids:
        try:
            jobs[local_id(id, view.name)] = None
        except BadInputError as error:
            wrong.append(Refusal(RefusalCode.INVALID_INPUT, str(error), path, id))
    return list(jobs), wrong
