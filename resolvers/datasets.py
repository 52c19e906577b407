"""What there is to know of a cluster."""

from collections.abc import Mapping
from functools import partial

from headnode.instances import Agent, Instance
from headnode.snapshots import Dataset
from slurm import account as slurm_account
from slurm import configuration, partition, sinfo, squeue
from slurm.column import Rows
from slurm.configuration import Configuration

JOBS: Dataset[Rows[squeue.Job]] = Dataset("jobs", squeue.jobs)
QUEUES: Dataset[Rows[partition.Queue]] = Dataset("queues", partition.queues)
NODES: Dataset[Rows[sinfo.Node]] = Dataset("nodes", sinfo.nodes)
CONFIGURATION: Dataset[Configuration] = Dataset("configuration", configuration.configuration, lifetime=300.0)


def job(id: str) -> Dataset[Rows[squeue.Job]]:
    """One job, an array's tasks or a heterogeneous job's components, without asking for all jobs."""
    return Dataset(("job", id), partial(squeue.jobs, (id,)))


def account(name: str) -> Dataset[bool]:
    """Whether the cluster has an account of that name."""
    return Dataset(("account", name), partial(slurm_account.account, name), lifetime=60.0)


INSTANCES: Dataset[Mapping[str, Instance]] = Dataset(
    "instances", lifetime=30.0, from_aws=lambda node: node.instances_by_address()
)
HEAD: Dataset[str] = Dataset("head", from_aws=lambda node: node.instance())
AGENT: Dataset[Agent] = Dataset("agent", from_aws=lambda node: node.agent())
