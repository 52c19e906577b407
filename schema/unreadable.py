"""What of Slurm's output cannot be read, while the rest is answered, is an error beside the data."""

from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension


class UnreadableOutput(SchemaExtension):
    """Adds an error without a path for each dataset that was read in part."""

    def on_operation(self) -> Iterator[None]:
        """Look, once all fields are resolved."""
        yield
        result = self.execution_context.result
        found = getattr(self.execution_context.context, "unreadable", None)
        if result is None or not found:
            return
        unreadable = [GraphQLError(str(error), original_error=error, extensions=error.extensions) for error in found]
        result.errors = [*(result.errors or []), *unreadable]
