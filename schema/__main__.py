"""`python -m schema`: write schema.graphql."""

from pathlib import Path

from schema import schema

EXPORT = Path(__file__).with_name("schema.graphql")

if __name__ == "__main__":
    EXPORT.write_text(schema.as_str() + "\n", encoding="utf-8")
    print(f"wrote {EXPORT.name}")
