"""How clusters start, live side by side and end: with no process and no file left."""

import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from local.cluster import Cluster, ClusterError
from local.cluster.ports import reserved

from .conftest import Program
from .slurm_waiting import CHECKOUT, as_root, job_state, output, processes_that_mention, submit, until


def silent(line: str) -> None:
    """Take no notice of progress."""


def has_completed(cluster: Cluster, job: str) -> bool:
    return job_state(cluster, job) == "COMPLETED"


def in_tmp() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("slurmql-*"))


def test_two_clusters_started_at_once_live_side_by_side(room: Path) -> None:
    first, second = Cluster(room / "first", "first"), Cluster(room / "second", "second")
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda cluster: cluster.start(silent), (first, second)))
    try:
        user = first.users[0].name
        jobs = {cluster: submit(cluster, user, "echo in $SLURM_CLUSTER_NAME") for cluster in (first, second)}
        for cluster, job in jobs.items():
            until(partial(has_completed, cluster, job), 10)
            assert output(cluster, user, job) == f"in {cluster.name}\n"
    finally:
        first.stop()
        second.stop()


def test_stop_ends_every_process_even_a_job_s_that_hides(room: Path) -> None:
    folder = room / "stopped"
    with Cluster(folder) as cluster:
        user = cluster.users[0].name
        job = submit(cluster, user, "trap '' TERM; setsid nohup sleep 1234 & cd /; exec sleep 1234")
        until(lambda: job_state(cluster, job) == "RUNNING", 10)
        assert len(processes_that_mention(folder)) >= 6  # the keeper, four daemons, the job
    assert processes_that_mention(folder) == []
    assert cluster.environment == {}


def test_a_second_start_begins_anew(room: Path) -> None:
    for _ in range(2):
        with Cluster(room / "again") as cluster:
            assert submit(cluster, cluster.users[0].name, "true") == "1"


def test_a_cluster_ends_with_the_program_that_started_it_even_when_killed(room: Path) -> None:
    folder = room / "orphan"
    program = (
        f"from pathlib import Path; from local.cluster import Cluster; import time\n"
        f"with Cluster(Path({str(folder)!r})): print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: processes_that_mention(folder) == [], 5)


@pytest.mark.parametrize(
    "settings", [{"SelectType": "select/none-such"}, {"SlurmdParameters": "x", "AuthType": "auth/none-such"}]
)
def test_a_broken_option_is_reported_and_leaves_nothing(room: Path, settings: dict[str, str]) -> None:
    folder = room / "broken"
    with pytest.raises(ClusterError, match="none-such"):
        Cluster(folder, settings=settings).start(silent)
    assert processes_that_mention(folder) == []


def test_a_taken_port_is_reported_and_leaves_nothing(room: Path) -> None:
    folder = room / "taken"
    with Cluster(room / "owner") as owner:
        port = owner.run("scontrol", "show", "config").stdout.split("SlurmctldPort")[1].split()[1]
        with pytest.raises(ClusterError, match="slurmctld"):
            Cluster(folder, settings={"SlurmctldPort": port}).start(silent)
        assert processes_that_mention(folder) == []


def test_a_directory_holds_one_cluster_at_a_time(room: Path) -> None:
    with Cluster(room / "one"), pytest.raises(ClusterError, match="another cluster runs in"):
        Cluster(room / "one").start(silent)


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [("long" * 20, "too long a name for sockets"), ("my cluster", "a name that slurm.conf cannot hold")],
)
def test_an_unsuitable_name_moves_the_cluster_to_tmp_until_it_stops(room: Path, name: str, obstacle: str) -> None:
    folder, before, told = room / name, in_tmp(), list[str]()
    with Cluster(folder, progress=told.append) as cluster:
        assert obstacle in told[0]
        assert cluster.run("scontrol", "ping").returncode == 0
        assert len(in_tmp() - before) == 1
    assert in_tmp() == before
    assert (folder / "log" / "slurmctld.log").exists()


@as_root
def test_a_closed_folder_moves_the_cluster_to_tmp_until_it_stops(room: Path) -> None:
    closed, told = room / "closed", list[str]()
    closed.mkdir(mode=0o700)
    with Cluster(closed / "c", progress=told.append) as cluster:
        assert "other accounts cannot enter" in told[0]
        submit(cluster, "ada", "true")
        assert cluster.run("squeue", "-h", "-o", "%u", user="grace").stdout == "ada\n"


@as_root
def test_an_ordinary_user_has_a_cluster_of_their_own(room: Path, as_grace: Program) -> None:
    result = as_grace("""
        from pathlib import Path
        from local.cluster import Cluster
        with Cluster(Path("c")) as cluster:
            print(*(user.name for user in cluster.users))
            print(cluster.run("srun", "-C", "static", "id", "-un").stdout, end="")
            print(cluster.run("srun", "-C", "static", "pwd", user="grace").stdout, end="")
    """)
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["grace", "grace", f"{room}/grace/c/users/grace"]
    assert processes_that_mention(room / "grace") == []


def test_ports_are_held_against_others_and_free_for_the_daemons() -> None:
    with reserved(3) as mine, reserved(3) as theirs:
        assert len({*mine, *theirs}) == 6
        assert list(mine) == sorted(mine)
