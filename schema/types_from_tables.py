"""GraphQL types made from the classes of slurm/ and resolvers/, so that a field is written once.

`@made_from(Job)` makes a class of the schema the GraphQL type of Job's objects. Each line of the class is a field: its
name, its GraphQL type and its description. Job's attribute or method of the same name answers it; if there is none,
importing the schema fails. Job's columns, or its dataclass fields that have a description, are fields without a line.
Names become camelCase. Types follow the annotations of parsers and dataclasses, arguments the method's signature.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import reduce
from inspect import Parameter, Signature, getattr_static, iscoroutinefunction, signature
from operator import or_
from types import FunctionType, NoneType, SimpleNamespace
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

from resolvers.arguments import About
from resolvers.described import IS_ID
from schema.scalars import BigInt
from slurm.argument import LEFT, Left, OneOf
from slurm.column import Record
from slurm.text import BIG_INT

K = TypeVar("K", bound=type)
F = TypeVar("F", bound=Callable[..., object])

TYPES: Final[dict[object, object]] = {NoneType: None}
"""From a class to the GraphQL type that was made from it."""
SOURCES: Final[dict[type, type]] = {}
"""From a GraphQL type to the class that it was made from."""
ANSWERED_BY: Final = "answered by"
"""In the metadata of a field: the function that answers it, if that is not a method of the object."""
_HIDDEN: Final = ("order", "raw_id", "hold", "output_columns", "slurm_user", "reader")
"""Columns that serve only to sort, to look up or to compute others."""


def enum(cls: type[Enum], name: str | None = None) -> type[Enum]:
    """Make an enum a GraphQL enum; each member's `description` describes its value."""
    strawberry.enum(cls, name=name or cls.__name__, description=_first_line(cls))
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = cls[value.name].description  # type: ignore[attr-defined]
    TYPES[cls] = cls
    return cls


def input_type(cls: type, name: str | None = None) -> type:
    """Make a dataclass a GraphQL input, what is required first; each field's `about` describes it."""
    hints = get_type_hints(cls, include_extras=True)
    namespace: dict[str, object] = {"__annotations__": {}, "__doc__": cls.__doc__}
    for line in sorted(dataclasses.fields(cls), key=lambda line: line.default is not dataclasses.MISSING):
        namespace["__annotations__"] |= {line.name: graphql_type(hints[line.name], input_type)}  # type: ignore[operator]
        default = {} if line.default is dataclasses.MISSING else {"default": line.default}
        # The metadata stays, for code that reads the table.
        namespace[line.name] = strawberry.field(description=line.metadata["about"], metadata=line.metadata, **default)
    # A subclass, so that the resolvers get an instance of their own dataclass.
    made = type(name or cls.__name__, (cls,), namespace)
    one_of = issubclass(cls, OneOf)
    TYPES[cls] = strawberry.input(made, name=name or cls.__name__, description=_first_line(cls), one_of=one_of)
    for field in made.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        if field.default_value in (None, LEFT):
            field.default_value = strawberry.UNSET  # the default of the dataclass, which the schema does not show
    return made


def made_from(source: type, name: str | None = None) -> Callable[[K], K]:
    """Make a class the GraphQL type of the objects of `source`. Its docstring becomes the description."""

    def make(kind: K) -> K:
        called: dict[str, object] = {}
        for line, field in vars(kind).copy().items():
            if isinstance(field, StrawberryField) and field.base_resolver is None and _bind(field, line, source):
                called[line] = kind.__annotations__.pop(line)
        for line, annotation, about in _lines(source):
            if line not in vars(kind):
                kind.__annotations__[line] = annotation
                setattr(kind, line, strawberry.field(description=about))
        kind.__annotations__ |= called
        for line, annotation in kind.__annotations__.items():
            if not isinstance(annotation, str):
                kind.__annotations__[line] = graphql_type(annotation)
        TYPES[source] = strawberry.type(kind, name=name or kind.__name__, description=_paragraphs(kind))
        SOURCES[kind] = source
        return kind

    return make


def whole_type(source: type) -> object:
    """The GraphQL type of a class, made from its columns or its described fields alone, such as a payload's."""
    if source not in TYPES:
        made_from(source)(type(source.__name__, (), {"__annotations__": {}, "__doc__": source.__doc__}))
    return TYPES[source]


def answered_by(function: Callable[..., object], description: str) -> Any:
    """A line that a function answers, which takes the object first."""
    return strawberry.field(description=description, metadata={ANSWERED_BY: function})


def input_of(change: Callable[..., object], name: str) -> Parameter:
    """The parameter `input` of a function that makes a change, whose GraphQL type is made with that name."""
    cls: Any = _hints(change, ["input"])["input"]
    made: Any = input_type(cls, name)
    annotation = Annotated[made, strawberry.argument(description=_first_line(cls))]
    return Parameter("input", Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)


def named_type(source: type, name: str) -> object:
    """The GraphQL type with that name of a class that several types are made from, such as a payload."""
    if name == source.__name__:
        return whole_type(source)
    return made_from(source, name)(type(name, (), {"__annotations__": {}, "__doc__": source.__doc__}))


def parameters(function: Callable[..., object]) -> list[Parameter]:
    """A function's parameters except the first, for Strawberry: with GraphQL types and descriptions."""
    _, *given = signature(function).parameters.values()
    hints = _hints(function, [each.name for each in given])
    return [
        each.replace(annotation=graphql_argument(hints[each.name]), default=shown_default(each.default))
        for each in given
    ]


def shown_default(default: object) -> object:
    """The default of an argument for the schema: an argument that is None by default shows none."""
    return strawberry.UNSET if default is None else default


def with_signature(resolver: F, given: Iterable[Parameter]) -> F:
    """Give a resolver that takes keyword arguments the signature that Strawberry makes the field's arguments from."""
    resolver.__signature__ = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *given])  # type: ignore[attr-defined]
    return resolver


def graphql_type(annotation: object, make: Callable[[type], object] = whole_type) -> Any:
    """The annotation for Strawberry: a list for a sequence, a GraphQL type for the class that it is made from."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return strawberry.ID if IS_ID in arguments else BigInt if BIG_INT in arguments else annotation
    if arguments:
        converted = tuple(graphql_type(argument, make) for argument in arguments if argument is not Left)
        return reduce(or_, converted) if NoneType in arguments else list[converted[0]]  # type: ignore[valid-type]
    if annotation not in TYPES and isinstance(annotation, type):
        if issubclass(annotation, Enum):
            enum(annotation)
        elif _is_table(annotation):
            make(annotation)
    return TYPES.get(annotation, annotation)


def _bind(field: StrawberryField, name: str, source: type) -> bool:
    """Find what answers the field; True if it is called, False if it is an attribute.

    Raises AttributeError if `source` has nothing of that name.
    """
    function = field.metadata.get(ANSWERED_BY)
    member = getattr_static(source, name, None)
    if function is not None:
        field(with_signature(_calling(function), parameters(function)))
        return True
    if isinstance(member, FunctionType):
        field(with_signature(_calling_method(name, member), parameters(member)))
        return True
    if member is None and not any(name in vars(each).get("__annotations__", ()) for each in source.__mro__):
        raise AttributeError(f"{source.__module__}.{source.__qualname__} has no {name}, which the schema shows")
    return False


def _calling(function: Callable[..., object]) -> Callable[..., object]:
    def resolve(self: object, **given: object) -> object:
        return function(self, **given)

    return resolve


def _calling_method(name: str, method: FunctionType) -> Callable[..., object]:
    """A resolver that calls the object's method by its name: a subclass of `source` may override it."""

    async def resolve_later(self: object, **given: object) -> object:
        return await getattr(self, name)(**given)

    def resolve(self: object, **given: object) -> object:
        return getattr(self, name)(**given)

    return resolve_later if iscoroutinefunction(method) else resolve


def _lines(source: type) -> Iterator[tuple[str, object, str]]:
    """Name, type and description of each column, and of each dataclass field that has a description."""
    if issubclass(source, Record):
        for column in source.columns():
            if column.name not in _HIDDEN:
                yield column.name, column.type, column.about
    if dataclasses.is_dataclass(source):
        described = [line for line in dataclasses.fields(source) if "about" in line.metadata]
        hints = get_type_hints(source, include_extras=True) if described else {}
        for line in described:
            yield line.name, hints[line.name], line.metadata["about"]


def graphql_argument(hint: object) -> object:
    """An argument's annotation, `Annotated[type, About(...)]`, for Strawberry."""
    kind, *marks = get_args(hint)
    (about,) = (mark for mark in marks if isinstance(mark, About))
    kind = strawberry.ID if IS_ID in marks else graphql_type(kind, input_type)
    return Annotated[kind, strawberry.argument(description=about.text)]


def _hints(function: Callable[..., object], names: Iterable[str]) -> dict[str, object]:
    """The annotations of those parameters only: others may use names that are imported only for type checkers."""
    wanted = {name: function.__annotations__[name] for name in names}
    module: dict[str, object] = getattr(function, "__globals__", {})
    return get_type_hints(SimpleNamespace(__annotations__=wanted), globalns=module, include_extras=True)


def _is_table(cls: type) -> bool:
    """Whether a class of slurm/ or resolvers/ says all of its GraphQL type: it has columns, or described fields."""
    if hasattr(cls, "__strawberry_definition__"):
        return False
    described = dataclasses.is_dataclass(cls) and all("about" in line.metadata for line in dataclasses.fields(cls))
    return described or issubclass(cls, Record)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").split("\n", 1)[0]


def _paragraphs(cls: type) -> str:
    """The docstring, each paragraph on a line."""
    return "\n\n".join(" ".join(part.split()) for part in (cls.__doc__ or "").split("\n\n"))
