"""A dashboard that polls a trusted document by GET: what is still the same costs no command and no bytes."""

import dataclasses
import hashlib
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from mangum import Mangum

from conftest import Api, event
from local.gateway import Context
from schema import schema
from transport.application import Application
from transport.trusted import Trust, TrustedDocuments

DOCUMENT = "query Dashboard { jobs(first: 5) { totalCount asOf nodes { id state } } queues { name state } }"
DIGEST = hashlib.sha256(DOCUMENT.encode()).hexdigest()


@pytest.fixture
def trusting(api: Api) -> Api:
    """The API with one trusted document, and nothing else to be run."""
    import handler

    http = dataclasses.replace(handler.http, trusted=TrustedDocuments(Trust.REQUIRE, {DIGEST: DOCUMENT}))
    return dataclasses.replace(api, handler=Mangum(Application(schema, http, handler.begin), lifespan="off"))


def poll(api: Api, **headers: str) -> dict[str, Any]:
    made = event("")
    made["requestContext"]["http"]["method"] = "GET"
    made["rawQueryString"] = urlencode({"documentId": DIGEST})
    made["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.handler(made, Context())


def test_what_is_still_the_same_is_not_sent_again(trusting: Api) -> None:
    before = trusting.commands()
    first = poll(trusting)
    assert '"totalCount"' in first["body"]
    again = poll(trusting, if_none_match=first["headers"]["etag"])
    assert (again["statusCode"], again["body"]) == (304, "")
    assert trusting.commands() == before + 1


def test_an_answer_may_be_kept_as_long_as_its_snapshots_are_good(trusting: Api) -> None:
    kept = re.fullmatch(r"private, max-age=([0-4])", poll(trusting)["headers"]["cache-control"])
    assert kept
    later = re.fullmatch(r"private, max-age=([0-4])", poll(trusting)["headers"]["cache-control"])
    assert later and int(later[1]) <= int(kept[1])


def test_a_newer_snapshot_is_sent(trusting: Api) -> None:
    import handler

    tag = poll(trusting)["headers"]["etag"]
    for snapshots in handler.clusters.values():
        snapshots.drop()
    newer = poll(trusting, if_none_match=tag)  # asOf has changed
    assert newer["statusCode"] == 200
    assert newer["headers"]["etag"] != tag


def test_another_caller_has_answers_of_their_own(trusting: Api) -> None:
    assert "Authorization" in poll(trusting)["headers"]["vary"]
