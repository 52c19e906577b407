"""Every field of a QOS, an association, the configuration and the statistics, compared with Slurm's own tools."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from slurm_words import Values, ask_anew, at_one_moment, own_fields, say

from conftest import Api
from local.cluster import Cluster
from local.stack import Stack
from resolvers import datasets

DAY = 86400


def fact(api: Api, field: str, type_name: str) -> Any:
    """A field of the cluster with every field of its own, read anew; of a connection its rows."""
    own = " ".join(sorted(own_fields(type_name)))
    if field == "associations":
        return ask_anew(api, f"{{ cluster {{ {field} {{ nodes {{ {own} }} }} }} }}")["cluster"][field]["nodes"]
    return ask_anew(api, f"{{ cluster {{ {field} {{ {own} }} }} }}")["cluster"][field]


@pytest.fixture(scope="module")
def limited(lab: Cluster) -> Iterator[str]:
    """The name of a QOS and of an account that have every limit there is."""
    lab.run(
        "sacctmgr", "-iQ", "add", "qos", "limited", "Priority=5", "GraceTime=120", "Preempt=normal",
        "PreemptMode=requeue", "Flags=DenyOnLimit,NoDecay", "UsageFactor=2", "UsageThreshold=0.5",
        "GrpTRES=cpu=100,mem=100G", "GrpTRESMins=cpu=1000", "GrpTRESRunMins=cpu=50", "GrpJobs=11", "GrpSubmitJobs=12",
        "GrpWall=10-00:00:00", "MaxTRES=node=3", "MaxTRESPerNode=cpu=2", "MaxWall=400-00:00:00", "MaxTRESPerUser=cpu=8",
        "MaxJobsPerUser=13", "MaxSubmitJobsPerUser=14", "MaxTRESPerAccount=cpu=9", "MaxJobsPerAccount=15",
        "MaxSubmitJobsPerAccount=16", "MinTRESPerJob=cpu=1",
    )  # fmt: skip
    lab.run(
        "sacctmgr", "-iQ", "add", "account", "limited", "Cluster=lab", "parent=climate", "FairShare=parent",
        "GrpTRES=cpu=5,mem=200M", "GrpTRESMins=cpu=6", "GrpTRESRunMins=cpu=7", "GrpJobs=8", "GrpSubmitJobs=9",
        "GrpWall=90", "MaxJobs=10", "MaxSubmitJobs=11", "MaxTRESPerJob=node=3", "MaxTRESPerNode=cpu=2",
        "MaxTRESMinsPerJob=cpu=60", "MaxWall=2-00:00:00", "Priority=7", "DefaultQOS=urgent", "QOS=normal,urgent",
    )  # fmt: skip
    yield "limited"
    lab.run("sacctmgr", "-iQ", "delete", "account", "limited")
    lab.run("sacctmgr", "-iQ", "delete", "qos", "limited")


def said(cluster: Cluster, thing: str, column: str, *where: str) -> str:
    """One column of sacctmgr's, by a question of its own."""
    return say(cluster, "sacctmgr", "-nP", "show", thing, *where, f"format={column}").strip()


def test_every_field_of_a_qos_is_as_it_was_set(api: Api, lab: Cluster, limited: str) -> None:
    (told,) = (each for each in fact(api, "qos", "Qos") if each["name"] == limited)
    assert told == {
        "id": f"lab:{limited}",
        "name": limited,
        "idNumber": int(said(lab, "qos", "ID", limited)),
        "priority": 5,
        "flags": ["DenyOnLimit", "NoDecay"],
        "preempts": ["normal"],
        "preemptMode": "requeue",
        "graceTimeSeconds": 120,
        "usageFactor": 2.0,
        "usageThreshold": 0.5,
        "maxTres": ["cpu=100", "mem=100G"],
        "maxTresMinutes": ["cpu=1000"],
        "maxTresRunMinutes": ["cpu=50"],
        "maxJobs": 11,
        "maxSubmittedJobs": 12,
        "maxWallSeconds": 10 * DAY,
        "maxTresPerJob": ["node=3"],
        "maxTresPerNode": ["cpu=2"],
        "maxTimeSeconds": 400 * DAY,
        "maxTresPerUser": ["cpu=8"],
        "maxJobsPerUser": 13,
        "maxSubmittedJobsPerUser": 14,
        "maxTresPerAccount": ["cpu=9"],
        "maxJobsPerAccount": 15,
        "maxSubmittedJobsPerAccount": 16,
        "minTresPerJob": ["cpu=1"],
        "runningJobCount": None,
        "submittedJobCount": None,
        "usedTres": None,
        "usedTresMinutes": [],
        "usedWallSeconds": 0,
        "rawUsage": 0,
    }


def test_every_field_of_an_association_is_as_it_was_set(api: Api, lab: Cluster, limited: str) -> None:
    (told,) = (each for each in fact(api, "associations", "Association") if each["account"] == limited)
    number = said(lab, "assoc", "ID", "cluster=lab", f"account={limited}")
    assert told == {
        "id": f"lab:{number}",
        "idNumber": int(number),
        "clusterName": "lab",
        "account": limited,
        "user": None,
        "queueName": None,
        "parentAccount": "climate",
        "shares": None,
        "priority": 7,
        "defaultQos": "urgent",
        "qos": ["normal", "urgent"],
        "maxTres": ["cpu=5", "mem=200M"],
        "maxTresMinutes": ["cpu=6"],
        "maxTresRunMinutes": ["cpu=7"],
        "maxJobs": 8,
        "maxSubmittedJobs": 9,
        "maxWallSeconds": 5400,
        "maxJobsPerUser": 10,
        "maxSubmittedJobsPerUser": 11,
        "maxTresPerJob": ["node=3"],
        "maxTresPerNode": ["cpu=2"],
        "maxTresMinutesPerJob": ["cpu=60"],
        "maxTimeSeconds": 2 * DAY,
        "runningJobCount": None,
        "submittedJobCount": None,
        "usedTres": None,
        "usedTresMinutes": [],
        "usedWallSeconds": 0,
        "rawUsage": 0,
    }


def test_every_fact_of_the_configuration_is_scontrol_s(api: Api, lab: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    import handler

    monkeypatch.setattr(handler.clusters["lab"], "_shared", None)  # the configuration is kept for minutes
    handler.clusters["lab"].drop([datasets.CONFIGURATION])
    told = fact(api, "configuration", "Configuration")
    shown = dict(re.findall(r"(?m)^(\S+)\s+= (.*)$", say(lab, "scontrol", "show", "config")))

    def words(key: str) -> list[str]:
        return [] if shown.get(key, "(null)") in ("(null)", "none", "") else shown[key].split(",")

    def seconds(key: str) -> int:
        return int(shown[key].removesuffix(" sec"))

    assert datetime.fromisoformat(told["bootTime"]) == datetime.fromisoformat(f"{shown['BOOT_TIME']}+00:00")
    expected: Values = {
        "controller": shown["SlurmctldHost[0]"],
        "accountingEnforce": words("AccountingStorageEnforce"),
        "accountingHost": shown["AccountingStorageHost"],
        "accountingTres": words("AccountingStorageTRES"),
        "schedulerParameters": words("SchedulerParameters"),
        "preemptType": None
        if shown["PreemptType"] in ("preempt/none", "(null)")
        else shown["PreemptType"].split("/")[1],
        "preemptMode": words("PreemptMode"),
        "privateData": words("PrivateData"),
        "jobRequeue": shown["JobRequeue"] in ("1", "Yes"),
        "resumeTimeoutSeconds": seconds("ResumeTimeout"),
        "messageTimeoutSeconds": seconds("MessageTimeout"),
    }
    assert {name: told[name] for name in expected} == expected


MAIN, BACKFILL = "Main schedule", "Backfilling stats"
FIGURES = {
    "serverThreadCount": ("", "Server thread count"),
    "agentQueueSize": ("", "Agent queue size"),
    "accountingQueueSize": ("", "DBD Agent queue size"),
    "jobsSubmitted": ("", "Jobs submitted"),
    "jobsStarted": ("", "Jobs started"),
    "jobsCompleted": ("", "Jobs completed"),
    "jobsCancelled": ("", "Jobs canceled"),
    "jobsFailed": ("", "Jobs failed"),
    "jobsPending": ("", "Jobs pending"),
    "jobsRunning": ("", "Jobs running"),
    "lastCycleMicroseconds": (MAIN, "Last cycle"),
    "maxCycleMicroseconds": (MAIN, "Max cycle"),
    "meanCycleMicroseconds": (MAIN, "Mean cycle"),
    "cycles": (MAIN, "Total cycles"),
    "cyclesPerMinute": (MAIN, "Cycles per minute"),
    "queueLength": (MAIN, "Last queue length"),
    "backfilledJobs": (BACKFILL, "Total backfilled jobs (since last stats cycle start)"),
    "backfillCycles": (BACKFILL, "Total cycles"),
    "backfillLastTime": (BACKFILL, "Last cycle when"),
    "backfillLastCycleMicroseconds": (BACKFILL, "Last cycle"),
    "backfillMaxCycleMicroseconds": (BACKFILL, "Max cycle"),
    "backfillMeanCycleMicroseconds": (BACKFILL, "Mean cycle"),
    "backfillLastDepth": (BACKFILL, "Last depth cycle"),
    "backfillQueueLength": (BACKFILL, "Last queue length"),
}


def test_every_figure_is_sdiag_s(api: Api, lab: Cluster) -> None:
    assert set(FIGURES) == own_fields("Statistics") - {"since", "asOf"}

    def look() -> Values:
        printed = say(lab, "sdiag")
        begin, end = printed.index(MAIN), printed.index("Remote Procedure Call")
        middle = printed.index(BACKFILL)
        parts = {"": printed[:begin], MAIN: printed[begin:middle], BACKFILL: printed[middle:end]}
        return {name: figure(parts[part], label) for name, (part, label) in FIGURES.items()}

    def figure(text: str, label: str) -> int | str | None:
        found = re.search(rf"(?m)^\s*{re.escape(label)}:\s+(.*?)\s*$", text)
        if found is None or found[1] == "N/A":
            return None
        when = re.search(r"\((\d+)\)$", found[1])
        return datetime.fromtimestamp(int(when[1]), UTC).isoformat() if when else int(found[1])

    told, before, _ = at_one_moment(look, lambda: fact(api, "statistics", "Statistics"))
    assert {name: told[name] for name in FIGURES} == before


def test_the_agent_is_as_systems_manager_describes_it(api: Api, stack: Stack) -> None:
    told = ask_anew(api, "{ cluster { head { agent { pingStatus version lastPing platform } } } }")["cluster"]["head"]
    head = stack.ssm.instances[0].id
    (known,) = (
        each
        for each in stack.ssm_client().describe_instance_information()["InstanceInformationList"]
        if each["InstanceId"] == head
    )
    assert abs(datetime.fromisoformat(told["agent"].pop("lastPing")) - known["LastPingDateTime"]).total_seconds() < 60
    assert told["agent"] == {
        "pingStatus": known["PingStatus"],
        "version": known["AgentVersion"],
        "platform": f"{known['PlatformName']} {known['PlatformVersion']}",
    }
