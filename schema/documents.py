"""Documents, parsed and validated once: the clients of a dashboard send the same ones again and again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse
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
        context = self.execution_context
        if self._known:
            schema, rules = context.schema._schema, context.validation_rules
            limits: Limits = context.context.limits
            try:
                asked = cost(schema, self._known.parsed, context.operation_name, context.variables, limits)
            except TooMuchError as error:
                context.pre_execution_errors = [error]
            else:
                self._cost = {"requested": asked, "limit": limits.cost}
                context.pre_execution_errors = self._known.errors(schema, rules)
        yield

    def get_results(self) -> dict[str, Any]:
        """What goes into the answer's `extensions`."""
        return {"cost": self._cost} if self._cost else {}


Rules = tuple[type[ASTValidationRule], ...]


@dataclass(frozen=True)
class _Document:
    parsed: DocumentNode
    kept: set[Rules] = field(default_factory=set)
    """The rules that it was found to keep."""

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
