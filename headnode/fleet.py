"""What all sandboxes know of a cluster: one of them asks for a dataset, and the others have its answer.

The table says where the newest snapshots lie and who asks for newer ones (headnode/table.py). What is shared is the
text that the head node replied, with the separators that frame it; every sandbox parses it for itself. Whatever fails
here - DynamoDB, S3, the sandbox that asks, an object that is not what it should be - costs a command and nothing else:
the sandbox then asks for itself, as if it were alone.

Times are those of the sandboxes' own clocks, in Unix microseconds. A sandbox whose clock is not that of DynamoDB shares
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

from headnode import asking
from headnode.aws import Clients
from headnode.dataset import LINGER, Answers, Dataset, Fault, Kept, Snapshot
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError, DeadlineError
from headnode.lease import Lease
from headnode.node import Actor, HeadNode
from headnode.replies import pack, reply, unpack
from headnode.settings import Settings
from headnode.storage import Storage
from headnode.table import Item, Pointer, Table, TableError
from slurm import framing
from slurm.command import Question, Reply, SlurmError
from slurm.errors import ParseError

_log = logging.getLogger(__name__)

IN_ITEM = 2_000
"""Replies of more bytes, packed, go to the bucket: DynamoDB charges every write by the kB of the whole item."""
REST = 5.0
"""Seconds for which a sandbox leaves the table alone after it failed."""
CLOCK_ERROR = 1.0
"""Seconds by which a clock may be off, beyond the second to which DynamoDB tells the time."""
_FORMAT = 1  # of what stands under a dataset's name in the table
_FIRST_PAUSE, _LONGEST_PAUSE = 0.15, 0.6  # seconds between two looks for another sandbox's answer
_ATTEMPTS = 4  # to take a lease that others are after


@dataclass(frozen=True, eq=False)
class Wanted:
    """A dataset that may be shared, and the question for it; `kept` is what this sandbox last knew of it.

    `used` is when somebody last had use for just this (Unix microseconds), and not for less of the same.
    """

    dataset: Dataset[Any]
    kept: Kept | None
    used: int = 0

    @cached_property
    def question(self) -> Question[Any]:
        """The question, with separators of our own."""
        assert self.dataset.ask  # noqa: S101 - what is shared is asked for
        return self.dataset.ask()

    @cached_property
    def separators(self) -> list[str]:
        """What frames the text of the replies."""
        return framing.separators(_text(self.question))

    @cached_property
    def name(self) -> str:
        """The dataset's name in the table: the same in all sandboxes that ask the same question."""
        digest = hashlib.sha256(framing.without_separators(_text(self.question)).encode()).hexdigest()
        return f"{self.dataset.key} {_FORMAT}-{digest[:12]}"


@dataclass
class Turn:
    """What a request does about each dataset: have a snapshot, ask as holder of the lease, ask alone, or wait."""

    generation: int
    lease: Lease | None = None
    found: list[tuple[Wanted, Pointer]] = field(default_factory=list)
    ours: list[Wanted] = field(default_factory=list)
    alone: list[Wanted] = field(default_factory=list)
    theirs: dict[Wanted, str] = field(default_factory=dict)
    """Those that another sandbox is asking for, and which."""


class Fleet:
    """One cluster's snapshots in the table and the bucket. Without a bucket, all of an answer lies in the table."""

    def __init__(self, node: HeadNode, table: Table, storage: Storage | None, ttl: float) -> None:
        self._node = node
        self._table = table
        self._storage = storage
        self._ttl = ttl
        self._rests_until = 0.0
        self.generation = 0
        """Of the last change that this sandbox made."""

    @classmethod
    def of(cls, node: HeadNode, clients: Clients, cluster: str, settings: Settings) -> Self | None:
        """The fleet of a deployment; None without a table, or if nothing is kept."""
        if settings.table is None or settings.ttl == 0:
            return None
        storage = Storage(clients, settings.bucket) if settings.bucket else None
        return cls(node, Table(clients, settings.table, cluster), storage, settings.ttl)

    def look(self) -> Item | None:
        """The cluster's item as it is now; None if there is no relying on it."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            item = self._table.look()
        except TableError as error:
            self._rest(REST, f"the table cannot be read: {error}")
            return None
        if item.clock_error > CLOCK_ERROR:
            self._rest(REST, f"this sandbox's clock is {item.clock_error:.1f} s off")
            return None
        self.generation = min(self.generation, item.generation)  # a table that was made anew counts anew
        return item

    def count_change(self) -> None:
        """Tell all sandboxes that the cluster was changed."""
        try:
            self.generation = max(self.generation, self._table.count_change())
        except TableError as error:  # what was asked for before it is not to be had from the others any more
            self._rest(max(REST, 2 * self._ttl), f"a change cannot be told to the other sandboxes: {error}")

    def answers(
        self,
        wanted: Mapping[Dataset[Any], Kept | None],
        seen: Item | None,
        least: int,
        deadline: Deadline,
        comment: str,
        actor: Actor,
    ) -> Answers:
        """What is known of the datasets, by the other sandboxes or the head node.

        `wanted` has what this sandbox last knew of each; `seen` is the table's item if it was looked at already. No
        answer of the others is taken that was asked for before the change of generation `least`.
        """
        now = asking.wall_clock()
        shared = [Wanted(dataset, kept, now) for dataset, kept in wanted.items() if dataset.shared]
        to_ask = [dataset for dataset in wanted if not dataset.shared]
        answers: dict[Dataset[Any], Kept | Fault] = {}
        waited: dict[Wanted, str] = {}
        pause = _FIRST_PAUSE
        if shared and seen is None:
            seen = self.look()
        if seen is not None:
            shared = [self._as_used(each, seen) for each in shared]
        while True:
            turn = self._turn(shared, seen, least, waited)
            opened: dict[str, Sequence[Reply]] = {}
            for each, pointer in turn.found:
                known = self._open(each, pointer, opened)
                if known is None:
                    turn.alone.append(each)
                else:
                    answers[each.dataset] = known
            to_ask += [each.dataset for each in (*turn.ours, *turn.alone)]
            answers |= self._ask(to_ask, turn, deadline, comment, actor)
            if not turn.theirs:
                return answers
            if deadline.passed:
                late = DeadlineError("The head node did not answer in time; try again.")
                return answers | {each.dataset: late for each in turn.theirs}
            deadline.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the looks, keeps no secret
            pause = min(1.5 * pause, _LONGEST_PAUSE)
            shared, to_ask, waited, seen = list(turn.theirs), [], turn.theirs, self.look()

    def _as_used(self, wanted: Wanted, item: Item) -> Wanted:
        """The same in full, if any sandbox had use for that lately."""
        if wanted.dataset.in_full is None:
            return wanted
        in_full = Wanted(wanted.dataset.in_full, wanted.kept)
        pointer = item.snapshots.get(in_full.name)
        if pointer is None or wanted.used - pointer.used > LINGER * 1e6:
            return wanted
        return replace(in_full, used=pointer.used)

    def _turn(self, wanted: Collection[Wanted], item: Item | None, least: int, waited: Mapping[Wanted, str]) -> Turn:
        for _ in range(_ATTEMPTS):
            if item is None:
                break
            turn, free = self._sorted(wanted, item, least, waited)
            if not free:
                return turn
            lease = Lease.taken(asking.wall_clock())
            try:
                if self._table.take([each.name for each in free], item, lease):
                    turn.ours, turn.lease = free, lease
                    return turn
            except TableError as error:
                self._rest(REST, f"no lease can be taken: {error}")
                break
            item = self.look()
            if item is not None and all(item.lease(each.name) == lease for each in free):
                turn.ours, turn.lease = free, lease  # it was taken, the answer was lost, and the call was made again
                return turn
        return Turn(item.generation if item else self.generation, alone=list(wanted))

    def _sorted(
        self, wanted: Iterable[Wanted], item: Item, least: int, waited: Mapping[Wanted, str]
    ) -> tuple[Turn, list[Wanted]]:
        """What the item tells to do about each dataset; and those whose lease is to be had.

        While another sandbox asks, its last snapshot will do until it is a TTL older than it should be.
        """
        now, turn, free = asking.wall_clock(), Turn(item.generation), []
        for each in wanted:
            pointer, lease = item.snapshots.get(each.name), item.lease(each.name)
            left = -float("inf")
            if pointer is not None and pointer.generation >= least:
                left = each.dataset.good_for(self._ttl) - (now - pointer.asked) / 1e6
            is_held = item.is_asked_for(each.name, now)
            if pointer is not None and left > (-self._ttl if is_held else 0):
                turn.found.append((each, pointer))
            elif lease is not None and is_held:
                turn.theirs[each] = lease.holder
            elif lease is not None and lease.failed and lease.holder == waited.get(each):
                turn.alone.append(each)  # whoever waited for it asks now, all at once: the next may fail as well
            else:
                free.append(each)
        return turn, free

    def _open(self, wanted: Wanted, pointer: Pointer, opened: dict[str, Sequence[Reply]]) -> Kept | None:
        """The snapshot that a pointer leads to; None if it leads nowhere. `opened` keeps the objects read so far."""
        as_of = asking.instant(pointer.asked)
        age = max(0, asking.wall_clock() - pointer.asked) / 1e6
        until = time.monotonic() + wanted.dataset.good_for(self._ttl) - age
        if wanted.kept is not None and wanted.kept.snapshot.as_of == as_of and wanted.kept.serves(wanted.dataset):
            return replace(wanted.kept, until=until, generation=pointer.generation)
        try:
            replies = self._replies(pointer, opened)
            if len(replies) != len(wanted.question.commands) or len(wanted.separators) != len(pointer.separators):
                return None
            for theirs, ours in zip(pointer.separators, wanted.separators, strict=True):
                replies = [replace(each, stdout=each.stdout.replace(theirs, ours)) for each in replies]
            value = wanted.question.read(replies)
        except (ClusterUnreachableError, SlurmError, ParseError) as error:
            self._rest(REST, f"the snapshot of {wanted.dataset.key} that another left cannot be read: {error}")
            return None
        return Kept(Snapshot(value, as_of), until, pointer.generation, wanted.dataset.is_brief)

    def _replies(self, pointer: Pointer, opened: dict[str, Sequence[Reply]]) -> Sequence[Reply]:
        if pointer.key is None:
            return _read(pointer.body)
        if pointer.key not in opened:
            if self._storage is None:
                raise ClusterUnreachableError("It lies in a bucket, and this deployment has none.")
            opened[pointer.key] = _read(self._storage.get(pointer.key, pointer.sha256))
        return opened[pointer.key][pointer.first : pointer.first + pointer.count]

    def _ask(
        self, datasets: Sequence[Dataset[Any]], turn: Turn, deadline: Deadline, comment: str, actor: Actor
    ) -> Answers:
        """Ask the head node, and leave to the others what the lease was for."""
        asked = None
        try:
            asked = asking.ask(self._node, datasets, deadline, comment, actor)
        finally:
            self._leave(turn, asked)
        return asked.kept(self._ttl, turn.generation)

    def _leave(self, turn: Turn, asked: asking.Asked | None) -> None:
        """Give back the lease, with pointers to what was answered, if it was."""
        if turn.lease is None:
            return
        pointers: dict[str, Pointer] = {}
        try:
            if asked is not None:
                pointers = self._pointers([each for each in turn.ours if each.dataset in asked.parts], asked, turn)
        except ClusterUnreachableError as error:
            self._rest(REST, f"the snapshots cannot be left to the others: {error}")
        try:
            self._table.give_back([each.name for each in turn.ours], turn.lease, pointers)
        except TableError as error:
            self._rest(REST, f"the lease cannot be given back: {error}")

    def _pointers(self, answered: Iterable[Wanted], asked: asking.Asked, turn: Turn) -> dict[str, Pointer]:
        """Where the answers lie: where the head node has put them, if all of that is to be shared."""
        only_shared = all(dataset.shared for dataset in asked.values)
        pointers: dict[str, Pointer] = {}
        for each in answered:
            part = asked.parts[each.dataset]
            separators = framing.separators(_text(part.question))
            pointer = Pointer(asked.at, turn.generation, separators, len(part.replies), used=each.used)
            if asked.stored and only_shared:
                stored = asked.stored
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
        _log.warning("the sandboxes' shared snapshots are left alone for %s s: %s", seconds, why)


def _read(body: bytes) -> list[Reply]:
    try:
        return [reply(each) for each in unpack(body)["replies"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ClusterUnreachableError("It is not an answer of a head node.") from error


def _text(question: Question[Any]) -> str:
    return json.dumps([command.as_data() for command in question.commands], sort_keys=True)
