"""jobsEnded: one request that waits for jobs, in the place of a client's loop."""

import time
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster

DOCUMENT = """query ($ids: [ID!]!, $when: EndedWhen! = ALL, $seconds: Int! = 20) {
  jobsEnded(ids: $ids, when: $when, timeoutSeconds: $seconds) {
    done jobs { id state exitCode } notRemembered asOf } }"""


def submit(lab: Cluster, script: str, *options: str) -> str:
    argv = ["sbatch", "--parsable", "--constraint=static", "--output=/dev/null", *options]
    return lab.run(*argv, user="ada", input=f"#!/bin/sh\n{script}\n").stdout.strip()


def ended(api: Api, *ids: str, **variables: Any) -> tuple[dict[str, Any], float]:
    """The answer and the seconds that it took."""
    began = time.monotonic()
    answer: dict[str, Any] = api.data(DOCUMENT, {"ids": ids, **variables})["jobsEnded"]
    return answer, time.monotonic() - began


def test_the_answer_comes_when_the_job_has_ended(api: Api, lab: Cluster) -> None:
    id = submit(lab, "sleep 2; exit 3")
    answer, _ = ended(api, id)
    assert answer["done"]
    assert answer["jobs"] == [{"id": f"lab:{id}", "state": "FAILED", "exitCode": 3}]
    assert answer["notRemembered"] == []


def test_one_of_several_or_all_of_them(api: Api, lab: Cluster) -> None:
    short, long = submit(lab, "true"), submit(lab, "sleep 100")
    answer, _ = ended(api, short, long, when="ANY")
    assert answer["done"]
    states = {job["id"]: job["state"] for job in answer["jobs"]}
    assert states.keys() == {f"lab:{short}", f"lab:{long}"}
    assert states[f"lab:{short}"] == "COMPLETED"
    assert answer["jobs"][0]["id"] == f"lab:{long}", "those that have not ended come first"
    answer, seconds = ended(api, short, long, seconds=3)
    assert not answer["done"]
    assert seconds < 6
    lab.run("scancel", long, user="ada")
    answer, _ = ended(api, short, long)
    assert answer["done"]


def test_it_waits_also_where_snapshots_are_kept_for_longer(
    api: Api, lab: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    import handler

    monkeypatch.setattr(handler.clusters["lab"], "ttl", 60.0)
    id = submit(lab, "sleep 100")
    answer, seconds = ended(api, id, seconds=3)
    assert not answer["done"]
    assert 3 <= seconds < 10
    lab.run("scancel", id, user="ada")


def test_an_array_has_ended_when_all_its_tasks_have(api: Api, lab: Cluster) -> None:
    id = submit(lab, "sleep $SLURM_ARRAY_TASK_ID", "--array=0,2")
    answer, _ = ended(api, f"lab:{id}")
    assert answer["done"]
    assert sorted(job["id"] for job in answer["jobs"]) == [f"lab:{id}_0", f"lab:{id}_2"]


def test_what_nobody_remembers_is_named_and_not_waited_for(api: Api, lab: Cluster) -> None:
    answer, seconds = ended(api, "99999")
    assert (answer["done"], answer["jobs"], answer["notRemembered"]) == (True, [], ["lab:99999"])
    assert seconds < 10


def test_many_waiters_cost_what_one_costs(api: Api, lab: Cluster) -> None:
    id = submit(lab, "sleep 6")
    before = api.commands()
    waits = " ".join(f"wait{number}: jobsEnded(ids: [{id}]) {{ done asOf }}" for number in range(8))
    answers = api.data(f"{{ {waits} }}").values()
    assert len(answers) == 8
    assert all(answer["done"] for answer in answers)
    assert len({answer["asOf"] for answer in answers}) == 1
    assert api.commands() - before <= 9, "one look a second"


@pytest.mark.parametrize(
    ("variables", "argument"),
    [
        ({"ids": []}, "ids"),
        ({"ids": ["1"] * 201}, "ids"),
        ({"ids": ["x y"]}, "ids"),
        ({"ids": ["1"], "seconds": 21}, "timeoutSeconds"),
        ({"ids": ["1"], "seconds": -1}, "timeoutSeconds"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    api: Api, variables: dict[str, Any], argument: str
) -> None:
    before = api.commands()
    answer = api.ask(DOCUMENT, variables)
    assert [error["extensions"] for error in answer["errors"]] == [{"code": "BAD_USER_INPUT", "argument": argument}]
    assert api.commands() == before
