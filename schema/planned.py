"""What each field of the schema reads, attached to it for the plan (resolvers/plan.py)."""

from collections.abc import Callable
from functools import partial
from typing import Final

import strawberry
from graphql import GraphQLObjectType
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from resolvers.plan import FIELD_PLAN, FieldPlan
from resolvers.reads import Reads, reads_of, reads_of_function
from schema.query import scope
from schema.types_from_tables import ANSWERED_BY, SOURCES

DEFINITION: Final = "strawberry-definition"
"""The key of Strawberry's own definition among graphql-core's extensions."""


def attach_plans(schema: strawberry.Schema) -> None:
    """Put what the plan needs to know about each field into its extensions."""
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and DEFINITION in kind.extensions:
            source = SOURCES.get(kind.extensions[DEFINITION].origin)
            for field in kind.fields.values():
                line: StrawberryField = field.extensions[DEFINITION]
                given = scope(line) if kind is schema._schema.query_type else None
                field.extensions[FIELD_PLAN] = FieldPlan(_reads(source, line), _arguments(schema, line), given)


def _reads(source: type | None, line: StrawberryField) -> Reads:
    function = line.metadata.get(ANSWERED_BY)
    if function is not None:
        return reads_of_function(function)
    return reads_of(source, line.python_name) if source else Reads()


def _arguments(schema: strawberry.Schema, line: StrawberryField) -> Callable[[dict[str, object]], dict[str, object]]:
    """The function that turns graphql-core's argument values into those that the resolver gets."""
    own = [each for each in line.arguments if each.python_name != "cluster"]
    registry = schema.schema_converter.scalar_registry
    return partial(convert_arguments, arguments=own, scalar_registry=registry, config=schema.config)
