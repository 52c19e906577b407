"""MariaDB for slurmdbd: a server of the cluster's own, reached through a socket alone."""

import os

from local.cluster.daemons import Programs
from local.cluster.layout import Layout

# "loose": a MariaDB that no longer knows a variable starts without it (Debian 11 has 10.5, later ones have 11.8).
QUICK = tuple(
    f"--loose-{variable}"
    for variable in (
        # The data lives no longer than the cluster, so nothing waits for a disk.
        "innodb-flush-method=nosync",
        "innodb-flush-log-at-trx-commit=0",
        "innodb-doublewrite=0",
        "innodb-log-file-size=8M",
        "innodb-buffer-pool-size=64M",
        "innodb-data-file-path=ibdata1:4M:autoextend",
        "innodb-autoextend-increment=4",
        "innodb-temp-data-file-path=ibtmp1:4M:autoextend",
        "performance-schema=0",
        # Slurm's advice for accounting: slurmdbd logs an error where it is less.
        "innodb-lock-wait-timeout=900",
    )
)
"""Server variables that make it small and quick to start."""


def install(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv that fills an empty data folder (mariadb-install-db(1)); `account` alone may then connect."""
    return [
        *_become(programs, account),
        programs.path("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={layout.database}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={account}",
        "--skip-test-db",
        "--skip-name-resolve",
        *QUICK,
    ]


def mariadbd(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv of mariadbd in the foreground, listening on no port (mariadbd(8))."""
    return [
        *_become(programs, account),
        programs.path("mariadbd"),
        "--no-defaults",
        f"--datadir={layout.database}",
        f"--tmpdir={layout.database}",
        f"--socket={layout.database_socket}",
        f"--pid-file={layout.database / 'mariadbd.pid'}",
        "--skip-networking",
        "--skip-log-bin",
        # Nobody starts it again on this data.
        "--loose-innodb-fast-shutdown=3",
        *QUICK,
    ]


def _become(programs: Programs, account: str) -> list[str]:
    """What runs a program of MariaDB's as `account`, as it refuses to run as root.

    Its own --user would have mariadb-install-db change the owner of a folder of the package's.
    """
    if os.geteuid() != 0:
        return []
    return [programs.path("setpriv"), f"--reuid={account}", f"--regid={account}", "--init-groups"]
