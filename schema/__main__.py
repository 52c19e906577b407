"""`python -m schema`: write schema.graphql, docs/reference.md and the table in docs/errors.md, all from the schema.

`--check` writes nothing. It fails if one of them is stale, or if a field and its resolver do not match.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from graphql import build_schema

from schema import schema
from schema.check import errors
from schema.reference import error_page, reference

EXPORT = Path(__file__).with_name("schema.graphql")
DOCS = Path(__file__).parents[1] / "docs"


def pages() -> Mapping[Path, str]:
    """Each file that is made from the schema, and its current text."""
    sdl, error_codes = schema.as_str(), DOCS / "errors.md"
    return {
        EXPORT: sdl + "\n",
        DOCS / "reference.md": reference(build_schema(sdl)),
        error_codes: error_page(error_codes.read_text(encoding="utf-8")),
    }


def check() -> list[str]:
    """One sentence for each thing that is wrong."""
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    return [*errors(), *(f"{name} is stale: run make schema." for name in stale)]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(check()) or None)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    print(f"wrote {', '.join(path.name for path in pages())}")
