"""What one running cluster does with jobs, as its users see it."""

import grp
import subprocess
from collections.abc import Iterator

import pytest

from local.cluster import Cluster, demo

from .slurm_waiting import as_root, job_state, node_state, open_folder, output, submit, until


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with open_folder() as folder, Cluster(folder, "lab", suspend_after=5) as cluster:
        yield cluster


@pytest.fixture
def user(cluster: Cluster) -> str:
    return cluster.users[0].name


def test_nodes_are_named_and_described_as_parallelcluster_does(cluster: Cluster) -> None:
    lines = cluster.run("sinfo", "-h", "-o", "%P|%N|%f|%w|%G|%t").stdout.splitlines()
    assert set(lines) == {
        "queue1*|queue1-st-small-[1-2]|static,t3.small,small|1|(null)|idle",
        "queue1*|queue1-dy-large-[1-4]|dynamic,c5.large,large|1000|(null)|idle~",
        "gpu|gpu-dy-p4d-[1-2]|dynamic,p4d.24xlarge,p4d,gpu|1000|gpu:a100:8|idle~",
    }


def test_a_cloud_node_boots_for_a_job_and_powers_down_after_it(cluster: Cluster, user: str) -> None:
    plain = submit(cluster, user, "hostname; echo on $SLURMD_NODENAME", "--constraint=dynamic")
    gpu = submit(cluster, user, "echo sees $CUDA_VISIBLE_DEVICES", "--partition=gpu", "--gres=gpu:a100:2")
    until(lambda: job_state(cluster, plain) == job_state(cluster, gpu) == "CONFIGURING", 5)
    # slurmctld looks every 30 s whether a booted node is ready for its job.
    until(lambda: job_state(cluster, plain) == job_state(cluster, gpu) == "COMPLETED", 45)
    assert output(cluster, user, plain).splitlines()[-1] == "on queue1-dy-large-1"
    assert output(cluster, user, gpu) == "sees 0,1\n"
    until(lambda: node_state(cluster, "queue1-dy-large-1") == node_state(cluster, "gpu-dy-p4d-1") == "idle~", 20)
    assert node_state(cluster, "queue1-st-small-1") == "idle"


@as_root
def test_a_job_runs_as_its_user_with_all_their_groups(cluster: Cluster) -> None:
    job = submit(cluster, "grace", "id -un; id -Gn")
    until(lambda: job_state(cluster, job) == "COMPLETED", 10)
    name, groups = output(cluster, "grace", job).splitlines()
    assert name == "grace"
    assert set(groups.split()) == {grp.getgrgid(gid).gr_name for gid in cluster.user("grace").groups}
    assert "compilers" in groups.split()


@as_root
def test_a_job_can_have_its_user_s_login_environment(cluster: Cluster) -> None:
    login = subprocess.run(["su", "-", "ada", "-c", "printenv HOME PATH"], capture_output=True, text=True)
    job = submit(cluster, "ada", "printenv HOME PATH", "--export=NONE")
    until(lambda: job_state(cluster, job) == "COMPLETED", 20)
    assert output(cluster, "ada", job) == login.stdout
    assert cluster.run("srun", "--constraint=static", "printenv", "PATH", user="ada").stdout not in login.stdout


def test_the_demo_shows_every_kind_of_waiting(cluster: Cluster) -> None:
    jobs = {job.name: job for job in demo.submit(cluster)}

    def shown(name: str, columns: str) -> set[str]:
        job = str(jobs[name].job_id)
        return set(cluster.run("squeue", "-h", "-t", "all", "-j", job, "-o", columns).stdout.splitlines())

    until(lambda: shown("both-nodes", "%r") == {"Resources"}, 10)
    until(lambda: shown("preprocess", "%T") == {"COMPLETED"}, 10)
    until(lambda: shown("failing", "%T") == {"FAILED"}, 10)
    until(lambda: shown("on-demand", "%T %N") == {"CONFIGURING queue1-dy-large-1"}, 10)
    until(lambda: shown("finetune", "%T %N") == {"CONFIGURING gpu-dy-p4d-1"}, 10)
    assert shown("train-resnet", "%T %u") == {f"RUNNING {jobs['train-resnet'].user}"}
    assert shown("evaluate", "%T %r") == {"PENDING Dependency"}
    until(lambda: shown("sweep", "%T %r") == {"RUNNING None", "PENDING JobArrayTaskLimit"}, 10)
    assert shown("held-back", "%T %r") == {"PENDING JobHeldUser"}


def test_a_refused_command_reports_slurm_s_reason(cluster: Cluster, user: str) -> None:
    with pytest.raises(Exception, match="non-zero exit status") as refusal:
        submit(cluster, user, "true", "--partition=nowhere")
    assert "invalid partition specified: nowhere" in "".join(refusal.value.__notes__)
