"""The DynamoDB item of a cluster: where the newest snapshots are, who fetches newer ones, how many changes were made.

There is one item per cluster, so one GetItem reads everything, and one conditional UpdateItem takes or gives back the
leases of several datasets. Besides `key`, `expires` and `generation`, its attributes come in pairs that are named after
a dataset: `lease NAME` and `snapshot NAME`. A name contains a digest of the question (headnode/shared.py), so releases
that ask different questions use different attributes and share only the generation.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.aws_calls import repeated
from headnode.lease import SECONDS as LEASE_SECONDS
from headnode.lease import Lease

_LEASE, _SNAPSHOT = "lease ", "snapshot "
_EXPIRES = 7 * 86400  # seconds after the last write, when DynamoDB deletes the item
_SECONDS, _ATTEMPTS = 3.0, 2  # for one call; without the table there is still an answer
_AHEAD = 2_000_000  # microseconds by which a snapshot may seem to be from the future: clocks differ by less
_LEASE_AHEAD = int((LEASE_SECONDS + 1) * 1e6)  # microseconds until a lease can end, by a clock that differs as much
_OUTDATED = 86_400_000_000  # microseconds, one day: older attributes, of an earlier release, are removed


class SharedItemError(Exception):
    """The table cannot be read or written."""


@dataclass(frozen=True)
class Pointer:
    """Where a shared snapshot is: `asked` (Unix microseconds) is when it was asked for, after the change `generation`.

    Its `count` replies are packed in `body`, or in the object `key` of the bucket, where number `first` is the first of
    them. `separators` frame the text of the replies. `used` is when someone last needed just this dataset (Unix
    microseconds); serving the brief one does not count.
    """

    asked: int
    generation: int
    separators: list[str]
    count: int
    first: int = 0
    key: str | None = None
    sha256: str = ""
    body: bytes = b""
    used: int = 0

    @classmethod
    def parse(cls, attribute: Mapping[str, Any]) -> Self | None:
        """The pointer in an attribute; None if there is no valid one."""
        try:
            parts = attribute["M"]
            pointer = cls(**json.loads(parts["about"]["S"]), body=bytes(parts["body"]["B"]))
            numbers = (pointer.asked, pointer.generation, pointer.count, pointer.used, pointer.first)
            texts = (*pointer.separators, pointer.sha256, pointer.key or "")
        except (KeyError, TypeError, ValueError):
            return None
        is_one = all(isinstance(each, int) for each in numbers) and all(isinstance(each, str) for each in texts)
        return pointer if is_one else None

    def attribute(self) -> dict[str, Any]:
        """The pointer as the table has it."""
        about = asdict(replace(self, body=b""))
        del about["body"]
        return {"M": {"about": {"S": json.dumps(about)}, "body": {"B": self.body}}}


@dataclass(frozen=True)
class ItemState:
    """A cluster's item as it was read.

    `generation` counts the changes made through this API; without `sharing` nothing else is known. `clock_error` is by
    how many seconds this sandbox's clock differs from DynamoDB's at least, whose time is in whole seconds.
    """

    generation: int = 0
    leases: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[str, Pointer] = field(default_factory=dict)
    clock_error: float = 0.0
    sharing: bool = True

    def only_generation(self) -> Self:
        """The state for a sandbox that shares nothing now."""
        return type(self)(self.generation, sharing=False)

    def lease(self, name: str) -> Lease | None:
        """The lease on a dataset, or None if nobody ever took it."""
        return Lease.parse(self.leases[name]) if name in self.leases else None

    def snapshot(self, name: str, now: int) -> Pointer | None:
        """The newest snapshot of a dataset. A snapshot from the future is ignored: its age would be wrong."""
        pointer = self.snapshots.get(name)
        return pointer if pointer is not None and pointer.asked <= now + _AHEAD else None

    def is_asked_for(self, name: str, now: int) -> bool:
        """Whether a sandbox holds the lease on a dataset. A lease that ends later than any can does not count."""
        lease = self.lease(name)
        return lease is not None and lease.is_held(now) and lease.until <= now + _LEASE_AHEAD


class SharedItem:
    """One cluster's item in the table (DynamoDB API: GetItem, UpdateItem)."""

    def __init__(self, clients: Clients, name: str, cluster: str) -> None:
        self._clients = clients
        self._item: dict[str, Any] = {"TableName": name, "Key": {"key": {"S": f"snapshots {cluster}"}}}

    def look(self) -> ItemState:
        """The item as it is now, with every earlier write. Raises SharedItemError."""
        sent = time.time()
        try:
            answer: Any = repeated(
                lambda: self._clients.dynamodb.get_item(**self._item, ConsistentRead=True), _SECONDS, _ATTEMPTS
            )
        except (BotoCoreError, ClientError) as error:
            raise SharedItemError(str(error)) from error
        attributes = answer.get("Item", {})
        generation = str(attributes.get("generation", {"N": "0"}).get("N"))
        if not generation.isdecimal():
            raise SharedItemError("the item's generation is not a number")
        pointers = {name: Pointer.parse(each) for name, each in _named(attributes, _SNAPSHOT).items()}
        return ItemState(
            generation=int(generation),
            leases={name: str(each.get("S", "")) for name, each in _named(attributes, _LEASE).items()},
            snapshots={name: pointer for name, pointer in pointers.items() if pointer is not None},
            clock_error=_clock_error(answer, sent, time.time()),
        )

    def take(self, names: Collection[str], seen: ItemState, lease: Lease) -> bool:
        """Take all leases, or none and return False if another sandbox was faster. Raises SharedItemError."""
        outdated = {
            name
            for name, pointer in seen.snapshots.items()
            if pointer.asked < lease.until - _OUTDATED and not seen.is_asked_for(name, lease.begun)
        }
        removed = [f"{kind}{name}" for name in outdated - set(names) for kind in (_LEASE, _SNAPSHOT)]
        expected = {f"{_LEASE}{name}": seen.leases.get(name) for name in names}
        return self._write({f"{_LEASE}{name}": {"S": str(lease)} for name in names}, expected, removed)

    def give_back(self, names: Collection[str], lease: Lease, snapshots: Mapping[str, Pointer]) -> bool:
        """Give back the leases, with the new snapshots; False if they were lost before. Raises SharedItemError."""
        leases = {f"{_LEASE}{name}": {"S": str(lease.given_back(failed=name not in snapshots))} for name in names}
        pointers = {f"{_SNAPSHOT}{name}": pointer.attribute() for name, pointer in snapshots.items()}
        return self._write({**leases, **pointers}, {f"{_LEASE}{name}": str(lease) for name in names})

    def count_change(self) -> int:
        """Count a change, and return the generation that begins with it. Raises SharedItemError."""
        try:
            answer: Any = repeated(
                lambda: self._clients.dynamodb.update_item(
                    **self._item,
                    UpdateExpression="ADD generation :one SET expires = :expires",
                    ExpressionAttributeValues={":one": {"N": "1"}, ":expires": {"N": _expires()}},
                    ReturnValues="UPDATED_NEW",
                ),
                _SECONDS,
                _ATTEMPTS,
            )
        except (BotoCoreError, ClientError) as error:
            raise SharedItemError(str(error)) from error
        return int(answer["Attributes"]["generation"]["N"])

    def _write(
        self, values: Mapping[str, Any], expected: Mapping[str, str | None], removed: Collection[str] = ()
    ) -> bool:
        """Set and remove attributes if the `expected` ones are unchanged: a text, or None for absent."""
        attributes = dict.fromkeys([*values, *expected, *removed])
        names = {attribute: f"#{number}" for number, attribute in enumerate(attributes)}
        sets = [f"{names[attribute]} = :v{names[attribute][1:]}" for attribute in values]
        conditions = [
            f"attribute_not_exists({names[attribute]})"
            if text is None
            else f"{names[attribute]} = :e{names[attribute][1:]}"
            for attribute, text in expected.items()
        ]
        update = f"SET expires = :expires, {', '.join(sets)}"
        if removed:
            update += f" REMOVE {', '.join(names[attribute] for attribute in removed)}"
        try:
            repeated(
                lambda: self._clients.dynamodb.update_item(
                    **self._item,
                    UpdateExpression=update,
                    ConditionExpression=" AND ".join(conditions),
                    ExpressionAttributeNames={placeholder: attribute for attribute, placeholder in names.items()},
                    ExpressionAttributeValues={
                        ":expires": {"N": _expires()},
                        **{f":v{names[attribute][1:]}": value for attribute, value in values.items()},
                        **{f":e{names[name][1:]}": {"S": text} for name, text in expected.items() if text is not None},
                    },
                ),
                _SECONDS,
                _ATTEMPTS,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise SharedItemError(str(error)) from error
        except BotoCoreError as error:
            raise SharedItemError(str(error)) from error
        return True


def _named(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)}


def _expires() -> str:
    return str(int(time.time()) + _EXPIRES)


def _clock_error(answer: Mapping[str, Any], sent: float, received: float) -> float:
    """By how many seconds our clock is off at least: the response's Date, a whole second, is between both moments."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return 0.0
    date_time = parsedate_to_datetime(date).timestamp()
    return max(sent - (date_time + 1), date_time - received, 0.0)
