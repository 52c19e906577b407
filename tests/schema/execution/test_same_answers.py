"""The compiled executor answers as graphql-core does, to the letter: any document, any data, any error."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from inspect import isawaitable
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    execute,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    parse,
    validate,
)
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

import schema as contract
from own_loop import finish
from schema.execution import COMPILED, executor_class, tally

OURS = contract.schema._schema
TYPES = {
    name: kind
    for name, kind in OURS.type_map.items()
    if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in ("Query", "Mutation")
}
# Every type of ours in lists of each kind, and alone.
FIELDS = {
    **{f"all{name}": GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(kind)))) for name, kind in TYPES.items()},
    **{f"some{name}": GraphQLField(GraphQLList(kind)) for name, kind in TYPES.items()},
    **{f"one{name}": GraphQLField(kind) for name, kind in TYPES.items()},
}
ROOT = GraphQLSchema(GraphQLObjectType("Root", FIELDS))
ARGUMENTS = {"id": '"1"', "name": '"queue1"'}


class Soon:
    """Can be awaited, any number of times."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> "Generator[None, None, Any]":
        yield None  # once round the event loop
        return self.value


class OddError(Exception):
    pass


class Text(str):
    pass


RAISES = ZeroDivisionError("while it was read")
WRONG = [
    *(None, True, 7, 2**31, -(2**31) - 1, 1.0, float("nan"), "", "7", Text("t"), [], (), {}, range(2)),
    *(object(), OddError("v"), Soon("s"), RAISES),
]
LEAVES = frozenset(name for name, kind in OURS.type_map.items() if is_leaf_type(kind))
PLACES = [
    LEAVES,
    LEAVES - {"String", "ID"},
    *(frozenset({name}) for name in ("String", "Int", "Float", "Boolean", "ID", "DateTime")),
    *(frozenset({name}) for name in ("list", "object")),
    LEAVES | {"list", "object"},
]


@dataclass(frozen=True)
class Trouble:
    """Which value is wrong, and how often it comes in the place of a right one of some types."""

    value: Any
    share: float
    types: frozenset[str]

    def strikes(self, kind: GraphQLOutputType, random: Random) -> bool:
        nullable = kind.of_type if is_non_null_type(kind) else kind
        name = "list" if is_list_type(nullable) else "object" if is_object_type(nullable) else str(nullable)
        return name in self.types and random.random() < self.share


class Source:
    """An object of a type; each attribute has a value that follows from the seed and the trouble."""

    def __init__(self, kind: GraphQLObjectType, seed: str, trouble: Trouble) -> None:
        self._kind, self._seed, self._trouble = kind, seed, trouble
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._known:
            self._known[name] = self._made(name)
        made = self._known[name]
        if made is RAISES:
            raise ZeroDivisionError(*made.args)
        return made

    def _made(self, name: str) -> Any:
        random = Random(f"{self._seed} {name}")  # noqa: S311 - the same data again, no secret
        for graphql_name, field in self._kind.fields.items():
            definition = field.extensions.get("strawberry-definition")
            if (definition.python_name if definition else graphql_name) == name:
                value = value_of(field.type, random, self._trouble)
                if getattr(field.resolve, "_is_default", True):
                    return value
                return partial(resolved, Soon(value) if definition.is_async else value)
        raise AttributeError(name)


def resolved(value: Any, *_: Any) -> Any:
    """What a method gives, whatever it is called with."""
    return value


def value_of(kind: GraphQLOutputType, random: Random, trouble: Trouble) -> Any:
    if trouble.strikes(kind, random):
        return trouble.value
    if is_non_null_type(kind):
        return plain_value(kind.of_type, random, trouble)
    return None if random.random() < 0.2 else plain_value(kind, random, trouble)


def root_value(kind: Any, random: Random, trouble: Trouble) -> Any:
    """Never a null for a nullable type: there is enough of that below."""
    return value_of(kind if is_non_null_type(kind) else GraphQLNonNull(kind), random, trouble)


def plain_value(kind: GraphQLOutputType, random: Random, trouble: Trouble) -> Any:
    if is_list_type(kind):
        return random.choice([list, tuple])(
            value_of(kind.of_type, random, trouble) for _ in range(random.randrange(1, 4))
        )
    if is_object_type(kind):
        # One of few, so that some stand in many places.
        return shared(kind, random.randrange(3), trouble)
    if isinstance(kind, GraphQLEnumType):
        return random.choice(list(kind.values.values())).value
    name = get_named_type(kind).name
    values: dict[str, Any] = {
        "String": f"text {random.randrange(9)}",
        "ID": f"lab:{random.randrange(9)}",
        "Int": random.randrange(-(2**31), 2**31),
        "Float": random.choice([random.random(), 3.0, 2**40]),
        "Boolean": random.random() < 0.5,
        "DateTime": datetime.fromtimestamp(random.randrange(2**31), UTC),
    }
    return values[name]


_shared: dict[tuple[str, int, int], Source] = {}


def shared(kind: GraphQLObjectType, number: int, trouble: Trouble) -> Source:
    key = (kind.name, number, id(trouble))
    if key not in _shared:
        _shared[key] = Source(kind, f"{kind.name} {number}", trouble)
    return _shared[key]


class Documents:
    """Random documents, valid by their making: any fields, aliases, fragments, @skip, @include, doubled fields."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.fragments: list[str] = []
        self.aliases = 0
        self.only_plain = draw(st.booleans())

    def document(self) -> str:
        roots = self.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=2))
        body = " ".join(self.field(name, FIELDS[name], self.draw(st.integers(1, 3))) for name in roots)
        # Both variables are used, or the document would not be valid.
        used = "yes: __typename @skip(if: $yes) no: __typename @skip(if: $no)"
        return f"query($yes: Boolean!, $no: Boolean!) {{ {body} {used} }} {' '.join(self.fragments)}"

    def selection(self, kind: GraphQLObjectType, depth: int) -> str:
        names = [
            name
            for name, field in kind.fields.items()
            if (depth or is_leaf_type(get_named_type(field.type)))
            and (not self.only_plain or getattr(field.resolve, "_is_default", False))
        ]
        chosen = self.draw(st.lists(st.sampled_from([*names, "__typename", "__typename"]), min_size=1, max_size=6))
        parts = [self.part(kind, name, depth) for name in chosen]
        return "{ " + " ".join(parts) + " }"

    def part(self, kind: GraphQLObjectType, name: str, depth: int) -> str:
        text = "__typename" if name == "__typename" else self.field(name, kind.fields[name], depth)
        match self.draw(st.sampled_from(["plain"] * 6 + ["inline", "typed", "named", "twice"])):
            case "inline":
                return f"... {self.condition()} {{ {text} }}"
            case "typed":
                return f"... on {kind.name} {self.condition()} {{ {text} }}"
            case "named":
                self.fragments.append(f"fragment f{len(self.fragments)} on {kind.name} {{ {text} }}")
                return f"...f{len(self.fragments) - 1} {self.condition()}"
            case "twice":
                return f"{text} {text}"
        return text

    def field(self, name: str, field: GraphQLField, depth: int) -> str:
        given = [f"{key}: {ARGUMENTS[key]}" for key, argument in field.args.items() if is_required_argument(argument)]
        arguments = f"({', '.join(given)})" if given else ""
        kind = get_named_type(field.type)
        below = self.selection(kind, depth - 1) if isinstance(kind, GraphQLObjectType) else ""
        self.aliases += 1
        # Fields of one name may have other fields below: an alias of its own for each.
        alias = f"a{self.aliases}: " if below or given or self.draw(st.booleans()) else ""
        return f"{alias}{name}{arguments} {self.condition()} {below}"

    def condition(self) -> str:
        return self.draw(
            st.sampled_from(
                [""] * 8 + ["@skip(if: $yes)", "@skip(if: false)", "@include(if: $no)", "@include(if: $yes)"]
            )
        )


@st.composite
def documents(draw: st.DrawFn) -> str:
    return Documents(draw).document()


def answer(executor: Any, document: str, trouble: Trouble) -> str:
    """The whole answer as JSON: the order of keys and of errors counts."""
    _shared.clear()
    root = {
        name: root_value(field.type, Random(name), trouble)  # noqa: S311 - the same data again, no secret
        for name, field in FIELDS.items()
    }

    async def run() -> Any:
        result: Any = execute(
            ROOT, parse(document), root, variable_values={"yes": True, "no": False}, executor_class=executor
        )
        return await result if isawaitable(result) else result

    result = finish(run())
    return json.dumps([result.data, [[error.formatted, repr(error.original_error)] for error in result.errors or ()]])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    documents(), st.builds(Trouble, st.sampled_from(WRONG), st.sampled_from([0, 0.02, 0.2]), st.sampled_from(PLACES))
)
def test_any_document_over_any_data_is_answered_as_by_graphql_core(document: str, trouble: Trouble) -> None:
    assert validate(ROOT, parse(document)) == []
    before = tally[COMPILED]
    ours = answer(executor_class(), document, trouble)
    event(f"compiled: {tally[COMPILED] > before}")
    assert ours == answer(StrawberryGraphQLCoreExecutionContext, document, trouble)
