"""`python -m schema.changes`: how the schema differs from the last release, field by field, for the changelog.

It compares with tests/schema/released.graphql, or with the file that it is given. Its status is 1 if a change breaks
clients, and 2 if the file cannot be read.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    is_specified_scalar_type,
)

from schema import schema

RELEASED = Path(__file__).parents[1] / "tests" / "schema" / "released.graphql"
BREAKING, DANGEROUS, CHANGED, ADDED, DEPRECATED = "Breaking", "Dangerous", "Changed", "Added", "Deprecated"


def changes(before: GraphQLSchema, after: GraphQLSchema) -> dict[str, list[str]]:
    """Sentences by their heading. Breaking and dangerous ones are graphql-core's, except for @oneOf."""
    old, new = dict(_places(before)), dict(_places(after))
    old_types, new_types = dict(_types(before)), dict(_types(after))
    breaking = [change.description for change in find_breaking_changes(before, after)]
    other = [
        f"{place} changed from {was} to {new_types[place]}."
        for place, was in old_types.items()
        if place in new_types and new_types[place] != was and not any(f" {place} " in line for line in breaking)
    ]
    narrowed = [line for line in other if line.endswith(f" to {_ONE_OF}.")]
    added = [place for place in new if place not in old and place.rpartition(".")[0] not in new.keys() - old.keys()]
    deprecated = [f"{place}: {why}" for place, why in new.items() if why and old.get(place) != why]
    return {
        BREAKING: [*breaking, *narrowed],
        DANGEROUS: [change.description for change in find_dangerous_changes(before, after)],
        CHANGED: [line for line in other if line not in narrowed],
        ADDED: added,
        DEPRECATED: deprecated,
    }


def report(found: Mapping[str, list[str]]) -> str:
    """The changes in Markdown; a heading without changes is left out."""
    parts = [
        f"### {heading}\n\n" + "".join(f"- {line}\n" for line in lines) for heading, lines in found.items() if lines
    ]
    return "\n".join(parts) or "The schema is that of the last release.\n"


def _places(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Each type, field, argument, input field and enum value, with the reason why it is deprecated."""
    for name, kind in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield name, None
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{name}.{value}", line.deprecation_reason) for value, line in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{name}.{field}", line.deprecation_reason) for field, line in kind.fields.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, line in kind.fields.items():
                yield f"{name}.{field}", line.deprecation_reason
                yield from _arguments(f"{name}.{field}", line.args)


_ONE_OF = "a @oneOf input"


def _types(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """The type of each field and argument, and whether each input is @oneOf; graphql-core ignores what is safe."""
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLInputObjectType):
            yield name, _ONE_OF if kind.is_one_of else "an input of several fields"
            yield from ((f"{name}.{field}", str(line.type)) for field, line in kind.fields.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
            for field, line in kind.fields.items():
                yield f"{name}.{field}", str(line.type)
                yield from ((f"{name}.{field}({given}:)", str(each.type)) for given, each in line.args.items())


def _arguments(place: str, arguments: Mapping[str, GraphQLArgument]) -> Iterator[tuple[str, str | None]]:
    yield from ((f"{place}.{name}", line.deprecation_reason) for name, line in arguments.items())


def main(since: Path | None = None) -> int:
    """Print the changes since the last release, or since the schema in the file. The status is above."""
    if since is None and not RELEASED.exists():
        print(f"Nothing is released: there is no {RELEASED}. docs/versioning.md says how the first one is made.")
        return 0
    released = since or RELEASED
    try:
        before = build_schema(released.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{released} cannot be read: {error}.", file=sys.stderr)
        return 2
    except (GraphQLError, TypeError) as error:
        print(f"{released} is not a GraphQL schema: {error}", file=sys.stderr)
        return 2
    found = changes(before, build_schema(schema.as_str()))
    print(report(found), end="")
    return 1 if found[BREAKING] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else None))
