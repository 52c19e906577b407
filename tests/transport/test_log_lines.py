"""The lines of the log as Lambda's own runtime writes them."""

import json
import logging
from typing import Any

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from http_call import ask, call


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    audit = [record for record in log.records if record.name == "slurmql.audit"]
    return [json.loads(JsonFormatter().format(record)) for record in audit]


def test_a_request_is_one_json_object_with_its_metrics_at_the_root(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ask("query Who { viewer { identity } }")
    (line,) = lines(caplog)
    assert line["message"] == "request"
    assert line["level"] == "INFO"
    assert line["request"] == "request-1"
    assert line["identity"] == "ada"
    assert line["clusters"] == [{"name": "lab", "user": "ada", "role": "OPERATOR"}]
    assert (line["operation"], line["kind"], line["fields"]) == ("Who", "query", ["viewer"])
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in directive["Metrics"]} == {"Requests", "Commands", "Milliseconds"}
    assert directive["Dimensions"] == [["function"]]
    assert line["Requests"] == 1


def test_a_callers_text_stays_within_its_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ask(f"query {'A' * 50_000} {{ {'b' * 5000}: nonesuch }}")
        ask("{ viewer { role } }", operationName='x"\n{"message": "action"}')
        call(body=b'"\n{"message": "action"}\n')
        call("GET", path="/graphql\n{}", query="x=\n")
    written = lines(caplog)
    assert [line["message"] for line in written] == ["request"] * 4
    assert all(len(json.dumps(line)) < 2500 for line in written)
    assert all("nonesuch" not in json.dumps(line["codes"]) for line in written)


def test_graphiqls_files_and_preflights_leave_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        call("OPTIONS")
        call("GET", path="/graphiql/nope.js")
        call("GET", headers={"accept": "text/html"})
    assert lines(caplog) == []
