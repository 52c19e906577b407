"""Every place of the schema that takes a text, found by walking it: what is new is found without anyone remembering."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.types.base import StrawberryObjectDefinition


@dataclass(frozen=True)
class Place:
    """An argument, or a field of an argument's input. `fields` lead to it from a root type."""

    root: str
    fields: Sequence[tuple[str, GraphQLField]]
    argument: str
    inputs: Sequence[str]
    kind: str
    """What is attacked there, whichever field takes it: `JobFilter.user`, `cluster: String`."""

    def __str__(self) -> str:
        field = ".".join(name for name, _ in self.fields)
        return ".".join([f"{self.root}.{field}({self.argument})", *self.inputs])

    @property
    def field(self) -> tuple[str, str]:
        """The root field, as access/permissions.py names it."""
        return self.root, self.fields[0][0]

    def document(self, texts: Sequence[str], right: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A document that passes each text there, under an alias, and its variables.

        All else that the field needs is `right`'s, or made up by type. `right` has keys as `Mutation.updateJob(input)`;
        `Mutation.cancelJobs(input).jobs` is for texts in that part of the input.
        """
        (name, field), variables = self.fields[-1], {}
        rest = {other: self._value(other, argument, right) for other, argument in self._others(field, right)}
        for number, text in enumerate(texts):
            variables[f"t{number}"] = self._wrapped(field.args[self.argument].type, text, right)
        fixed = "".join(f", {other}: ${other}" for other in rest)
        body = " ".join(
            f"a{number}: {name}({self.argument}: $t{number}{fixed}){selection(field)}" for number in range(len(texts))
        )
        types = [f"$t{number}: {field.args[self.argument].type}" for number in range(len(texts))]
        types += [f"${other}: {field.args[other].type}" for other in rest]
        for above, _ in reversed(self.fields[:-1]):
            body = f"{above} {{ {body} }}"
        keyword = "mutation" if self.root == "Mutation" else "query"
        return f"{keyword} ({', '.join(types)}) {{ {body} }}", {**variables, **rest}

    def _others(self, field: GraphQLField, right: Mapping[str, Any]) -> list[tuple[str, GraphQLArgument]]:
        return [
            (name, argument)
            for name, argument in field.args.items()
            if name != self.argument and (is_required_argument(argument) or self._key(name) in right)
        ]

    def _key(self, argument: str) -> str:
        return f"{self.root}.{self.fields[-1][0]}({argument})"

    def _value(self, name: str, argument: GraphQLArgument, right: Mapping[str, Any]) -> Any:
        return right.get(self._key(name), made_up(argument.type))

    def _wrapped(self, kind: GraphQLInputType, text: str, right: Mapping[str, Any]) -> Any:
        """The argument's value, with the text in its place."""
        key = self._key(self.argument)
        base = right.get(".".join([key, *self.inputs[:1]]), right.get(key, made_up(kind)))
        return _put(kind, base, self.inputs, text)


def _put(kind: GraphQLInputType, base: Any, inputs: Sequence[str], text: str) -> Any:
    nullable = get_nullable_type(kind)
    if isinstance(nullable, GraphQLList):
        inner = base[0] if isinstance(base, list) and base else made_up(nullable.of_type)
        return [_put(nullable.of_type, inner, inputs, text)]
    if not inputs:
        return text
    assert isinstance(nullable, GraphQLInputObjectType)
    first, *others = inputs
    field = nullable.fields[first]
    base = base or {}
    beside = {} if is_one_of(nullable) else base
    return {**beside, first: _put(field.type, base.get(first, made_up(field.type)), others, text)}


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether exactly one field of the input is given."""
    definition: StrawberryObjectDefinition = kind.extensions["strawberry-definition"]
    return definition.is_one_of


def made_up(kind: GraphQLInputType) -> Any:
    """The plainest value of a type."""
    nullable = get_nullable_type(kind)
    if isinstance(nullable, GraphQLList):
        return [made_up(nullable.of_type)]
    if isinstance(nullable, GraphQLInputObjectType):
        names = [name for name, field in nullable.fields.items() if is_required_input_field(field)]
        names = names or list(nullable.fields)[: is_one_of(nullable)]
        return {name: made_up(nullable.fields[name].type) for name in names}
    if isinstance(nullable, GraphQLEnumType):
        return next(iter(nullable.values))
    return {"Int": 1, "Float": 1, "Boolean": False}.get(nullable.name, "1")


def selection(field: GraphQLField) -> str:
    """What a field is tested for: errors, and something that must be read for it."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return ""
    plain = [name for name, inner in kind.fields.items() if is_leaf_type(get_named_type(inner.type)) and not inner.args]
    errors = ["errors { code message field }"] if "errors" in kind.fields else []
    return f" {{ {' '.join(['__typename', *plain[:1], *errors])} }}"


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """All of them, each field of each type once."""
    seen: set[str] = set()
    for root in (schema.query_type, schema.mutation_type):
        assert root is not None
        yield from _below(root.name, root, (), seen)


def _below(
    root: str, kind: GraphQLObjectType, above: Sequence[tuple[str, GraphQLField]], seen: set[str]
) -> Iterator[Place]:
    inner = []
    for name, field in kind.fields.items():
        fields = (*above, (name, field))
        for argument, about in field.args.items():
            yield from _inside(root, fields, argument, (), about.type, f"{argument}: {get_named_type(about.type)}")
        below = get_named_type(field.type)
        if (
            isinstance(below, GraphQLObjectType)
            and below.name not in seen
            and not any(map(is_required_argument, field.args.values()))
        ):
            seen.add(below.name)
            inner.append((below, fields))
    for below, fields in inner:
        yield from _below(root, below, fields, seen)


def _inside(
    root: str,
    fields: Sequence[tuple[str, GraphQLField]],
    argument: str,
    inputs: Sequence[str],
    kind: GraphQLInputType,
    what: str,
) -> Iterator[Place]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _inside(root, fields, argument, (*inputs, name), field.type, f"{named.name}.{name}")
    elif isinstance(named, GraphQLScalarType) and named.name not in ("Int", "Float", "Boolean"):
        yield Place(root, fields, argument, inputs, what)
