"""One private Slurm cluster: starts in an empty folder, and stops without leaving a process."""

import fcntl
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from local.cluster import accounts, mariadb
from local.cluster.configuration import PARALLELCLUSTER, ComputeResource, Configuration, write
from local.cluster.daemons import BIN_DIRS, DaemonError, Daemons, Programs, munged, slurmctld, slurmd, slurmdbd
from local.cluster.host import HostError, own_host
from local.cluster.layout import Layout, make_folders
from local.cluster.place import suitable
from local.cluster.ports import NoFreePortsError, reserved
from local.cluster.users import DemoUser, UnusableAccountError, demo_users
from local.suite.chroot import Chroot, SuiteError

READY_WITHIN = 30.0
"""Seconds that each daemon may take to start; on two cores all of them together take half a second."""
SLURM_ACCOUNT = "slurm"
"""SlurmUser if root starts the cluster, as on ParallelCluster; Debian's packages create the account."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ClusterError(Exception):
    """The cluster could not start; the text says what failed and what to do."""


class Cluster:
    """A real Slurm in `directory`, as a context manager that starts and stops it.

    If root starts it, it is like ParallelCluster's: slurmctld runs as `slurm`, slurmd as root, jobs as the demo
    users. If an ordinary user starts it, everything runs as that user. Each start begins with an empty queue.

    With `accounting` it also runs slurmdbd and a database, with the accounts and the QOS of
    local/cluster/accounts.py, and records what each job uses. As on ParallelCluster, limits are not enforced and
    GPUs are not counted; set `settings={"AccountingStorageEnforce": ..., "AccountingStorageTRES": ...}` to change that.
    """

    def __init__(
        self,
        directory: Path,
        name: str = "demo",
        *,
        accounting: bool = False,
        compute: tuple[ComputeResource, ...] = PARALLELCLUSTER,
        suspend_after: int = 60,
        max_jobs: int = 10_000,
        settings: Mapping[str, str] | None = None,
        bin_dirs: tuple[Path, ...] = BIN_DIRS,
        chroot: Chroot | None = None,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.directory = directory.resolve()
        self.name = name
        self.users: tuple[DemoUser, ...] = ()
        self.programs = Programs(bin_dirs, chroot)
        self._accounting = accounting
        self._compute = compute
        self._suspend_after = suspend_after
        self._max_jobs = max_jobs
        self._settings = settings or {}
        self._progress = progress
        self._held = ExitStack()
        self._daemons: Daemons | None = None
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start(self._progress)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that point a Slurm client at this cluster; empty while it does not run."""
        return dict(self._environment)

    @property
    def state(self) -> Path:
        """slurmctld's StateSaveLocation while it runs. Raises ClusterError."""
        with self._running() as daemons:
            return daemons.layout.state

    def start(self, progress: Callable[[str], None]) -> None:
        """Start it and wait until the static nodes are idle. Raises ClusterError and then leaves no process."""
        with ExitStack() as held:
            try:
                self._start(held, progress)
            except (DaemonError, HostError, NoFreePortsError, SuiteError, UnusableAccountError, OSError) as error:
                self._environment = {}
                raise ClusterError(f"cluster {self.name}: {error}") from error
            self._held = held.pop_all()

    def stop(self) -> None:
        """End every process that the cluster ever started; its logs and state stay in the directory."""
        self._environment = {}
        self._daemons = None
        self._held.close()

    def stop_controller(self) -> None:
        """Stop slurmctld; the nodes and their jobs go on (scontrol(1), shutdown). Raises ClusterError."""
        self.run("scontrol", "shutdown", "slurmctld")
        with self._running() as daemons:
            daemons.wait_for_end("slurmctld", READY_WITHIN)

    def signal(self, daemon: str, number: int) -> None:
        """Send a signal to one of the daemons: `slurmctld`, `slurmdbd`, a node's name. Raises ClusterError."""
        with self._running() as daemons:
            daemons.signal(daemon, number)

    def kill_controller(self) -> None:
        """Have slurmctld end without a word (SIGKILL): it saves nothing. Raises ClusterError."""
        with self._running() as daemons:
            daemons.signal("slurmctld", signal.SIGKILL)
            daemons.wait_for_end("slurmctld", READY_WITHIN)

    def start_controller(self) -> None:
        """Start slurmctld again with the jobs it had. Raises ClusterError."""
        with self._running() as daemons:
            daemons.start("slurmctld", slurmctld(self.programs, daemons.layout))
            daemons.wait("slurmctld", self._controller_is_up, READY_WITHIN)

    def kill_accounting(self) -> None:
        """Have slurmdbd end without a word (SIGKILL). Raises ClusterError."""
        with self._running() as daemons:
            daemons.signal("slurmdbd", signal.SIGKILL)
            daemons.wait_for_end("slurmdbd", READY_WITHIN)

    def start_accounting(self) -> None:
        """Start slurmdbd again. Raises ClusterError."""
        with self._running() as daemons:
            daemons.start("slurmdbd", slurmdbd(self.programs, daemons.layout, _slurm_user()))
            daemons.wait("slurmdbd", self._books_are_open, READY_WITHIN)

    def user(self, name: str) -> DemoUser:
        """The demo user of that name. Raises KeyError."""
        return {user.name: user for user in self.users}[name]

    def run(
        self, *argv: str, user: str | None = None, input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a Slurm command on this cluster directly, not through the API.

        It runs in a clean environment, as the account that started the cluster or as a demo user in their workspace.
        Raises CalledProcessError for a status other than 0 unless `check` is false.
        """
        person = None if user is None else self.user(user)
        command, folder = [self.programs.path(argv[0]), *argv[1:]], person.workspace if person else None
        switch = person if os.geteuid() == 0 else None
        if self.programs.chroot:  # chroot(8) needs root, so it starts as root and switches the account itself
            ids = (person.uid, person.gid, person.groups) if person else None
            command, folder, switch = self.programs.command(command, folder or "/", ids), None, None
        result = subprocess.run(
            command,
            env=self._client(person),
            cwd=folder,
            user=switch.uid if switch else None,
            group=switch.gid if switch else None,
            extra_groups=switch.groups if switch else None,
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # a job's name may contain any byte
            check=False,
        )
        if check and result.returncode != 0:
            failure = subprocess.CalledProcessError(result.returncode, argv, result.stdout, result.stderr)
            failure.add_note(result.stderr.strip())
            raise failure
        return result

    def _client(self, person: DemoUser | None) -> dict[str, str]:
        account = pwd.getpwuid(person.uid if person else os.geteuid())
        return {
            "PATH": SYSTEM_PATH,
            "LC_ALL": "C.UTF-8",
            "HOME": account.pw_dir,
            "SHELL": account.pw_shell,
            "USER": account.pw_name,
            "LOGNAME": account.pw_name,
            **self._environment,
        }

    def _start(self, held: ExitStack, progress: Callable[[str], None]) -> None:
        for program in ("munged", "slurmctld", "slurmd", "scontrol", "sinfo", "sbatch"):
            self.programs.path(program)
        self.directory.mkdir(parents=True, exist_ok=True)
        held.enter_context(_locked(self.directory))
        longest = max((node for resource in self._compute for node in resource.nodes), key=len)
        layout = Layout(held.enter_context(suitable(self.directory, longest, os.geteuid() == 0, progress)))
        make_folders(layout, _slurm_user())
        self.users = demo_users(layout.root / "users", progress)
        if self.programs.chroot:
            held.enter_context(self.programs.chroot.shown(layout.root))
        configuration = self._configuration(held, layout, progress)
        write(configuration, self.programs.slurm_version())
        self._environment = {"SLURM_CONF": str(layout.slurm_conf)}
        self._start_daemons(held, configuration, progress)

    def _configuration(self, held: ExitStack, layout: Layout, progress: Callable[[str], None]) -> Configuration:
        nodes = [node for resource in self._compute for node in resource.nodes]
        controller_port, accounting_port, *node_ports = held.enter_context(reserved(2 + len(nodes)))
        return Configuration(
            cluster_name=self.name,
            layout=layout,
            host=own_host(progress),
            slurm_user=_slurm_user(),
            slurmd_user=pwd.getpwuid(os.geteuid()).pw_name,
            controller_port=controller_port,
            node_ports=dict(zip(nodes, node_ports, strict=True)),
            accounting_port=accounting_port if self._accounting else None,
            compute=self._compute,
            suspend_after=self._suspend_after,
            max_jobs=self._max_jobs,
            settings=self._settings,
        )

    def _start_daemons(self, held: ExitStack, configuration: Configuration, progress: Callable[[str], None]) -> None:
        layout, static = configuration.layout, configuration.static_nodes
        cloud = [node for node in configuration.node_ports if node not in static]
        environment = {"PATH": SYSTEM_PATH, **self._environment}
        daemons = Daemons(layout, self.programs, configuration.host, cloud, environment)
        held.callback(daemons.stop)
        progress("starting munged")
        daemons.start("munged", munged(self.programs, layout))
        daemons.wait("munged", layout.munge_socket.exists, READY_WITHIN)
        if self._accounting:
            self._start_accounting(daemons, configuration, progress)
        progress(f"starting slurmctld on {configuration.host.address}:{configuration.controller_port}")
        daemons.start("slurmctld", [*slurmctld(self.programs, layout), "-c"])  # start with an empty queue
        daemons.wait("slurmctld", self._controller_is_up, READY_WITHIN)
        self._daemons = daemons
        for node in static:
            progress(f"starting slurmd of {node}")
            daemons.start(node, slurmd(self.programs, layout, node))
        for node in static:
            daemons.wait(node, partial(self._is_idle, node), READY_WITHIN)
        progress(f"cluster {self.name} is up: {', '.join(static)} idle, {len(cloud)} nodes powered down")

    def _start_accounting(
        self, daemons: Daemons, configuration: Configuration, progress: Callable[[str], None]
    ) -> None:
        layout, account = configuration.layout, configuration.slurm_user
        progress("making a database and starting mariadbd")
        daemons.start("mariadb-install-db", mariadb.install(self.programs, layout, account))
        daemons.finish("mariadb-install-db", READY_WITHIN)
        layout.init_file.write_text(mariadb.INIT)
        daemons.start("mariadbd", mariadb.mariadbd(self.programs, layout, account))
        daemons.wait("mariadbd", layout.database_socket.exists, READY_WITHIN)
        progress(f"starting slurmdbd on {configuration.host.address}:{configuration.accounting_port}")
        daemons.start("slurmdbd", slurmdbd(self.programs, layout, account))
        daemons.wait("slurmdbd", self._books_are_open, READY_WITHIN)
        # Before slurmctld starts: it would register the cluster itself, without accounts to charge jobs to.
        layout.flat_file.write_text(accounts.flat_file(self.name, [user.name for user in self.users]))
        if os.geteuid() != 0:
            for entry in accounts.open_to(self.name, account):
                self._enter(*entry)
        self._enter(*accounts.ADD_QOS)
        self._enter("load", f"file={layout.flat_file}")

    def _enter(self, *entry: str) -> None:
        result = self.run("sacctmgr", "-iQ", *entry, check=False)
        if result.returncode != 0:
            raise DaemonError(f"sacctmgr {' '.join(entry)}: {(result.stderr or result.stdout).strip()}")

    def _books_are_open(self) -> bool:
        return self.run("sacctmgr", "-n", "show", "cluster", check=False).returncode == 0

    @contextmanager
    def _running(self) -> Iterator[Daemons]:
        try:
            if self._daemons is None:
                raise DaemonError("it is not running")
            yield self._daemons
        except DaemonError as error:
            raise ClusterError(f"cluster {self.name}: {error}") from error

    def _controller_is_up(self) -> bool:
        return self.run("scontrol", "ping", check=False).returncode == 0

    def _is_idle(self, node: str) -> bool:
        return self.run("sinfo", "-h", "-n", node, "-o", "%T", check=False).stdout.split() == ["idle"]


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DaemonError(f"another cluster runs in {directory}") from None
        yield


def _slurm_user() -> str:
    """The account of slurmctld. Raises UnusableAccountError."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    try:
        return pwd.getpwnam(SLURM_ACCOUNT).pw_name
    except KeyError:
        raise UnusableAccountError(f"there is no account {SLURM_ACCOUNT}, which Debian's packages create") from None
