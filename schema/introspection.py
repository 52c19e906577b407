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
"""How many answers are kept; GraphiQL's takes 2 MB, the largest may take 12 MB."""
_answers: Recent[dict[str, Any]] = Recent(KEPT)
"""By the document and the operation's name. The schema is the same for everyone and never changes."""


class Introspection(SchemaExtension):
    """Keeps the answers to documents that select only `__schema` and `__type`.

    If introspection is switched off, refuses these fields, and removes names that errors suggest.
    """

    def on_operation(self) -> Iterator[None]:
        """Before the document is parsed and validated, and after it is executed, unless it has an answer already."""
        context = self.execution_context
        if not context.context.introspection:
            context.validation_rules += (NoSchemaIntrospectionCustomRule,)
            yield
            for error in context.pre_execution_errors or ():
                error.message = re.sub(r" Did you mean .*?\?", "", error.message, flags=re.DOTALL)
            return
        place = (context.query, context._provided_operation_name)
        kept = _answers.get(place)
        if kept is not None:
            context.result = ExecutionResult(kept, None)
        yield
        made, document = context.result, context.graphql_document
        if kept is not None or document is None or not isinstance(made, ExecutionResult):
            return
        if made.data is not None and not made.errors and _only_introspects(document, context.operation_name):
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
