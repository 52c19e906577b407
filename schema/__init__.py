"""The contract: types, inputs, enums and scalars. No I/O. `make schema` exports it to schema.graphql."""

import logging

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from schema.documents import Documents
from schema.errors import ErrorCodes, drop_tracebacks, unforeseen
from schema.execution import executor_class
from schema.introspection import Introspection
from schema.mutation import Mutation
from schema.planned import attach_plans
from schema.polling import lists_say_when_to_ask_again
from schema.query import Query
from schema.scalars import SCALARS
from schema.unreadable import UnreadableOutput

logger = logging.getLogger("slurmql")


class Schema(strawberry.Schema):
    """The schema. It logs a stack trace for defects of ours only."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Log what is masked from the caller; then no error keeps what was read."""
        for error in filter(unforeseen, errors):
            logger.error("unforeseen error at %s", error.path, exc_info=error.original_error)
        for error in errors:
            drop_tracebacks(error)


schema = Schema(
    query=Query,
    mutation=Mutation,
    extensions=[ErrorCodes, UnreadableOutput, Introspection, Documents],
    execution_context_class=executor_class(),
    config=StrawberryConfig(scalar_map=SCALARS),
)
attach_plans(schema)
lists_say_when_to_ask_again(schema._schema)
