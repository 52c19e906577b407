"""3,000 waiting jobs: more than Systems Manager carries, so the answer goes through the bucket, whole."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conftest import Api
from headnode.replies import unpack
from local.aws import BUCKET
from local.cluster import Cluster
from local.stack import Stack

COUNT = 3000
SSM_LIMIT = 24_000
"""Characters of stdout that Systems Manager gives back."""

PAGE = """query ($first: Int, $after: String, $orderBy: [JobOrder!]) {
  jobs(cluster: "annex", filter: {queue: "gpu", user: "grace"}, first: $first, after: $after, orderBy: $orderBy) {
    totalCount
    countsByState { state count }
    pageInfo { hasNextPage endCursor }
    nodes { jobId name state reason }
  }
}"""


@pytest.fixture(scope="module")
def waiting(stack: Stack) -> Iterator[dict[str, str]]:
    """The names of 3,000 held jobs by their ids."""
    annex = stack.clusters["annex"]
    names = [f"étape {number} {number**5 % 99991:x}" for number in range(COUNT)]
    halves = names[: COUNT // 2], names[COUNT // 2 :]
    try:
        with ThreadPoolExecutor(2) as pool:
            ids = [id for half in pool.map(lambda half: _submit(annex, half), halves) for id in half]
        yield dict(zip(ids, names, strict=True))
    finally:
        annex.run("scancel", "--user=grace", "--partition=gpu")


# A shell's loop, as a process of Python's for each of 3,000 jobs takes twice the time.
_LOOP = """while read -r name; do
  "$1" --parsable --hold --partition=gpu --job-name="$name" --wrap=true </dev/null || exit
done"""


def _submit(cluster: Cluster, names: list[str]) -> list[str]:
    argv = ["bash", "-c", _LOOP, "loop", cluster.programs.path("sbatch")]
    loop = cluster.run(*argv, user="grace", input="\n".join(names) + "\n")
    return loop.stdout.split()


def ask(api: Api, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = api.data(PAGE, variables)["jobs"]
    return page


def all_pages(api: Api, **variables: Any) -> list[dict[str, Any]]:
    """The jobs of every page, one page after the other."""
    page = ask(api, **variables)
    jobs: list[dict[str, Any]] = page["nodes"]
    while page["pageInfo"]["hasNextPage"]:
        page = ask(api, after=page["pageInfo"]["endCursor"], **variables)
        jobs += page["nodes"]
    return jobs


def answers(stack: Stack) -> dict[str, int]:
    """The sizes of the answers in the bucket."""
    pages = stack.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="answers/")
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


@pytest.mark.timeout(300)  # sbatch takes 3,000 times some hundredths of a second
def test_a_page_of_a_thousand_has_the_total_count(api: Api, waiting: dict[str, str]) -> None:
    page = ask(api, first=1000)
    assert page["totalCount"] == COUNT
    assert page["countsByState"] == [{"state": "PENDING", "count": COUNT}]
    assert [(job["jobId"], job["name"]) for job in page["nodes"]] == sorted(
        waiting.items(), key=lambda item: int(item[0])
    )[:1000]
    assert {job["reason"] for job in page["nodes"]} == {"JobHeldUser"}


def test_all_pages_together_have_every_job_once(api: Api, waiting: dict[str, str]) -> None:
    jobs = all_pages(api, first=1000)
    assert len(jobs) == COUNT
    assert {job["jobId"]: job["name"] for job in jobs} == waiting


def test_pages_in_another_order_have_every_job_once(api: Api, waiting: dict[str, str]) -> None:
    jobs = all_pages(api, first=700, orderBy=[{"field": "NAME", "direction": "DESC"}])
    assert [job["name"] for job in jobs] == sorted(waiting.values(), reverse=True)
    assert {job["jobId"] for job in jobs} == set(waiting)


def test_the_answer_went_through_the_bucket_whole(api: Api, stack: Stack, waiting: dict[str, str]) -> None:
    before = answers(stack)
    assert ask(api, first=1)["totalCount"] == COUNT
    (key,) = answers(stack).keys() - before.keys()
    body = stack.aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert len(body) > SSM_LIMIT
    listed, *others = (reply["stdout"] for reply in unpack(body)["replies"])
    assert [name for name in waiting.values() if name not in listed] == []
    # The configuration and the reader come with the jobs, as PrivateData may hide some of them; then they are kept.
    if others:
        configuration, reader = others
        assert configuration.startswith("Configuration data as of ")
        assert reader == "nobody"
    sent = stack.ssm.sends[-1]
    printed = stack.ssm_client().get_command_invocation(CommandId=sent.command_id, InstanceId=sent.instance_ids[0])
    assert len(printed["StandardOutputContent"]) < 500


def test_the_whole_answer_costs_one_command(api: Api, waiting: dict[str, str]) -> None:
    before = api.commands()
    assert ask(api, first=1000)["totalCount"] == COUNT
    assert api.commands() == before + 1
