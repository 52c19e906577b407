"""A cluster's head node: commands go in, replies come out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headnode.aws import Clients
from headnode.aws_calls import until
from headnode.deadline import Deadline
from headnode.discovery import Discovery
from headnode.document import PARAMETER, REQUEST_LIMIT
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ResponseTooLargeError,
    UnknownInstanceError,
)
from headnode.instances import Agent, Instance, agent, instances_by_address
from headnode.invocation import Invocation, Pace, invoke, leaves_time, too_late
from headnode.replies import replies, unpack
from headnode.settings import ClusterSettings, Settings
from headnode.storage import Scripts, Storage
from slurm.command import Command, Reply

_LATE = 2.0
"""Seconds: a request that came too late to the head node, and so much too early to us, met another clock."""
_CLOCKS_APART = 15.0
"""Seconds by which two clocks differ so much that it is said: a large answer may come as late by itself."""


@dataclass(frozen=True)
class Actor:
    """The account that runs changes and user-specific reads: `user` on the cluster (None: nobody).

    `administer` lets an operator act as Slurm's administrator where that account has no right to.
    """

    user: str | None = None
    administer: bool = False


NOBODY = Actor()


@dataclass(frozen=True)
class Bundle:
    """What one SSM command runs: steps one after the other; the commands of a step run at the same time.

    `changes` says whether it may change anything.
    """

    steps: Sequence[Sequence[Command]]
    actor: Actor = NOBODY
    changes: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice: a read, or submissions with idempotency keys alone in the first step."""
        return not self.changes or all(command.key is not None for command in self.steps[0])

    @property
    def count(self) -> int:
        """How many commands it has, and so how many replies there must be."""
        return sum(map(len, self.steps))


@dataclass(frozen=True)
class Stored:
    """An answer in the bucket: its key, and the SHA-256 (hexadecimal) that the object must have."""

    key: str
    sha256: str


@dataclass(frozen=True)
class Answer:
    """The replies to all commands of a bundle, in order, and where the head node put them if they were large."""

    replies: list[Reply]
    stored: Stored | None = None


class HeadNode:
    """One cluster's head node, reached through SSM."""

    def __init__(self, clients: Clients, cluster: ClusterSettings, settings: Settings) -> None:
        self._clients = clients
        self._discovery = Discovery(clients, cluster)
        self._tag = cluster.tag
        self._document = settings.document
        self._pace = Pace(settings.first_look, settings.look_interval)
        self._storage = Storage(clients, settings.bucket) if settings.bucket else None
        self._scripts = Scripts(clients, settings.script_buckets)
        self.answer_seconds = 0.0
        """How long the newest answer took, or the wait for one that did not come; 0 before the first."""

    def instance(self) -> str:
        """The head node's instance id. Raises ClusterUnreachableError."""
        return self._discovery.instance()

    def agent(self) -> Agent:
        """Its SSM agent. Raises ClusterUnreachableError."""
        return agent(self._clients, self.instance())

    def instances_by_address(self) -> Mapping[str, Instance]:
        """The cluster's EC2 instances by private address. Raises ClusterUnreachableError."""
        return instances_by_address(self._clients, self._tag)

    def script(self, uri: str, deadline: Deadline) -> str:
        """A batch script from S3. Raises ScriptUnavailableError, ClusterUnreachableError."""
        with until(deadline):
            return self._scripts.read(uri)

    def run(self, bundle: Bundle, deadline: Deadline, comment: str) -> list[Reply]:
        """The replies of all commands, in order. Costs one SSM command. Raises HeadNodeError."""
        return self.answer(bundle, deadline, comment).replies

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        """The head node's answer. Costs one SSM command. Raises HeadNodeError.

        `comment` goes into SSM's history beside the command; it should name the request, not repeat its content.
        """
        began = time.monotonic()
        try:
            with until(deadline):
                return self._answer(bundle, deadline, comment)
        finally:
            self.answer_seconds = time.monotonic() - began

    def _answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        if not leaves_time(deadline, bundle.changes):
            raise too_late()
        instance = self._discovery.instance()
        answer_key = self._storage.new_key("answers") if self._storage else None
        request = _request(
            bundle, deadline, self._storage.put_url(answer_key) if self._storage and answer_key else None
        )
        packed = gzip.compress(json.dumps(request).encode(), 6)
        request_key = None
        if len(packed) * 4 / 3 > REQUEST_LIMIT - 4:
            request_key, packed = self._store(packed)
        invocation = Invocation(
            document=self._document,
            instance=instance,
            parameter=PARAMETER,
            text=base64.urlsafe_b64encode(packed).decode(),
            comment=comment,
            changes=bundle.changes,
            repeatable=bundle.repeatable,
        )
        try:
            printed = self._invoke(invocation, deadline)
        finally:
            if self._storage and request_key:
                with until(deadline.closing):
                    self._storage.delete(request_key)
        received = time.time()
        try:
            answer, stored = self._opened(printed, answer_key)
            if not _ran_nothing(answer):
                return Answer(replies(answer, bundle.count), stored)
        except (ClusterUnreachableError, ResponseTooLargeError) as error:
            if bundle.changes:  # the command ran, so the change may have been made
                raise OutcomeUnknownError("The result of the change was lost.") from error
            raise
        raise _why_nothing(answer, request["expires"], received)

    def _invoke(self, invocation: Invocation, deadline: Deadline) -> str:
        """What the program printed. If the head node was replaced, the request goes to its new id."""
        try:
            return invoke(self._clients.ssm, invocation, deadline, self._pace)
        except UnknownInstanceError:
            self._discovery.forget()
            instance = self._discovery.instance()
            if instance == invocation.instance:
                self._discovery.forget()
                raise
            return invoke(self._clients.ssm, replace(invocation, instance=instance), deadline, self._pace)
        except ClusterUnreachableError:
            self._discovery.forget()
            raise

    def _store(self, packed: bytes) -> tuple[str, bytes]:
        """Put a large request into the bucket. Return its key, and what is sent instead: where the request is."""
        if self._storage is None:
            raise ResponseTooLargeError("A request of this size needs a bucket, and this deployment has none.")
        key = self._storage.new_key("requests")
        self._storage.put(key, packed)
        pointer = {"get": self._storage.get_url(key), "sha256": hashlib.sha256(packed).hexdigest()}
        return key, gzip.compress(json.dumps(pointer).encode())

    def _opened(self, printed: str, answer_key: str | None) -> tuple[dict[str, Any], Stored | None]:
        """The program's answer: replies, or why it ran nothing. Raises HeadNodeError if the answer was lost."""
        answer, stored = unpack(_decode(printed)), None
        if "put" in answer and self._storage and answer_key:
            stored = Stored(answer_key, answer["put"])
            answer = unpack(self._storage.get(stored.key, stored.sha256))
        if "error" in answer and not _ran_nothing(answer):
            raise ResponseTooLargeError(f"The head node: {answer['error']}.")
        return answer, stored


def _request(bundle: Bundle, deadline: Deadline, put: str | None) -> dict[str, Any]:
    return {
        "expires": time.time() + deadline.remaining,
        "user": bundle.actor.user,
        "administer": bundle.actor.administer,
        "put": put,
        "steps": [[command.as_data() for command in step] for step in bundle.steps],
    }


def _ran_nothing(answer: Mapping[str, Any]) -> bool:
    """Whether the program refused the whole request: then nothing was changed."""
    return "error" in answer and bool(answer.get("expired") or answer.get("unread"))


def _why_nothing(answer: Mapping[str, Any], expires: float, received: float) -> HeadNodeError:
    """Why the program ran nothing. A request that is too old to it, and not to us, met a clock that is not ours."""
    started = answer.get("started")
    apart = abs(received - started) if isinstance(started, (int, float)) else 0.0
    if apart > _CLOCKS_APART or (answer.get("expired") and received < expires - _LATE):
        by = f" by {apart:.0f} s" if apart > _CLOCKS_APART else ""
        return ClusterUnreachableError(
            f"The clocks of the head node and of the API differ{by}: requests seem too old or too new there. "
            "Is the head node's clock kept right (chronyc tracking)?"
        )
    kind = DeadlineError if answer.get("expired") else ClusterUnreachableError
    return kind(f"The head node: {answer['error']}.")


def _decode(printed: str) -> bytes:
    try:
        return base64.b64decode(printed.strip(), validate=True)
    except ValueError as error:
        raise ClusterUnreachableError("The head node's answer cannot be read.") from error
