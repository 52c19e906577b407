"""What one document may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much one document may cost (schema/limits.py defines the cost), and how deep its fields may nest."""

    cost: int
    depth: int
