"""Submitting a job: one SSM command, which also reads the new job."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from headnode.errors import HeadNodeError
from headnode.node import Bundle
from headnode.snapshots import Dataset, Snapshot
from headnode.storage import ScriptUnavailableError
from resolvers.change import Change, ChangeInput, ChangeRefusedError, change_field, read_or_error
from resolvers.cluster import Cluster
from resolvers.described import Id, described
from resolvers.errors import ErrorCode, RequestError, unavailable
from resolvers.filters import find_job
from resolvers.job import Job
from resolvers.job_action import NOT_SHOWN
from slurm import sbatch, squeue
from slurm.column import Rows
from slurm.command import Question, SlurmError
from slurm.refusal import Refusal
from slurm.script import Script


@dataclass(kw_only=True)
class SubmitJob(sbatch.Submission, ChangeInput):
    """The job to submit."""


@dataclass(frozen=True, kw_only=True)
class SubmitJobPayload:
    """The submitted job, or why there is none."""

    id: Id | None = described("The id of the submitted job, even if the job could not be read afterwards.")
    job: Job | None = described(
        "The job; null if it was refused, if the scheduler no longer lists it, and with `testOnly`."
    )
    idempotency_key: str | None = described(
        "The key of this submission: the input's, or one that the API made. A retry with it submits nothing more. Null "
        "with `testOnly`."
    )
    warnings: Sequence[str] = described(
        "What sbatch said besides, such as a site's notes, and why the scheduler does not list the job.", ()
    )
    estimated_start_time: datetime | None = described(
        "With `testOnly`: the scheduler's estimate of when the job would start; null for a job that would be "
        "held. sbatch: --test-only."
    )
    errors: Sequence[Refusal] = described("Why it was refused; empty if it was not.", ())


@change_field(SubmitJobPayload, "Submit a batch script as a job. sbatch.")
async def submit_job(change: Change, input: SubmitJob) -> SubmitJobPayload:
    """Submit a job as the caller's account."""
    if not input.test_only and input.idempotency_key is None:
        input = replace(input, idempotency_key=secrets.token_hex(16))
    submission = sbatch.check(input)
    text = await asyncio.to_thread(_fetched, change.view, input.script)
    if input.test_only:
        return await asyncio.to_thread(_estimate, change.view, submission.estimate(text))
    result = Dataset("submitted job", partial(squeue.submitted_job, 0))
    try:
        outcome = await change.send(submission.submit(text), result)
    except RequestError as error:
        if error.extensions["code"] == ErrorCode.OUTCOME_UNKNOWN.name:
            error.extensions["idempotencyKey"] = input.idempotency_key
        raise
    if isinstance(outcome, Refusal):
        return SubmitJobPayload(idempotency_key=input.idempotency_key, errors=[outcome])
    job = read_or_error(lambda: _job(change.view, result, outcome))
    return SubmitJobPayload(
        id=f"{change.view.name}:{outcome.job}",
        job=job,
        idempotency_key=input.idempotency_key,
        warnings=outcome.warnings if job or outcome.forgotten else [*outcome.warnings, NOT_SHOWN],
    )


def _job(view: Cluster, result: Dataset[Rows[squeue.Job]], submitted: sbatch.Submitted) -> Job | None:
    """The job as squeue shows it, or None if slurmctld does not list it. Raises RequestError if it cannot be read."""
    answer = view.answers[result]
    if not isinstance(answer, Snapshot):
        if submitted.forgotten:
            return None
        raise unavailable(view.name, answer)
    index = find_job(answer.value, submitted.job)
    return None if index is None else Job(view, answer.value, index)


def _fetched(view: Cluster, script: Script) -> str | None:
    """The script's text, if it is in S3."""
    try:
        return view.snapshots.node.script(script.uri, view.request.deadline) if script.uri is not None else None
    except ScriptUnavailableError as error:
        raise ChangeRefusedError(replace(error.refusal, field=script.field)) from error
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
