"""Submitting a job: one SSM command, which also reads the new job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated

from headnode.errors import HeadNodeError
from headnode.node import Bundle
from headnode.snapshots import Dataset
from headnode.storage import ScriptUnavailableError
from resolvers.arguments import About
from resolvers.change import Change, ChangeRefusedError, change
from resolvers.cluster import Cluster
from resolvers.described import described
from resolvers.errors import RequestError, unavailable
from resolvers.filters import find_job
from resolvers.job import Job
from resolvers.job_action import rows_of
from slurm import sbatch, squeue
from slurm.command import Question, SlurmError
from slurm.refusal import Refusal


@dataclass(frozen=True, kw_only=True)
class SubmitJobPayload:
    """The submitted job, or why there is none."""

    job: Job | None = described("The job; null if it was refused, and with `testOnly`.")
    estimated_start_time: datetime | None = described(
        "With `testOnly`: the scheduler's estimate of when the job would start; null for a job that would be "
        "held. sbatch: --test-only."
    )
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@change(SubmitJobPayload, "Submit a batch script as a job. sbatch.")
async def submit_job(
    change: Change, input: Annotated[sbatch.Submission, About("The job to submit.")]
) -> SubmitJobPayload:
    """Submit a job as the caller's account."""
    submission = sbatch.check(input)
    text = await asyncio.to_thread(_fetched, change.view, input.script_uri)
    if input.test_only:
        return await asyncio.to_thread(_estimate, change.view, submission.estimate(text))
    result = Dataset("submitted job", partial(squeue.submitted_job, 0))
    outcome = await change.send(submission.submit(text), result)
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(errors=[outcome])
    rows = rows_of(change.view, result)
    index = find_job(rows, outcome)
    if index is None:
        raise RequestError(f"Job {outcome} was submitted, but the scheduler does not list it.", jobId=outcome)
    return SubmitJobPayload(job=Job(change.view, rows, index))


def _fetched(view: Cluster, uri: str | None) -> str | None:
    """The script's text, if it is in S3."""
    try:
        return view.snapshots.node.script(uri, view.request.deadline) if uri is not None else None
    except ScriptUnavailableError as error:
        raise ChangeRefusedError(replace(error.refusal, field=["input", "scriptUri"])) from error
    except HeadNodeError as error:
        raise unavailable(view.name, error) from error


def _estimate(view: Cluster, question: Question[datetime | Refusal | None]) -> SubmitJobPayload:
    bundle = Bundle([question.commands], view.request.actor)
    try:
        outcome = question.read(view.snapshots.node.run(bundle, view.request.deadline, view.request.comment))
    except (HeadNodeError, SlurmError) as error:
        raise unavailable(view.name, error) from error
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(errors=[outcome])
    return SubmitJobPayload(estimated_start_time=outcome)


CHANGES = (submit_job,)
