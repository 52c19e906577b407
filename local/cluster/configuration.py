"""slurm.conf, gres.conf and slurmdbd.conf, with ParallelCluster's values where one machine can have them."""

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
    """MiB that jobs may use: 95 % of the instance's memory, as on ParallelCluster."""
    static: bool = False
    gpus: tuple[str, int] | None = None
    """The type and number of each node's GPUs, such as ("a100", 8)."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return tuple(f"{self._stem}-{number}" for number in range(1, self.count + 1))

    @property
    def hostlist(self) -> str:
        """All nodes as one Slurm hostlist expression."""
        return f"{self._stem}-[1-{self.count}]"

    @property
    def features(self) -> str:
        """The features in ParallelCluster's order: static or dynamic, instance type, resource, gpu."""
        kind = "static" if self.static else "dynamic"
        return ",".join([kind, self.instance_type, self.name] + (["gpu"] if self.gpus else []))

    @property
    def _stem(self) -> str:
        return f"{self.queue}-{'st' if self.static else 'dy'}-{self.name}"


CGROUP_DISABLED_SINCE = (24, 5)
"""The first Slurm whose cgroup.conf(5) has `CgroupPlugin=disabled`; older ones need no cgroup.conf here."""
PARALLELCLUSTER = (
    ComputeResource("queue1", "small", "t3.small", count=2, cpus=4, memory=1945, static=True),
    ComputeResource("queue1", "large", "c5.large", count=4, cpus=2, memory=3891),
    ComputeResource("gpu", "p4d", "p4d.24xlarge", count=2, cpus=96, memory=1_120_665, gpus=("a100", 8)),
)
"""Two queues; the first is the default. A real t3.small has 2 CPUs; with 4 a few more demo jobs run at once."""


@dataclass(frozen=True)
class Configuration:
    """The content of the files. Durations are in seconds."""

    cluster_name: str
    layout: Layout
    host: Host
    slurm_user: str
    slurmd_user: str
    controller_port: int
    node_ports: Mapping[str, int]
    accounting_port: int | None = None
    """slurmdbd's port; None for a cluster without accounting."""
    compute: tuple[ComputeResource, ...] = PARALLELCLUSTER
    suspend_after: int = 60
    suspend_timeout: int = 5
    resume_timeout: int = 60
    max_jobs: int = 10_000
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings, which override ours."""

    @property
    def static_nodes(self) -> tuple[str, ...]:
        """The nodes that are always up."""
        return tuple(node for resource in self.compute if resource.static for node in resource.nodes)

    def slurm_conf(self) -> str:
        """The text of slurm.conf (slurm.conf(5))."""
        general = {**self._general(), **self._power_saving(), **self._accounting(), **self.settings}
        lines = [f"{key}={value}" for key, value in general.items()]
        lines += [self._node_line(resource) for resource in self.compute]
        lines += self._partition_lines()
        return "\n".join(lines) + "\n"

    def gres_conf(self) -> str:
        """The text of gres.conf (gres.conf(5)), with links to /dev/null as the GPUs' devices.

        slurmd does not count a GPU without a file, and slurmctld then drains the node (22.05).
        """
        return "".join(
            f"NodeName={resource.hostlist} Name=gpu Type={resource.gpus[0]} Count={resource.gpus[1]}"
            f" File={self.layout.gpu_files}/gpu[0-{resource.gpus[1] - 1}]\n"
            for resource in self.compute
            if resource.gpus
        )

    def slurmdbd_conf(self) -> str:
        """The text of slurmdbd.conf (slurmdbd.conf(5))."""
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
            # The client library uses the socket only for this name.
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
            # Both daemons listen only on the address of this host's name, not on every interface.
            "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
            "StateSaveLocation": str(layout.state),
            "SlurmdSpoolDir": str(layout.spool / "%n"),
            "SlurmctldPidFile": str(layout.pids / "slurmctld.pid"),
            "SlurmdPidFile": str(layout.pids / "%n.pid"),
            "SlurmctldLogFile": str(layout.log / "slurmctld.log"),
            "SlurmdLogFile": str(layout.log / "%n.log"),
            # No control groups and no MPI: an ordinary machine may lack what they need.
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "MpiDefault": "none",
            "SlurmdParameters": "config_overrides",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU",
            "GresTypes": "gpu",
            # A job starts half a second after sbatch; with Slurm's defaults it takes up to three seconds.
            "SchedulerParameters": "batch_sched_delay=1,sched_min_interval=200000",
            # The default in 22.05. The later default, priority/multifactor, gives all jobs of such a cluster the same
            # priority, and then a job that waits for resources holds up all later jobs of its queue.
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
            # With munge this is not a password but munged's socket; AuthInfo is ignored here.
            "AccountingStoragePass": str(self.layout.munge_socket),
            # ParallelCluster samples control groups every 30 s; every second also catches a demo's short jobs.
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
    """The text of ResumeProgram (`verb` "resume") or SuspendProgram ("suspend"), which passes on its hostlist.

    slurmctld runs it as SlurmUser, who may not start root's slurmd; the keeper, which reads the pipe, may.
    It is a shell script because SlurmUser may be unable to read our Python interpreter. Such a short line
    arrives in one piece (pipe(7)).
    """
    return f'#!/bin/sh\necho "{verb} $1" >{shlex.quote(str(layout.power_requests))}\n'


def write(configuration: Configuration, version: tuple[int, int]) -> None:
    """Write every file that the daemons of that Slurm `version` read, including secrets and programs."""
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
    # slurmdbd exits unless only its own account can read the file, which may contain a database password.
    file = configuration.layout.slurm_conf.with_name("slurmdbd.conf")
    file.touch(mode=0o600)
    file.write_text(configuration.slurmdbd_conf())
    shutil.chown(file, configuration.slurm_user)


def _write_gpu_files(configuration: Configuration) -> None:
    folder = configuration.layout.gpu_files
    folder.mkdir()
    for number in range(max((resource.gpus[1] for resource in configuration.compute if resource.gpus), default=0)):
        (folder / f"gpu{number}").symlink_to(os.devnull)
