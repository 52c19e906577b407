"""What there is to know of a cluster."""

from collections.abc import Mapping
from functools import partial

from headnode.instances import Agent, Instance
from headnode.snapshots import Dataset
from slurm import account as slurm_account
from slurm import (
    association,
    configuration,
    fair_share,
    license,
    partition,
    ping,
    qos,
    reservation,
    sinfo,
    squeue,
    statistics,
)
from slurm.column import Rows
from slurm.configuration import Configuration
from slurm.ping import Ping
from slurm.statistics import Statistics

JOBS: Dataset[Rows[squeue.Job]] = Dataset("jobs", squeue.jobs)
QUEUES: Dataset[Rows[partition.Queue]] = Dataset("queues", partition.queues)
NODES: Dataset[Rows[sinfo.Node]] = Dataset("nodes", sinfo.nodes)
CONFIGURATION: Dataset[Configuration] = Dataset("configuration", configuration.configuration, lifetime=300.0)
RESERVATIONS: Dataset[Rows[reservation.Reservation]] = Dataset("reservations", reservation.reservations)
LICENSES: Dataset[Rows[license.License]] = Dataset("licenses", license.licenses)
QOS: Dataset[Rows[qos.Qos]] = Dataset("qos", qos.qos)
ACCOUNTS: Dataset[Rows[association.Account]] = Dataset("accounts", association.accounts)
ASSOCIATIONS: Dataset[Rows[association.Association]] = Dataset("associations", association.associations)
FAIR_SHARES: Dataset[Rows[fair_share.FairShare]] = Dataset("fair shares", fair_share.fair_shares)
STATISTICS: Dataset[Statistics] = Dataset("statistics", statistics.statistics)
PING: Dataset[Ping] = Dataset("ping", ping.ping)


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
