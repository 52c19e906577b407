"""The log has who asked for what and the result, but no script, no variable and no token."""

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api, event
from local.cluster import Cluster
from local.gateway import Context

SECRETS = {
    "script": "s3cret-in-the-script",
    "value": "s3cret-in-the-environment",
    "token": "s3cret-in-the-header",
    "comment": "s3cret-in-the-comment",
    "name": "s3cret-in-the-name",
    "key": "s3cret-in-the-key",
    "filter": "s3cret-in-a-filter",
}
SUBMIT = """mutation Night($input: SubmitJobInput!) {
  submitJob(input: $input) { job { id } errors { code message } }
}"""


class Lines(logging.Handler):
    """Every record that any logger lets through, as it was made."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def told(self, message: str) -> list[dict[str, Any]]:
        """The attributes of the audit's lines of a kind; those of Lambda's runtime end up in one JSON object."""
        audit = [record for record in self.records if record.name == "slurmql.audit"]
        return [vars(record) for record in audit if record.getMessage() == message]

    @property
    def text(self) -> str:
        return json.dumps([vars(record) for record in self.records], default=str)


@pytest.fixture
def log() -> Iterator[Lines]:
    lines, root = Lines(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "slurmql", "slurmql.audit")}
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    logging.getLogger("slurmql").setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(lines)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def job(**input: Any) -> dict[str, Any]:
    return {
        "script": {"text": f"#!/bin/sh\n# {SECRETS['script']}\n"},
        "name": SECRETS["name"],
        "comment": SECRETS["comment"],
        "environment": [{"name": "PASSWORD", "value": SECRETS["value"]}],
        "beginTime": "2040-01-01T00:00:00Z",
        **input,
    }


def call(api: Api, document: str, variables: dict[str, Any], **who: Any) -> dict[str, Any]:
    made = event(json.dumps({"query": document, "variables": variables}), **who)
    made["headers"]["authorization"] = f"Bearer {SECRETS['token']}"
    answer: dict[str, Any] = json.loads(api.handler(made, Context())["body"])
    return answer


def test_no_script_variable_or_token_is_logged_on_the_whole_way(
    api: Api, lab: Cluster, log: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    submitted = call(api, SUBMIT, {"input": job(idempotencyKey=SECRETS["key"])})["data"]["submitJob"]
    id = submitted["job"]["id"]
    answers = [
        submitted,
        call(api, SUBMIT, {"input": job(queue="nonesuch")}),
        call(api, SUBMIT, {"input": job(workDir="relative")}),
        call(api, SUBMIT, {"input": job()}, user=None),
        call(api, SUBMIT, {"input": job(nonesuch=1)}),
        call(api, "query ($id: ID!) { job(id: $id) { script name comment output { text } } }", {"id": id}),
        call(api, "query ($n: String) { jobs(filter: {nameContains: $n}) { totalCount } }", {"n": SECRETS["filter"]}),
        call(api, "{ jobs(filter: {nameContains: 7}) { totalCount } }", {}),
        call(
            api, "mutation ($ids: [ID!]!) { cancelJobs(input: {jobs: {ids: $ids}}) { errors { code } } }", {"ids": [id]}
        ),
    ]
    printed = "".join(capfd.readouterr())
    assert SECRETS["script"] in json.dumps(answers)  # the text reached Slurm and came back
    assert len(log.told("request")) == len(answers)
    for secret in SECRETS.values():
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        for told in (log.text, printed):
            assert secret not in told
            assert encoded[:-1] not in told


def test_a_request_is_logged_with_its_caller_its_fields_and_its_result(api: Api, log: Lines) -> None:
    document = "query Overview { jobs { totalCount } queues { name } ...f } fragment f on Query { __typename }"
    context = Context()
    sent_before = len(api.ssm.sends)
    api.handler(event(json.dumps({"query": document})), context)
    (line,) = log.told("request")
    (command,) = api.ssm.sends[sent_before:]
    assert line["request"] == context.aws_request_id
    assert line["identity"] == "ada"
    assert line["clusters"] == [{"name": "lab", "user": "ada", "role": None}]
    assert (line["operation"], line["kind"], line["fields"]) == ("Overview", "query", ["jobs", "queues", "..."])
    assert (line["status"], line["codes"]) == (200, [])
    assert line["commands"] == [command.command_id]
    assert context.aws_request_id in command.comment
    assert line["Milliseconds"] > 0
    assert line["bytes"] > 50


def test_the_metrics_are_in_cloudwatchs_embedded_format(api: Api, log: Lines) -> None:
    """Embedded metric format: every metric and dimension that is named stands beside it, and is a number or a text."""
    api.ask("{ nodes(first: -1) { totalCount } queue { name } }")
    api.ask("{ nodes(first: -1) { totalCount } }")
    api.ask("{ jobs { totalCount } }")
    for line in log.told("request"):
        assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "slurmql"
            for metric in directive["Metrics"]:
                assert isinstance(line[metric["Name"]], int | float)
            for dimensions in directive["Dimensions"]:
                assert all(isinstance(line[name], str) for name in dimensions)
    assert [line.get("code") for line in log.told("request")] == ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", None]
    assert [line["Commands"] for line in log.told("request")] == [0, 0, 1]
    assert [line["coldStart"] for line in log.told("request")][1:] == [False, False]


def test_a_change_is_logged_with_the_objects_it_touched(api: Api, log: Lines) -> None:
    id = api.data(SUBMIT, {"input": job()})["submitJob"]["job"]["id"]
    hold = "mutation ($ids: [ID!]!) { holdJobs(input: {ids: $ids}) { errors { code } } }"
    api.data(hold, {"ids": [id, "999999999"]}, user="grace")
    both = (
        "cancelJobs(input: {jobs: {ids: $ids}}) { errors { code } } suspendJobs(input: {ids: $ids}) { errors { code } }"
    )
    api.data(f"mutation ($ids: [ID!]!) {{ {both} }}", {"ids": [id]})
    submit, held, cancelled, suspended = log.told("action")
    assert (submit["action"], submit["done"], submit["codes"]) == ("submitJob", [id], [])
    assert submit["asked"] == {"given": ["beginTime", "comment", "environment", "name", "script", "text"]}
    assert len(submit["commands"]) == 1
    assert (held["identity"], held["action"], held["done"]) == ("grace", "holdJobs", [])
    assert held["asked"] == {"given": ["ids"], "ids": [id, "999999999"]}
    assert set(held["codes"]) == {"FORBIDDEN", "NOT_FOUND"}
    assert (cancelled["action"], cancelled["codes"]) == ("cancelJobs", [])
    assert (suspended["codes"], suspended["commands"]) == (["FORBIDDEN"], [])
    assert cancelled["commands"] != submit["commands"]
    assert [line["kind"] for line in log.told("request")] == ["mutation"] * 3


def test_several_clusters_are_logged_with_the_commands_of_each(api: Api, log: Lines) -> None:
    api.data("{ clusters { name jobs { totalCount } } }")
    (line,) = log.told("request")
    assert [cluster["name"] for cluster in line["clusters"]] == ["lab", "annex"]
    assert len(line["commands"]) == 2


def test_a_request_refused_before_the_schema_is_logged_too(api: Api, log: Lines) -> None:
    api.handler(event("5"), Context())
    api.handler(event(json.dumps({"query": "{ viewer { role } }"}), user=None), Context())
    door, stranger = log.told("request")
    assert (door["status"], door["codes"], door["identity"], door["fields"]) == (400, ["BAD_REQUEST"], "ada", [])
    assert (stranger["identity"], stranger["codes"]) == (None, ["UNAUTHENTICATED"])
