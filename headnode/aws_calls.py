"""Calls to AWS: never longer than the request has left, and repeated where that is harmless.

botocore fixes a client's timeouts when the client is made. Here every HTTP request asks how much time is left. If that
is less than the client's own timeouts, it goes over a session with shorter ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session

from headnode.deadline import Deadline

T = TypeVar("T")

CONNECT, READ = 3.0, 10.0
"""Seconds that a call may take to connect, and to send the next bytes of its answer, if there is time."""
THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
"""The codes by which AWS says that a request was not accepted because there are too many."""
_SHORTER = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""Seconds of the sessions for requests that have little time: few, as each keeps connections of its own."""
_TO_CONNECT = 0.4  # of a session's seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0

_deadline: ContextVar[Deadline | None] = ContextVar("deadline of AWS calls", default=None)


class NoTimeLeftError(BotoCoreError):
    """There is no time for the call: nothing was sent."""

    fmt = "There was no time left for a request to AWS."


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """AWS calls in this block end by the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def at_most(seconds: float) -> Iterator[Deadline]:
    """AWS calls in this block end within so many seconds, and by the deadline of a block around it."""
    outer, own = _deadline.get(), Deadline.after(seconds)
    earlier = own if outer is None or own.at < outer.at else outer
    with until(earlier):
        yield earlier


def repeated(call: Callable[[], T], seconds: float, attempts: int = 3) -> T:
    """The result of a call that may be repeated without harm.

    It is repeated after a failure that may pass, all within `seconds` and the deadline. Raises what boto3 raises;
    NoTimeLeftError only if no attempt failed before the time was over.
    """
    pause = _FIRST_PAUSE
    failure: BotoCoreError | ClientError | None = None
    with at_most(seconds) as deadline:
        while True:
            attempts -= 1
            try:
                return call()
            except NoTimeLeftError as error:
                raise failure or error from None
            except (BotoCoreError, ClientError) as error:
                if not attempts or not passes(error) or deadline.remaining <= pause:
                    raise
                failure = error
            deadline.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the attempts, keeps no secret
            pause = min(2 * pause, _LONGEST_PAUSE)


def passes(error: BotoCoreError | ClientError) -> bool:
    """Whether the same call may succeed in a moment: AWS failed, is busy, or could not be reached."""
    if isinstance(error, ClientError):
        return is_failure(error) or code(error) in THROTTLED
    return not isinstance(error, NoTimeLeftError)


def is_failure(error: ClientError) -> bool:
    """Whether AWS failed (5xx): the call may or may not have had its effect."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500


def code(error: ClientError) -> str:
    """The service's name for the error."""
    return error.response.get("Error", {}).get("Code", "")


class Bounded:
    """Keeps the requests of a boto3 session's clients within the deadline of `until`."""

    def __init__(self, max_pool_connections: int) -> None:
        self._max_pool_connections = max_pool_connections
        self._lock = Lock()
        self._sessions: dict[float, URLLib3Session] = {}

    def register(self, session: boto3.Session) -> None:
        """Have botocore ask before each request of the clients that the session makes."""
        # Once per session, however often it is asked: each handler would send the request.
        session.events.register("before-send", self._send, unique_id="slurmql-bounded")  # type: ignore[arg-type]  # the stubs forget the response

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        """The answer to a request that has little time; None: botocore sends it, as there is enough."""
        deadline = _deadline.get()
        if deadline is None or deadline.remaining >= CONNECT + READ:
            return None
        left = deadline.remaining
        seconds = next((each for each in _SHORTER if each <= left), None)
        if seconds is None:
            raise NoTimeLeftError
        return self._session(seconds).send(request)

    def _session(self, seconds: float) -> URLLib3Session:
        with self._lock:
            if seconds not in self._sessions:
                connect = min(CONNECT, _TO_CONNECT * seconds)
                self._sessions[seconds] = URLLib3Session(
                    timeout=(connect, seconds - connect),  # type: ignore[arg-type]  # the stubs know one number
                    max_pool_connections=self._max_pool_connections,
                )
            return self._sessions[seconds]
