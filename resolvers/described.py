"""Fields of the dataclasses that become GraphQL inputs and payloads: what each means, and which are ids."""

from dataclasses import field
from typing import Annotated, Any, Final

IS_ID: Final = "ID"
Id = Annotated[str, IS_ID]
"""A text that GraphQL calls an ID."""


def described(about: str, default: Any = None) -> Any:
    """A field that may be left out, and what it means to a client."""
    return field(default=default, metadata={"about": about})
