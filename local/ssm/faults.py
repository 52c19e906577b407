"""How slow and how unreliable the endpoint is."""

import os
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from .spoiling import WAYS

ENDINGS = ("Undeliverable", "DeliveryTimedOut", "ExecutionTimedOut", "Cancelled", "Terminated")
"""Ends that a command may be given. An undelivered command does not run; with the other ends it has run."""
NOT_DELIVERED = ENDINGS[:2]


@dataclass
class Faults:
    """What goes wrong and how long things take. By default nothing does. May be changed while the endpoint runs.

    call_latency        seconds that every API call takes
    delivery_delay      seconds until an accepted command or cancel reaches the agent
    redelivery_delay    seconds until a command is offered again to an agent whose queue was full (unknown for AWS)
    visibility_lag      seconds between a script's end and the moment when its result can be read
    invocation_missing  seconds after a send during which GetCommandInvocation answers InvocationDoesNotExist
    throttle            probability, 0 to 1, that a call is answered with ThrottlingException
    throttle_next       the next N calls are answered with ThrottlingException
    lose_reply          True or the next N: the agent's reply never arrives, and the command stays InProgress
    lose_response       True or the next N: SendCommand is carried out, and then the connection closes
    spoil               how the program's answer is damaged on its way: a way of local/ssm/spoiling.py; "" for none
    ending              how every command ends, in SSM's word (such as Undeliverable); "" for how it really ends
    old_agent           the agents lack ENV_VAR interpolation (before 3.3.2746.0)
    seed                the seed of the random numbers for `throttle`
    """

    call_latency: float = 0.0
    delivery_delay: float = 0.0
    redelivery_delay: float = 0.05
    visibility_lag: float = 0.0
    invocation_missing: float = 0.0
    throttle: float = 0.0
    throttle_next: int = 0
    lose_reply: bool | int = False
    lose_response: bool | int = False
    spoil: str = ""
    ending: str = ""
    old_agent: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    @classmethod
    def realistic(cls) -> Self:
        """Return delays that make a command take about 0.4 s, as measured on AWS from within the region."""
        return cls(call_latency=0.02, delivery_delay=0.23, visibility_lag=0.1, redelivery_delay=1.0)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return what SSM_LATENCY asks for: `realistic` delays, or none if it is empty. Raises ValueError."""
        match environment.get("SSM_LATENCY", ""):
            case "realistic":
                return cls.realistic()
            case "":
                return cls()
            case other:
                raise ValueError(f"SSM_LATENCY is {other!r}; it may be 'realistic' or empty")

    def throttles(self) -> bool:
        """Decide whether this call is throttled."""
        return self._spend("throttle_next") or self._falls()

    def loses_reply(self) -> bool:
        """Decide whether this reply of an agent is lost."""
        return self._spend("lose_reply")

    def loses_response(self) -> bool:
        """Decide whether this answer of SendCommand is lost."""
        return self._spend("lose_response")

    def as_json(self) -> dict[str, bool | int | float | str]:
        """Return all faults by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def change(self, wanted: Mapping[str, object]) -> None:
        """Set the named faults, all or none. Raises ValueError for an unknown name or an unsuitable value."""
        for name, value in wanted.items():
            _check(name, value)
        with self._lock:
            for name, value in wanted.items():
                setattr(self, name, value)
            if "seed" in wanted:
                self._random.seed(self.seed)

    def _spend(self, name: str) -> bool:
        with self._lock:
            left = getattr(self, name)
            if left is True:
                return True
            if left > 0:
                setattr(self, name, left - 1)
                return True
            return False

    def _falls(self) -> bool:
        with self._lock:
            return self.throttle > 0 and self._random.random() < self.throttle


_TYPES = {
    "float": (int, float),
    "int": (int,),
    "bool": (bool,),
    "bool | int": (bool, int),
    "str": (str,),
}
_WORDS = {"spoil": tuple(WAYS), "ending": ENDINGS}


def _check(name: str, value: object) -> None:
    known = {field.name: str(getattr(field.type, "__name__", field.type)) for field in fields(Faults)}
    if name not in known:
        raise ValueError(f"no such fault: {name}")
    if isinstance(value, str) and value not in ("", *_WORDS.get(name, ())):
        raise ValueError(f"{name} is one of {', '.join(_WORDS.get(name, ()))}, not {value!r}")
    mistyped = not isinstance(value, _TYPES[known[name]]) or (isinstance(value, bool) and "bool" not in known[name])
    if mistyped or (isinstance(value, int | float) and value < 0):
        raise ValueError(f"{name} takes a {known[name]} of at least 0, not {value!r}")
