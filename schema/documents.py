"""Documents, parsed and validated once: the clients of a dashboard send the same ones again and again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from resolvers.request import Limits
from schema.limits import TooMuchError, cost, parsed

KEPT = 64
"""Documents that are kept."""


class Documents(SchemaExtension):
    """Parses, limits and validates; an answer's `extensions.cost` says what the operation costs, and the limit."""

    _known: "_Document | None" = None
    _cost: dict[str, int] | None = None

    def on_parse(self) -> Iterator[None]:
        """Take the document from those that were parsed before."""
        context = self.execution_context
        if context.query:
            try:
                self._known = _parsed(context.query)
                context.graphql_document = self._known.parsed
            except GraphQLError as error:
                # Strawberry would parse it again: what is wrong is told in the place of its validation.
                context.graphql_document = _UNPARSED
                context.pre_execution_errors = [error]
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse what is too much before it is validated, which would take long."""
        if self._known:
            self.execution_context.pre_execution_errors = self._errors(self._known)
        yield

    def _errors(self, known: "_Document") -> list[GraphQLError]:
        context = self.execution_context
        schema, rules = context.schema._schema, context.validation_rules
        limits: Limits = context.context.limits
        if known.needs_name and context._provided_operation_name is None:  # Strawberry would run the first
            message = "The document has several operations: say which to run (operationName)."
            return [GraphQLError(message, extensions={"code": "OPERATION_RESOLUTION_FAILURE"})]
        try:
            asked = cost(schema, known.parsed, context.operation_name, context.variables, limits)
        except TooMuchError as error:
            return [error]
        self._cost = {"requested": asked, "limit": limits.cost}
        return known.errors(schema, rules)

    def get_results(self) -> dict[str, Any]:
        """What goes into the answer's `extensions`."""
        return {"cost": self._cost} if self._cost else {}


Rules = tuple[type[ASTValidationRule], ...]


@dataclass(frozen=True)
class _Document:
    parsed: DocumentNode
    kept: set[Rules] = field(default_factory=set)
    """The rules that it was found to keep."""

    @property
    def needs_name(self) -> bool:
        operations = [each for each in self.parsed.definitions if isinstance(each, OperationDefinitionNode)]
        return len(operations) > 1

    def errors(self, schema: GraphQLSchema, rules: Rules) -> list[GraphQLError]:
        if rules in self.kept:
            return []
        errors = validate_document(schema, self.parsed, rules)
        if not errors:
            self.kept.add(rules)
        return errors


_UNPARSED = parse("{ __typename }")


@lru_cache(KEPT)
def _parsed(document: str) -> _Document:
    return _Document(parsed(document))
