"""What a cluster shows of itself agrees with Slurm's own commands; if it cannot be shown, the error says why."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slurm_words import ask_anew, at_one_moment, lines, say, until

from conftest import Api
from headnode.aws import Clients
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from local.cluster import Cluster
from local.cluster.accounts import ACCOUNTS
from local.stack import Stack
from local.suite import Chroot


def facts(api: Api, fields: str, cluster: str = "lab") -> dict[str, Any]:
    """Fields of a cluster, read anew."""
    found: dict[str, Any] = ask_anew(api, f'{{ cluster(name: "{cluster}") {{ {fields} }} }}')["cluster"]
    return found


def errors(api: Api, fields: str, cluster: str = "lab") -> dict[str, Any]:
    """The errors of an answer whose fields are null, by the field."""
    answer = api.ask(f'{{ cluster(name: "{cluster}") {{ {fields} }} }}')
    assert set(answer["data"]["cluster"].values()) == {None}
    return {error["path"][1]: error for error in answer["errors"]}


def key_values(text: str) -> dict[str, str]:
    """`Key=Value` pairs and `Key = value` lines."""
    return dict(re.findall(r"(?m)^(\S+)\s+= (.*)$", text)) or dict(re.findall(r"(\w+)=(\S*)", text))


# --- reservations and licenses --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reservation(lab: Cluster) -> Iterator[str]:
    name = "facts-maintenance"
    lab.run(
        "scontrol", "create", "reservation", f"ReservationName={name}", "StartTime=now+2days", "Duration=90",
        "Users=ada,root", "Nodes=queue1-dy-large-[3-4]", "PartitionName=queue1", "Licenses=matlab:1",
        "Flags=MAINT,IGNORE_JOBS",
    )  # fmt: skip
    yield name
    lab.run("scontrol", "delete", f"ReservationName={name}")


def test_a_reservation_is_as_scontrol_and_sinfo_show_it(api: Api, lab: Cluster, reservation: str) -> None:
    fields = """id name state rawState startTime endTime durationSeconds nodeNames nodeCount coreCount queueName
      features users groups accounts licenses tres flags maxStartDelaySeconds"""
    told = facts(api, f"reservations {{ {fields} }}")["reservations"]
    (given,) = (each for each in told if each["name"] == reservation)
    shown = key_values(say(lab, "scontrol", "show", "reservation", reservation))
    (listed,) = (line.split() for line in lines(lab, "sinfo", "-h", "-T") if line.startswith(reservation))
    start = datetime.fromisoformat(shown["StartTime"] + "+00:00")
    assert datetime.fromisoformat(given["startTime"]) == start
    assert datetime.fromisoformat(given["endTime"]) == start + timedelta(minutes=90)
    assert (listed[1], listed[4]) == ("INACTIVE", "01:30:00")
    assert given == {
        "id": f"lab:{reservation}",
        "name": reservation,
        "state": "INACTIVE",
        "rawState": listed[1],
        "startTime": given["startTime"],
        "endTime": given["endTime"],
        "durationSeconds": 5400,
        "nodeNames": lines(lab, "scontrol", "show", "hostnames", listed[5]),
        "nodeCount": int(shown["NodeCnt"]),
        "coreCount": int(shown["CoreCnt"]),
        "queueName": shown["PartitionName"],
        "features": None,
        "users": shown["Users"].split(","),
        "groups": [],
        "accounts": [],
        "licenses": [shown["Licenses"]],
        "tres": [shown["TRES"]],
        "flags": shown["Flags"].split(","),
        "maxStartDelaySeconds": None,
    }


@pytest.mark.parametrize("link", ["nodes { name }", "queue { name }", "cluster { name }"])
def test_a_reservations_links_can_each_be_asked_for_alone(api: Api, reservation: str, link: str) -> None:
    told = facts(api, f"reservations {{ name {link} }}")["reservations"]
    (given,) = (each for each in told if each.pop("name") == reservation)
    assert given in (
        {"nodes": [{"name": "queue1-dy-large-3"}, {"name": "queue1-dy-large-4"}]},
        {"queue": {"name": "queue1"}},
        {"cluster": {"name": "lab"}},
    )


def test_licenses_are_counted_as_scontrol_counts_them(api: Api, lab: Cluster) -> None:
    submit = ("sbatch", "--parsable", "--licenses=matlab:3", "--constraint=static", "--output=/dev/null")
    job = lab.run(*submit, user="ada", input="#!/bin/bash\nsleep 300\n").stdout.strip()
    try:
        until(lambda: "Used=3" in say(lab, "scontrol", "show", "licenses"), 90)
        fields = "licenses { id name totalCount usedCount freeCount reservedCount isRemote }"
        given, said, _ = at_one_moment(
            lambda: key_values(say(lab, "scontrol", "show", "licenses")), lambda: facts(api, fields)["licenses"]
        )
        assert given == [
            {
                "id": "lab:matlab",
                "name": said["LicenseName"],
                "totalCount": int(said["Total"]),
                "usedCount": 3,
                "freeCount": int(said["Free"]),
                "reservedCount": int(said["Reserved"]),
                "isRemote": False,
            }
        ]
    finally:
        lab.run("scancel", job)


def test_a_cluster_without_any_has_empty_lists(api: Api) -> None:
    assert facts(api, "reservations { name } licenses { name }", "annex") == {"reservations": [], "licenses": []}


# --- accounts -------------------------------------------------------------------------------------------------------


def test_qos_and_accounts_are_as_they_were_entered(api: Api) -> None:
    told = facts(
        api,
        "qos { id name priority maxTimeSeconds maxJobsPerUser } accounts { nodes { name description organization } }",
    )
    (urgent,) = (each for each in told["qos"] if each["name"] == "urgent")
    assert urgent == {
        "id": "lab:urgent",
        "name": "urgent",
        "priority": 1000,
        "maxTimeSeconds": 86400,
        "maxJobsPerUser": 8,
    }
    # slurmdbd writes all of it in small letters.
    entered = {(account.name, account.description.lower(), account.organization) for account in ACCOUNTS}
    given = {(each["name"], each["description"].lower(), each["organization"]) for each in told["accounts"]["nodes"]}
    assert given == entered | {("root", "default root account", "root")}


def test_associations_have_their_limits_and_belong_to_this_cluster(api: Api, lab: Cluster) -> None:
    lab.run("sacctmgr", "-iQ", "add", "cluster", "another")  # which shares the books
    try:
        given = facts(
            api, "associations { nodes { id idNumber clusterName account user shares maxTres maxJobs maxTimeSeconds } }"
        )
        said = lines(lab, "sacctmgr", "-nP", "show", "assoc", "cluster=lab", "format=id,account,user,fairshare")
        told = given["associations"]["nodes"]
        assert {each["clusterName"] for each in told} == {"lab"}
        assert sorted(
            f"{each['idNumber']}|{each['account']}|{each['user'] or ''}|{each['shares']}" for each in told
        ) == (sorted(said))
        own = {each["account"]: each for each in told if each["user"] is None}
        assert own["genomics"]["maxTres"] == ["cpu=64"]
        assert (own["climate"]["maxJobs"], own["climate"]["maxTimeSeconds"]) == (50, 2880 * 60)
        assert own["physics"]["id"] == f"lab:{own['physics']['idNumber']}"
    finally:
        lab.run("sacctmgr", "-iQ", "delete", "cluster", "another")


def test_associations_of_a_user_and_an_account_and_those_of_an_account_itself(api: Api) -> None:
    one = facts(api, 'associations(user: "ada", account: "physics") { nodes { account user } }')["associations"][
        "nodes"
    ]
    assert one == [{"account": "physics", "user": "ada"}]
    assert facts(api, 'associations(user: "nobody-here") { nodes { id } }')["associations"]["nodes"] == []
    accounts = facts(api, "accounts { nodes { name associations { nodes { account user } } } }")["accounts"]["nodes"]
    (physics,) = (each for each in accounts if each["name"] == "physics")
    assert {"account": "physics", "user": None} in physics["associations"]["nodes"]
    assert one[0] in physics["associations"]["nodes"]
    assert {each["account"] for each in physics["associations"]["nodes"]} == {"physics"}


@pytest.mark.parametrize("field", ["qos { name }", "accounts { nodes { name } }", "associations { nodes { id } }"])
def test_without_accounting_the_error_says_what_to_switch_on(api: Api, field: str) -> None:
    (error,) = errors(api, field, "annex").values()
    assert error["extensions"]["code"] == "ACCOUNTING_DISABLED"
    assert "AccountingStorageType=accounting_storage/slurmdbd" in error["message"]


def test_where_jobs_are_not_ranked_by_shares_the_error_says_what_to_switch_on(api: Api, lab: Cluster) -> None:
    assert "PriorityType            = priority/basic" in say(lab, "scontrol", "show", "config")
    (error,) = errors(api, "fairShare { nodes { account } }").values()
    assert error["extensions"]["code"] == "FAIR_SHARE_DISABLED"
    assert "PriorityType=priority/multifactor" in error["message"]


def test_without_accounting_there_are_no_shares(api: Api) -> None:
    assert (
        errors(api, "fairShare { nodes { account } }", "annex")["fairShare"]["extensions"]["code"]
        == "FAIR_SHARE_DISABLED"
    )


@pytest.mark.parametrize("field", ["associations", "fairShare"])
@pytest.mark.parametrize("argument", ["user", "account"])
def test_an_impossible_name_is_refused_and_nothing_is_sent(api: Api, field: str, argument: str) -> None:
    before = api.commands()
    for wrong in ("", "a,b", "--all", " a", r"a\tb"):
        (error,) = errors(api, f'{field}({argument}: "{wrong}") {{ nodes {{ account }} }}').values()
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert api.commands() == before


@pytest.mark.parametrize("argument", ["user", "account"])
def test_a_name_with_a_blank_is_looked_for(api: Api, argument: str) -> None:
    assert facts(api, f'associations({argument}: "a b") {{ nodes {{ id }} }}')["associations"]["nodes"] == []
    (error,) = errors(api, f'fairShare({argument}: "a b") {{ nodes {{ account }} }}').values()
    assert error["extensions"]["code"] == "FAIR_SHARE_DISABLED"


# --- statistics and configuration -----------------------------------------------------------------------------------


def test_statistics_are_those_of_sdiag(api: Api, lab: Cluster) -> None:
    def look() -> dict[str, int]:
        return {
            label.strip(): int(number) for label, number in re.findall(r"(?m)^(Jobs \w+): *(\d+)$", say(lab, "sdiag"))
        }

    names = ("Submitted", "Started", "Completed", "Canceled", "Failed", "Pending", "Running")
    labels = {f"jobs{name}".replace("Canceled", "Cancelled"): f"Jobs {name.lower()}" for name in names}
    given, said, _ = at_one_moment(look, lambda: facts(api, f"statistics {{ since asOf {' '.join(labels)} }}"))
    told = given["statistics"]
    assert {name: told[name] for name in labels} == {name: said[label] for name, label in labels.items()}
    since = re.search(r"Data since .*\((\d+)\)", say(lab, "sdiag"))
    assert since
    assert datetime.fromisoformat(told["since"]) == datetime.fromtimestamp(int(since[1]), UTC)
    assert abs(datetime.fromisoformat(told["asOf"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_configuration_is_slurm_confs(api: Api, lab: Cluster) -> None:
    told = facts(
        api,
        """configuration { slurmVersion clusterName accountingEnabled minJobAgeSeconds maxJobCount maxArraySize
        maxJobId schedulerType selectType selectTypeParameters priorityType gresTypes suspendTimeSeconds }
        slurmVersion""",
    )
    shown = key_values(say(lab, "scontrol", "show", "config"))
    assert told["configuration"] == {
        "slurmVersion": told["slurmVersion"],
        "clusterName": "lab",
        "accountingEnabled": True,
        "minJobAgeSeconds": int(shown["MinJobAge"].removesuffix(" sec")),
        "maxJobCount": 10_000,
        "maxArraySize": int(shown["MaxArraySize"]),
        "maxJobId": int(shown["MaxJobId"]),
        "schedulerType": "backfill",
        "selectType": shown["SelectType"].removeprefix("select/"),
        "selectTypeParameters": shown["SelectTypeParameters"].split(","),
        "priorityType": "basic",
        "gresTypes": ["gpu"],
        "suspendTimeSeconds": 20,
    }
    assert lab.run("sinfo", "--version").stdout.split()[-1] == told["slurmVersion"]
    assert facts(api, "configuration { accountingEnabled }", "annex")["configuration"] == {"accountingEnabled": False}


# --- a cluster that ranks jobs by shares ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def third(stack: Stack, chroot: Chroot | None) -> Iterator[Stack]:
    """A third cluster, `ranked`, behind the API, that ranks jobs by fair share and enforces limits."""
    import handler

    settings = {
        "PriorityType": "priority/multifactor",
        "PriorityWeightFairShare": "1000",
        "AccountingStorageEnforce": "associations,limits,qos",
    }
    cluster = Cluster(stack.directory / "ranked", "ranked", accounting=True, settings=settings, chroot=chroot)
    with Stack(stack.directory / "third", [cluster]) as third, pytest.MonkeyPatch.context() as patch:
        known = Settings.from_environment(third.environment)
        node = HeadNode(_clients(third), known.clusters["ranked"], known)
        patch.setitem(handler.rules.rules, "ranked", handler.rules.rules["lab"])
        patch.setitem(handler.clusters, "ranked", Snapshots(node, known.ttl))
        yield third


def _clients(of: Stack) -> Clients:
    """Clients of that AWS. They read the variables when they are made, so clients made later are not affected."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in of.environment.items():
            patch.setenv(name, value)
        clients = Clients()
        assert all((clients.ssm, clients.ec2, clients.s3))
        return clients


@pytest.fixture(scope="module")
def ranked(third: Stack) -> Cluster:
    return third.clusters["ranked"]


def test_shares_are_those_of_sshare(api: Api, ranked: Cluster) -> None:
    fields = "account user shares normalizedShares rawUsage effectiveUsage fairShare levelFairShare"
    told = facts(api, f"fairShare {{ nodes {{ {fields} }} }}", "ranked")["fairShare"]["nodes"]
    printed = [line.split() for line in lines(ranked, "sshare", "-h", "-a", "-o", "Account,User%20,RawShares,RawUsage")]
    assert [(each["account"], each["user"]) for each in told if each["user"]] == sorted(
        (row[0], row[1]) for row in printed if len(row) == 4
    )
    shares = {each["account"]: each["shares"] for each in told if each["user"] is None}
    assert shares == {"root": None, "pcdefault": 1, "genomics": 40, "physics": 20, "climate": 10}
    normalized = {each["account"]: each["normalizedShares"] for each in told if each["user"] is None}
    assert normalized["genomics"] == pytest.approx(40 / 72, abs=1e-5)  # root itself has one
    assert all(0 <= each["fairShare"] <= 1 for each in told if each["user"])
    uses = {(row[0], row[1]): float(row[2]) if row[2] else None for row in norm_usage(ranked)}
    given = {
        (each["account"], each["user"] or ""): each["normalizedUsage"]
        for each in facts(api, "fairShare { nodes { account user normalizedUsage } }", "ranked")["fairShare"]["nodes"]
    }
    assert given == pytest.approx(uses, abs=1e-5)
    own = facts(api, 'fairShare(user: "ada", account: "physics") { nodes { account user shares } }', "ranked")[
        "fairShare"
    ]["nodes"]
    assert own == [{"account": "physics", "user": "ada", "shares": 1}]


def norm_usage(cluster: Cluster) -> list[list[str]]:
    """Account, user and share of all use, by sshare."""
    printed = lines(cluster, "sshare", "-h", "-P", "-a", "-o", "Account,User,NormUsage")
    return [[word.strip() for word in line.split("|")] for line in printed]


def test_what_jobs_hold_counts_as_squeue_counts_it(api: Api, ranked: Cluster) -> None:
    submit = ("sbatch", "--parsable", "--account=genomics", "--qos=urgent", "--output=/dev/null", "--constraint=static")
    jobs = [
        ranked.run(*submit, *options, user="ada", input="#!/bin/bash\nsleep 300\n").stdout.strip()
        for options in (["--cpus-per-task=2"], ["--hold"])
    ]
    try:
        until(lambda: lines(ranked, "squeue", "-h", "-j", jobs[0], "-o", "%T") == ["RUNNING"], 90)
        use = "runningJobCount submittedJobCount usedTres"
        told = facts(
            api, f'associations(account: "genomics") {{ nodes {{ user {use} }} }} qos {{ name {use} }}', "ranked"
        )
        (whole,) = (each for each in told["associations"]["nodes"] if each["user"] is None)
        (urgent,) = (each for each in told["qos"] if each["name"] == "urgent")
        for counted, option in ((whole, "--account=genomics"), (urgent, "--qos=urgent")):
            assert counted["runningJobCount"] == len(lines(ranked, "squeue", "-h", option, "--states=R"))
            assert counted["submittedJobCount"] == len(lines(ranked, "squeue", "-h", option))
            assert {"cpu=2", "node=1"} <= set(counted["usedTres"])
    finally:
        ranked.run("scancel", *jobs)


ALL_OF_IT = """
  jobs(first: 1000) { totalCount nodes { jobId user state queue { name } nodes { name } %s } }
  queues { name nodes { nodes { name } } } nodes { totalCount nodes { name jobs { jobId } } } reservations { name }
  licenses { name }
  jobHistory(filter: { nameContains: "together" }) { source nodes { jobId state maxRssMib %s } }
  qos { name usedTres } accounts { nodes { name associations { nodes { user } } } } associations { nodes { user } }
  fairShare { nodes { account fairShare } }
  statistics { jobsRunning } configuration { maxArraySize } health { ok }"""


@pytest.fixture(scope="module")
def together(ranked: Cluster) -> Iterator[list[str]]:
    """Ten jobs that have ended, each with a line of output, and one that runs with a step."""
    submit = ("sbatch", "--parsable", "--job-name=together", "--ntasks=1", "--constraint=static")
    lines_of_ten = [
        ranked.run(*submit, user="ada", input="#!/bin/sh\necho $SLURM_JOB_ID\n").stdout.strip() for _ in range(10)
    ]
    running = ranked.run(*submit, "--output=/dev/null", user="ada", input="#!/bin/sh\nsrun sleep 600\n").stdout.strip()

    def settled() -> bool:
        """A step's record may come before its job's: accounting then has the job, but not yet its name and times.

        The running job is past its first second: before that it has no elapsed time to compute a share of.
        """
        told = lines(
            ranked, "sacct", "-n", "-a", "-P", "-o", "JobID,State,ElapsedRaw", "--name=together", "-S", "now-1hours"
        )
        rows = {job: (state, int(seconds or 0)) for job, state, seconds in (row.split("|") for row in told)}
        unheard = ("", 0)
        ended = all(rows.get(job, unheard)[0] == "COMPLETED" for job in lines_of_ten)
        (of_job, seconds), (of_step, _) = rows.get(running, unheard), rows.get(f"{running}.0", unheard)
        return ended and (of_job, of_step) == ("RUNNING", "RUNNING") and seconds > 0

    until(settled, 120)
    yield [*lines_of_ten, running]
    ranked.run("scancel", running)


def test_where_no_limits_are_enforced_what_counts_against_them_is_unknown_not_zero(api: Api, lab: Cluster) -> None:
    assert "AccountingStorageEnforce = none" in say(lab, "scontrol", "show", "config").replace("  ", "")
    use = "runningJobCount submittedJobCount usedTres"
    told = facts(api, f"associations {{ nodes {{ {use} }} }} qos {{ {use} }}")
    nothing = {"runningJobCount": None, "submittedJobCount": None, "usedTres": None}
    assert all(each == nothing for each in [*told["associations"]["nodes"], *told["qos"]])


def test_all_that_is_known_of_a_cluster_costs_one_command(api: Api, third: Stack, together: list[str]) -> None:
    before = len(third.ssm.sends)
    told = facts(api, ALL_OF_IT % ("", ""), "ranked")
    assert len(third.ssm.sends) == before + 1
    assert None not in told.values()
    assert told["health"] == {"ok": True}
    assert {job["jobId"] for job in told["jobs"]["nodes"]} >= set(together)
    assert {job["jobId"] for job in told["jobHistory"]["nodes"]} == set(together)
    assert told["jobHistory"]["source"] == "ACCOUNTING"


def test_with_the_output_of_ten_jobs_and_what_running_ones_use_it_costs_two(
    api: Api, third: Stack, together: list[str]
) -> None:
    """The first command finds out which files to read, and which running steps the page shows."""
    before = len(third.ssm.sends)
    of_jobs, of_past_jobs = "output { text } efficiency { cpu }", "steps { stepId maxRssMib } efficiency { memory cpu }"
    deeper = f"""queues {{ jobs {{ nodes {{ output(lines: 1) {{ text }} }} }} }}
      job(id: {together[0]}) {{ script output(stream: STDERR) {{ text }} steps {{ stepId }} }}"""
    told = facts(api, ALL_OF_IT % (of_jobs, of_past_jobs) + deeper, "ranked")
    assert len(third.ssm.sends) == before + 2
    assert told["job"]["script"] == "#!/bin/sh\necho $SLURM_JOB_ID\n"
    written = {job["jobId"]: job["output"]["text"] for job in told["jobs"]["nodes"] if job["jobId"] in together[:10]}
    assert written == {id: f"{id}\n" for id in together[:10]}
    (running,) = (job for job in told["jobHistory"]["nodes"] if job["jobId"] == together[10])
    assert [step["stepId"] for step in running["steps"]] == [f"{together[10]}.batch", f"{together[10]}.0"]
    assert running["efficiency"]["cpu"] is not None


def test_a_dead_slurmdbd_is_reported_and_the_rest_is_answered(api: Api, ranked: Cluster) -> None:
    """The last test of this cluster: its slurmdbd stays down."""
    ranked.run("sacctmgr", "shutdown")
    until(lambda: ranked.run("sacctmgr", "-n", "show", "cluster", check=False).returncode != 0, 30)
    answer = ask_all(
        api, "accounts { nodes { name } } queues { name } health { ok scheduler { ok } accounting { ok message code } }"
    )
    assert answer["data"]["cluster"]["queues"]
    assert answer["data"]["cluster"]["accounts"] is None
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "SCHEDULER_UNAVAILABLE"
    assert "slurmdbd does not answer" in error["message"]
    health = answer["data"]["cluster"]["health"]
    assert (health["ok"], health["scheduler"]) == (False, {"ok": True})
    assert (health["accounting"]["ok"], health["accounting"]["code"]) == (False, "ACCOUNTING_UNAVAILABLE")
    assert health["accounting"]["message"]


def ask_all(api: Api, fields: str) -> dict[str, Any]:
    """The whole answer of the third cluster, read anew."""
    import handler

    handler.clusters["ranked"].drop()
    return api.ask(f'{{ cluster(name: "ranked") {{ {fields} }} }}')


# --- the network ----------------------------------------------------------------------------------------------------

TOPOLOGY = "topology { name level linkSpeed nodeNames switchNames }"
SWITCHES = """SwitchName=leaf0 Nodes=queue1-st-small-[1-2] LinkSpeed=100
SwitchName=leaf1 Nodes=queue1-dy-large-[1-4]
SwitchName=spine Switches=leaf[0-1]
"""


@pytest.fixture
def switched(ranked: Cluster) -> Cluster:
    """The third cluster, with a tree of switches from now on."""
    configuration = ranked.directory / "etc" / "slurm.conf"
    configuration.write_text(configuration.read_text() + "TopologyPlugin=topology/tree\n")
    configuration.with_name("topology.conf").write_text(SWITCHES)
    ranked.stop_controller()
    ranked.start_controller()
    return ranked


def test_a_cluster_without_a_topology_plugin_has_no_switches(api: Api) -> None:
    assert facts(api, TOPOLOGY)["topology"] == []


def test_switches_are_those_of_scontrol(api: Api, switched: Cluster) -> None:
    told = facts(api, TOPOLOGY, "ranked")["topology"]
    shown = [key_values(line) for line in lines(switched, "scontrol", "show", "topology")]
    assert [each["name"] for each in told] == [line["SwitchName"] for line in shown] == ["leaf0", "leaf1", "spine"]
    assert [each["level"] for each in told] == [int(line["Level"]) for line in shown] == [0, 0, 1]
    assert [each["linkSpeed"] for each in told] == [int(line["LinkSpeed"]) for line in shown]
    assert told[0]["linkSpeed"] == 100
    for each, line in zip(told, shown, strict=True):
        assert each["nodeNames"] == lines(switched, "scontrol", "show", "hostnames", line["Nodes"])
    assert len(told[2]["nodeNames"]) == 6
    assert [each["switchNames"] for each in told] == [[], [], ["leaf0", "leaf1"]]
