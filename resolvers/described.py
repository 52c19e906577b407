"""Fields of dataclasses that become GraphQL inputs and payloads: their descriptions, and which of them are ids."""

from dataclasses import field
from typing import Annotated, Any, Final

IS_ID: Final = "ID"
Id = Annotated[str, IS_ID]
"""A text that is an ID in GraphQL."""


def required(about: str) -> Any:
    """A field that cannot be left out, with its description for clients."""
    return field(metadata={"about": about})


def described(about: str, default: Any = None) -> Any:
    """A field that may be left out, with its description for clients."""
    return field(default=default, metadata={"about": about})
