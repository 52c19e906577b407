"""A Systems Manager endpoint on this machine: its Run Command really runs scripts, and fails the way AWS does."""

from .commands import Send
from .endpoint import Endpoint
from .faults import Faults
from .instance import Instance

__all__ = ["Endpoint", "Faults", "Instance", "Send"]
