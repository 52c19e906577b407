"""Fields of dataclasses that become GraphQL inputs and payloads: their descriptions, and which of them are ids."""

from typing import Annotated, Final

from slurm.argument import described as described
from slurm.argument import required as required

IS_ID: Final = "ID"
Id = Annotated[str, IS_ID]
"""A text that is an ID in GraphQL."""
