"""What a cluster with accounting remembers, of two that live side by side."""

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.cluster import Cluster
from local.cluster.layout import Layout

from .conftest import Program
from .slurm_waiting import as_root, job_state, processes_that_mention, submit, until

COUNTED = {"AccountingStorageTRES": "gres/gpu", "AccountingStorageEnforce": "associations,limits,qos"}
HUNDRED_MIB = "python3 -c 'import time; kept = bytearray(b\"x\") * (100 << 20); time.sleep(1.5)'"


@pytest.fixture(scope="module")
def pair(room: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """One as ParallelCluster leaves it, and one that enforces its books and counts GPUs; started at once."""
    plain = Cluster(room / "plain", "plain", accounting=True)
    strict = Cluster(room / "strict", "strict", accounting=True, settings=COUNTED)
    with ThreadPoolExecutor() as threads:
        starts = [threads.submit(cluster.start, lambda line: None) for cluster in (plain, strict)]
    try:
        for start in starts:
            start.result()
        yield plain, strict
    finally:
        plain.stop()
        strict.stop()


@pytest.fixture
def plain(pair: tuple[Cluster, Cluster]) -> Cluster:
    return pair[0]


@pytest.fixture
def strict(pair: tuple[Cluster, Cluster]) -> Cluster:
    return pair[1]


def recorded(cluster: Cluster, job: str, columns: str) -> dict[str, list[str]]:
    """The columns after the first of each row that sacct has of a job, by the first."""
    lines = cluster.run("sacct", "-nP", "-j", job, "-o", columns).stdout.splitlines()
    return {row[0]: row[1:] for row in (line.split("|") for line in lines)}


def finish(cluster: Cluster, job: str) -> None:
    """Wait until the job has ended and accounting has all of it.

    slurmctld reports the end of a job and its steps to slurmdbd at once, but the job's properties only every 5 s:
    until then a short job's name is `allocation` and its QOS `Unknown` (22.05).
    """
    until(lambda: job_state(cluster, job) in {"COMPLETED", "FAILED"}, 20)
    until(lambda: "Unknown" not in recorded(cluster, job, "jobid,end,qos").get(job, ["Unknown"]), 20)


def test_a_finished_job_is_remembered_with_what_it_used(plain: Cluster) -> None:
    user = plain.users[0].name
    job = submit(plain, user, f"{HUNDRED_MIB}; exit 3", "--account=genomics", "--qos=urgent", "--constraint=static")
    finish(plain, job)
    rows = recorded(plain, job, "jobid,user,account,qos,state,exitcode,maxrss")
    assert rows[job] == [user, "genomics", "urgent", "FAILED", "3:0", ""]
    *_, state, exit_code, most_memory = rows[f"{job}.batch"]
    assert (state, exit_code) == ("FAILED", "3:0")
    kibibytes = int(most_memory[:-1]) * {"K": 1, "M": 1024}[most_memory[-1]]
    assert 100 * 1024 <= kibibytes < 200 * 1024


def test_a_job_that_names_no_account_is_charged_to_the_default(plain: Cluster) -> None:
    job = submit(plain, plain.users[0].name, "true", "--constraint=static")
    finish(plain, job)
    assert recorded(plain, job, "jobid,account,qos,state")[job] == ["pcdefault", "normal", "COMPLETED"]


def test_the_books_hold_the_demo_users_in_every_account(plain: Cluster) -> None:
    def shown(*question: str) -> set[str]:
        return set(plain.run("sacctmgr", "-nP", "show", *question).stdout.splitlines())

    names = [user.name for user in plain.users]
    assert {f"{name}|pcdefault" for name in names} <= shown("user", "format=user,defaultaccount")
    accounts = {"pcdefault", "genomics", "physics", "climate"}
    assert accounts <= shown("account", "format=account")
    assert {f"{account}|{name}|normal|normal,urgent" for account in accounts for name in names} <= shown(
        "association", "format=account,user,defaultqos,qos"
    )
    assert {"genomics|cpu=64|", "climate||50"} <= shown("association", "format=account,grptres,grpjobs")
    assert {"normal||", "urgent|1-00:00:00|8"} <= shown("qos", "format=name,maxwall,maxjobsperuser")
    assert {row.split("|")[0] for row in shown("cluster", "format=cluster")} == {"plain"}


def test_parallelcluster_s_own_settings_enforce_nothing_and_count_no_gpus(plain: Cluster) -> None:
    job = submit(plain, plain.users[0].name, "true", "--account=unheard-of", "--constraint=static")
    finish(plain, job)
    assert recorded(plain, job, "jobid,state")[job] == ["COMPLETED"]
    assert "gres" not in plain.run("sacctmgr", "-nP", "show", "tres", "format=type").stdout.split()


def test_books_can_be_enforced_and_gpus_counted(strict: Cluster) -> None:
    user = strict.users[0].name
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        submit(strict, user, "true", "--account=unheard-of")
    assert "Invalid account or account/partition combination" in "".join(refusal.value.__notes__)
    job = submit(strict, user, "true", "--account=genomics", "--hold", "--partition=gpu", "--gres=gpu:a100:2")
    until(lambda: job in recorded(strict, job, "jobid,reqtres"), 10)
    assert "gres/gpu=2" in recorded(strict, job, "jobid,reqtres")[job][0].split(",")


def test_two_clusters_side_by_side_keep_books_of_their_own(plain: Cluster, strict: Cluster) -> None:
    user = plain.users[0].name
    jobs = {cluster: submit(cluster, user, "true", f"--job-name=in-{cluster.name}") for cluster in (plain, strict)}
    for cluster, job in jobs.items():
        finish(cluster, job)
        assert recorded(cluster, job, "jobid,jobname")[job] == [f"in-{cluster.name}"]
    others = plain.run("sacct", "-nPa", "-o", "jobname").stdout.split()
    assert "in-strict" not in others


@as_root
def test_the_database_is_slurm_s_alone_and_listens_on_no_port(plain: Cluster) -> None:
    layout = Layout(plain.directory)
    assert layout.database_socket.is_socket()
    looking = subprocess.run(
        ["ls", layout.database], user="ada", group="ada", extra_groups=[], capture_output=True, text=True, check=False
    )
    assert "Permission denied" in looking.stderr
    assert " port: 0 " in (layout.log / "mariadbd.out").read_text()


def test_slurmdbd_listens_on_loopback_alone(plain: Cluster) -> None:
    settings = dict(
        line.split("=", 1) for line in Layout(plain.directory).slurm_conf.read_text().splitlines() if "=" in line
    )
    host, port = settings["AccountingStorageHost"], int(settings["AccountingStoragePort"])
    if not host.startswith("127."):
        pytest.skip("this machine's name has no loopback address, and this account cannot give it one")
    with socket.create_connection((host, port)):
        pass
    with socket.socket() as anywhere:  # it would fail were every address taken
        anywhere.bind(("127.9.9.9", port))


def test_stop_leaves_no_process_of_the_database(room: Path) -> None:
    folder = room / "stopped"
    with Cluster(folder, accounting=True):
        commands = {
            Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
            for process in processes_that_mention(folder)
        }
        assert {"mariadbd", "slurmdbd", "slurmctld"} <= commands
    assert processes_that_mention(folder) == []


@as_root
def test_an_ordinary_user_has_books_of_their_own(room: Path, as_grace: Program) -> None:
    result = as_grace("""
        from pathlib import Path
        from local.cluster import Cluster
        with Cluster(Path("c"), accounting=True) as cluster:
            cluster.run("srun", "-C", "static", "-A", "climate", "true")
            print(cluster.run("sacctmgr", "-nP", "show", "user", "grace", "format=user,defaultaccount").stdout, end="")
    """)
    assert result.stderr == ""
    assert result.stdout == "grace|pcdefault\n"
    assert processes_that_mention(room / "grace") == []
