"""What a caller may do, in three steps."""

from enum import Enum
from typing import Self


class Role(Enum):
    """What a caller may do; each may do what the ones before it may."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        """A member from its value and its description."""
        member = object.__new__(cls)
        member._value_ = value
        member.description = description
        return member

    VIEWER = "VIEWER", "May look at everything and change nothing."
    USER = "USER", "May also submit jobs, and act on their own, as their account on the cluster."
    OPERATOR = (
        "OPERATOR",
        "May also act on other people's jobs, and on nodes, queues and reservations, as Slurm's administrator.",
    )
