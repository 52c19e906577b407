"""Invalid input gets an error that says what to do, and no command goes to the head node."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api, event
from local.cluster import Cluster
from local.gateway import Context
from slurm.script import SCRIPT_LIMIT

SCRIPT = "#!/bin/sh\ntrue\n"
SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) { job { id } errors { code message field id: targetId } }
}"""
ACTION = """mutation ($ids: [ID!]!, $cluster: String) {
  done: %s { jobs { id } errors { code message field id: targetId } }
}"""
ACTIONS = {
    "cancel": ACTION % "cancelJobs(input: {jobs: {ids: $ids}, cluster: $cluster})",
    "hold": ACTION % "holdJobs(input: {ids: $ids, cluster: $cluster})",
    "release": ACTION % "releaseJobs(input: {ids: $ids, cluster: $cluster})",
    "requeue": ACTION % "requeueJobs(input: {ids: $ids, cluster: $cluster})",
}
NAMES = ["queue", "account", "qos", "reservation"]
NO_JOB_IDS = [
    "-1",
    "1;id",
    "1 2",
    "1,2",
    "name=x",
    "--me",
    "",
    " ",
    "1\n",
    "0",
    "01",
    "1_",
    "1_[1-2",
    "1.batch",
    "1_-1",
    "$(id)",
    "9" * 30,
    "١٢٣",
    "1" * 100_000,
]


def refused(api: Api, document: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors in the payload of a mutation that is refused before anything is sent."""
    before = api.commands()
    (payload,) = api.data(document, variables).values()
    assert api.commands() == before
    assert not payload.get("job")
    assert not payload.get("jobs")
    errors: list[dict[str, Any]] = payload["errors"]
    for error in errors:
        assert_speaks_to_people(error["message"])
    return errors


def bad(api: Api, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The one error of a query."""
    (error,) = api.ask(document, variables)["errors"]
    assert_speaks_to_people(error["message"])
    result: dict[str, Any] = error
    return result


def assert_speaks_to_people(message: str) -> None:
    """A sentence of ours, not one of Python's."""
    assert 10 < len(message) < 600
    for word in ("Traceback", "Error(", "ParseError", "Exception", "object at 0x", "went wrong"):
        assert word not in message


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"script": {"text": ""}}, "script.text"),
        ({"script": {"text": "echo no interpreter\n"}}, "script.text"),
        ({"script": {"text": " #!/bin/sh\n"}}, "script.text"),
        ({"script": {"text": "#!/bin/sh\r\ntrue\r\n"}}, "script.text"),
        ({"script": {"text": "#!/bin/sh\n\0"}}, "script.text"),
        ({"script": {"text": "#!/bin/sh\n#SBATCH --wait\n"}}, "script.text"),
        ({"script": {"text": "#!" + "x" * 5_000_000}}, "script.text"),
        ({"name": "x" * 1025}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"comment": "é" * 513}, "comment"),
        ({"queue": ""}, "queue"),
        ({"queue": "queue1\x1b"}, "queue"),
        ({"queue": "-queue1"}, "queue"),
        ({"queue": "queue1,,gpu"}, "queue"),
        ({"account": "a,b"}, "account"),
        ({"account": "--uid=0"}, "account"),
        ({"qos": "a\nb"}, "qos"),
        ({"qos": " a"}, "qos"),
        ({"reservation": "a\x7f"}, "reservation"),
        ({"workDir": "relative"}, "workDir"),
        ({"workDir": ""}, "workDir"),
        ({"workDir": "/" + "x" * 4096}, "workDir"),
        ({"workDir": "/home/a\0b"}, "workDir"),
        ({"nodes": 0}, "nodes"),
        ({"nodes": -1}, "nodes"),
        ({"tasks": -1}, "tasks"),
        ({"cpusPerTask": -1}, "cpusPerTask"),
        ({"memory": {"perNodeMib": -1}}, "memory.perNodeMib"),
        ({"gpus": -1}, "gpus"),
        ({"gpus": 0}, "gpus"),
        ({"timeLimitSeconds": 0}, "timeLimitSeconds"),
        ({"timeLimitSeconds": -60}, "timeLimitSeconds"),
        ({"array": ""}, "array"),
        ({"array": "-1"}, "array"),
        ({"array": "1-"}, "array"),
        ({"array": "1-5%0"}, "array"),
        ({"array": "1;2"}, "array"),
        ({"dependency": "afterok"}, "dependency"),
        ({"dependency": "afterok:-1"}, "dependency"),
        ({"dependency": "afterok:1 --uid=0"}, "dependency"),
        ({"stdoutPath": ""}, "stdoutPath"),
        ({"stderrPath": "a\0b"}, "stderrPath"),
        ({"environment": [{"name": "A-B", "value": ""}]}, "environment"),
        ({"environment": [{"name": "", "value": ""}]}, "environment"),
        ({"environment": [{"name": "A=B", "value": ""}]}, "environment"),
        ({"environment": [{"name": "SLURM_CONF", "value": "/home/x"}]}, "environment"),
        ({"environment": [{"name": "SBATCH_UID", "value": "0"}]}, "environment"),
        ({"environment": [{"name": "A", "value": "a\0b"}]}, "environment"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "x" * 256}, "idempotencyKey"),
    ],
    ids=str,
)
def test_a_submission_that_cannot_be_right_names_the_field(api: Api, input: dict[str, Any], field: str) -> None:
    errors = refused(api, SUBMIT, {"input": {"script": {"text": SCRIPT}, **input}})
    assert [(error["code"], error["field"]) for error in errors] == [("INVALID_INPUT", ["input", *field.split(".")])]
    assert errors[0]["message"].startswith(f"{field} ")


def test_a_script_is_measured_in_bytes(api: Api) -> None:
    variables = {"input": {"script": {"text": "#!" + "é" * (SCRIPT_LIMIT // 2)}}}
    body = json.dumps(
        {"query": SUBMIT, "variables": variables}, ensure_ascii=False
    )  # escaped, Lambda would not take it
    answer = json.loads(api.handler(event(body), Context())["body"])
    (error,) = answer["data"]["submitJob"]["errors"]
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", "script", "text"])


@pytest.mark.parametrize("field", ["name", "comment", "script", "stdoutPath", "idempotencyKey", *NAMES])
def test_a_lone_surrogate_is_refused(api: Api, field: str) -> None:
    text = "a\ud800" if field in NAMES else "#!/bin/sh\n\ud800"
    given, path = ({"text": text}, [field, "text"]) if field == "script" else (text, [field])
    errors = refused(api, SUBMIT, {"input": {"script": {"text": SCRIPT}, field: given}})
    assert [(error["code"], error["field"]) for error in errors] == [("INVALID_INPUT", ["input", *path])]


def test_all_wrong_fields_are_reported_together(api: Api) -> None:
    errors = refused(api, SUBMIT, {"input": {"script": {"path": "x"}, "nodes": 0, "workDir": "x", "array": "?"}})
    assert {error["field"][1] for error in errors} == {"script", "nodes", "workDir", "array"}


@pytest.mark.parametrize("id", NO_JOB_IDS, ids=lambda id: repr(id)[:20])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_invalid_job_id_is_not_acted_on(api: Api, action: str, id: str) -> None:
    (error,) = refused(api, ACTIONS[action], {"ids": [id]})
    assert (error["code"], error["id"]) == ("INVALID_INPUT", id)


@pytest.mark.parametrize("id", NO_JOB_IDS, ids=lambda id: repr(id)[:20])
def test_an_invalid_job_id_is_not_looked_up(api: Api, id: str) -> None:
    assert bad(api, "query ($id: ID!) { job(id: $id) { id } }", {"id": id})["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("id", ["-1", "1;id", "name=x"])
def test_an_invalid_job_id_is_refused_in_a_filter(api: Api, id: str) -> None:
    error = bad(api, "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { totalCount } }", {"ids": ["1", id]})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("count", [0, 201])
def test_actions_take_a_bounded_number_of_jobs(api: Api, action: str, count: int) -> None:
    (error,) = refused(api, ACTIONS[action], {"ids": [str(id) for id in range(1, count + 1)]})
    assert error["code"] == "INVALID_INPUT"
    assert "1 to 200" in error["message"]


def test_a_job_of_another_cluster_is_not_acted_on(api: Api) -> None:
    (error,) = refused(api, ACTIONS["cancel"], {"ids": ["annex:1"], "cluster": "lab"})
    assert error["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("signal", ["", "-9", "9 1", "KILL;id", "--batch", "kill", "0", "100"])
def test_an_invalid_signal_is_not_sent(api: Api, signal: str) -> None:
    document = """mutation ($signal: String) {
      cancelJobs(input: {jobs: {ids: ["1"]}, signal: $signal}) { jobs { id } errors { code message field } }
    }"""
    (error,) = refused(api, document, {"signal": signal})
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", "signal"])


@pytest.mark.parametrize("cluster", ["nonesuch", "", "*", "LAB", "lab ", "lab\n", "../lab", "x" * 10_000])
def test_an_unknown_cluster_is_refused_with_the_names_of_the_known(api: Api, cluster: str) -> None:
    if cluster:  # none at all means the default
        for document in ACTIONS.values():
            (error,) = refused(api, document, {"ids": ["1"], "cluster": cluster})
            assert error["code"] == "NOT_FOUND"
        (error,) = refused(api, SUBMIT, {"input": {"script": {"text": SCRIPT}, "cluster": cluster}})
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "cluster"])
        for field in ("jobs { totalCount }", "queues { name }", 'node(name: "x") { id }', 'job(id: "1") { id }'):
            name, _, rest = field.partition(" ")
            call = name.replace("(", "(cluster: $c, ") if "(" in name else f"{name}(cluster: $c)"
            error = bad(api, f"query ($c: String) {{ {call} {rest} }}", {"c": cluster})
            assert error["extensions"]["code"] == "NOT_FOUND"
            assert "lab, annex" in error["message"]


@pytest.mark.parametrize("first", [-1, 1001, 100_000, 2**31 - 1])
@pytest.mark.parametrize(
    "document",
    [
        "query ($first: Int) { jobs(first: $first) { totalCount } }",
        "query ($first: Int) { nodes(first: $first) { totalCount } }",
        "query ($first: Int) { queues { jobs(first: $first) { totalCount } } }",
        "query ($first: Int) { clusters { jobs(first: $first) { totalCount } } }",
    ],
    ids=["jobs", "nodes", "jobs of queues", "jobs of clusters"],
)
def test_a_page_is_bounded(api: Api, document: str, first: int) -> None:
    errors = api.ask(document, {"first": first})["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert "first must be from 0 to 1000" in errors[0]["message"]


@pytest.fixture(scope="module")
def a_job(lab: Cluster) -> Iterator[str]:
    """A job to have a place in the order."""
    id = lab.run("sbatch", "--parsable", "--hold", user="ada", input=SCRIPT).stdout.strip()
    yield id
    lab.run("scancel", id)


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "not a cursor",
        "=" * 5,
        "é",
        "\ud800",
        "A" * 100_000,
        cursor(None),
        cursor(1),
        cursor([]),
        cursor(["", [1]]),
        cursor(["", [["a", {}, []]]]),
        cursor(["", "x"]),
        cursor({"a": 1}),
        cursor([["name"], [[1, 2, 3]]]),
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
    ids=lambda after: repr(after)[:24],
)
@pytest.mark.parametrize("field", ["jobs", "nodes"])
def test_a_malformed_cursor_is_refused(api: Api, a_job: str, field: str, after: str) -> None:
    error = bad(api, f"query ($after: String) {{ {field}(after: $after) {{ totalCount }} }}", {"after": after})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("after ")


def test_a_cursor_of_another_order_is_refused(api: Api) -> None:
    nodes = "query ($after: String) { nodes(first: 1, after: $after) { pageInfo { endCursor } } }"
    after = api.data(nodes)["nodes"]["pageInfo"]["endCursor"]
    error = bad(api, "query ($after: String) { jobs(after: $after) { totalCount } }", {"after": after})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_cursor_of_another_order_of_jobs_is_refused(api: Api, a_job: str) -> None:
    document = """query ($after: String, $field: JobOrderField!) {
      jobs(first: 1, after: $after, orderBy: {field: $field}) { totalCount pageInfo { endCursor } }
    }"""
    after = api.data(document, {"field": "NAME"})["jobs"]["pageInfo"]["endCursor"]
    error = bad(api, document, {"field": "USER", "after": after})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "another orderBy" in error["message"]


@pytest.mark.parametrize("name", ["submittedAfter", "submittedBefore"])
def test_a_time_without_a_zone_is_refused(api: Api, name: str) -> None:
    document = f'{{ jobs(filter: {{{name}: "2026-11-22T10:00:00"}}) {{ totalCount }} }}'
    error = bad(api, document)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "with an offset" in error["message"]


@pytest.mark.parametrize(
    "document",
    [
        "{ jobs(first: 100000) { totalCount } }",
        "{ nodes(first: -1) { totalCount } }",
        "{ cluster { jobs(first: 1001) { totalCount } } }",
        "{ queues { jobs(first: 1001) { totalCount } } }",
        '{ queue(name: "queue1") { jobs(filter: {ids: ["1;id"]}) { totalCount } } }',
        '{ node(name: "queue1-st-small-1") { queues { jobs(after: "x") { totalCount } } } }',
        '{ jobs(after: "x") { totalCount } }',
        "{ jobs(orderBy: [" + "{field: ID}" * 11 + "]) { totalCount } }",
        "{ jobHistory(orderBy: [" + "{field: ID}" * 11 + "]) { totalCount } }",
        '{ nodes(after: "x") { totalCount } }',
        '{ jobs(filter: {ids: ["1;id"]}) { totalCount } }',
        '{ jobs(filter: {submittedAfter: "2026-11-22T10:00:00"}) { totalCount } }',
        '{ jobs(filter: {submittedAfter: "yesterday"}) { totalCount } }',
    ],
)
def test_nothing_is_sent_for_what_cannot_be_right(api: Api, document: str) -> None:
    before = api.commands()
    assert set(api.codes(document)) == {"BAD_USER_INPUT"}
    assert api.commands() == before


@pytest.mark.parametrize(
    "document",
    ['{ job(id: "-1") { id } }', '{ jobs(cluster: "nonesuch") { totalCount } }', "{ nonesuch }", "{ jobs"],
)
def test_nothing_is_sent_for_what_names_nothing(api: Api, document: str) -> None:
    before = api.commands()
    assert len(api.codes(document)) == 1
    assert api.commands() == before


@pytest.mark.parametrize(
    "document",
    [
        "{ jobs(filter: {states: [SLEEPING]}) { totalCount } }",
        "{ jobs(filter: {nonesuch: 1}) { totalCount } }",
        "{ jobs(first: 1.5) { totalCount } }",
        "{ jobs(first: 99999999999) { totalCount } }",
        '{ jobs(first: "ten") { totalCount } }',
        "{ jobs { nonesuch } }",
        "{ job { id } }",
        'mutation { submitJob(input: {script: {text: "#!/bin/sh"}, nodes: "two"}) { job { id } } }',
        'mutation { submitJob(input: {script: {text: "#!/bin/sh"}, uid: 0}) { job { id } } }',
    ],
)
def test_what_the_schema_does_not_know_is_refused_by_it(api: Api, document: str) -> None:
    assert bad(api, document)["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


ONE_OF = "Script takes exactly one of text, uri and path, and not null."
MEMBER = "Value for member field 'text' must be non-null. Give exactly one field of its input, and not null."


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ({}, ONE_OF),
        ({"text": SCRIPT, "uri": "s3://a/b"}, ONE_OF),
        ({"text": SCRIPT, "path": None}, ONE_OF),
        ({"text": None}, MEMBER),
    ],
    ids=str,
)
def test_exactly_one_is_given_of_what_excludes_each_other(api: Api, script: dict[str, Any], message: str) -> None:
    before = api.commands()
    literal = re.sub(r'"(\w+)":', r"\1:", json.dumps(script))
    written = bad(api, f"mutation {{ submitJob(input: {{script: {literal}}}) {{ id }} }}")
    passed = bad(api, SUBMIT, {"input": {"script": script}})
    for error in (written, passed):
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert (written["message"][: len(ONE_OF)], passed["message"][: len(message)]) == (ONE_OF, message)
    assert api.commands() == before


def test_a_variable_for_one_of_several_must_not_be_nullable(api: Api) -> None:
    document = "mutation ($text: String) { submitJob(input: {script: {text: $text}}) { id } }"
    error = bad(api, document, {"text": SCRIPT})
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "declare it with ! after its type" in error["message"]


def test_a_document_that_is_not_graphql_is_refused(api: Api) -> None:
    assert bad(api, "{ jobs { ")["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def test_an_unknown_queue_filters_to_nothing_and_is_null_by_name(api: Api) -> None:
    data = api.data('{ queue(name: "nonesuch") { name } node(name: "nonesuch") { name } }')
    assert data == {"queue": None, "node": None}
    assert api.data('{ jobs(filter: {queue: "nonesuch"}) { totalCount } }') == {"jobs": {"totalCount": 0}}


@pytest.mark.parametrize("id", ["4294960000", "67108863", "67108863_4", "67108863_[1-3]", "67108863+1"])
def test_an_unknown_job_is_null(api: Api, id: str) -> None:
    document = "query ($id: ID!) { job(id: $id) { id } jobs(filter: {ids: [$id]}) { totalCount } }"
    assert api.data(document, {"id": id}) == {"job": None, "jobs": {"totalCount": 0}}
