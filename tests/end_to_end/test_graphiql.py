"""GraphiQL as a browser gets it: its page and its files, from the Lambda alone."""

import re
from pathlib import Path
from typing import Any

import pytest

from conftest import Api, event
from local.cluster import Cluster
from local.gateway import Context

WEB = Path(__file__).parents[2] / "web"


def get(api: Api, path: str) -> dict[str, Any]:
    request = event("")
    request["rawPath"] = request["requestContext"]["http"]["path"] = path
    request["requestContext"]["http"]["method"] = "GET"
    request["headers"] = {"accept": "text/html"}
    return api.handler(request, Context())


def test_the_page_and_all_that_it_names_are_served(api: Api) -> None:
    page = get(api, "/graphql")
    assert page["statusCode"] == 200
    assert page["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page["headers"]["content-security-policy"]
    assert "http" not in page["headers"]["content-security-policy"]
    names = re.findall(r'(?:src|href)="(graphiql/[^"]+)"', page["body"])
    types = {get(api, f"/{name}")["headers"]["content-type"].partition(";")[0] for name in names}
    assert types == {"text/javascript", "text/css", "image/svg+xml"}


def test_a_file_may_be_kept_for_good(api: Api) -> None:
    (name,) = re.findall(r'src="(graphiql/[^"]+)"', get(api, "/graphql")["body"])
    file = get(api, f"/{name}")
    assert file["statusCode"] == 200
    assert "immutable" in file["headers"]["cache-control"]


@pytest.mark.parametrize(
    "name",
    ["nope.js", "", "../src/page.jsx", "..%2fsrc%2fpage.jsx", "../../pyproject.toml", "/etc/passwd", "x/../index.html"],
)
def test_nothing_but_its_files_is_served(name: str, api: Api) -> None:
    assert get(api, f"/graphiql/{name}")["statusCode"] == 404


def test_the_first_query_shows_waiting_jobs_and_why_before_all_others(api: Api, lab: Cluster) -> None:
    id = lab.run("sbatch", "--parsable", "--hold", user="ada", input="#!/bin/bash\ntrue\n").stdout.strip()
    found = api.data((WEB / "src" / "first.graphql").read_text())
    lab.run("scancel", id)
    assert next(iter(found)) == "waiting"
    assert "It is held. Release it" in next(
        job["reasonText"] for job in found["waiting"]["nodes"] if job["jobId"] == id
    )
    assert {job["state"] for job in found["waiting"]["nodes"]} == {"PENDING"}
    assert "PENDING" not in {job["state"] for job in found["active"]["nodes"]}
