"""Errors as clients see them: each has a code; errors that clients must not see are masked and logged."""

import re

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.extensions import MaskErrors

from resolvers.errors import ErrorCode, RequestError
from schema.limits import TOO_LONG, too_long
from schema.one_of import explained
from slurm.errors import ParseError


class ErrorCodes(MaskErrors):
    """Gives errors their `extensions.code`, and hides the messages of unexpected exceptions."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=unforeseen, error_message="Something went wrong inside slurmql.")

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """What a client sees of an unexpected exception. The schema logs the exception itself."""
        masked = super().anonymise_error(error)
        masked.extensions = {"code": RequestError.code.name}
        if isinstance(error.original_error, ParseError):
            masked.message = f"This release of the API cannot read what Slurm printed: no {error.original_error.what}."
            masked.extensions = {"code": ErrorCode.UNREADABLE_OUTPUT.name}
        return masked

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        for error in errors:
            # For a variable with a wrong value, graphql-core raises a GraphQLError that wraps another.
            if error.original_error is None or isinstance(error.original_error, GraphQLError):
                error.extensions = {"code": _code(error).name, **(error.extensions or {})}
                error.message = TOO_LONG if too_long(error) else _in_json(error.message)
            if isinstance(error, StrawberryInputCoercionError):
                error.message = explained(error, self.execution_context.schema._schema)
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
    """Whether the error is a defect of ours, which the caller must not see."""
    return error.original_error is not None and not isinstance(error.original_error, RequestError | GraphQLError)


_PYTHON = re.compile(r"(?<=not to be )None(?=\.$)|(?<=value: )(None|True|False)$")


def _in_json(message: str) -> str:
    """graphql-core's message, with null, true and false as clients write them."""
    return _PYTHON.sub(lambda match: _WORDS[match[0]], message)


_WORDS = {"None": "null", "True": "true", "False": "false"}


def _code(error: GraphQLError) -> ErrorCode:
    """The codes that Apollo's clients know."""
    if too_long(error):
        return ErrorCode.BAD_USER_INPUT
    return (
        ErrorCode.GRAPHQL_PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else ErrorCode.GRAPHQL_VALIDATION_FAILED
    )
