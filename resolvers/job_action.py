"""Acting on jobs by their ids: one SSM command, which also reads the jobs afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from access.role import JobVisibility
from headnode.snapshots import Dataset, Snapshot
from resolvers.arguments import IDS_LIMIT, THE_JOBS
from resolvers.change import Change, JobsInput, refused
from resolvers.cluster import Cluster
from resolvers.described import Id, described, required
from resolvers.errors import BadInputError
from resolvers.filters import find_job, find_jobs, local_id
from resolvers.finished import finished
from resolvers.job import Job
from slurm import job_id, squeue
from slurm.column import Rows
from slurm.command import Question
from slurm.job_action import done_tasks, is_of_some_tasks
from slurm.refusal import Refusal, RefusalCode
from slurm.states import ENDED, JobState

NOT_SHOWN = (
    "The change was made, but the scheduler does not show its jobs to the account that reads for this API. "
    "health { privateData } says whether PrivateData hides them."
)

Outcomes = Question[list[Refusal | None]]
"""Commands that change jobs, and for each job None or why it was not changed."""


@dataclass(kw_only=True)
class JobsById(JobsInput):
    """Which jobs."""

    ids: Sequence[Id] = required(THE_JOBS)


@dataclass(frozen=True, kw_only=True)
class JobActionPayload:
    """The jobs that were acted on, and why others were not."""

    ids: Sequence[Id] = described(
        "The ids of what was acted on, as `lab:123` or `lab:123_[0-9]`, even if the jobs could not be read afterwards.",
        (),
    )
    jobs: Sequence[Job] = described(
        "The jobs that were acted on, as they are now, if the scheduler still lists them.", ()
    )
    errors: Sequence[Refusal] = described("One for each job that was not acted on, with its id in `targetId`.", ())
    warnings: Sequence[str] = described("What else there is to know, such as why the jobs could not be read.", ())


async def act_on_named(
    change: Change, ids: Sequence[str], question: Callable[[Sequence[str]], Outcomes], path: Sequence[str]
) -> JobActionPayload:
    """Act on the jobs that the caller names; `path` is the argument that names them."""
    if not 1 <= len(ids) <= IDS_LIMIT:
        raise refused(RefusalCode.INVALID_INPUT, f"Name 1 to {IDS_LIMIT} jobs.", path)
    jobs, wrong = local_ids(change.view, ids, path)
    if not jobs:
        return JobActionPayload(errors=wrong)
    acted = await act_on(change, jobs, question(jobs))
    return replace(acted, errors=[*wrong, *acted.errors])


async def act_on(change: Change, jobs: Sequence[str], question: Outcomes) -> JobActionPayload:
    """Send the commands, which are about these jobs; the ids are in Slurm's spelling."""
    result, before = _read_of("changed jobs", jobs), _read_of("jobs before the change", _some_tasks(jobs))
    said = await change.send(question, result, before)
    view = change.view
    rows, earlier = rows_of(view, result), rows_of(view, before)
    both_read = all(isinstance(view.answers.get(each), Snapshot) for each in (result, before))
    outcomes = [refusal and _known(refusal, both_read) for refusal in said]
    parts = [_acted_on(job, refusal, earlier, rows) for job, refusal in zip(jobs, outcomes, strict=True)]
    in_part = [_in_part(refusal) for refusal, part in zip(outcomes, parts, strict=True) if refusal and part]
    visible = [
        _visible(refusal, rows, view) for refusal, part in zip(outcomes, parts, strict=True) if refusal and not part
    ]
    rest = [*in_part, *await asyncio.to_thread(finished, view, rows, visible)]
    done = list(dict.fromkeys(task for part in parts for task in part))
    refusals = [change.global_id(refusal) for refusal in rest]
    acted = dict.fromkeys(index for job in done for index in find_jobs(rows, job))
    return JobActionPayload(
        ids=[f"{view.name}:{job}" for job in done],
        jobs=[Job(view, rows, index) for index in islice(acted, IDS_LIMIT)],
        errors=refusals,
        warnings=[*(_unread(view, result, done) if done else ()), *_left_out(len(acted))],
    )


def _read_of(what: str, jobs: Sequence[str]) -> Dataset[Rows[squeue.Job]]:
    lookup = tuple(dict.fromkeys(squeue.lookup_id(job) for job in jobs))
    return Dataset((what, lookup), partial(squeue.jobs, lookup) if lookup else None)


def _some_tasks(jobs: Sequence[str]) -> list[str]:
    return [job for job in jobs if job_id.parse(job).tasks is not None]


def _known(refusal: Refusal, both_read: bool) -> Refusal:
    """The refusal; it leaves open which tasks were cancelled if the jobs were not read before the change and after."""
    if both_read or not is_of_some_tasks(refusal):
        return refusal
    message = f"Slurm may have cancelled tasks of {refusal.id}: {refusal.message}"
    return replace(refusal, code=RefusalCode.OUTCOME_UNKNOWN, message=message)


def _acted_on(job: str, refusal: Refusal | None, before: Rows[squeue.Job], after: Rows[squeue.Job]) -> Sequence[str]:
    """The id, if nothing of it was refused; else those of its tasks that were acted on nevertheless.

    scontrol says which. Those that scancel ended had not ended before the change, and have now.
    """
    if refusal is None:
        return [job]
    if not is_of_some_tasks(refusal) or refusal.code is RefusalCode.OUTCOME_UNKNOWN:
        return done_tasks(refusal)
    still = [job_id.parse(id) for id in _alive(after)]
    shared = [tasks for id in _alive(before) if (tasks := job_id.parse(job).common(job_id.parse(id)))]
    return [str(tasks) for tasks in shared if not any(map(tasks.common, still))]


def _alive(rows: Rows[squeue.Job]) -> list[str]:
    over = ENDED | {JobState.COMPLETING}
    return [job.job_id for job in (rows[index] for index in range(len(rows))) if job.state not in over]


def _in_part(refusal: Refusal) -> Refusal:
    return replace(refusal, message=f"Not all tasks of {refusal.id}: `ids` has those. Slurm says: {refusal.message}")


def local_ids(view: Cluster, ids: Sequence[str], path: Sequence[str]) -> tuple[list[str], list[Refusal]]:
    """The ids in Slurm's spelling, each once, and the refusals of wrong ones."""
    jobs: dict[str, None] = {}
    wrong: list[Refusal] = []
    for id in ids:
        try:
            jobs[local_id(id, view.name)] = None
        except BadInputError as error:
            wrong.append(Refusal(RefusalCode.INVALID_INPUT, str(error), path, id))
    return list(jobs), wrong


def rows_of(view: Cluster, result: Dataset[Rows[squeue.Job]]) -> Rows[squeue.Job]:
    """The jobs that the change was about; none if they could not be read."""
    answer = view.answers.get(result)
    return answer.value if isinstance(answer, Snapshot) else squeue.no_jobs()


def _unread(view: Cluster, result: Dataset[Rows[squeue.Job]], done: Sequence[str]) -> list[str]:
    """Why the jobs that the change was about could not be read, if so.

    Only a task that was cancelled while it waited is not listed.
    """
    answer = view.answers[result]
    if not isinstance(answer, Snapshot):
        return [f"The change was made, but its jobs could not be read: {answer}"]
    hidden = not len(answer.value) and any(job_id.parse(job).task is None for job in done)
    return [NOT_SHOWN] if hidden else []


def _left_out(count: int) -> list[str]:
    return [f"`jobs` has the first {IDS_LIMIT} of {count} jobs."] if count > IDS_LIMIT else []


def _visible(refusal: Refusal, rows: Rows[squeue.Job], view: Cluster) -> Refusal:
    """The refusal. For a job that the caller does not see it is the same as for a job that does not exist."""
    sees_all = view.request.caller.job_visibility is JobVisibility.ALL
    if sees_all or (refusal.id and find_job(rows, refusal.id) is not None):
        return refusal
    return replace(refusal, code=RefusalCode.NOT_FOUND, message="You have no job with that id.", field=None)
