"""Submit once, and wait politely."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar, cast

import httpx

from slurmql_client.generated import Client
from slurmql_client.generated.base_client import HttpClient
from slurmql_client.generated.enums import JobPhase
from slurmql_client.generated.exceptions import GraphQLClientGraphQLMultiError, GraphQLClientHttpError
from slurmql_client.generated.input_types import SubmitJobInput
from slurmql_client.generated.submit import SubmitSubmitJob
from slurmql_client.generated.wait import WaitJobsEnded

Answer = TypeVar("Answer")
PASSING = {"CLUSTER_UNREACHABLE", "OUTCOME_UNKNOWN", "SCHEDULER_UNAVAILABLE", "THROTTLED", "TIMEOUT"}


def connect(url: str, token: str) -> Client:
    """A client that signs in with a token. Its patience exceeds the 29 seconds of API Gateway."""
    http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=35)
    return Client(url, http_client=cast(HttpClient, http))  # its protocol has positional arguments that httpx has not


def submit(client: Client, input: SubmitJobInput) -> SubmitSubmitJob:
    """Submit a job. Whatever fails on the way, a retry with the same key makes no second job."""
    key = input.idempotency_key or str(uuid.uuid4())
    keyed = input.model_copy(update={"idempotency_key": key})
    return again(lambda: client.submit(keyed)).submit_job


def wait(client: Client, ids: Sequence[str]) -> WaitJobsEnded:
    """Wait until all the jobs have ended. Of a job in `not_remembered`, nobody knows how it ended."""
    while True:
        ended = again(lambda: client.wait(list(ids))).jobs_ended
        if ended is not None and ended.done:
            return ended


def follow(client: Client, id: str) -> Iterator[str]:
    """What the job writes, part by part, until it has ended."""
    offset = 0
    while (job := again(partial(client.output, id, offset)).job) is not None:
        part = job.output
        if part is not None and part.is_shorter:  # the file was written again, as after a requeue
            offset = 0
        elif part is not None and part.text:
            offset = part.next_offset
            yield part.text
        elif job.phase == JobPhase.ENDED:
            return
        else:
            time.sleep(job.cluster.suggested_poll_seconds)


def again(ask: Callable[[], Answer], attempts: int = 8) -> Answer:
    """The answer, after up to 8 attempts, 1 to 32 seconds apart, if what fails may pass."""
    for attempt in range(attempts - 1):
        try:
            return ask()
        except (GraphQLClientGraphQLMultiError, GraphQLClientHttpError, httpx.TransportError) as error:
            if not _may_pass(error):
                raise
            time.sleep(min(2**attempt, 32))
    return ask()


def _may_pass(error: Exception) -> bool:
    if isinstance(error, GraphQLClientGraphQLMultiError):
        return all((each.extensions or {}).get("code") in PASSING for each in error.errors)
    return not isinstance(error, GraphQLClientHttpError) or error.status_code in {429, 500, 502, 503, 504}
