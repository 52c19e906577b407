"""Where a cluster keeps its files."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders and files of a cluster. Daemons of three accounts and every demo user use `root`."""

    root: Path

    @property
    def slurm_conf(self) -> Path:
        """The file that SLURM_CONF names."""
        return self.root / "etc" / "slurm.conf"

    @property
    def munge(self) -> Path:
        """The folder of munged's socket, which every user may enter."""
        return self.root / "munge"

    @property
    def munge_socket(self) -> Path:
        """The socket through which all processes authenticate."""
        return self.munge / "socket"

    @property
    def munge_key(self) -> Path:
        """The munge key of this cluster."""
        return self.root / "secret" / "munge.key"

    @property
    def log(self) -> Path:
        """The daemons' logs."""
        return self.root / "log"

    @property
    def state(self) -> Path:
        """slurmctld's StateSaveLocation."""
        return self.root / "state"

    @property
    def spool(self) -> Path:
        """One SlurmdSpoolDir for each node."""
        return self.root / "spool"

    @property
    def pids(self) -> Path:
        """The daemons' pid files."""
        return self.root / "pids"

    @property
    def programs(self) -> Path:
        """ResumeProgram and SuspendProgram."""
        return self.root / "programs"

    @property
    def database(self) -> Path:
        """MariaDB's data folder, which only its account may enter."""
        return self.root / "database"

    @property
    def database_socket(self) -> Path:
        """The socket through which slurmdbd reaches MariaDB."""
        return self.database / "socket"

    @property
    def init_file(self) -> Path:
        """The SQL that MariaDB runs when it starts."""
        return self.root / "etc" / "init.sql"

    @property
    def flat_file(self) -> Path:
        """The accounts that sacctmgr loads into a new database."""
        return self.root / "etc" / "accounts"

    @property
    def gpu_files(self) -> Path:
        """The files that gres.conf names as the GPUs' devices."""
        return self.root / "etc" / "gpus"

    @property
    def power_requests(self) -> Path:
        """The pipe through which slurmctld asks for nodes and gives them back."""
        return self.root / "programs" / "requests"

    def longest_socket(self, node: str) -> int:
        """The length in bytes of the longest socket name in `root`: slurmstepd's, `<spool>/<node>_<job>.<step>`."""
        return len(str(self.spool / node / f"{node}_{2**26}.{2**32 - 1}").encode())


def make_folders(layout: Layout, slurm_user: str) -> None:
    """Make the folders new and empty, with the owners and permissions that their users need."""
    secret = layout.munge_key.parent
    everyone = (layout.slurm_conf.parent, layout.munge, layout.spool, layout.programs)
    slurms = (layout.state, layout.log, layout.pids, layout.database)
    for folder in (*everyone, *slurms, secret):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.chmod(0o700 if folder in (layout.state, layout.database, secret) else 0o755)
    for folder in slurms:
        shutil.chown(folder, slurm_user)
    layout.root.chmod(0o755)
