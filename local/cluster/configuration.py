"""slurm.conf, gres.conf and slurmdbd.conf, with the values ParallelCluster writes wherever one machine allows them."""

import os
import secrets
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.cluster.host import Host
from local.cluster.layout import Layout


@dataclass(frozen=True)
class ComputeResource:
    """Nodes of one kind in one queue, named `<queue>-<st|dy>-<name>-<n>` as ParallelCluster names them."""

    queue: str
    name: str
    instance_type: str
    count: int
    cpus: int
    memory: int
    """MiB a job may use: 95 % of the instance's, as ParallelCluster counts."""
    static: bool = False
    gpus: tuple[str, int] | None = None
    """Type and count of the GPUs of each node, such as ("a100", 8)."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The name of each node."""
        return tuple(f"{self._stem}-{number}" for number in range(1, self.count + 1))

    @property
    def hostlist(self) -> str:
        """All nodes as one Slurm hostlist expression."""
        return f"{self._stem}-[1-{self.count}]"

    @property
    def features(self) -> str:
        """Feature list in ParallelCluster's order: static or dynamic, instance type, resource, gpu."""
        kind = "static" if self.static else "dynamic"
        return ",".join([kind, self.instance_type, self.name] + (["gpu"] if self.gpus else []))

    @property
    def _stem(self) -> str:
        return f"{self.queue}-{'st' if self.static else 'dy'}-{self.name}"


CGROUP_DISABLED_SINCE = (24, 5)
"""First Slurm whose cgroup.conf(5) knows `CgroupPlugin=disabled`; older ones need no cgroup.conf here."""
PARALLELCLUSTER = (
    ComputeResource("queue1", "small", "t3.small", count=2, cpus=4, memory=1945, static=True),
    ComputeResource("queue1", "large", "c5.large", count=4, cpus=2, memory=3891),
    ComputeResource("gpu", "p4d", "p4d.24xlarge", count=2, cpus=96, memory=1_120_665, gpus=("a100", 8)),
)
"""Two queues; the first is the default. A t3.small has 2 CPUs: 4 let a few more demo jobs run at once."""


@dataclass(frozen=True)
class Configuration:
    """All that slurm.conf says. Durations are seconds."""

    cluster_name: str
    layout: Layout
    host: Host
    slurm_user: str
    slurmd_user: str
    controller_port: int
    node_ports: Mapping[str, int]
    accounting_port: int | None = None
    """slurmdbd's; None for a cluster without accounting."""
    compute: tuple[ComputeResource, ...] = PARALLELCLUSTER
    suspend_after: int = 60
    suspend_timeout: int = 5
    resume_timeout: int = 60
    max_jobs: int = 10_000
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further lines, which win over ours."""

    @property
    def static_nodes(self) -> tuple[str, ...]:
        """Nodes that are up as long as the cluster is."""
        return tuple(node for resource in self.compute if resource.static for node in resource.nodes)

    def slurm_conf(self) -> str:
        """Text of slurm.conf (slurm.conf(5))."""
        general = {**self._general(), **self._power_saving(), **self._accounting(), **self.settings}
        lines = [f"{key}={value}" for key, value in general.items()]
        lines += [self._node_line(resource) for resource in self.compute]
        lines += self._partition_lines()
        return "\n".join(lines) + "\n"

    def gres_conf(self) -> str:
        """Text of gres.conf (gres.conf(5)): links to /dev/null stand in for the GPUs' devices.

        slurmd counts no GPU that names no file, and slurmctld then drains the node (22.05).
        """
        return "".join(
            f"NodeName={resource.hostlist} Name=gpu Type={resource.gpus[0]} Count={resource.gpus[1]}"
            f" File={self.layout.gpu_files}/gpu[0-{resource.gpus[1] - 1}]\n"
            for resource in self.compute
            if resource.gpus
        )

    def slurmdbd_conf(self) -> str:
        """Text of slurmdbd.conf (slurmdbd.conf(5))."""
        layout = self.layout
        values = {
            "DbdHost": self.host.name,
            "DbdAddr": self.host.address,
            "DbdPort": str(self.accounting_port),
            "SlurmUser": self.slurm_user,
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={layout.munge_socket}",
            "CommunicationParameters": "NoInAddrAny",
            "PidFile": str(layout.pids / "slurmdbd.pid"),
            "LogFile": str(layout.log / "slurmdbd.log"),
            "StorageType": "accounting_storage/mysql",
            # With this name, and no other, the client library takes the socket.
            "StorageHost": "localhost",
            "StorageUser": self.slurm_user,
            "StorageLoc": "slurm_acct_db",
        }
        return "".join(f"{key}={value}\n" for key, value in values.items())

    def _general(self) -> dict[str, str]:
        layout = self.layout
        return {
            "ClusterName": self.cluster_name,
            "SlurmctldHost": f"{self.host.name}({self.host.address})",
            "SlurmctldPort": str(self.controller_port),
            "SlurmUser": self.slurm_user,
            "SlurmdUser": self.slurmd_user,
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={layout.munge_socket}",
            # Both daemons listen on the address of this host's name alone, not on every interface.
            "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
            "StateSaveLocation": str(layout.state),
            "SlurmdSpoolDir": str(layout.spool / "%n"),
            "SlurmctldPidFile": str(layout.pids / "slurmctld.pid"),
            "SlurmdPidFile": str(layout.pids / "%n.pid"),
            "SlurmctldLogFile": str(layout.log / "slurmctld.log"),
            "SlurmdLogFile": str(layout.log / "%n.log"),
            # Neither control groups nor MPI: both need rights or parts an ordinary machine may lack.
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "MpiDefault": "none",
            "SlurmdParameters": "config_overrides",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU",
            "GresTypes": "gpu",
            # Half a second from sbatch to a running job, where Slurm's own values make it up to three.
            "SchedulerParameters": "batch_sched_delay=1,sched_min_interval=200000",
            # The default of 22.05. The later one, priority/multifactor, ranks all jobs of such a cluster alike,
            # and then one that waits for resources holds up every later one of its queue.
            "PriorityType": "priority/basic",
            "MaxJobCount": str(self.max_jobs),
            "MinJobAge": "300",
            "MessageTimeout": "60",
            "EnforcePartLimits": "ALL",
            "PrivateData": "cloud",
            "ReturnToService": "1",
            "JobCompType": "jobcomp/none",
        }

    def _accounting(self) -> dict[str, str]:
        if self.accounting_port is None:
            return {"AccountingStorageType": "accounting_storage/none", "JobAcctGatherType": "jobacct_gather/none"}
        return {
            "AccountingStorageType": "accounting_storage/slurmdbd",
            "AccountingStorageHost": self.host.address,
            "AccountingStoragePort": str(self.accounting_port),
            # With munge this is no password but munged's socket: AuthInfo does not count here.
            "AccountingStoragePass": str(self.layout.munge_socket),
            # ParallelCluster counts by control group, every 30 s; a second shows what a demo's short jobs use.
            "JobAcctGatherType": "jobacct_gather/linux",
            "JobAcctGatherFrequency": "task=1",
        }

    def _power_saving(self) -> dict[str, str]:
        return {
            "ResumeProgram": str(self.layout.programs / "resume"),
            "SuspendProgram": str(self.layout.programs / "suspend"),
            "SuspendTime": str(self.suspend_after),
            "SuspendTimeout": str(self.suspend_timeout),
            "ResumeTimeout": str(self.resume_timeout),
            "SuspendExcNodes": ",".join(resource.hostlist for resource in self.compute if resource.static),
            "SlurmctldParameters": "idle_on_node_suspend,power_save_interval=1,power_save_min_interval=0",
        }

    def _node_line(self, resource: ComputeResource) -> str:
        ports = ",".join(str(self.node_ports[node]) for node in resource.nodes)
        words = [
            f"NodeName={resource.hostlist}",
            f"NodeHostname={self.host.name}",
            f"NodeAddr={self.host.address}",
            f"Port=[{ports}]",
            f"CPUs={resource.cpus}",
            f"RealMemory={resource.memory}",
            f"Features={resource.features}",
            f"Weight={1 if resource.static else 1000}",
            f"State={'UNKNOWN' if resource.static else 'CLOUD'}",
        ]
        if resource.gpus:
            words.append(f"Gres=gpu:{resource.gpus[0]}:{resource.gpus[1]}")
        return " ".join(words)

    def _partition_lines(self) -> list[str]:
        queues = list(dict.fromkeys(resource.queue for resource in self.compute))
        return [
            f"PartitionName={queue} Nodes="
            + ",".join(resource.hostlist for resource in self.compute if resource.queue == queue)
            + f" MaxTime=INFINITE State=UP Default={'YES' if queue == queues[0] else 'NO'}"
            for queue in queues
        ]


def power_program(verb: str, layout: Layout) -> str:
    """Text of ResumeProgram (`verb` "resume") or SuspendProgram ("suspend"): it hands its hostlist on.

    slurmctld runs it as SlurmUser, who may not start root's slurmd; the keeper at the pipe's other end may.
    It is a shell script because this package's interpreter may lie where SlurmUser cannot read. A line as
    short as this arrives in one piece (pipe(7)).
    """
    return f'#!/bin/sh\necho "{verb} $1" >{shlex.quote(str(layout.power_requests))}\n'


def write(configuration: Configuration, version: tuple[int, int]) -> None:
    """Write every file that the daemons of that Slurm `version` read, secrets and programs included."""
    layout = configuration.layout
    layout.slurm_conf.write_text(configuration.slurm_conf())
    layout.slurm_conf.with_name("gres.conf").write_text(configuration.gres_conf())
    if version >= CGROUP_DISABLED_SINCE:
        layout.slurm_conf.with_name("cgroup.conf").write_text("CgroupPlugin=disabled\n")
    if configuration.accounting_port is not None:
        _write_slurmdbd_conf(configuration)
    _write_gpu_files(configuration)
    layout.munge_key.touch(mode=0o600)
    layout.munge_key.write_bytes(secrets.token_bytes(128))
    for verb in ("resume", "suspend"):
        program = layout.programs / verb
        program.write_text(power_program(verb, layout))
        program.chmod(0o755)


def _write_slurmdbd_conf(configuration: Configuration) -> None:
    # slurmdbd ends unless the file is its own account's and no other's: a database password may stand in it.
    file = configuration.layout.slurm_conf.with_name("slurmdbd.conf")
    file.touch(mode=0o600)
    file.write_text(configuration.slurmdbd_conf())
    shutil.chown(file, configuration.slurm_user)


def _write_gpu_files(configuration: Configuration) -> None:
    folder = configuration.layout.gpu_files
    folder.mkdir()
    for number in range(max((resource.gpus[1] for resource in configuration.compute if resource.gpus), default=0)):
        (folder / f"gpu{number}").symlink_to(os.devnull)
