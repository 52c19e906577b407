"""However much one document asks, it costs a cluster one SSM command; within the TTL none."""

import math
import time

from conftest import Api

EVERYTHING = """{
  viewer { role }
  cluster { slurmVersion asOf }
  facts: cluster {
    reservations { name nodes { name } queue { name } } licenses { name } qos { name usedTres }
    accounts { nodes { name associations { nodes { user } } } } associations { nodes { account user } }
    statistics { jobsRunning }
    configuration { maxArraySize } health { ok agent { ok } scheduler { ok } snapshots { name } }
  }
  queues {
    name nodes { nodes { name jobs { id user queue { name } } } }
    nodeCounts { state count } jobs(first: 5) { totalCount }
  }
  jobs { totalCount countsByState { state count } nodes { id queue { name } nodes { state queues { name } } } }
  nodes { nodes { name queues { name } jobs { id } } }
  job(id: "1") { state steps { name } }
  detail: jobs { nodes {
    reasonCode reasonText capacityCode queuePosition stdoutPath stderrPath components { id }
    array { taskCount countsByState { count } tasks(first: 2) { totalCount } } dependencies { kind job { id } } } }
  jobHistory { totalCount source nodes { id maxRssMib cpuTimeSeconds restartCount queue { name } } }
}"""


def test_jobs_queues_and_nodes_nested_both_ways_cost_one_command(api: Api) -> None:
    before = api.commands()
    api.data(EVERYTHING)
    assert api.commands() == before + 1


def test_priority_factors_beside_jobs_cost_one_command(api: Api) -> None:
    before = api.commands()
    api.data('{ jobs(cluster: "annex") { nodes { priority queuePosition priorityFactors { age } } } }')
    assert api.commands() == before + 1


def test_the_same_query_within_the_ttl_costs_none(api: Api) -> None:
    api.data(EVERYTHING)
    before = api.commands()
    api.data(EVERYTHING)
    assert api.commands() == before


def test_how_often_to_ask_costs_none_and_follows_how_long_the_answer_took(api: Api) -> None:
    before = api.commands()
    assert api.data("{ suggestedPollSeconds }")["suggestedPollSeconds"] >= 5
    assert api.commands() == before
    started = time.monotonic()
    asked = api.data("{ jobs { totalCount } suggestedPollSeconds cluster { suggestedPollSeconds } }")
    took = time.monotonic() - started
    assert asked["suggestedPollSeconds"] == asked["cluster"]["suggestedPollSeconds"]
    assert 5 <= asked["suggestedPollSeconds"] <= max(5, math.ceil(5 * took))
