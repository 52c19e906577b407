"""Limits of one document: length, depth, fields, repetitions and cost. They are checked before validation.

One walk over the expanded document looks at each selection once and stops at the first limit that is exceeded. A
hostile document therefore costs at most FIELDS steps, however far its fragments fan out. The walk runs before
graphql-core's validation, because the time of that grows with the square of the number of repeated fields.

The cost is an upper bound of the number of objects in the answer. An object costs 1, a scalar nothing. A page (a field
with `first`) costs PAGE, since it is filtered, ordered and counted, and has `first` rows. Any other list counts
as LIST objects. What @skip and @include exclude costs nothing. Variables have the values that the execution gives them:
`{"n": 1000.0}` is 1000 for an Int. resolvers/budget.py counts what the answer really has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionNode,
    SelectionSetNode,
    TypeMetaFieldDef,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.utilities.coerce_input_value import coerce_input_literal

from resolvers.budget import FEWER_ROWS, PAGE
from resolvers.errors import ErrorCode
from resolvers.limits import Limits

CHARACTERS: Final = 64 * 1024
"""Per document. Long texts belong in variables."""
TOKENS: Final = 2000
"""Names, brackets and values per document; and the same number of comments."""
FIELDS: Final = 2000
"""Selections per document, with its fragments spread."""
REPETITIONS: Final = 25
"""How often one name may be repeated in one selection, with fragments spread: graphql-core compares all pairs."""
LIST: Final = 5
INTROSPECTION_DEPTH: Final = 25
"""How deep selections below `__schema` may be; GraphiQL's is 15 deep."""


class TooMuchError(GraphQLError):
    """The document asks for more than one request may."""

    def __init__(self, what: str, requested: int, limit: int, advice: str, nodes: Iterable[FieldNode] = ()) -> None:
        message = f"This document {what}: {requested:,}, and the limit is {limit:,}. {advice}"
        extensions = {"code": ErrorCode.BAD_USER_INPUT.name, "requested": requested, "limit": limit}
        super().__init__(message, [*nodes][:1] or None, extensions=extensions)


TOO_LONG = (
    f"This document is too long: at most {TOKENS:,} words and signs, {TOKENS:,} comments and {CHARACTERS:,} "
    "characters. Ask for less at once, and pass long texts in variables."
)


def parsed(document: str) -> DocumentNode:
    """The document, if it is not too long. Raises GraphQLSyntaxError."""
    return parse(document, max_lexical_tokens=TOKENS, max_comments=TOKENS, max_source_length=CHARACTERS)


def too_long(error: GraphQLError) -> bool:
    """Whether the parser stopped because the document is too long."""
    said = ("Syntax Error: Document contains more than", "Syntax Error: Source contains more than")
    return isinstance(error, GraphQLSyntaxError) and error.message.startswith(said)


def cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, object] | None,
    limits: Limits,
) -> int:
    """What the operation costs. Raises TooMuchError. The document need not be valid."""
    return _Walk(schema, document, variables or {}, limits).cost(operation_name)


_NO_VARIABLES: Final = VariableValues({}, {})


@dataclass(frozen=True)
class _Place:
    """Where a selection stands: its type (None: unknown), how deep, how many rows it has if it is a page."""

    parent: GraphQLObjectType | None
    depth: int
    deepest: int
    page: int | None = None


@dataclass
class _Merged:
    """The fields with one name in a selection, which are answered as one; `included` unless all are skipped."""

    nodes: list[FieldNode]
    included: bool = False


class _Walk:
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object], limits: Limits
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._given = variables
        self._variables = _NO_VARIABLES
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._seen = 0
        self._spread: set[str] = set()

    def cost(self, operation_name: str | None) -> int:
        asked = 0
        named = [each for each in self._operations if operation_name in (None, each.name and each.name.value)]
        for operation in self._operations:
            # The others are not executed, and to coerce large variables for each of them would take long.
            self._variables = self._coerced(operation) if operation in named[:1] else _NO_VARIABLES
            place = _Place(self._schema.get_root_type(operation.operation), 0, self._limits.depth)
            below = self._below([operation.selection_set], place)
            if operation in named:
                asked = max(asked, below)
        for name, fragment in self._fragments.items():
            if name not in self._spread:  # validation reports it, after looking at each of its fields
                kind = self._schema.get_type(fragment.type_condition.name.value)
                place = _Place(kind if isinstance(kind, GraphQLObjectType) else None, 0, self._limits.depth)
                self._below([fragment.selection_set], place)
        if asked > self._limits.cost:
            raise TooMuchError("costs too much", asked, self._limits.cost, FEWER_ROWS)
        return asked

    def _below(self, selections: Iterable[SelectionSetNode], place: _Place) -> int:
        fields: dict[str, _Merged] = {}
        for selection in selections:
            for node, included in self._collected(selection):
                name = node.alias.value if node.alias else node.name.value
                merged = fields.setdefault(name, _Merged([]))
                merged.nodes.append(node)
                merged.included |= included
                if len(merged.nodes) > REPETITIONS:
                    advice = "Select each field once."
                    raise TooMuchError(f"repeats {name[:60]}", len(merged.nodes), REPETITIONS, advice, [node])
        if place.depth == 0:
            _check_introspection(each.nodes[0] for each in fields.values() if each.included)
        return sum(self._field(merged, place) for merged in fields.values())

    def _collected(self, selection: SelectionSetNode) -> Iterator[tuple[FieldNode, bool]]:
        """The fields of a selection, its fragments spread, and whether they are included."""
        rest: list[tuple[SelectionSetNode, bool, frozenset[str]]] = [(selection, True, frozenset())]
        while rest:
            selections, included, within = rest.pop()
            for node in selections.selections:
                self._seen += 1
                if self._seen > FIELDS:
                    advice = "Ask for less at once."
                    raise TooMuchError("expands to too many fields", self._seen, FIELDS, advice)
                included_here = included and (not node.directives or self._included(node))
                if isinstance(node, FieldNode):
                    yield node, included_here
                elif isinstance(node, InlineFragmentNode):
                    rest.append((node.selection_set, included_here, within))
                elif isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    self._spread.add(name)
                    if name in self._fragments and name not in within:  # validation refuses circles
                        rest.append((self._fragments[name].selection_set, included_here, within | {name}))

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            for argument in directive.arguments or ():
                name, value = directive.name.value, value_from_ast_untyped(argument.value, self._variables.coerced)
                if (name == "skip" and value is True) or (name == "include" and value is False):
                    return False
        return True

    def _field(self, merged: _Merged, place: _Place) -> int:
        first = merged.nodes[0]
        definition, deepest = self._definition(first, place)
        depth = place.depth + 1
        if depth > deepest:
            advice = "Select the deeper fields in a separate request."
            raise TooMuchError("is nested too deeply", depth, deepest, advice, merged.nodes)
        selections = [node.selection_set for node in merged.nodes if node.selection_set]
        if not selections:
            return 0
        kind = get_named_type(definition.type) if definition else None
        parent = kind if isinstance(kind, GraphQLObjectType) else None
        page = self._page(first, definition) if definition else None
        below = self._below(selections, _Place(parent, depth, deepest, page))
        if definition is None or not merged.included or deepest != self._limits.depth:
            return 0
        if page is not None:
            return PAGE + below
        if not is_list_type(get_nullable_type(definition.type)):
            return 1 + below
        length = LIST if place.page is None or first.name.value not in ("nodes", "edges") else place.page
        return length * (1 + below)

    def _definition(self, node: FieldNode, place: _Place) -> tuple[GraphQLField | None, int]:
        """The field, if it exists, and how deep its selection may be."""
        name = node.name.value
        if place.depth == 0 and name in ("__schema", "__type"):
            known = SchemaMetaFieldDef if name == "__schema" else TypeMetaFieldDef
            return known, max(INTROSPECTION_DEPTH, self._limits.depth + 1)
        return (place.parent.fields.get(name) if place.parent else None), place.deepest

    def _page(self, node: FieldNode, definition: GraphQLField) -> int | None:
        """How many rows the field returns at most, if it returns pages."""
        argument = definition.args.get("first")
        if argument is None:
            return None
        given = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        value = coerce_input_literal(given, argument.type, self._variables) if given else Undefined
        return max(0, value if isinstance(value, int) else int(argument.default_value))

    def _coerced(self, operation: OperationDefinitionNode) -> VariableValues:
        """The variables as the execution has them; none if they are wrong, which the execution reports."""
        given, definitions = dict(self._given), operation.variable_definitions or ()
        values = get_variable_values(self._schema, definitions, given, max_errors=1)
        return values if isinstance(values, VariableValues) else _NO_VARIABLES


def _check_introspection(selected: Iterable[FieldNode]) -> None:
    schemas = [node for node in selected if node.name.value == "__schema"]
    if len(schemas) > 1:
        advice = "Select it once, with everything below it that you need."
        raise TooMuchError("asks for __schema repeatedly", len(schemas), 1, advice, schemas[1:])
