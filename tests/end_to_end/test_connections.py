"""Connections, as clients of Relay page through them."""

from typing import Any

import pytest
from slurm_words import until

from conftest import Api
from local.cluster import Cluster

ROWS = """{ totalCount
  edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""


@pytest.fixture(scope="module", autouse=True)
def jobs(lab: Cluster) -> None:
    """Several jobs have ended, by the scheduler and by accounting."""
    files = ("--constraint=static", "--output=/dev/null")
    for _ in range(5):
        lab.run("sbatch", *files, user="ada", input="#!/bin/sh\ntrue\n")
    listed = ("sacct", "-a", "-X", "-n", "-P", "-o", "JobID,End")
    until(lambda: lab.run(*listed).stdout.count("T") >= 5, 60)


def pages(api: Api, document: str) -> list[dict[str, Any]]:
    """All pages of two rows of the connection, whose name is `list` in the document."""
    found: list[dict[str, Any]] = []
    after = None
    while not found or found[-1]["pageInfo"]["hasNextPage"]:
        answer = api.data(document, {"after": after})
        found.append(answer.get("list") or answer["queue"]["list"])
        after = found[-1]["pageInfo"]["endCursor"]
    return found


@pytest.mark.parametrize(
    "selection",
    [
        "list: jobs(first: 2, after: $after, orderBy: {field: NAME, direction: DESC}) %s",
        "list: jobHistory(first: 2, after: $after) %s",
        "list: nodes(first: 2, after: $after) %s",
        'queue(name: "queue1") { list: nodes(first: 2, after: $after) %s }',
    ],
)
def test_the_pages_are_the_whole_list(api: Api, selection: str) -> None:
    found = pages(api, f"query ($after: String) {{ {selection % ROWS} }}")
    assert len(found) > 1
    ids = [edge["node"]["id"] for page in found for edge in page["edges"]]
    assert ids == [node["id"] for page in found for node in page["nodes"]]
    assert len(ids) == len(set(ids)) == found[0]["totalCount"]
    for number, page in enumerate(found):
        cursors = [edge["cursor"] for edge in page["edges"]]
        assert page["pageInfo"] == {
            "hasNextPage": number + 1 < len(found),
            "hasPreviousPage": number > 0,
            "startCursor": cursors[0],
            "endCursor": cursors[-1],
        }
