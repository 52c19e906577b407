"""Errors as clients see them: every one has a code, and what is not meant for them is masked and logged."""

import logging

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import MaskErrors

from resolvers.errors import RequestError

logger = logging.getLogger("slurmql")


class ErrorCodes(MaskErrors):
    """Gives errors their `extensions.code`; the message of an unforeseen exception stays in the log."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=_unforeseen, error_message="Something went wrong inside slurmql.")

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """What a client is told of an unforeseen exception."""
        logger.error("unforeseen error at %s", error.path, exc_info=error.original_error)
        masked = super().anonymise_error(error)
        masked.extensions = {"code": RequestError.code}
        return masked

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        for error in errors:
            if error.original_error is None:
                error.extensions = {"code": _code(error), **(error.extensions or {})}
        return super()._process_errors(errors)


def _unforeseen(error: GraphQLError) -> bool:
    return error.original_error is not None and not isinstance(error.original_error, RequestError | GraphQLError)


def _code(error: GraphQLError) -> str:
    """The codes that Apollo's clients know."""
    return "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
