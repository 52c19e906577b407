"""Each document is parsed and validated once: a dashboard sends the same ones again and again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from resolvers.audit import OperationSummary
from resolvers.errors import ErrorCode
from resolvers.limits import Limits
from schema.limits import TooMuchError, cost, parsed

KEPT: Final = 64
"""How many documents are kept; each takes at most 0.7 MB."""
_LONGEST: Final = 60
_MOST: Final = 30
"""How many characters of a field's name, and how many names, the log shows."""


class Documents(SchemaExtension):
    """Parses documents, applies the limits, validates; `extensions.cost` of an answer has the cost and its limit."""

    _known: "_Document | None" = None
    _cost: dict[str, int] | None = None

    def on_parse(self) -> Iterator[None]:
        """Parse the document, unless it was parsed before."""
        context = self.execution_context
        if context.query:
            try:
                self._known = _parsed(context.query)
                context.graphql_document = self._known.parsed
            except GraphQLError as error:
                # Strawberry would parse it again, so the error is reported where validation would report it.
                context.graphql_document = _UNPARSED
                context.pre_execution_errors = [error]
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse a document that exceeds the limits before it is validated: validation would take long."""
        if self._known:
            self.execution_context.context.operation = self._known.summary(self.execution_context.operation_name)
            self.execution_context.pre_execution_errors = self._errors(self._known)
        yield

    def _errors(self, known: "_Document") -> list[GraphQLError]:
        context = self.execution_context
        schema, rules = context.schema._schema, context.validation_rules
        limits: Limits = context.context.limits
        if len(known.operations) > 1 and context._provided_operation_name is None:  # Strawberry would run the first
            message = "The document has several operations: name one with operationName."
            return [GraphQLError(message, extensions={"code": ErrorCode.OPERATION_RESOLUTION_FAILURE.name})]
        try:
            asked = cost(schema, known.parsed, context.operation_name, context.variables, limits)
        except TooMuchError as error:
            return [error]
        self._cost = {"requested": asked, "limit": limits.cost}
        return known.errors(schema, rules)

    def get_results(self) -> dict[str, object]:
        """What this adds to the answer's `extensions`."""
        return {"cost": self._cost} if self._cost else {}


Rules = tuple[type[ASTValidationRule], ...]


@dataclass(frozen=True)
class _Document:
    parsed: DocumentNode
    kept: set[Rules] = field(default_factory=set)
    """The rules that it has passed."""

    @cached_property
    def operations(self) -> list[OperationDefinitionNode]:
        return [each for each in self.parsed.definitions if isinstance(each, OperationDefinitionNode)]

    def summary(self, name: str | None) -> OperationSummary | None:
        """A summary of the named operation, or of the first if none is named."""
        named = (each for each in self.operations if name is None or (each.name and each.name.value == name))
        operation = next(named, None)
        if operation is None:
            return None
        names = dict.fromkeys(
            node.name.value if isinstance(node, FieldNode) else "..." for node in operation.selection_set.selections
        )
        return OperationSummary(name, operation.operation.value, [field[:_LONGEST] for field in names][:_MOST])

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
