"""What Slurm says by other commands and formats than the API's: scontrol's Key=Value in local time, read simply.

Each `*_values` function gives a record of scontrol's the names and shapes that GraphQL gives it, so that both can be
compared whole.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from conftest import Api
from local.cluster import Cluster
from schema import schema

Values = dict[str, Any]
A = TypeVar("A")
S = TypeVar("S")

ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
NO_VALUE = {"(null)", "N/A", "None", "Unknown", "UNLIMITED", "NONE", ""}


def until(condition: Callable[[], bool], seconds: float, seen: Callable[[], object] = lambda: "") -> None:
    """Return as soon as the condition holds; if it does not in time, fail and show what is `seen` then."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s {seen()}"
        time.sleep(0.1)


def at_one_moment(
    look: Callable[[], S], ask: Callable[[], A], steady: Callable[[S], Any] = lambda seen: seen
) -> tuple[A, S, S]:
    """An answer, and what Slurm said before and after it; again until `steady` of both is the same."""
    for _ in range(50):
        before = look()
        answer = ask()
        after = look()
        if steady(before) == steady(after):
            return answer, before, after
    raise AssertionError("Slurm did not hold still for one answer")


def ask_anew(api: Api, document: str, variables: Values | None = None, **who: str) -> Values:
    """The data of an answer that uses no kept snapshot."""
    import handler

    for snapshots in handler.clusters.values():
        snapshots.drop()
    data: Values = api.data(document, variables, **who)
    return data


def own_fields(type_name: str) -> set[str]:
    """The fields of a GraphQL type that have no fields of their own: what there is to compare."""
    found = schema._schema.type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    return {name for name, field in found.fields.items() if is_leaf_type(get_named_type(field.type))}


def say(cluster: Cluster, *argv: str) -> str:
    """A Slurm command's output, times in UTC and nothing shortened."""
    program = cluster.programs.path(argv[0])
    return cluster.run("env", "TZ=UTC", "SLURM_BITSTR_LEN=0", program, *argv[1:]).stdout


def lines(cluster: Cluster, *argv: str) -> list[str]:
    """The lines of a Slurm command's output."""
    return say(cluster, *argv).splitlines()


def show_jobs(cluster: Cluster) -> dict[str, Values]:
    """Every job by `scontrol show job`, by its id: GraphQL's fields, and `raw`, the number slurmctld knows it by."""
    listed = lines(cluster, "squeue", "-h", "-a", "-t", "all", "-o", "%A|%i|%r")
    ids = {raw: (id, reason) for raw, id, reason in (line.split("|", 2) for line in listed)}
    records = _records(say(cluster, "scontrol", "-a", "-d", "show", "job"), "JobId")
    # A job may come or go between the two commands.
    jobs = [job_values(record, *ids[record["JobId"]], cluster) for record in records if record["JobId"] in ids]
    return {job["jobId"]: job for job in jobs}


def but_for_time(jobs: Mapping[str, Values]) -> dict[str, Values]:
    """Jobs without values that change every second, and without those that GraphQL lacks."""
    passing = ("elapsedSeconds", "raw")
    return {id: {name: value for name, value in job.items() if name not in passing} for id, job in jobs.items()}


def show_nodes(cluster: Cluster) -> list[Values]:
    """Every node by `scontrol show node`, as GraphQL's fields."""
    cpus = dict(line.split("|") for line in lines(cluster, "sinfo", "-h", "-a", "-N", "-o", "%N|%C"))
    records = _records(say(cluster, "scontrol", "-a", "-d", "show", "node"), "NodeName")
    return [node_values(record, cpus[record["NodeName"]], cluster) for record in records]


def show_queues(cluster: Cluster) -> list[Values]:
    """Every queue by `scontrol show partition`, as GraphQL's fields."""
    cpus = dict(line.split("|") for line in lines(cluster, "sinfo", "-h", "-a", "-o", "%R|%C"))
    records = _records(say(cluster, "scontrol", "-a", "show", "partition"), "PartitionName")
    return [queue_values(record, cpus.get(record["PartitionName"]), cluster) for record in records]


def _records(text: str, first_key: str) -> list[dict[str, str]]:
    pair = re.compile(r"([A-Z][\w:/]*)=(.*?)(?= +[A-Z][\w:/]*=|\s*$)", re.MULTILINE)
    parts = re.split(rf"(?m)^(?={first_key}=)", text)[1:]
    # With -d one line follows for each node of a job, with the same keys: the first of a key is the job's.
    return [dict(reversed(pair.findall(part))) for part in parts]


def job_values(record: dict[str, str], id: str, reason: str, cluster: Cluster) -> Values:
    """The fields of a Job, from one record of `scontrol -d show job`, and id and reason by `squeue -o '%i %r'`."""
    code, signal = map(int, record["ExitCode"].split(":"))
    had_nodes = record["NodeList"] not in NO_VALUE
    never_started = record["JobState"] in ENDED and not had_nodes
    # A job that Slurm ended, such as a cancelled one, has no code and no signal.
    ended_by_itself = record["JobState"] in ("COMPLETED", "FAILED") and had_nodes
    task = record.get("ArrayTaskId", "")
    gpus, model = _job_gpus(record)
    # scontrol writes NO_VAL for %a where several tasks wait in one row: a file that none of them will write.
    no_file = "4294967294"
    # 26.05 leaves out that errors go where output goes.
    errors = record.get("StdErr", no_file) or record["StdOut"]
    return {
        "raw": record["JobId"],
        "id": f"{cluster.name}:{id}",
        "jobId": id,
        "name": record["JobName"],
        "user": record["UserId"].split("(")[0],
        "account": _word(record["Account"]),
        "state": record["JobState"],
        "rawState": record["JobState"],
        "reason": _word(reason),
        "queueName": record["Partition"],
        "nodeNames": host_names(cluster, record["NodeList"]),
        "qos": _word(record["QOS"]),
        "priority": float(record["Priority"]),
        "submitTime": _time(record["SubmitTime"]),
        "eligibleTime": _time(record["EligibleTime"]),
        "startTime": None if never_started else _time(record["StartTime"]),
        "endTime": _time(record["EndTime"]),
        "timeLimitSeconds": _seconds(record["TimeLimit"]),
        "elapsedSeconds": _seconds(record["RunTime"]),
        "nodeCount": int(record["NumNodes"].split("-")[0]),
        "cpuCount": int(record["NumCPUs"].split("-")[0]),
        "memoryMib": _memory(_tres(record)),
        "gpuCount": gpus,
        "gpuType": model,
        "exitCode": code if ended_by_itself and not signal else None,
        "exitSignal": signal if ended_by_itself and signal else None,
        "arrayJobId": record.get("ArrayJobId"),
        "arrayTaskId": int(task) if task.isdigit() else None,
        "hetJobId": record.get("HetJobId"),
        "dependency": _word(record["Dependency"]),
        "workDir": record["WorkDir"],
        "command": _word(record["Command"]),
        "stdoutPath": None if no_file in record.get("StdOut", no_file) else record["StdOut"],
        "stderrPath": None if no_file in errors else errors,
        "comment": record.get("Comment"),
        "adminComment": record.get("AdminComment"),
        "restartCount": int(record["Restarts"]),
    }


def node_values(record: dict[str, str], cpus: str, cluster: Cluster) -> Values:
    """The fields of a Node, from one record of `scontrol -d show node` and its CPUs by `sinfo -N -o %C`."""
    state, flags = _state(record["State"])
    reason, _, stamp = record.get("Reason", "").rpartition(" [")
    code = re.match(r"\(Code:(\w+)\)", reason)
    features = record["AvailableFeatures"].split(",")
    counts = _cpus(cpus)
    assert (counts["allocated"], counts["total"]) == (int(record["CPUAlloc"]), int(record["CPUTot"]))
    # 22.05's sinfo, whose words these are, calls a node that is being drained allocated as soon as one of its CPUs is;
    # 24.11's does not. Before 21.08 sinfo lacks words for some of it, and we show scontrol's.
    of_sinfo = "DRAIN" in flags and (21, 8) <= cluster.programs.slurm_version() < (23, 2)
    raw = record["State"].replace("MIXED", "ALLOCATED") if of_sinfo else record["State"]
    gpu = re.match(r"gpu:(\w+):(\d+)", record["Gres"])
    used = re.match(r"gpu:\w+:(\d+)", record.get("GresUsed", ""))
    return {
        "id": f"{cluster.name}:{record['NodeName']}",
        "name": record["NodeName"],
        "state": state,
        "flags": sorted(flags),
        "rawState": raw,
        "reason": reason or None,
        "capacityCode": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", code[1]).upper() if code else None,
        "reasonTime": _time(stamp.rpartition("@")[2].rstrip("]")),
        "queueNames": sorted(record["Partitions"].split(",")),
        "cpuCounts": counts,
        "cpuLoad": None if record["FreeMem"] == "N/A" else float(record["CPULoad"]),
        "memoryMib": int(record["RealMemory"]),
        "allocatedMemoryMib": int(record["AllocMem"]),
        "freeMemoryMib": None if record["FreeMem"] == "N/A" else int(record["FreeMem"]),
        "gpuCount": int(gpu[2]) if gpu else None,
        "allocatedGpuCount": int(used[1]) if gpu and used else None,
        "gpuType": gpu[1] if gpu else None,
        "features": features,
        "provisioning": features[0].upper(),
        "instanceType": features[1],
        "address": record["NodeAddr"],
        "slurmVersion": record.get("Version"),
    }


def _state(text: str) -> tuple[str, set[str]]:
    """Base and flags. Slurm before 21.08 puts a sign behind the base for some flags, as IDLE~ or DOWN*+CLOUD."""
    # There MAINT stands in an idle node's base.
    text = text if text.partition("+")[0] != "MAINT" else text.replace("MAINT", "IDLE+MAINT", 1)
    base, signs, words = re.fullmatch(r"([A-Z]+)([^A-Z+]*)(.*)", text).groups()  # type: ignore[union-attr] # always
    renamed = {"MAINT": "MAINTENANCE", "POWER": "POWERED_DOWN"}
    of_sign = {"#": "POWERING_UP", "%": "POWERING_DOWN", "~": "POWERED_DOWN", "*": "NOT_RESPONDING"}
    return base, {of_sign[sign] for sign in signs} | {renamed.get(word, word) for word in words.split("+")[1:]}


def queue_values(record: dict[str, str], cpus: str | None, cluster: Cluster) -> Values:
    """The fields of a Queue, from one record of `scontrol show partition` and its CPUs by `sinfo -o %C`."""
    counts = _cpus(cpus or "0/0/0/0")
    assert counts["total"] == int(record["TotalCPUs"])
    most = record["MaxNodes"]
    return {
        "id": f"{cluster.name}:{record['PartitionName']}",
        "name": record["PartitionName"],
        "state": record["State"],
        "isDefault": record["Default"] == "YES",
        "nodeNames": host_names(cluster, record["Nodes"]),
        "maxTimeSeconds": _seconds(record["MaxTime"]),
        "defaultTimeSeconds": _seconds(record["DefaultTime"]),
        "maxNodes": None if most == "UNLIMITED" else int(most),
        "cpuCounts": counts,
    }


def host_names(cluster: Cluster, hosts: str) -> list[str]:
    """The names in a host list, as `scontrol show hostnames` writes them out."""
    if hosts in NO_VALUE:
        return []
    return lines(cluster, "scontrol", "show", "hostnames", hosts) if "[" in hosts else hosts.split(",")


def _job_gpus(record: dict[str, str]) -> tuple[int | None, str | None]:
    """The GPUs that the job was given, node by node (JOB_GRES), else those it asks for; and the model it asked for."""
    request = re.search(
        r"gpu[:=](?:([a-z]\w*)[:=])?(\d+)",
        record.get("TresPerJob", "") + record.get("TresPerNode", "") + record.get("TresPerTask", ""),
    )
    if request is None:
        return None, None
    if "JOB_GRES" in record:
        return sum(map(int, re.findall(r":(\d+)", record["JOB_GRES"]))), request[1]
    times = record["NumNodes"] if "TresPerNode" in record else record["NumTasks"] if "TresPerTask" in record else "1"
    return int(request[2]) * int(times.split("-")[0]), request[1]


def _tres(record: dict[str, str]) -> str:
    """What is allocated, or else requested: one field up to 22.05, two in 24.11 and 26.05."""
    if "TRES" in record:
        return record["TRES"]
    return record["ReqTRES"] if record["AllocTRES"] in NO_VALUE else record["AllocTRES"]


def _cpus(text: str) -> dict[str, int]:
    return dict(zip(("allocated", "idle", "other", "total"), map(int, text.split("/")), strict=True))


def _word(text: str) -> str | None:
    return None if text in NO_VALUE else text


def _time(text: str) -> str | None:
    return None if text in NO_VALUE else datetime.fromisoformat(f"{text}+00:00").isoformat()


def _seconds(text: str) -> int | None:
    if text in NO_VALUE or text == "Partition_Limit":
        return None
    days, _, clock = text.rpartition("-")
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def _memory(tres: str) -> int | None:
    found = re.search(r"mem=([\d.]+)([MGT])", tres)
    return int(float(found[1]) * {"M": 1, "G": 1024, "T": 1024**2}[found[2]]) if found else None
