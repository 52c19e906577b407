"""`python -m schema`: write schema.graphql, and docs/reference.md, which tells the same to people."""

from pathlib import Path

from graphql import build_schema

from schema import schema
from schema.reference import reference

EXPORT = Path(__file__).with_name("schema.graphql")
REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"

if __name__ == "__main__":
    sdl = schema.as_str()
    EXPORT.write_text(sdl + "\n", encoding="utf-8")
    REFERENCE.write_text(reference(build_schema(sdl)), encoding="utf-8")
    print(f"wrote {EXPORT.name} and {REFERENCE.name}")
