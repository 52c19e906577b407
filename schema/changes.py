"""`python -m schema.changes`: how the schema differs from the last release, field by field, for the changelog.

It compares with tests/schema/released.graphql, or with the file that it is given. It fails if a change breaks clients.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
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
BREAKING, DANGEROUS, ADDED, DEPRECATED = "Breaking", "Dangerous", "Added", "Deprecated"


def changes(before: GraphQLSchema, after: GraphQLSchema) -> dict[str, list[str]]:
    """Sentences by their heading. Breaking and dangerous ones are graphql-core's; the others are lists of places."""
    old, new = dict(_places(before)), dict(_places(after))
    added = [place for place in new if place not in old and place.rpartition(".")[0] not in new.keys() - old.keys()]
    deprecated = [f"{place}: {why}" for place, why in new.items() if why and old.get(place) != why]
    return {
        BREAKING: [change.description for change in find_breaking_changes(before, after)],
        DANGEROUS: [change.description for change in find_dangerous_changes(before, after)],
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


def _arguments(place: str, arguments: Mapping[str, GraphQLArgument]) -> Iterator[tuple[str, str | None]]:
    yield from ((f"{place}.{name}", line.deprecation_reason) for name, line in arguments.items())


def main(released: Path) -> int:
    """Print the changes since the schema in the file. 1 if one of them breaks clients."""
    if not released.exists():
        print(f"Nothing is released: there is no {released}. docs/versioning.md says how the first one is made.")
        return 0
    found = changes(build_schema(released.read_text(encoding="utf-8")), build_schema(schema.as_str()))
    print(report(found), end="")
    return 1 if found[BREAKING] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else RELEASED))
