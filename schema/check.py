"""Checks that each field of the schema and the resolver that answers it match: `python -m schema --check`."""

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from strawberry.types.field import StrawberryField

from resolvers.reads import declarations, function_behind
from schema import schema
from schema.planned import DEFINITION
from schema.types_from_tables import ANSWERED_BY, SOURCES


def errors() -> list[str]:
    """One sentence for each error."""
    answering = list(_answering())
    used = {id(function) for _, _, function in answering}
    unused = [each for each in declarations() if id(each) not in used]
    return [
        *(f"{_name(each)} declares what it reads, but no field of the schema is made from it." for each in unused),
        *(
            f"{place} is {kind} in the schema, but {_name(function)} returns {returned}."
            for place, kind, function in answering
            if (returned := _returned(function)) and not _fits(returned, kind)
        ),
    ]


def _answering() -> Iterator[tuple[str, GraphQLOutputType, Callable[..., Any]]]:
    """Each field that a function of resolvers/ answers, its type, and that function."""
    for kind in schema._schema.type_map.values():
        definition = kind.extensions.get(DEFINITION)
        if not isinstance(kind, GraphQLObjectType) or definition is None:
            continue
        for name, field in kind.fields.items():
            line: StrawberryField = field.extensions[DEFINITION]
            source = SOURCES.get(definition.origin)
            function = line.metadata.get(ANSWERED_BY) or (function_behind(source, line.python_name) if source else None)
            if callable(function):
                yield f"{kind.name}.{name}", field.type, function


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _returned(function: Callable[..., Any]) -> str | None:
    """A function's return annotation as written; None if annotations are not texts there."""
    written = getattr(function, "__annotations__", {}).get("return")
    return written if isinstance(written, str) else None


def _fits(returned: str, kind: GraphQLOutputType) -> bool:
    """Whether the types match: null for None, a list for a list, and the class that the type was made from."""
    annotation, optional = _without_none(ast.parse(returned, mode="eval").body)
    if optional and is_non_null_type(kind):
        return False
    nullable = get_nullable_type(kind)
    listed = isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) in ("list", "Sequence")
    if listed != is_list_type(nullable):
        return False
    item = annotation.slice if listed and isinstance(annotation, ast.Subscript) else annotation
    named = get_named_type(nullable)
    return is_leaf_type(named) or _class_name(item) == _source_name(named.extensions)


def _without_none(annotation: ast.expr) -> tuple[ast.expr, bool]:
    if isinstance(annotation, ast.BinOp) and ast.unparse(annotation.right) == "None":
        return annotation.left, True
    return annotation, False


def _class_name(annotation: ast.expr) -> str:
    plain = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return ast.unparse(plain).rpartition(".")[2]


def _source_name(extensions: Mapping[str, Any]) -> str:
    made = extensions[DEFINITION].origin
    return str(SOURCES.get(made, made).__name__)
