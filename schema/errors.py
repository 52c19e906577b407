"""Errors as clients see them: every one has a code, and what is not meant for them is masked and logged."""

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import MaskErrors

from resolvers.errors import RequestError
from schema.limits import TOO_LONG, too_long


class ErrorCodes(MaskErrors):
    """Gives errors their `extensions.code`; the message of an unforeseen exception stays in the log."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=unforeseen, error_message="Something went wrong inside slurmql.")

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """What a client is told of an unforeseen exception; `unforeseen` errors are logged by the schema."""
        masked = super().anonymise_error(error)
        masked.extensions = {"code": RequestError.code}
        return masked

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        for error in errors:
            # A variable that is no value of its type is told by a GraphQLError around another.
            if error.original_error is None or isinstance(error.original_error, GraphQLError):
                error.extensions = {"code": _code(error), **(error.extensions or {})}
                error.message = TOO_LONG if too_long(error) else error.message
        return super()._process_errors(errors)


def drop_tracebacks(error: BaseException) -> None:
    """Take the tracebacks from an error and its causes, once they are logged.

    graphql-core's executor keeps its errors, and the frames of their tracebacks keep the executor and the rows.
    """
    error.__traceback__ = None
    original = error.original_error if isinstance(error, GraphQLError) else None
    causes = [each for each in (original, error.__cause__, error.__context__) if each is not None]
    for cause in {id(each): each for each in causes}.values():
        drop_tracebacks(cause)


def unforeseen(error: GraphQLError) -> bool:
    """Whether the error is a defect of ours, not something to tell the caller."""
    return error.original_error is not None and not isinstance(error.original_error, RequestError | GraphQLError)


def _code(error: GraphQLError) -> str:
    """The codes that Apollo's clients know."""
    if too_long(error):
        return "BAD_USER_INPUT"
    return "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
