"""Snapshots that all sandboxes share: one sandbox fetches a dataset, and the others use its answer.

A DynamoDB item records where the newest snapshots are and who is fetching newer ones (headnode/shared_item.py).
Sandboxes share the text of the head node's replies, with the separators that frame it; each parses it for itself. A
failure here (DynamoDB, S3, the sandbox that fetches, a damaged object) costs only one command: the sandbox then fetches
for itself, as if it were alone.

Times come from the sandboxes' own clocks, in Unix microseconds. A sandbox whose clock differs from DynamoDB's shares
nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from headnode.aws import Clients
from headnode.dataset import ALL_COLUMNS_FOR, Answers, Dataset, Fault, KeptSnapshot, Snapshot
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError, DeadlineError
from headnode.fetch import Fetched, fetch, instant, wall_clock
from headnode.lease import Lease
from headnode.node import NOBODY, Actor, HeadNode
from headnode.replies import pack, replies, unpack
from headnode.settings import Settings
from headnode.shared_item import ItemState, Pointer, SharedItem, SharedItemError
from headnode.storage import Storage
from slurm import framing
from slurm.command import NotShownError, Question, Reply, SlurmError
from slurm.errors import ParseError

_log = logging.getLogger(__name__)

IN_ITEM = 2_000
"""Packed replies of more bytes go into the bucket: DynamoDB charges each write by the kB of the whole item."""
REST = 5.0
"""Seconds for which a sandbox does not use the table after it failed."""
CLOCK_ERROR = 1.0
"""Seconds by which a clock may be off, besides the one second that DynamoDB's Date header leaves open."""
_FORMAT = 1  # version of the attributes that are named after a dataset
_FIRST_PAUSE, _LONGEST_PAUSE = 0.15, 0.6  # seconds between two checks for another sandbox's answer
_ATTEMPTS = 4  # at taking a lease that other sandboxes want, too


@dataclass(frozen=True, eq=False)
class WantedDataset:
    """A dataset that may be shared, and its question; `kept` is the snapshot that this sandbox last had of it.

    `used` is when someone last needed just this dataset, in Unix microseconds. Serving the brief one does not count.
    """

    dataset: Dataset[Any]
    kept: KeptSnapshot | None
    used: int = 0

    @cached_property
    def question(self) -> Question[Any]:
        """The question, with this sandbox's own separators."""
        assert self.dataset.ask  # noqa: S101 - what is shared is asked for
        return self.dataset.ask()

    @cached_property
    def separators(self) -> list[str]:
        """The separators that frame the text of the replies."""
        return framing.separators(_text(self.question))

    @cached_property
    def name(self) -> str:
        """The dataset's name in the item, the same in all sandboxes that ask the same question."""
        digest = hashlib.sha256(framing.without_separators(_text(self.question)).encode()).hexdigest()
        return f"{self.dataset.key} {_FORMAT}-{digest[:12]}"


@dataclass
class Decision:
    """What a request does about each dataset.

    It takes a snapshot that was `found`; fetches `ours`, as the holder of the lease; fetches those `alone`, without a
    lease; and waits for `theirs`.
    """

    generation: int
    lease: Lease | None = None
    found: list[tuple[WantedDataset, Pointer]] = field(default_factory=list)
    ours: list[WantedDataset] = field(default_factory=list)
    alone: list[WantedDataset] = field(default_factory=list)
    theirs: dict[WantedDataset, str] = field(default_factory=dict)
    """The datasets that another sandbox is fetching, and which sandbox (the holder of its lease)."""

    @property
    def to_fetch(self) -> list[Dataset[Any]]:
        """The datasets that this request fetches itself."""
        return [each.dataset for each in (*self.ours, *self.alone)]


class SharedSnapshots:
    """One cluster's snapshots in the table and the bucket; without a bucket, all of them are in the table."""

    def __init__(self, node: HeadNode, item: SharedItem, storage: Storage | None, ttl: float) -> None:
        self._node = node
        self._item = item
        self._storage = storage
        self._ttl = ttl
        self._rests_until = 0.0
        self._does_not_look_until = 0.0
        self.generation = 0
        """The generation of the last change that this sandbox made."""

    @classmethod
    def of(cls, node: HeadNode, clients: Clients, cluster: str, settings: Settings) -> Self | None:
        """The deployment's shared snapshots; None if it has no table or keeps no snapshots."""
        if settings.table is None or settings.ttl == 0:
            return None
        storage = Storage(clients, settings.bucket) if settings.bucket else None
        return cls(node, SharedItem(clients, settings.table, cluster), storage, settings.ttl)

    def look(self) -> ItemState | None:
        """The cluster's item as it is now; None if it cannot be read. While nothing is shared, it has no snapshots."""
        if time.monotonic() < self._does_not_look_until:
            return None
        try:
            state = self._item.look()
        except SharedItemError as error:
            self._does_not_look_until = time.monotonic() + REST
            self._rest(REST, f"the table cannot be read: {error}")
            return None
        self.generation = min(self.generation, state.generation)  # a new table counts from 0 again
        if state.clock_error > CLOCK_ERROR:
            self._rest(REST, f"this sandbox's clock is {state.clock_error:.1f} s off")
        return state.only_generation() if time.monotonic() < self._rests_until else state

    def count_change(self) -> None:
        """Record for all sandboxes that the cluster was changed."""
        try:
            self.generation = max(self.generation, self._item.count_change())
        except SharedItemError as error:  # rest until no sandbox serves a snapshot from before the change
            self._rest(max(REST, 2 * self._ttl), f"a change cannot be counted for the other sandboxes: {error}")

    def answers(
        self,
        wanted: Mapping[Dataset[Any], KeptSnapshot | None],
        seen: ItemState | None,
        least: int,
        deadline: Deadline,
        comment: str,
        actor: Actor,
    ) -> Answers:
        """The datasets' snapshots, from other sandboxes or from the head node.

        `wanted` has the snapshot that this sandbox last had of each; `seen` is the item if it was read already. It
        uses no answer of another sandbox that was asked for before the change of generation `least`.
        """
        now = wall_clock()
        shared = [WantedDataset(dataset, kept, now) for dataset, kept in wanted.items() if dataset.shared]
        unshared = [dataset for dataset in wanted if not dataset.shared]
        if shared and seen is None:
            seen = self.look()
            if seen is not None and actor != NOBODY:  # it could not be read before, so `least` lacks its changes
                least = max(least, seen.generation)
        if seen is not None and seen.sharing:
            shared = [self._full_if_needed(each, seen) for each in shared]
        decision = self._decide(shared, seen, least, {})
        answers = self._open_found(decision)
        answers |= self._ask([*unshared, *decision.to_fetch], decision, deadline, comment, actor)
        pause = _FIRST_PAUSE
        while decision.theirs and not deadline.passed:
            deadline.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the looks, keeps no secret
            pause = min(1.5 * pause, _LONGEST_PAUSE)
            decision = self._decide(list(decision.theirs), self.look(), least, decision.theirs)
            answers |= self._open_found(decision)
            answers |= self._ask(decision.to_fetch, decision, deadline, comment, actor)
        late = DeadlineError("The head node did not answer in time; try again.")
        return answers | {each.dataset: late for each in decision.theirs}

    def _open_found(self, decision: Decision) -> dict[Dataset[Any], KeptSnapshot | Fault]:
        """The snapshots that the decision found. A dataset whose snapshot cannot be opened becomes one of `alone`."""
        opened: dict[str, Sequence[Reply]] = {}
        snapshots: dict[Dataset[Any], KeptSnapshot | Fault] = {}
        # One pair of clocks for all, so that all datasets of one command expire at the same moment.
        monotonic_began = wall_clock() - int(time.monotonic() * 1e6)
        for each, pointer in decision.found:
            snapshot = self._open(each, pointer, monotonic_began, opened)
            if snapshot is None:
                decision.alone.append(each)
            else:
                snapshots[each.dataset] = snapshot
        return snapshots

    def _full_if_needed(self, wanted: WantedDataset, state: ItemState) -> WantedDataset:
        """The full dataset, if a sandbox needed that within ALL_COLUMNS_FOR; else the wanted one."""
        if wanted.dataset.in_full is None:
            return wanted
        in_full = WantedDataset(wanted.dataset.in_full, wanted.kept)
        pointer = state.snapshot(in_full.name, wanted.used)
        if pointer is None or wanted.used - pointer.used > ALL_COLUMNS_FOR * 1e6:
            return wanted
        return replace(in_full, used=pointer.used)

    def _decide(
        self,
        wanted: Collection[WantedDataset],
        state: ItemState | None,
        least: int,
        waited: Mapping[WantedDataset, str],
    ) -> Decision:
        for _ in range(_ATTEMPTS):
            if state is None or not state.sharing:
                break
            decision, free = self._sorted(wanted, state, least, waited)
            if not free:
                return decision
            lease = Lease.taken(wall_clock())
            try:
                if self._item.take([each.name for each in free], state, lease):
                    decision.ours, decision.lease = free, lease
                    return decision
            except SharedItemError as error:
                self._rest(REST, f"no lease can be taken: {error}")
                break
            state = self.look()
            if state is not None and state.sharing and all(state.lease(each.name) == lease for each in free):
                # The first call took it, its answer was lost, and the call was made again.
                decision.ours, decision.lease = free, lease
                return decision
        return Decision(state.generation if state else self.generation, alone=list(wanted))

    def _sorted(
        self, wanted: Iterable[WantedDataset], state: ItemState, least: int, waited: Mapping[WantedDataset, str]
    ) -> tuple[Decision, list[WantedDataset]]:
        """The decision that follows from the item, and the datasets whose lease is free.

        While another sandbox fetches, the last snapshot is used for up to one more TTL.
        """
        now, decision, free = wall_clock(), Decision(state.generation), []
        for each in wanted:
            pointer, lease = state.snapshot(each.name, now), state.lease(each.name)
            left = -float("inf")
            if pointer is not None and (each.dataset.outlives_changes or pointer.generation >= least):
                left = each.dataset.good_for(self._ttl) - (now - pointer.asked) / 1e6
            is_held = state.is_asked_for(each.name, now)
            if pointer is not None and left > (-self._ttl if is_held else 0):
                decision.found.append((each, pointer))
            elif lease is not None and is_held:
                decision.theirs[each] = lease.holder
            elif lease is not None and lease.failed and lease.holder == waited.get(each):
                decision.alone.append(each)  # everyone who waited fetches now, because the next holder may fail, too
            else:
                free.append(each)
        return decision, free

    def _open(
        self, wanted: WantedDataset, pointer: Pointer, monotonic_began: int, opened: dict[str, Sequence[Reply]]
    ) -> KeptSnapshot | None:
        """The snapshot that a pointer leads to, or None if there is none. `opened` has the objects read so far.

        `monotonic_began` is the Unix time at which the monotonic clock was 0, in microseconds.
        """
        as_of = instant(pointer.asked)
        asked = min((pointer.asked - monotonic_began) / 1e6, time.monotonic())  # on the monotonic clock
        until = asked + wanted.dataset.good_for(self._ttl)
        if wanted.kept is not None and wanted.kept.snapshot.as_of == as_of and wanted.kept.serves(wanted.dataset):
            return replace(wanted.kept, until=until, generation=pointer.generation)
        try:
            replies = self._replies(pointer, opened)
            if len(replies) != len(wanted.question.commands) or len(wanted.separators) != len(pointer.separators):
                return None
            for theirs, ours in zip(pointer.separators, wanted.separators, strict=True):
                replies = [replace(each, stdout=each.stdout.replace(theirs, ours)) for each in replies]
            value = wanted.question.read(replies)
        except NotShownError as error:
            value = error.with_traceback(None)
        except (ClusterUnreachableError, SlurmError, ParseError) as error:
            self._rest(REST, f"another sandbox's snapshot of {wanted.dataset.key} cannot be read: {error}")
            return None
        return KeptSnapshot(Snapshot(value, as_of), until, pointer.generation, wanted.dataset.is_brief)

    def _replies(self, pointer: Pointer, opened: dict[str, Sequence[Reply]]) -> Sequence[Reply]:
        if pointer.key is None:
            return _read(pointer.body)
        if pointer.key not in opened:
            if self._storage is None:
                raise ClusterUnreachableError("It is in a bucket, and this deployment has none.")
            opened[pointer.key] = _read(self._storage.get(pointer.key, pointer.sha256))
        return opened[pointer.key][pointer.first : pointer.first + pointer.count]

    def _ask(
        self, datasets: Sequence[Dataset[Any]], decision: Decision, deadline: Deadline, comment: str, actor: Actor
    ) -> Answers:
        """Fetch from the head node, and share the datasets of the lease with the other sandboxes."""
        fetched = None
        try:
            fetched = fetch(self._node, datasets, deadline, comment, actor)
        finally:
            self._leave(decision, fetched)
        return fetched.kept(self._ttl, decision.generation)

    def _leave(self, decision: Decision, fetched: Fetched | None) -> None:
        """Give back the lease, with pointers to the answers if there are any."""
        if decision.lease is None:
            return
        pointers: dict[str, Pointer] = {}
        try:
            if fetched is not None:
                pointers = self._pointers(
                    [each for each in decision.ours if each.dataset in fetched.parts], fetched, decision
                )
        except ClusterUnreachableError as error:
            self._rest(REST, f"snapshots cannot be stored for the other sandboxes: {error}")
        try:
            self._item.give_back([each.name for each in decision.ours], decision.lease, pointers)
        except SharedItemError as error:
            self._rest(REST, f"a lease cannot be given back: {error}")

    def _pointers(self, answered: Iterable[WantedDataset], fetched: Fetched, decision: Decision) -> dict[str, Pointer]:
        """Where the answers are: in the head node's object if it holds nothing else, or in the item or a new object."""
        only_shared = all(dataset.shared for dataset in fetched.values)
        pointers: dict[str, Pointer] = {}
        for each in answered:
            part = fetched.parts[each.dataset]
            separators = framing.separators(_text(part.question))
            pointer = Pointer(fetched.at, decision.generation, separators, len(part.replies), used=each.used)
            if fetched.stored and only_shared:
                stored = fetched.stored
                pointer = replace(pointer, key=stored.key, sha256=stored.sha256, first=part.first)
            else:
                body = pack(part.replies)
                pointer = self._put(pointer, body)
            pointers[each.name] = pointer
        return pointers

    def _put(self, pointer: Pointer, body: bytes) -> Pointer:
        if self._storage is None or len(body) <= IN_ITEM:
            return replace(pointer, body=body)
        key = self._storage.new_key("snapshots")
        self._storage.put(key, body)
        return replace(pointer, key=key, sha256=hashlib.sha256(body).hexdigest())

    def _rest(self, seconds: float, why: str) -> None:
        self._rests_until = time.monotonic() + seconds
        _log.warning("the sandboxes' shared snapshots are not used for %s s: %s", seconds, why)


def _read(body: bytes) -> list[Reply]:
    return replies(unpack(body))


def _text(question: Question[Any]) -> str:
    return json.dumps([command.as_data() for command in question.commands], sort_keys=True)
