"""Trusted documents: named by their SHA-256, kept by clients, or the only ones there are."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from http_call import PLAIN, SETTINGS, Answer, ask, call

from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.registered_documents import PACKED_LIMIT, RegisteredDocuments
from headnode.settings import SettingsError
from local.aws import CREDENTIALS, TABLE, Aws
from resolvers.context import RequestContext
from transport.application import Http
from transport.trusted import Trust, TrustedDocuments, trusted_documents

WHO = "query Who { viewer { identity } }"
HOLD = 'mutation Hold { holdJobs(input: {ids: ["1"]}) { errors { code } } }'
BROKEN = "query Broken { nodes(first: -1) { totalCount } }"
OTHER = "{ __typename }"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


LISTED = {sha256(text): text for text in (WHO, HOLD, BROKEN)}
ACCEPT = replace(PLAIN, trusted=TrustedDocuments(Trust.ACCEPT, LISTED))
REQUIRE = replace(PLAIN, trusted=TrustedDocuments(Trust.REQUIRE, LISTED))


def named(digest: str, http: Http, **also: object) -> Answer:
    return call(body=json.dumps({"documentId": digest, **also}), http=http)


def apollo(digest: str, http: Http, **also: object) -> Answer:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    return call(body=json.dumps({"extensions": extensions, **also}), http=http)


def got(digest: str, http: Http = ACCEPT, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call("GET", query=urlencode({"documentId": digest}), headers=named, http=http)


@pytest.mark.parametrize("http", [ACCEPT, REQUIRE])
def test_a_trusted_document_goes_by_its_digest(http: Http) -> None:
    for answer in (
        named(sha256(WHO), http),
        named(f"sha256:{sha256(WHO)}", http),
        named(sha256(WHO).upper(), http),
        apollo(sha256(WHO), http),
        apollo(sha256(WHO), http, query=WHO),
        ask(WHO, http=http),
        got(sha256(WHO), http),
        call(
            "GET",
            query=urlencode({"extensions": json.dumps({"persistedQuery": {"sha256Hash": sha256(WHO)}})}),
            http=http,
        ),
    ):
        assert (answer.status, answer.json["data"]) == (200, {"viewer": {"identity": "ada"}})


@pytest.mark.parametrize("http", [ACCEPT, REQUIRE])
@pytest.mark.parametrize("digest", [sha256(OTHER), "", "x", "sha256:", "../../etc/passwd"])
def test_an_unknown_digest_is_told(digest: str, http: Http) -> None:
    if digest:
        assert named(digest, http).codes == apollo(digest, http).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    else:
        assert named(digest, http).status == 400


def test_where_they_are_required_nothing_else_is_run() -> None:
    assert ask(OTHER, http=REQUIRE).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert ask(WHO + " ", http=REQUIRE).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert apollo(sha256(OTHER), REQUIRE, query=OTHER).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert call("GET", query=urlencode({"query": OTHER}), http=REQUIRE).codes == ["PERSISTED_QUERY_NOT_FOUND"]


def test_where_they_are_accepted_any_document_is_run() -> None:
    assert ask(OTHER, http=ACCEPT).json["data"] == {"__typename": "Query"}
    assert apollo(sha256(OTHER), ACCEPT, query=OTHER).json["data"] == {"__typename": "Query"}


def test_a_digest_must_be_its_documents_own() -> None:
    answer = apollo(sha256(WHO), ACCEPT, query=OTHER)
    assert answer.codes == ["BAD_USER_INPUT"]
    (error,) = answer.json["errors"]
    assert (error["message"], "SHA-256" in error["extensions"]["reason"]) == ("provided sha does not match query", True)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_of_the_protocol_is_refused_in_apollo_s_words(version: object) -> None:
    extensions = {"persistedQuery": {"version": version, "sha256Hash": sha256(WHO)}}
    answer = call(body=json.dumps({"extensions": extensions}), http=ACCEPT)
    assert answer.status == 400
    assert answer.json["errors"][0]["message"] == "Unsupported persisted query version"


def test_where_there_are_none_a_client_is_told_to_send_the_document() -> None:
    assert apollo(sha256(WHO), PLAIN).codes == ["PERSISTED_QUERY_NOT_SUPPORTED"]
    assert apollo(sha256(WHO), PLAIN, query=WHO).json["data"] == {"viewer": {"identity": "ada"}}


def test_clients_compare_the_whole_message() -> None:
    """urql compares the message, Apollo's clients the message or the code: nothing may be added to it."""
    for answer, said in (
        (apollo(sha256(OTHER), ACCEPT), "PersistedQueryNotFound"),
        (apollo(sha256(OTHER), REQUIRE), "PersistedQueryNotFound"),
        (ask(OTHER, http=REQUIRE), "PersistedQueryNotFound"),
        (apollo(sha256(WHO), PLAIN), "PersistedQueryNotSupported"),
    ):
        (error,) = answer.json["errors"]
        assert error["message"] == said
        assert error["extensions"]["reason"].endswith(".")


def test_a_trusted_answer_may_be_kept_and_asked_for_again() -> None:
    first = got(sha256(WHO))
    assert first.headers["cache-control"] == "private, max-age=0"
    tag = first.headers["etag"]
    for known in (tag, f'"x", {tag}', "*"):
        again = got(sha256(WHO), if_none_match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert got(sha256(WHO), if_none_match='W/"other"').status == 200


def test_no_other_answer_may_be_kept() -> None:
    for answer in (
        named(sha256(WHO), ACCEPT),
        got(sha256(BROKEN)),
        call("GET", query=urlencode({"query": OTHER}), http=ACCEPT),
        call("GET", query=urlencode({"query": WHO}), http=PLAIN),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


def test_a_trusted_change_needs_a_post() -> None:
    assert got(sha256(HOLD)).status == 405


@pytest.mark.parametrize("spelling", ["{digest}", "sha256:{digest}"])
def test_the_list_is_what_client_builds_write(spelling: str, tmp_path: Path) -> None:
    file = tmp_path / "persisted-documents.json"
    file.write_text(json.dumps({spelling.format(digest=sha256(text)): text for text in (WHO, HOLD)}))
    documents = trusted_documents(Trust.REQUIRE, file)
    assert documents.by_digest == {sha256(text): text for text in (WHO, HOLD)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no persisted-documents.json"),
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ('{"a": 1}', "a JSON object"),
        (json.dumps({hashlib.sha1(WHO.encode()).hexdigest(): WHO}), "is not the SHA-256"),  # noqa: S324 - it is wrong
        (json.dumps({sha256(WHO): OTHER}), "is not the SHA-256"),
    ],
)
def test_a_list_that_cannot_be_right_stops_the_start(content: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "persisted-documents.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=said):
        trusted_documents(Trust.ACCEPT, file)
    assert trusted_documents(Trust.OFF, file) == TrustedDocuments()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with Aws(tmp_path_factory.mktemp("aws") / "moto.log") as running, pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_DYNAMODB": running.url}.items():
            patch.setenv(name, value)
        yield running


def clients() -> Clients:
    """The clients of a sandbox that has started."""
    made = Clients()
    made.make(replace(SETTINGS, table=TABLE))
    return made


def sandbox() -> Http:
    """A sandbox of a deployment where clients register documents: it has read nothing from the table yet."""
    registered = RegisteredDocuments(clients(), TABLE)
    return replace(PLAIN, trusted=TrustedDocuments(Trust.REGISTER, {sha256(WHO): WHO}, registered))


def items(aws: Aws) -> list[str]:
    """The keys of the documents in the table."""
    return [item["key"]["S"] for item in aws.client("dynamodb").scan(TableName=TABLE)["Items"]]


def registering(text: str, http: Http) -> Answer:
    return apollo(sha256(text), http, query=text)


def test_a_document_is_registered_for_all_sandboxes(aws: Aws) -> None:
    text = "query Registered { __typename }"
    assert apollo(sha256(text), sandbox()).json["errors"][0]["message"] == "PersistedQueryNotFound"
    assert registering(text, sandbox()).json["data"] == {"__typename": "Query"}
    for answer in (apollo(sha256(text), sandbox()), named(sha256(text), sandbox()), got(sha256(text), sandbox())):
        assert answer.json["data"] == {"__typename": "Query"}
        assert answer.headers["cache-control"] == "no-store"
    (item,) = [each for each in aws.client("dynamodb").scan(TableName=TABLE)["Items"] if "packed" in each]
    assert int(item["expires"]["N"]) > 1_700_000_000


@pytest.mark.parametrize(
    "text",
    [
        "query Broken {",
        "query NoSuchField { nothing }",
        "query Limited { " + "__typename " * 30 + "}",
        "subscription Listen { jobs { totalCount } }",
        "query Variable($n: Int!) { nodes(first: $n) { totalCount } }",
    ],
)
def test_a_document_that_cannot_be_run_is_not_registered(text: str, aws: Aws) -> None:
    before = items(aws)
    assert "data" not in registering(text, sandbox()).json
    assert items(aws) == before
    assert apollo(sha256(text), sandbox()).codes == ["PERSISTED_QUERY_NOT_FOUND"]


def test_a_document_is_registered_only_for_someone_who_is_signed_in_and_asks_for_it(aws: Aws) -> None:
    def nobody(scope: object) -> RequestContext:
        return RequestContext({}, SETTINGS, None, Deadline.after(10), "request-1")

    before, text = items(aws), "query Unsigned { viewer { identity } }"
    body = {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}}
    assert call(body=json.dumps(body), http=sandbox(), begin=nobody).codes == ["UNAUTHENTICATED"]
    assert ask(text, http=sandbox()).status == 200
    assert registering(WHO, sandbox()).status == 200  # it is on the list
    assert apollo(sha256(OTHER), sandbox(), query=text).codes == ["BAD_USER_INPUT"]
    assert items(aws) == before


def test_the_table_holds_a_bounded_number_of_documents_and_none_that_is_long(aws: Aws) -> None:
    before = items(aws)
    noise = "".join(sha256(str(n)) for n in range(800))
    assert registering(f'query Long {{ cluster(name: "{noise}") {{ name }} }}', sandbox()).status == 200
    assert items(aws) == before
    assert len(zlib.compress(noise.encode(), 9)) > PACKED_LIMIT
    documents = RegisteredDocuments(clients(), TABLE)
    same_place = "abcd" + "0" * 60  # what is there is another document
    documents.register("abcd" + "1" * 60, OTHER)
    assert documents.find(same_place) is None
    assert documents.find("x") is documents.find(sha256("")) is None


@pytest.mark.parametrize("table", ["no-such-table", TABLE])
def test_without_its_table_the_client_sends_the_document_again(
    table: str, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    if table == TABLE:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    documents = TrustedDocuments(Trust.REGISTER, {}, RegisteredDocuments(clients(), table))
    http = replace(PLAIN, trusted=documents)
    text = "query Elsewhere { __typename }"
    assert apollo(sha256(text), http).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert registering(text, http).json["data"] == {"__typename": "Query"}


def test_registration_needs_a_table_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SLURMQL_TABLE"):
        trusted_documents(Trust.REGISTER, tmp_path / "none.json")
    documents = trusted_documents(Trust.REGISTER, tmp_path / "none.json", RegisteredDocuments(Clients(), TABLE))
    assert documents.registered is not None
    for trust in (Trust.ACCEPT, Trust.REQUIRE):
        file = tmp_path / "persisted-documents.json"
        file.write_text("{}")
        assert trusted_documents(trust, file, documents.registered).registered is None
