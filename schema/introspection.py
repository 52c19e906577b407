"""Introspection: the same answer is made once, and a deployment may hide its schema.

If it is hidden, no answer lists its types and fields.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    get_operation_ast,
)
from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension

from schema.execution.recent import Recent

KEPT: Final = 4
"""How many answers are kept; GraphiQL's takes 2 MB, the largest may take 6 MB."""
_answers: Recent[dict[str, Any]] = Recent(KEPT)
"""By document and name of the operation: the schema is the same for everyone, and never changes."""


class Introspection(SchemaExtension):
    """Keeps the answers to documents that select only `__schema` and `__type`.

    If introspection is switched off, refuses these fields, and removes names that errors suggest.
    """

    def on_operation(self) -> Iterator[None]:
        """Add the rule before the document is validated, and remove the suggestions from the errors afterwards."""
        context = self.execution_context
        if context.context.introspection:
            yield
            return
        context.validation_rules += (NoSchemaIntrospectionCustomRule,)
        yield
        for error in context.pre_execution_errors or ():
            error.message = re.sub(r" Did you mean .*?\?", "", error.message, flags=re.DOTALL)

    def on_execute(self) -> Iterator[None]:
        """Answer with what is kept, or keep what is answered. The document is valid by now."""
        context = self.execution_context
        if context.graphql_document is None or not _only_introspects(context.graphql_document, context.operation_name):
            yield
            return
        place = (context.query, context.operation_name)
        kept = _answers.get(place)
        if kept is not None:
            context.result = ExecutionResult(kept, None)
        yield
        made = context.result
        if kept is None and isinstance(made, ExecutionResult) and made.data is not None and not made.errors:
            _answers.keep(place, made.data)


def _only_introspects(document: DocumentNode, name: str | None) -> bool:
    """Whether the operation's answer follows from the document alone, which may not have variables."""
    operation = get_operation_ast(document, name)
    if operation is None or operation.variable_definitions:
        return False
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    selected = set(_fields(operation.selection_set, fragments)) - {"__typename"}
    return bool(selected) and selected <= {"__schema", "__type"}


def _fields(selection: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """The names of the selected fields, with fragments spread."""
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
