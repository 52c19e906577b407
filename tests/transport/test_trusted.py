"""Trusted documents: named by their SHA-256, kept by clients, or the only ones there are."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from http_call import PLAIN, Answer, ask, call

from headnode.settings import SettingsError
from transport.application import Http
from transport.trusted import Trust, TrustedDocuments, trusted_documents

WHO = "query Who { viewer { identity } }"
HOLD = 'mutation Hold { holdJobs(ids: ["1"]) { errors { code } } }'
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
    assert apollo(sha256(WHO), ACCEPT, query=OTHER).codes == ["BAD_USER_INPUT"]


def test_where_there_are_none_a_client_is_told_to_send_the_document() -> None:
    assert apollo(sha256(WHO), PLAIN).codes == ["PERSISTED_QUERY_NOT_SUPPORTED"]
    assert apollo(sha256(WHO), PLAIN, query=WHO).json["data"] == {"viewer": {"identity": "ada"}}


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
