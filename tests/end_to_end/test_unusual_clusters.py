"""Clusters that are not set up like ParallelCluster's: odd names, private data, no accounting."""

from collections.abc import Iterator
from typing import Any

import pytest
from slurm_words import until

from conftest import Api
from headnode.aws import Clients
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from local.cluster import Cluster
from local.stack import Stack
from local.suite import Chroot

OPERATORS = "slurmql-operators"
HIDDEN = {"PrivateData": "jobs,nodes,usage,users,accounts,reservations,events"}
RANKED = {"PriorityType": "priority/multifactor", "PriorityWeightAge": "100"}


@pytest.fixture(scope="module")
def others(stack: Stack, chroot: Chroot | None) -> Iterator[Stack]:
    """Two more clusters behind the API: `odd` with odd names, `hidden` with all of PrivateData."""
    import handler

    folder = stack.directory / "unusual"
    clusters = [
        Cluster(folder / "odd", "odd", accounting=True, settings=RANKED, chroot=chroot),
        Cluster(folder / "hidden", "hidden", accounting=True, settings={**RANKED, **HIDDEN}, chroot=chroot),
    ]
    with Stack(folder, clusters) as running, pytest.MonkeyPatch.context() as patch:
        known = Settings.from_environment(running.environment)
        for cluster in clusters:
            patch.setitem(handler.rules.rules, cluster.name, handler.rules.rules["lab"])
            shared = Snapshots.of(_clients(running), known.clusters[cluster.name], known)
            patch.setitem(handler.clusters, cluster.name, shared)
        yield running


def _clients(of: Stack) -> Clients:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in of.environment.items():
            patch.setenv(name, value)
        clients = Clients()
        assert all((clients.ssm, clients.ec2, clients.s3, clients.dynamodb))
        return clients


@pytest.fixture
def odd(others: Stack) -> Cluster:
    return others.clusters["odd"]


@pytest.fixture
def hidden(others: Stack) -> Cluster:
    return others.clusters["hidden"]


def of(api: Api, cluster: str, fields: str) -> dict[str, Any]:
    """The fields of a cluster, read anew; the answer has no errors."""
    _forget()
    data: dict[str, Any] = api.data(f'{{ cluster(name: "{cluster}") {{ {fields} }} }}', groups=OPERATORS)["cluster"]
    return data


def answer(api: Api, cluster: str, fields: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fields of a cluster, read anew, and the errors."""
    _forget()
    told = api.ask(f'{{ cluster(name: "{cluster}") {{ {fields} }} }}', groups=OPERATORS)
    return told["data"]["cluster"], told.get("errors", [])


def _forget() -> None:
    import handler

    for snapshots in handler.clusters.values():
        snapshots.drop()


# --- records with blanks, bars and newlines -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["allowgroups=domain users"],
        ["allowaccounts=physics,with space"],
        ["allowaccounts=new\nline"],
        ["denyaccounts=tab\tand blank"],
        ["allowqos=urgent,no such"],
    ],
)
def test_a_blank_in_what_a_partition_allows_costs_nothing(api: Api, odd: Cluster, words: list[str]) -> None:
    fields = 'queues { name state maxNodes nodeNames cpuCounts { total } } queue(name: "gpu") { name }'
    before = of(api, "odd", fields)
    odd.run("scontrol", "update", "partition=queue1", *words, check=False)
    try:
        assert of(api, "odd", fields) == before
    finally:
        restored = ["allowgroups=ALL", "allowqos=ALL", "denyaccounts=", "allowaccounts=ALL"]
        for word in restored:
            odd.run("scontrol", "update", "partition=queue1", word, check=False)


def test_a_partition_that_cannot_be_read_costs_itself(api: Api, odd: Cluster) -> None:
    odd.run("scontrol", "update", "partition=queue1", "allowaccounts=x MaxTime=5")
    try:
        data, (error,) = answer(api, "odd", 'queues { name } queue(name: "gpu") { name state }')
        assert data == {"queues": [{"name": "gpu"}], "queue": {"name": "gpu", "state": "UP"}}
        about = error["extensions"]
        assert (about["code"], about["dataset"], about["recordsLeftOut"]) == ("UNREADABLE_OUTPUT", "queues", 1)
        assert "AllowAccounts=x MaxTime=5" in about["scheduler"][0]
        assert "path" not in error
    finally:
        odd.run("scontrol", "update", "partition=queue1", "allowaccounts=ALL")


def test_what_administrators_write_of_accounts_and_qos_shifts_no_column(api: Api, odd: Cluster) -> None:
    add = ("sacctmgr", "-i", "add")
    odd.run(*add, "account", "weird", "Description=a|b\nc", "Organization=x|y")
    odd.run(*add, "account", "pi|pe", "Description=d", "Organization=o")
    odd.run(*add, "account", "with space", "Description=d", "Organization=o")
    odd.run(*add, "user", "ada", "account=with space")
    odd.run(*add, "qos", "q s|t")
    until(lambda: "pi|pe" in odd.run("sshare", "-nPa").stdout, 30)
    accounts = {
        each["name"]: each
        for each in of(api, "odd", "accounts { nodes { name description organization } }")["accounts"]["nodes"]
    }
    assert accounts["weird"] == {"name": "weird", "description": "a|b\nc", "organization": "x|y"}
    assert accounts["pi|pe"] == {"name": "pi|pe", "description": "d", "organization": "o"}
    assert accounts["physics"]["description"] == "plasma in a torus"
    data = of(
        api,
        "odd",
        'associations(account: "with space") { nodes { account user parentAccount shares qos } }'
        ' bar: associations(account: "pi|pe") { nodes { account user parentAccount shares usedWallSeconds } }'
        ' qos { name priority } fairShare(account: "pi|pe") { nodes { account user shares } }',
    )
    assert [(each["account"], each["user"], each["parentAccount"]) for each in data["associations"]["nodes"]] == [
        ("with space", None, "root"),
        ("with space", "ada", None),
    ]
    bar = {"account": "pi|pe", "user": None, "parentAccount": "root", "shares": 1, "usedWallSeconds": 0}
    assert data["bar"]["nodes"] == [bar]
    assert {"name": "q s|t", "priority": 0} in data["qos"]
    assert data["fairShare"]["nodes"] == [{"account": "pi|pe", "user": None, "shares": 1}]


# --- names as arguments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two words", "dollar$x", "back\\slash", "at@x", "eq=x", "pi|pe", "perc%nt"])
def test_a_reservation_of_that_name_is_made_used_and_deleted(api: Api, odd: Cluster, name: str) -> None:
    create = """mutation ($input: CreateReservationInput!) { createReservation(input: $input) {
      reservation { name users } errors { message } } }"""
    wanted = {
        "name": name,
        "until": {"durationSeconds": 600},
        "cluster": "odd",
        "nodes": {"count": 1},
        "users": [odd.users[0].name],
        "flags": ["OVERLAP"],
        "startTime": "2040-01-01T00:00:00Z",
    }
    made = api.data(create, {"input": wanted}, groups=OPERATORS)["createReservation"]
    assert made == {"reservation": {"name": name, "users": [odd.users[0].name]}, "errors": []}
    submit = """mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
      job { jobId } errors { message } } }"""
    script = {"cluster": "odd", "script": {"text": "#!/bin/bash\ntrue\n"}, "hold": True, "reservation": name}
    submitted = api.data(submit, {"input": script}, user=odd.users[0].name)["submitJob"]
    assert submitted["errors"] == []
    job = submitted["job"]["jobId"]
    printed = odd.run("squeue", "-h", "-j", job, "-O", "Reservation:~").stdout
    assert printed.strip() == f"{name}~"
    odd.run("scancel", job)
    until(lambda: odd.run("squeue", "-h", "-j", job, "-t", "PD").stdout == "", 30)
    delete = (
        'mutation ($name: String!) { deleteReservation(input: {cluster: "odd", name: $name}) { errors { message } } }'
    )
    deleted = api.data(delete, {"name": name}, groups=OPERATORS)["deleteReservation"]["errors"]
    assert deleted == [] or "in use" in deleted[0]["message"]  # by the job that has ended, for MinJobAge


@pytest.mark.parametrize("name", ["with blank", "do$lar@x\\y"])
def test_jobs_are_charged_to_accounts_of_such_names(api: Api, odd: Cluster, name: str) -> None:
    odd.run("sacctmgr", "-i", "add", "account", name, "Description=d", "Organization=o", check=False)
    odd.run("sacctmgr", "-i", "add", "user", odd.users[0].name, f"account={name}", check=False)
    submit = """mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
      job { jobId account } errors { message } } }"""
    script = {"cluster": "odd", "script": {"text": "#!/bin/bash\ntrue\n"}, "hold": True, "account": name}
    submitted = api.data(submit, {"input": script}, user=odd.users[0].name)["submitJob"]
    assert submitted["errors"] == []
    job = submitted["job"]["jobId"]
    assert odd.run("squeue", "-h", "-j", job, "-O", "UserName:~").stdout.strip() == f"{odd.users[0].name}~"
    odd.run("scancel", job)


# --- private data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        "jobs { totalCount }",
        'job(id: "1") { jobId }',
        "nodes { totalCount }",
        "queues { name }",
        "reservations { name }",
        "associations { nodes { account } }",
        "qos { name }",
        "fairShare { nodes { account } }",
    ],
)
def test_what_private_data_hides_is_an_error_that_names_the_reader(api: Api, hidden: Cluster, fields: str) -> None:
    hidden.run("sbatch", "--hold", "--wrap", "true", user=hidden.users[0].name)
    data, errors = answer(api, "hidden", fields)
    assert list(data.values()) == [None]
    assert {error["extensions"]["code"] for error in errors} == {"READER_NOT_PERMITTED"}
    assert all("Reader" in error["message"] and "PrivateData" in error["message"] for error in errors)


def test_a_change_to_a_job_that_private_data_hides_says_why_the_job_is_not_shown(api: Api, hidden: Cluster) -> None:
    script = '{text: "#!/bin/sh\\ntrue\\n"}'
    submitted = f'submitJob(input: {{cluster: "hidden", script: {script}, hold: true}}) {{ id job {{ id }} warnings }}'
    payload = api.data(f"mutation {{ {submitted} }}")["submitJob"]
    assert payload["job"] is None
    (warning,) = payload["warnings"]
    assert "PrivateData" in warning
    cancelled = f'cancelJobs(input: {{jobs: {{ids: ["{payload["id"]}"]}}}}) {{ ids jobs {{ id }} warnings }}'
    assert api.data(f"mutation {{ {cancelled} }}")["cancelJobs"] == {
        "ids": [payload["id"]],
        "jobs": [],
        "warnings": [warning],
    }


def test_health_says_that_private_data_hides_things(api: Api, hidden: Cluster) -> None:
    check = of(api, "hidden", "health { ok privateData { ok message code } scheduler { ok } }")["health"]
    assert (check["ok"], check["scheduler"]["ok"]) == (False, True)
    assert (check["privateData"]["ok"], check["privateData"]["code"]) == (False, "READER_NOT_PERMITTED")
    for words in ("jobs", "reservations", "nobody", "parameter Reader"):
        assert words in check["privateData"]["message"]


def test_where_nothing_is_hidden_health_says_so(api: Api) -> None:
    well = {"ok": True, "message": None, "code": None}
    assert of(api, "lab", "health { privateData { ok message code } }")["health"]["privateData"] == well


# --- what a cluster cannot tell -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cluster", "fields", "code"),
    [
        ("annex", "qos { name }", "ACCOUNTING_DISABLED"),
        ("annex", "accounts { nodes { name } }", "ACCOUNTING_DISABLED"),
        ("annex", "fairShare { nodes { account } }", "FAIR_SHARE_DISABLED"),
        ("hidden", "nodes { totalCount }", "READER_NOT_PERMITTED"),
    ],
)
def test_what_a_cluster_cannot_tell_is_kept_like_an_answer(
    api: Api, others: Stack, cluster: str, fields: str, code: str
) -> None:
    _forget()
    endpoint = others.ssm if cluster == "hidden" else api.ssm
    before = len(endpoint.sends)
    for _ in range(8):
        document = f'{{ cluster(name: "{cluster}") {{ {fields} }} }}'
        assert {error["extensions"]["code"] for error in api.ask(document, groups=OPERATORS)["errors"]} == {code}
    assert len(endpoint.sends) - before == 1
