"""A Systems Manager endpoint for one machine: Run Command that really runs, and fails the way AWS does."""

from .commands import Send
from .endpoint import Endpoint
from .faults import Faults
from .instance import Instance

__all__ = ["Endpoint", "Faults", "Instance", "Send"]
