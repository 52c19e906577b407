"""Several clusters behind one API: named, all at once, and one of them dead."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api
from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshot, Snapshots
from local.cluster import Cluster
from local.ssm import Endpoint, Instance
from local.stack import Stack
from resolvers import datasets


@pytest.fixture(scope="module")
def annex(stack: Stack) -> Cluster:
    return stack.clusters["annex"]


@pytest.fixture(scope="module")
def jobs(lab: Cluster, annex: Cluster) -> Iterator[dict[str, str]]:
    """A held job on each cluster; the annex has one of another name, perhaps of the same number."""
    made = {}
    for cluster in (lab, annex):
        user, script = cluster.users[0].name, "#!/bin/bash\ntrue\n"
        options = ["--parsable", "--hold", f"--job-name=only-on-{cluster.name}"]
        made[cluster.name] = cluster.run("sbatch", *options, user=user, input=script).stdout.strip()
    yield made
    for cluster in (lab, annex):
        cluster.run("scancel", made[cluster.name])


@pytest.fixture
def dead_annex(stack: Stack) -> Iterator[Instance]:
    instance = stack.ssm.instances[1]
    instance.stopped = True
    yield instance
    instance.stopped = False


def test_clusters_are_listed_by_name_without_a_command(api: Api) -> None:
    before = api.commands()
    assert api.data("{ clusters { name } cluster { name } }") == {
        "clusters": [{"name": "lab"}, {"name": "annex"}],
        "cluster": {"name": "lab"},
    }
    assert api.commands() == before


def test_each_cluster_has_its_own_jobs(api: Api, jobs: dict[str, str]) -> None:
    data = api.data("""{
      jobs(first: 1000) { nodes { name cluster { name } } }
      there: jobs(cluster: "annex", first: 1000) { nodes { name cluster { name } } }
      cluster(name: "annex") { jobs(first: 1000) { nodes { name cluster { name } } } }
    }""")
    here, there = (
        {"name": "only-on-lab", "cluster": {"name": "lab"}},
        {"name": "only-on-annex", "cluster": {"name": "annex"}},
    )
    assert here in data["jobs"]["nodes"]
    assert there not in data["jobs"]["nodes"]
    assert there in data["there"]["nodes"]
    assert here not in data["there"]["nodes"]
    assert data["cluster"]["jobs"] == data["there"]


def test_an_id_brings_its_cluster_along(api: Api, jobs: dict[str, str]) -> None:
    id = f"annex:{jobs['annex']}"
    assert api.data("query ($id: ID!) { job(id: $id) { id name } }", {"id": id})["job"] == {
        "id": id,
        "name": "only-on-annex",
    }


def test_the_id_of_a_node_or_a_queue_brings_its_cluster_along(api: Api) -> None:
    data = api.data('{ queue(name: "annex:gpu") { id nodes(first: 1) { nodes { id } } } }')["queue"]
    (node,) = data["nodes"]["nodes"]
    assert data["id"] == "annex:gpu"
    document = "query ($name: String!) { node(name: $name) { id } }"
    assert node["id"].startswith("annex:")
    assert api.data(document, {"name": node["id"]})["node"] == node


def test_the_id_of_another_cluster_is_refused_below_a_cluster(api: Api) -> None:
    for field in ('node(name: "annex:gpu-dy-p4d-1")', 'queue(name: "annex:gpu")', 'job(id: "annex:1")'):
        (error,) = api.ask(f"{{ cluster {{ {field} {{ id }} }} }}")["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "does not belong to the cluster lab" in error["message"]


def test_a_bare_id_is_looked_for_on_the_named_cluster(api: Api, jobs: dict[str, str]) -> None:
    document = (
        'query ($id: ID!) { job(cluster: "annex", id: $id) { name } cluster(name: "annex") { job(id: $id) { name } } }'
    )
    named = {"name": "only-on-annex"}
    assert api.data(document, {"id": jobs["annex"]}) == {"job": named, "cluster": {"job": named}}


def test_all_clusters_are_asked_with_one_command_each(api: Api, jobs: dict[str, str], stack: Stack) -> None:
    before = api.commands()
    data = api.data("{ clusters { name slurmVersion jobs { totalCount } queues { name nodes { nodes { name } } } } }")
    assert {cluster["name"]: cluster["jobs"]["totalCount"] > 0 for cluster in data["clusters"]} == {
        "lab": True,
        "annex": True,
    }
    sent = stack.ssm.sends[before:]
    assert sorted(send.instance_ids for send in sent) == sorted((each.id,) for each in stack.ssm.instances)


def test_changes_go_to_the_cluster_of_the_id(api: Api, jobs: dict[str, str], annex: Cluster) -> None:
    document = "mutation ($ids: [ID!]!) { releaseJobs(input: {ids: $ids}) { jobs { id } errors { message } } }"
    id = f"annex:{jobs['annex']}"
    assert api.data(document, {"ids": [id]})["releaseJobs"] == {"jobs": [{"id": id}], "errors": []}
    reason = annex.run("squeue", "-h", "-t", "all", "-j", jobs["annex"], "-o", "%r").stdout.strip()
    assert reason != "JobHeldUser"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ('{ cluster(name: "nowhere") { name } }', ["cluster"]),
        ('{ jobs(cluster: "nowhere") { totalCount } }', ["jobs"]),
        ('{ jobs(cluster: "*") { totalCount } }', ["jobs"]),
        ('{ job(id: "nowhere:1") { id } }', ["job"]),
        ('{ node(name: "nowhere:gpu-dy-p4d-1") { id } }', ["node"]),
        ('{ queue(name: "nowhere:gpu") { id } }', ["queue"]),
    ],
)
def test_an_unknown_cluster_is_refused_with_the_known_names_and_nothing_is_sent(
    document: str, path: list[str], api: Api
) -> None:
    before = api.commands()
    (error,) = api.ask(document)["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert error["message"].endswith("Your clusters: lab, annex.")
    assert error["path"] == path
    assert api.commands() == before


def test_one_dead_cluster_is_null_with_an_error_and_the_others_answer(api: Api, dead_annex: Instance) -> None:
    answer = api.ask("{ clusters { name jobs { totalCount } queues { name } } jobs { totalCount } }")
    lab, annex = answer["data"]["clusters"]
    assert lab["jobs"]["totalCount"] == answer["data"]["jobs"]["totalCount"]
    assert lab["queues"]
    assert annex == {"name": "annex", "jobs": None, "queues": None}
    assert [error["path"] for error in answer["errors"]] == [["clusters", 1, "jobs"], ["clusters", 1, "queues"]]
    for error in answer["errors"]:
        assert error["extensions"] == {"code": "CLUSTER_UNREACHABLE", "cluster": "annex"}
        assert dead_annex.id in error["message"]


def snapshots(environment: dict[str, str], name: str) -> Snapshots:
    settings = Settings.from_environment(environment)
    return Snapshots(HeadNode(Clients(), settings.clusters[name], settings), settings.ttl)


def queues(of: Snapshots) -> Any:
    return of.ask([datasets.QUEUES], Deadline.after(60), "test")[datasets.QUEUES]


def test_a_hybrid_node_is_reached_by_its_fixed_id(stack: Stack, lab: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no EC2 tags, and nothing listens at the address of EC2."""
    hybrid = Instance("mi-0123456789abcdef0", environment=lab.environment, chroot=lab.programs.chroot)
    document = json.dumps(stack.document)
    with Endpoint([hybrid], s3_endpoint=stack.aws.url, directory=stack.directory / "hybrid") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", endpoint.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")
        Clients().ssm.create_document(Name="slurmql", Content=document, DocumentType="Command")
        clusters = json.dumps({"onsite": {"instance": hybrid.id}})
        answer = queues(
            snapshots({**stack.environment, "SLURMQL_CLUSTERS": clusters, "SLURMQL_DEFAULT_CLUSTER": ""}, "onsite")
        )
        assert isinstance(answer, Snapshot), answer
        assert [sent.instance_ids for sent in endpoint.sends] == [(hybrid.id,)]


def test_a_cluster_may_have_another_tag_than_its_name(stack: Stack) -> None:
    environment = {**stack.environment, "SLURMQL_CLUSTERS": '{"short": {"tag": "lab"}}', "SLURMQL_DEFAULT_CLUSTER": ""}
    assert isinstance(queues(snapshots(environment, "short")), Snapshot)


def test_two_head_nodes_with_the_same_tag_are_an_error(api: Api, stack: Stack) -> None:
    for _ in range(2):
        stack.aws.head_node("twins")
    environment = {**stack.environment, "SLURMQL_CLUSTERS": '{"twins": {}}', "SLURMQL_DEFAULT_CLUSTER": ""}
    before = api.commands()
    answer = queues(snapshots(environment, "twins"))
    assert isinstance(answer, ClusterUnreachableError)
    assert str(answer).startswith("EC2 has 2 running head nodes of the cluster twins")
    assert api.commands() == before


def test_a_replaced_head_node_is_found_again(stack: Stack, lab: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSM says that the old one is gone, so nothing ran there: the same request goes to the new one."""
    old, new = (stack.aws.head_node("replaced-cluster") for _ in range(2))
    ec2 = stack.aws.client("ec2")
    ec2.stop_instances(InstanceIds=[new])
    document = json.dumps(stack.document)
    instances = [Instance(id, environment=lab.environment, chroot=lab.programs.chroot) for id in (old, new)]
    with Endpoint(instances, s3_endpoint=stack.aws.url, directory=stack.directory / "replaced") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", endpoint.url)
        Clients().ssm.create_document(Name="slurmql", Content=document, DocumentType="Command")
        clusters = '{"replaced-cluster": {}}'
        environment = {
            **stack.environment,
            "SLURMQL_CLUSTERS": clusters,
            "SLURMQL_DEFAULT_CLUSTER": "",
            "SLURMQL_TTL": "0",
        }
        cluster = snapshots(environment, "replaced-cluster")
        assert isinstance(queues(cluster), Snapshot)
        ec2.stop_instances(InstanceIds=[old])
        ec2.start_instances(InstanceIds=[new])
        instances[0].stopped = True
        assert isinstance(queues(cluster), Snapshot)
        assert [sent.instance_ids for sent in endpoint.sends] == [(old,), (new,)]
