"""docs/reference.md: every field, argument, input and enum value of the schema, with its description."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    Undefined,
    ast_from_value,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)

from resolvers.errors import ErrorCode

T = TypeVar("T", bound=GraphQLNamedType)

HEAD = """# Reference

Every query, mutation, type and input. `make schema` writes this page from the schema: edit the descriptions there.
The end of a description says where Slurm shows the value: `squeue: TimeLimit` is a column of squeue.
See [reading.md](reading.md) and [changing.md](changing.md) for how to use them, [errors.md](errors.md) for what can go
wrong.
"""


def reference(schema: GraphQLSchema) -> str:
    """The page in Markdown: types by name, fields in the order of the schema."""
    own = [
        kind
        for name, kind in sorted(schema.type_map.items())
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]
    roots = [kind for kind in (schema.query_type, schema.mutation_type) if kind]
    objects = [kind for kind in own if isinstance(kind, GraphQLObjectType) and kind not in roots]
    inputs = [kind for kind in own if isinstance(kind, GraphQLInputObjectType)]
    enums = [kind for kind in own if isinstance(kind, GraphQLEnumType)]
    scalars = [kind for kind in own if isinstance(kind, GraphQLScalarType)]
    known = {kind.name for kind in own}
    parts = [HEAD]
    parts += [_part(kind, "##", _fields(kind.fields, known)) for kind in roots]
    parts += _group("Types", objects, lambda kind: _fields(kind.fields, known))
    parts += _group("Inputs", inputs, lambda kind: _choice(kind, known))
    parts += _group("Enums", enums, _values)
    parts += _group("Scalars", scalars, lambda kind: iter(()))
    return "\n".join(parts)


def _group(title: str, kinds: Iterable[T], lines: Callable[[T], Iterator[str]]) -> list[str]:
    return [f"## {title}\n", *(_part(kind, "###", lines(kind)) for kind in kinds)]


def _part(kind: GraphQLNamedType, mark: str, lines: Iterator[str]) -> str:
    listed = "\n".join(lines)
    return f"{mark} {kind.name}\n\n{_one_line(kind.description)}\n" + (f"\n{listed}\n" if listed else "")


def _fields(fields: Mapping[str, GraphQLField], known: set[str]) -> Iterator[str]:
    for name, field in fields.items():
        yield f"- `{name}` {_type(field.type, known)}: {_one_line(field.description)}"
        yield from (f"  {line}" for line in _inputs(field.args, known))


def _inputs(given: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], known: set[str]) -> Iterator[str]:
    for name, line in given.items():
        preset = "" if line.default_value in (Undefined, None) else f" = `{_literal(line)}`"
        yield f"- `{name}` {_type(line.type, known)}{preset}: {_one_line(line.description)}"


def _choice(kind: GraphQLInputObjectType, known: set[str]) -> Iterator[str]:
    if kind.is_one_of:
        yield "Give exactly one of these (`@oneOf`):\n"
    yield from _inputs(kind.fields, known)


def _values(kind: GraphQLEnumType) -> Iterator[str]:
    for name, value in kind.values.items():
        yield f"- `{name}`: {_one_line(value.description)}"


def _literal(line: GraphQLArgument | GraphQLInputField) -> str:
    node = ast_from_value(line.default_value, line.type)
    return print_ast(node) if node else ""


def _type(kind: GraphQLType, known: set[str]) -> str:
    name = get_named_type(kind).name
    return f"[`{kind}`](#{name.lower()})" if name in known else f"`{kind}`"


def _one_line(description: str | None) -> str:
    return " ".join((description or "").split())


def error_page(page: str) -> str:
    """The text of docs/errors.md, with its table of `extensions.code` replaced by a current one."""
    head = "| extensions.code | means | do |\n|---|---|---|\n"
    before, _, rest = page.partition(head)
    table = "".join(f"| {code.name} | {code.means} | {code.advice} |\n" for code in ErrorCode)
    return f"{before}{head}{table}\n{rest.partition(chr(10) * 2)[2]}"
