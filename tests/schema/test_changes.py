"""The changelog of the schema: what a comparison with the last release finds."""

from pathlib import Path

import pytest
from graphql import build_schema

from schema import schema
from schema.changes import RELEASED, changes, main, report

BEFORE = """
type Query { job(id: ID!): Job, nodes: Int, queue: String }
type Job { id: ID!, state: State, old: String }
enum State { RUNNING }
input Filter { user: String }
"""
AFTER = """
type Query { job(id: ID!, cluster: String): Job, nodes: String, jobs(filter: Filter): [Job!] }
type Job { id: ID!, state: State, old: String @deprecated(reason: "From 2027-01-01: use new."), new: Part }
type Part { size: Int }
enum State { RUNNING UNKNOWN }
input Filter { user: String, account: String }
"""


def test_each_change_is_under_its_heading() -> None:
    found = changes(build_schema(BEFORE), build_schema(AFTER))
    assert found == {
        "Breaking": ["Field Query.queue was removed.", "Field Query.nodes changed type from Int to String."],
        "Dangerous": [
            "An optional argument Query.job(cluster:) was added.",
            "Enum value State.UNKNOWN was added.",
            "An optional field Filter.account was added.",
        ],
        "Changed": [],
        "Added": ["Query.job.cluster", "Query.jobs", "Job.new", "Part", "State.UNKNOWN", "Filter.account"],
        "Deprecated": ["Job.old: From 2027-01-01: use new."],
    }
    assert "### Added\n\n- Query.job.cluster\n" in report(found)


def test_the_same_schema_has_no_changes() -> None:
    current = build_schema(schema.as_str())
    assert report(changes(current, current)) == "The schema is that of the last release.\n"


INPUT = "type Query { a(x: I, y: %s): %s } input I%s { a: %s }"


@pytest.mark.parametrize(
    ("before", "after", "heading", "sentence"),
    [
        ("", " @oneOf", "Breaking", "I changed from an input of several fields to a @oneOf input."),
        (" @oneOf", "", "Changed", "I changed from a @oneOf input to an input of several fields."),
    ],
)
def test_an_input_becomes_one_of(before: str, after: str, heading: str, sentence: str) -> None:
    found = changes(*(build_schema(INPUT % ("Int", "Int", each, "Int")) for each in (before, after)))
    assert {heading: lines for heading, lines in found.items() if lines} == {heading: [sentence]}


def test_each_change_of_a_type_is_reported_once() -> None:
    nullable, required = (build_schema(INPUT % (kind, kind, "", kind)) for kind in ("String", "String!"))
    found = changes(nullable, required)
    assert found["Breaking"] == [
        "Argument Query.a(y:) has changed type from String to String!.",
        "Field I.a changed type from String to String!.",
    ]
    assert found["Changed"] == ["Query.a changed from String to String!."]
    found = changes(required, nullable)
    assert found["Breaking"] == ["Field Query.a changed type from String! to String."]
    assert found["Changed"] == ["Query.a(y:) changed from String! to String.", "I.a changed from String! to String."]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read: "),
        (b"\xff\xfe", "cannot be read: "),
        (b"type Query {", "is not a GraphQL schema: Syntax Error"),
        (b"type Query { a: Nothing }", "is not a GraphQL schema: Unknown type"),
    ],
)
def test_a_file_that_cannot_be_compared_is_an_error(
    text: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "typo.graphql"
    if text is not None:
        file.write_bytes(text)
    assert main(file) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{file} {why}")


@pytest.mark.skipif(RELEASED.exists(), reason="something is released: test_schema.py compares with it")
def test_before_the_first_release_there_is_nothing_to_compare_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert "Nothing is released" in capsys.readouterr().out


def test_the_command_fails_for_a_change_that_breaks_clients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "released.graphql"
    file.write_text(schema.as_str())
    assert main(file) == 0
    file.write_text(schema.as_str().replace("  rawState: String!", "  rawState: String!\n  gone: String"))
    assert main(file) == 1
    assert "was removed" in capsys.readouterr().out
