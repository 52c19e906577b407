"""What the filters of jobs find on a real Slurm, by the scheduler and by accounting."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from slurm_words import until

from conftest import Api
from local.cluster import Cluster


@dataclass(frozen=True)
class Filtered:
    """The ids of three jobs."""

    good: str
    bad: str
    held: str


@pytest.fixture(scope="module")
def filtered(lab: Cluster) -> Iterator[Filtered]:
    def submit(name: str, script: str, *options: str) -> str:
        words = ["sbatch", "--parsable", f"--job-name={name}", "--output=/dev/null", *options]
        return lab.run(*words, user="ada", input=f"#!/bin/bash\n{script}\n").stdout.strip()

    good = submit("filter-good", "exit 0", "--constraint=static", "--comment=of interest")
    lab.run("scontrol", "update", f"JobId={good}", "AdminComment=seen, by root")
    bad = submit("filter-bad", "exit 3", "--constraint=static")
    held = submit("filter-held", "exit 0", "--hold", "--cpus-per-task=2")
    until(lambda: states(lab, good, bad) == {"COMPLETED", "FAILED"}, 60)
    yield Filtered(good, bad, held)
    lab.run("scancel", held)


def states(lab: Cluster, *ids: str) -> set[str]:
    return set(lab.run("squeue", "-h", "-t", "all", "-j", ",".join(ids), "-o", "%T").stdout.split())


def found(api: Api, field: str, ids: Filtered, condition: str) -> set[str]:
    where = f'ids: ["{ids.good}", "{ids.bad}", "{ids.held}"], {condition}'
    nodes = api.data(f"{{ {field}(filter: {{{where}}}) {{ nodes {{ jobId }} }} }}")[field]["nodes"]
    return {node["jobId"] for node in nodes}


def test_both_sources_find_the_same_jobs(api: Api, filtered: Filtered) -> None:
    good, bad, held = filtered.good, filtered.bad, filtered.held
    # slurmdbd may record a job's end before its start, and with it the name.
    recorded = 'phases: [ENDED], names: ["filter-good", "filter-bad"]'
    until(lambda: found(api, "jobHistory", filtered, recorded) == {good, bad}, 20)
    expected = {
        "phases: [ENDED]": {good, bad},
        "phases: [WAITING]": {held},
        "phases: [ACTIVE]": set(),
        "succeeded: true": {good},
        "succeeded: false": {bad},
        'names: ["filter-bad", "filter-held", "filter"]': {bad, held},
        'endedAfter: "2020-01-01T00:00:00Z"': {good, bad},
        'endedAfter: "2100-01-01T00:00:00Z"': set(),
        'updatedAfter: "2020-01-01T00:00:00Z"': {good, bad, held},
        'updatedAfter: "2100-01-01T00:00:00Z"': set(),
        "elapsedSeconds: {atLeast: 0, atMost: 10000}": {good, bad, held},
        "elapsedSeconds: {atLeast: 10000}": set(),
        "cpuCount: {atLeast: 2}": {held},
        "cpuCount: {atMost: 1}, nodeCount: {atLeast: 1, atMost: 1}": {good, bad},
        "gpuCount: {atMost: 0}": {good, bad, held},
        "gpuCount: {atLeast: 1}": set(),
        "reasonCodes: [JOB_HELD_USER]": {held},
    }
    assert {condition: found(api, "jobs", filtered, condition) for condition in expected} == expected
    past = {condition: jobs - {held} for condition, jobs in expected.items()}  # sacct leaves out what was always held
    assert {condition: found(api, "jobHistory", filtered, condition) - {held} for condition in expected} == past


def test_a_comment_is_found_by_the_scheduler_alone(api: Api, filtered: Filtered) -> None:
    assert found(api, "jobs", filtered, 'comment: "of interest"') == {filtered.good}
    document = '{ jobHistory(filter: {comment: "of interest"}) { totalCount } }'
    before = api.commands()
    (error,) = api.ask(document)["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("BAD_USER_INPUT", "comment")
    assert api.commands() == before


def test_what_an_administrator_noted_is_shown_by_both(api: Api, filtered: Filtered) -> None:
    by_id = f'(filter: {{ids: ["{filtered.good}"]}}) {{ nodes {{ adminComment }} }}'
    until(lambda: api.data(f"{{ jobHistory{by_id} }}")["jobHistory"]["nodes"][0]["adminComment"] is not None, 20)
    noted = api.data(f"{{ jobs{by_id} jobHistory{by_id} }}")
    assert [each["nodes"] for each in noted.values()] == [[{"adminComment": "seen, by root"}]] * 2


def test_a_history_reaches_back_to_the_time_in_its_filter(api: Api, filtered: Filtered) -> None:
    """Without `since` it would begin a day ago."""
    document = '{ jobHistory(filter: {endedAfter: "%s", names: ["filter-good"]}) { nodes { jobId } } }'
    assert filtered.good in str(api.data(document % "2020-01-01T00:00:00Z"))
    assert api.data(document % "2100-01-01T00:00:00Z")["jobHistory"]["nodes"] == []
