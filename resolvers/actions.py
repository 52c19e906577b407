"""Changes: submit, cancel, hold, release, requeue. Each is one errand to the head node, which also reads the result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from graphql import get_named_type
from graphql.type import GraphQLObjectType

from access.role import Role
from headnode.errors import HeadNodeError, OutcomeUnknownError
from headnode.node import Errand
from headnode.snapshots import Dataset, Fault, Snapshot, read_all
from resolvers import plan
from resolvers.cluster import Cluster
from resolvers.errors import BadInputError, NotFoundError, RequestError, unavailable
from resolvers.filters import find_job, local_id
from resolvers.graph import Graph
from resolvers.job import Job
from slurm import job_action, sbatch, squeue
from slurm.column import Rows
from slurm.command import Command, Question, SlurmError
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode

T = TypeVar("T")

IDS_LIMIT = 200
"""Jobs that one change may name: each is a command on the head node."""


@dataclass(frozen=True)
class SubmitJobPayload:
    """The job, or why there is none."""

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

    ids: Sequence[str] = field(
        metadata={"about": f"The jobs, at most {IDS_LIMIT}; an array's id means all of its tasks."}
    )
    signal: str | None = field(
        default=None,
        metadata={"about": "Send this signal (TERM, USR1, 9 ...) instead of cancelling. scancel: --signal."},
    )


class _RefusedError(Exception):
    """The change is refused before anything is sent."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(refusal.message for refusal in refusals))
        self.refusals = refusals


async def submit(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, submission: sbatch.Submission
) -> SubmitJobPayload:
    """Submit a job as the caller's account."""
    try:
        view = _view(graph, cluster)
        _require_account(graph)
        question = sbatch.submit(submission)
    except _RefusedError as error:
        return SubmitJobPayload(None, error.refusals)
    except sbatch.InvalidInputError as error:
        return SubmitJobPayload(None, error.refusals)
    return await asyncio.to_thread(_submit, graph, info, view, question)


def _submit(graph: Graph, info: plan.ResolveInfo, view: Cluster, question: Question[str | Refusal]) -> SubmitJobPayload:
    outcome, rows = _change(graph, info, view, question, squeue.submitted_job(0))
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(None, [outcome])
    index = find_job(rows, outcome)
    if index is None:
        raise RequestError(f"Job {outcome} was submitted, and the scheduler does not list it.", jobId=outcome)
    return SubmitJobPayload(Job(view, rows, index), [])


async def cancel(graph: Graph, info: plan.ResolveInfo, cluster: str | None, request: CancelJobs) -> JobActionPayload:
    """Cancel jobs, or send them a signal."""
    ids, signal = request.ids, request.signal
    if signal is not None and not job_action.SIGNAL.fullmatch(signal):
        message = "signal must be a name or number such as TERM, USR1 or 9."
        return JobActionPayload([], [Refusal(RefusalCode.INVALID_INPUT, message, ["input", "signal"])])
    return await _act(graph, info, cluster, ids, lambda jobs: job_action.cancel(jobs, signal), ["input", "ids"])


async def hold(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Keep waiting jobs from starting."""
    return await _act(graph, info, cluster, ids, job_action.hold, ["ids"])


async def release(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Let held jobs start."""
    return await _act(graph, info, cluster, ids, job_action.release, ["ids"])


async def requeue(graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str]) -> JobActionPayload:
    """Put jobs back into their queue."""
    return await _act(graph, info, cluster, ids, job_action.requeue, ["ids"])


Action = Callable[[Sequence[str]], Question[list[Refusal | None]]]


async def _act(
    graph: Graph, info: plan.ResolveInfo, cluster: str | None, ids: Sequence[str], action: Action, path: Sequence[str]
) -> JobActionPayload:
    try:
        view = _view(graph, cluster or plan.cluster_in(next(iter(ids), "")))
        _require_account(graph)
        if not 1 <= len(ids) <= IDS_LIMIT:
            message = f"Name 1 to {IDS_LIMIT} jobs."
            raise _RefusedError(Refusal(RefusalCode.INVALID_INPUT, message, path))
        jobs, wrong = _local_ids(view, ids, path)
    except _RefusedError as error:
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
    lookup = list(dict.fromkeys(squeue.lookup_id(job) for job in jobs))
    outcomes, rows = _change(graph, info, view, action(jobs), squeue.jobs(lookup))
    done = [find_job(rows, job) for job, refusal in zip(jobs, outcomes, strict=True) if refusal is None]
    refusals = [_with_cluster(refusal, view) for refusal in outcomes if refusal is not None]
    acted = [Job(view, rows, index) for index in dict.fromkeys(done) if index is not None]
    return JobActionPayload(acted, [*wrong, *refusals])


def _change(
    graph: Graph,
    info: plan.ResolveInfo,
    view: Cluster,
    change: Question[T],
    result: Question[Rows[squeue.Job]],
) -> tuple[T, Rows[squeue.Job]]:
    """Make the change, then read the jobs it was about and whatever else the payload's selection needs."""
    wanted = _payload_datasets(graph, info, view)
    also = {dataset: dataset.ask() for dataset in wanted if dataset.ask}
    questions: list[Question[Any]] = [result, *also.values()]
    errand = Errand(
        steps=[change.commands, _commands(questions)],
        actor=view.request.actor,
        changes=True,
    )
    as_of = datetime.now(UTC)
    try:
        replies = view.snapshots.node.run(errand, view.request.deadline, view.request.comment)
        outcome = change.read(replies[: len(change.commands)])
    except (HeadNodeError, SlurmError) as error:
        raise unavailable(view.name, error) from error
    except OutcomeUnknown as error:
        raise unavailable(view.name, OutcomeUnknownError(str(error))) from error
    finally:
        view.snapshots.drop()
    rows, *values = read_all(questions, replies[len(change.commands) :])
    for dataset, value in zip(also, values, strict=True):
        view.answers[dataset] = value if isinstance(value, Fault) else Snapshot(value, as_of)
    view.ask([dataset for dataset in wanted if dataset not in also])
    if isinstance(rows, Exception):
        rows = Rows(squeue.Job, {source: [] for source in squeue.Job.sources()})
    return outcome, rows


def _payload_datasets(graph: Graph, info: plan.ResolveInfo, view: Cluster) -> list[Dataset[Any]]:
    payload = get_named_type(info.return_type)
    selected: list[plan.Selected] = []
    for node in info.field_nodes:
        if node.selection_set and isinstance(payload, GraphQLObjectType):
            selected += plan.plan(info, node.selection_set, payload, view.name).get(view.name, [])
    return graph.wanted(view, selected)


def _commands(questions: Iterable[Question[Any]]) -> list[Command]:
    return [command for question in questions for command in question.commands]


def _view(graph: Graph, cluster: str | None) -> Cluster:
    try:
        return graph.fresh_view(cluster)
    except NotFoundError as error:
        raise _RefusedError(Refusal(RefusalCode.NOT_FOUND, str(error), ["cluster"])) from error
    except BadInputError as error:
        raise _RefusedError(Refusal(RefusalCode.INVALID_INPUT, str(error), ["cluster"])) from error


def _require_account(graph: Graph) -> None:
    """The head node checks the account itself; who has none at all is refused here."""
    caller = graph.caller
    if caller.cluster_user is None and caller.role is not Role.OPERATOR:
        message = f"{caller.identity} may look at everything and change nothing."
        raise _RefusedError(Refusal(RefusalCode.FORBIDDEN, message))


def _local_ids(view: Cluster, ids: Sequence[str], path: Sequence[str]) -> tuple[list[str], list[Refusal]]:
    jobs: dict[str, None] = {}
    wrong: list[Refusal] = []
    for id in ids:
        try:
            jobs[local_id(id, view.name)] = None
        except BadInputError as error:
            wrong.append(Refusal(RefusalCode.INVALID_INPUT, str(error), path, id))
    return list(jobs), wrong


def _with_cluster(refusal: Refusal, view: Cluster) -> Refusal:
    return Refusal(refusal.code, refusal.message, refusal.field, f"{view.name}:{refusal.id}")
