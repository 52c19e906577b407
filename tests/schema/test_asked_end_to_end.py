"""A test against the real Slurm uses every field, action, argument and input by name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from graphql import GraphQLInputObjectType, GraphQLObjectType, build_schema, is_introspection_type

from schema import schema

END_TO_END = Path(__file__).parents[1] / "end_to_end"


def names() -> Iterator[tuple[str, str]]:
    """Each name of the schema that a document may hold, and where it stands."""
    for kind in build_schema(schema.as_str()).type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            for name, field in kind.fields.items():
                yield name, f"{kind.name}.{name}"
                yield from ((argument, f"{kind.name}.{name}({argument}:)") for argument in field.args)
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((name, f"{kind.name}.{name}") for name in kind.fields)


def words_of_documents() -> set[str]:
    """The words of all texts in the end-to-end tests: documents and variables are among them, docstrings are not."""
    words: set[str] = set()
    for path in END_TO_END.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
                words.update(re.findall(r"\w+", node.value))
            if isinstance(node, ast.keyword) and node.arg:  # variables may be given as arguments
                words.add(node.arg)
    return words


def test_each_name_of_the_schema_is_used_by_an_end_to_end_test() -> None:
    """A name that several types share counts for all of them: that each value is right, their own tests say."""
    asked = words_of_documents()
    assert sorted({place for name, place in names() if name not in asked}) == []


def test_a_name_that_no_test_asks_for_is_noticed() -> None:
    """Names in comments, docstrings and code count for nothing: only what is sent."""
    asked = words_of_documents()
    assert {"submitJob", "restartCount", "levelFairShare"} <= asked
    assert not {"words_of_documents", "HostileText", "ask_anew"} & asked
