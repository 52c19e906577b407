"""Jobs in every state that a dashboard should show."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from local.cluster.cluster import Cluster

STEADY_WORK = 'for epoch in $(seq 720); do echo "epoch $epoch, loss 0.$((900 - epoch))"; sleep 10; done'


@dataclass(frozen=True)
class DemoJob:
    """A submitted job; for an array, its first task."""

    name: str
    user: str
    job_id: int


def submit(cluster: Cluster) -> tuple[DemoJob, ...]:
    """Submit ten jobs as the demo users, in turn. Raises CalledProcessError if sbatch refuses one.

    Within seconds two are running, one waits for resources and one for another job, an array runs two tasks at
    a time, one is held, one has finished, one has failed, one boots a dynamic node and one a GPU node.
    """
    return tuple(_submit_all(cluster))


def _submit_all(cluster: Cluster) -> Iterator[DemoJob]:
    users = cycle(user.name for user in cluster.users)

    def sbatch(name: str, script: str, *options: str) -> DemoJob:
        user = next(users)
        body = f"#!/bin/bash\n{script}\n"
        answer = cluster.run("sbatch", "--parsable", f"--job-name={name}", *options, user=user, input=body)
        return DemoJob(name, user, int(answer.stdout.split(";")[0]))

    static = "--constraint=static"
    yield sbatch("preprocess", "echo 1200 files prepared", static, "--time=5")
    training = sbatch("train-resnet", STEADY_WORK, static, "--cpus-per-task=2", "--time=4:00:00", "--comment=demo")
    yield training
    yield sbatch("failing", "echo 'no such data set' >&2; exit 3", static, "--time=5")
    yield sbatch("simulate", STEADY_WORK, static, "--time=1-00:00:00")
    yield sbatch("evaluate", "echo accuracy 0.93", static, "--time=30", f"--dependency=afterok:{training.job_id}")
    yield sbatch("sweep", "sleep 60; echo point $SLURM_ARRAY_TASK_ID", static, "--array=1-20%2", "--time=10")
    yield sbatch("held-back", "echo released", static, "--hold", "--time=10")
    # Its priority is low because otherwise the scheduler would not start any later job of the queue before it.
    yield sbatch("both-nodes", "srun hostname", static, "--nodes=2", "--exclusive", "--time=20", "--nice=100000")
    yield sbatch("on-demand", "sleep 120", "--constraint=c5.large", "--time=15")
    yield sbatch(
        "finetune",
        "echo GPUs $CUDA_VISIBLE_DEVICES; sleep 120",
        "--partition=gpu",
        "--gres=gpu:a100:2",
        "--time=1:00:00",
    )
