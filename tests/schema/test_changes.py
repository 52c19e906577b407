"""The changelog of the schema: what a comparison with the last release finds."""

from pathlib import Path

import pytest
from graphql import build_schema

from schema import schema
from schema.changes import changes, main, report

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
        "Added": ["Query.job.cluster", "Query.jobs", "Job.new", "Part", "State.UNKNOWN", "Filter.account"],
        "Deprecated": ["Job.old: From 2027-01-01: use new."],
    }
    assert "### Added\n\n- Query.job.cluster\n" in report(found)


def test_the_same_schema_has_no_changes() -> None:
    current = build_schema(schema.as_str())
    assert report(changes(current, current)) == "The schema is that of the last release.\n"


def test_the_command_fails_for_a_change_that_breaks_clients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "released.graphql"
    assert main(file) == 0
    assert "Nothing is released" in capsys.readouterr().out
    file.write_text(schema.as_str())
    assert main(file) == 0
    file.write_text(schema.as_str().replace("  rawState: String!", "  rawState: String!\n  gone: String"))
    assert main(file) == 1
    assert "was removed" in capsys.readouterr().out
