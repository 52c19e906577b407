"""The contract: types, inputs, enums and scalars. No I/O. `make schema` exports it to schema.graphql."""

import logging
from typing import Any

import strawberry
from graphql import GraphQLError

from schema.documents import Documents
from schema.errors import ErrorCodes, drop_tracebacks, unforeseen
from schema.execution import executor_class
from schema.introspection import Introspection
from schema.mutation import Mutation
from schema.query import Query

logger = logging.getLogger("slurmql")


class Schema(strawberry.Schema):
    """The schema; of the errors it meets, only defects of ours are worth a stack trace in the log."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Log what is masked from the caller; then no error keeps what was read."""
        for error in filter(unforeseen, errors):
            logger.error("unforeseen error at %s", error.path, exc_info=error.original_error)
        for error in errors:
            drop_tracebacks(error)


schema = Schema(
    query=Query,
    mutation=Mutation,
    extensions=[ErrorCodes, Introspection, Documents],
    execution_context_class=executor_class(),
)
