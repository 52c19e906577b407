"""A job's script, array, components, dependencies and priority, compared with Slurm's other commands."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from slurm_words import Values, ask_anew, at_one_moment, lines, say, until

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack

only_root_makes_users = pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
SCRIPT = "#!/bin/bash\n# 'quotes' \"$(id)\" é ✓\n\ttrue\n\n"

Submit = Callable[..., str]


@pytest.fixture(scope="module")
def submit(lab: Cluster) -> Iterator[Submit]:
    """Submits a held job, or one with the given options, and gives its id."""
    made: list[str] = []

    def submit(*options: str, script: str = SCRIPT, user: str = "ada") -> str:
        argv = ["sbatch", "--parsable", "--output=/dev/null", *(options or ("--hold",))]
        made.append(lab.run(*argv, user=user, input=script).stdout.strip())
        return made[-1]

    yield submit
    lab.run("scancel", "--quiet", *made, check=False)


def job(api: Api, id: str, fields: str, **who: str) -> Values:
    found: Values = ask_anew(api, f"query ($id: ID!) {{ job(id: $id) {{ {fields} }} }}", {"id": id}, **who)["job"]
    return found


# --- script ---------------------------------------------------------------------------------------------------------


def test_the_script_is_returned_byte_for_byte(api: Api, lab: Cluster, submit: Submit) -> None:
    one, array = submit(), submit("--hold", "--array=1-2")
    assert job(api, one, "script")["script"] == SCRIPT
    assert job(api, f"{array}_2", "script")["script"] == SCRIPT
    assert lab.run("scontrol", "write", "batch_script", one, "-").stdout == SCRIPT


def test_the_scripts_of_a_list_cost_one_more_command(api: Api, submit: Submit) -> None:
    ids = [submit(script=f"{SCRIPT}# {number}\n") for number in range(5)]
    before = api.commands()
    document = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { script } } }"
    found = ask_anew(api, document, {"ids": ids})["jobs"]["nodes"]
    assert [each["script"] for each in found] == [f"{SCRIPT}# {number}\n" for number in range(5)]
    assert api.commands() == before + 2


def test_a_job_without_a_script_has_none(api: Api, lab: Cluster) -> None:
    lab.run("salloc", "--no-shell", "--constraint=static", "--job-name=no script", user="ada")
    (id,) = lines(lab, "squeue", "-h", "-n", "no script", "-o", "%i")
    try:
        assert job(api, id, "script output { path }") == {"script": None, "output": None}
    finally:
        lab.run("scancel", id)


@only_root_makes_users
def test_only_operators_see_another_users_script(api: Api, submit: Submit) -> None:
    own, others = submit(), submit(user="grace")
    document = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { script } } }"
    answer = api.ask(document, {"ids": [own, others]})
    assert [each["script"] for each in answer["data"]["jobs"]["nodes"]] == [SCRIPT, None]
    assert [(error["extensions"]["code"], error["path"]) for error in answer["errors"]] == [
        ("FORBIDDEN", ["jobs", "nodes", 1, "script"])
    ]
    assert job(api, others, "script", groups="slurmql-operators")["script"] == SCRIPT
    one = "query ($id: ID!) { job(id: $id) { script } }"
    assert api.codes(one, {"id": others}) == ["FORBIDDEN"]  # what an operator saw is kept for operators
    assert api.codes(one, {"id": own}, groups="slurmql-viewers") == ["FORBIDDEN"]


# --- arrays and heterogeneous jobs ----------------------------------------------------------------------------------

ARRAY = """jobId array { id jobId taskCount countsByState { state count }
  tasks(first: 2) { totalCount nodes { jobId state } pageInfo { hasNextPage endCursor } } }"""


def test_an_array_is_counted_task_by_task_as_squeue_lists_them_one_by_one(
    api: Api, lab: Cluster, submit: Submit
) -> None:
    array = submit("--constraint=static", "--array=1-9:2,20-40%2", script="#!/bin/bash\nsleep 300\n")
    listed = ("squeue", "-h", "-t", "all", "-j", array, "-o", "%i")
    until(lambda: Counter(lines(lab, *listed[:-1], "%T"))["RUNNING"] == 2, 60)
    each = Counter(lines(lab, "squeue", "-h", "--array", "-t", "all", "-j", array, "-o", "%T"))
    for id in (array, f"{array}_1", f"{array}_30"):
        found = job(api, id, ARRAY)["array"]
        assert (found["id"], found["jobId"], found["taskCount"]) == (f"lab:{array}", array, each.total())
        assert (
            {count["state"]: count["count"] for count in found["countsByState"]}
            == each
            == {
                "RUNNING": 2,
                "PENDING": 24,
            }
        )
        assert found["countsByState"][0] == {"state": "PENDING", "count": 24}
        assert found["tasks"]["totalCount"] == len(lines(lab, *listed)) == 3
        assert [task["jobId"] for task in found["tasks"]["nodes"]] == [f"{array}_1", f"{array}_3"]


def test_an_array_s_tasks_are_paged_and_filtered(api: Api, lab: Cluster, submit: Submit) -> None:
    array = submit("--constraint=static", "--array=1-3%1", script="#!/bin/bash\nsleep 300\n")
    until(lambda: "RUNNING" in lines(lab, "squeue", "-h", "-j", array, "-o", "%T"), 60)
    rest = f"{array}_[2-3%1]"
    document = """query ($id: ID!, $after: String, $filter: JobFilter, $order: [JobOrder!]) { job(id: $id) { array {
      tasks(first: 1, after: $after, filter: $filter, orderBy: $order) {
        totalCount nodes { jobId } pageInfo { hasNextPage endCursor } } } } }"""

    def tasks(**variables: object) -> Values:
        found: Values = ask_anew(api, document, {"id": array, **variables})["job"]["array"]["tasks"]
        return found

    first = tasks()
    second = tasks(after=first["pageInfo"]["endCursor"])
    assert [page["nodes"][0]["jobId"] for page in (first, second)] == [f"{array}_1", rest]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    waiting = tasks(filter={"states": ["PENDING"]})
    assert (waiting["totalCount"], waiting["nodes"]) == (1, [{"jobId": rest}])
    assert tasks(order=[{"field": "STATE", "direction": "ASC"}])["nodes"] == [{"jobId": rest}]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ("first: -1", "first"),
        ("first: 1001", "first"),
        ('after: "x"', "after"),
        ('filter: {ids: ["-1"]}', "ids"),
    ],
)
def test_a_wrong_page_of_tasks_is_refused_before_anything_is_sent(api: Api, arguments: str, argument: str) -> None:
    before = api.commands()
    document = '{ job(id: "1") { array { tasks(%s) { totalCount } } } }' % arguments  # noqa: UP031 - braces
    (error,) = api.ask(document)["errors"]
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("BAD_USER_INPUT", argument)
    assert api.commands() == before


def test_a_heterogeneous_job_shows_its_components(api: Api, lab: Cluster, submit: Submit) -> None:
    het = submit("--hold", "--nodes=1", ":", "--hold", "--partition=gpu", ":", "--hold", "--cpus-per-task=2")
    for id in (het, f"{het}+2"):
        found = job(api, id, "array { id } components { jobId queueName cpuCount }")
        assert found == {
            "array": None,
            "components": [
                {"jobId": f"{het}+0", "queueName": "queue1", "cpuCount": 1},
                {"jobId": f"{het}+1", "queueName": "gpu", "cpuCount": 1},
                {"jobId": f"{het}+2", "queueName": "queue1", "cpuCount": 2},
            ],
        }
    listed = sorted(lines(lab, "squeue", "-h", "-j", het, "-o", "%i %P %C"))
    assert listed == [f"{het}+0 queue1 1", f"{het}+1 gpu 1", f"{het}+2 queue1 2"]


def test_a_job_on_its_own_has_neither(api: Api, submit: Submit) -> None:
    assert job(api, submit(), "array { id } components { id }") == {"array": None, "components": []}


def test_a_past_job_has_its_details_too(api: Api, lab: Cluster, submit: Submit) -> None:
    array = submit("--constraint=static", "--array=1-2")
    until(lambda: set(lines(lab, "squeue", "-h", "-t", "all", "-j", array, "-o", "%T")) == {"COMPLETED"}, 60)
    fields = """jobId script reasonCode reasonText capacityCode queuePosition output { path } dependencies { kind }
      components { id } array { taskCount tasks { nodes { jobId state } } }"""
    document = f"query ($ids: [ID!]) {{ jobHistory(filter: {{ids: $ids}}) {{ source nodes {{ {fields} }} }} }}"

    def past() -> Values:
        found: Values = ask_anew(api, document, {"ids": [f"{array}_1"]})["jobHistory"]
        return found

    until(lambda: len(past()["nodes"]) == 1, 30)
    tasks = [{"jobId": f"{array}_{task}", "state": "COMPLETED"} for task in (1, 2)]
    nothing = ("reasonCode", "reasonText", "capacityCode", "queuePosition")
    recorded = lab.programs.slurm_version() >= (24, 5)
    assert past() == {
        "source": "ACCOUNTING",
        "nodes": [
            {"jobId": f"{array}_1", "script": SCRIPT, "dependencies": [], "components": []}
            | dict.fromkeys(nothing)
            | {"array": {"taskCount": 2, "tasks": {"nodes": tasks}}}
            | {"output": {"path": "/dev/null" if recorded else None}}
        ],
    }


# --- dependencies ---------------------------------------------------------------------------------------------------


def test_dependencies_are_links_to_jobs(api: Api, lab: Cluster, submit: Submit) -> None:
    one, array = submit("--hold", "--job-name=first"), submit("--hold", "--array=1-3")
    every = submit(f"--dependency=afterok:{one}:{array}_2,after:{one}+5,afterany:{array},singleton")
    fields = "kind state jobId allTasks minutes anySuffices job { jobId name }"
    found = job(api, every, f"dependency dependencies {{ {fields} }}")
    assert (
        f"Dependency={found['dependency']}".replace("(unfulfilled)", "")
        in say(lab, "scontrol", "show", "job", every).replace("(unfulfilled)", "").split()
    )
    first, tasks = {"jobId": one, "name": "first"}, {"jobId": f"{array}_[1-3]", "name": "sbatch"}
    waits = {"state": "UNFULFILLED", "allTasks": False, "minutes": None, "anySuffices": False}
    assert found["dependencies"] == [
        {**waits, "kind": "AFTEROK", "jobId": one, "job": first},
        {**waits, "kind": "AFTEROK", "jobId": f"{array}_2", "job": tasks},
        {**waits, "kind": "AFTER", "jobId": one, "minutes": 5, "job": first},
        {**waits, "kind": "AFTERANY", "jobId": array, "allTasks": True, "job": tasks},
        {**waits, "kind": "SINGLETON", "jobId": None, "job": None},
    ]
    assert job(api, one, "dependencies { kind }") == {"dependencies": []}


def test_a_dependency_that_is_one_of_several_alternatives_is_marked(api: Api, submit: Submit) -> None:
    one, other = submit(), submit()
    either = submit(f"--dependency=afterok:{one}?afternotok:{other}")
    found = job(api, either, "dependencies { kind jobId anySuffices }")["dependencies"]
    assert found == [
        {"kind": "AFTEROK", "jobId": one, "anySuffices": True},
        {"kind": "AFTERNOTOK", "jobId": other, "anySuffices": True},
    ]


# --- priority factors -----------------------------------------------------------------------------------------------


def test_a_cluster_that_ranks_by_order_alone_says_what_to_switch_on(api: Api, lab: Cluster, submit: Submit) -> None:
    assert re.search(r"PriorityType\s+= priority/basic", say(lab, "scontrol", "show", "config"))
    (error,) = api.ask("query ($id: ID!) { job(id: $id) { priorityFactors { age } } }", {"id": submit()})["errors"]
    assert error["extensions"]["code"] == "PRIORITY_FACTORS_DISABLED"
    assert "priority/multifactor" in error["message"]


FORM = "%r|%Y|%A|%B|%F|%J|%P|%Q|%S|%N|%T"
POINTS = ("priority", "age", "association", "fairShare", "jobSize", "queue", "qos", "site", "nice")


@pytest.fixture
def waiting(stack: Stack) -> Iterator[str]:
    """A job that waits in two queues, both down, of the cluster that ranks jobs by factors."""
    annex = stack.clusters["annex"]
    for queue in ("queue1", "gpu"):
        annex.run("scontrol", "update", f"PartitionName={queue}", "State=DOWN")
    argv = ["sbatch", "--parsable", "--nice=7", "--ntasks=3", "--partition=queue1,gpu"]
    id = annex.run(*argv, user="ada", input=SCRIPT).stdout.strip()
    try:
        yield id
    finally:
        annex.run("scancel", id)
        for queue in ("queue1", "gpu"):
            annex.run("scontrol", "update", f"PartitionName={queue}", "State=UP")


def test_priority_factors_are_those_of_sprio(api: Api, stack: Stack, waiting: str) -> None:
    annex = stack.clusters["annex"]

    def said() -> set[str]:
        return {line.replace(" ", "") for line in lines(annex, "sprio", "-h", "-j", waiting, "-o", FORM)}

    until(lambda: len(said()) == 2, 30)
    document = """query ($id: ID!) { job(cluster: "annex", id: $id) { priorityFactors {
      queueName %s tres { name points } } } }""" % " ".join(POINTS)  # noqa: UP031 - braces
    answer, factors, _ = at_one_moment(said, lambda: ask_anew(api, document, {"id": waiting}))
    found = answer["job"]["priorityFactors"]
    told = {
        "|".join(
            [
                row["queueName"],
                *(str(row[name]) for name in POINTS),
                ",".join(f"{each['name']}={each['points']}" for each in row["tres"]),
            ]
        )
        for row in found
    }
    assert told == factors
    assert {row["queueName"] for row in found} == {"queue1", "gpu"}
    assert all(row["nice"] == 7 and row["jobSize"] > 0 and row["tres"] for row in found)


def test_a_job_that_does_not_wait_has_no_factors(api: Api, stack: Stack, waiting: str) -> None:
    held = stack.clusters["annex"].run("sbatch", "--parsable", "--hold", user="ada", input=SCRIPT).stdout.strip()
    document = 'query ($id: ID!) { job(cluster: "annex", id: $id) { priorityFactors { age } } }'
    try:
        assert ask_anew(api, document, {"id": held})["job"] == {"priorityFactors": []}
    finally:
        stack.clusters["annex"].run("scancel", held)


# --- values ---------------------------------------------------------------------------------------------------------


def test_a_job_that_never_started_has_no_exit_code(api: Api, lab: Cluster, submit: Submit) -> None:
    never = submit()
    lab.run("scancel", never)
    until(lambda: lines(lab, "squeue", "-h", "-t", "all", "-j", never, "-o", "%T") == ["CANCELLED"], 30)
    found = job(api, never, "state exitCode exitSignal nodeNames")
    assert found == {"state": "CANCELLED", "exitCode": None, "exitSignal": None, "nodeNames": []}


def test_gpus_per_socket_are_counted(api: Api, lab: Cluster, submit: Submit) -> None:
    options = ("--partition=gpu", "--nodes=2", "--sockets-per-node=1", "--gpus-per-socket=a100:3")
    held = submit("--hold", *options)
    running = submit(*options, "--time=5", script="#!/bin/bash\nsleep 60\n")
    assert job(api, held, "gpuCount gpuType") == {"gpuCount": 6, "gpuType": "a100"}
    until(lambda: "JOB_GRES" in say(lab, "scontrol", "-d", "show", "job", running), 60)
    given = re.findall(r"JOB_GRES=gpu:a100:(\d+)", say(lab, "scontrol", "-d", "show", "job", running))
    assert job(api, running, "gpuCount")["gpuCount"] == int(given[0]) == 6
