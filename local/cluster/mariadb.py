"""MariaDB for slurmdbd: a server of the cluster's own, reached through a socket alone."""

from local.cluster.daemons import Programs, as_account
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
        # What slurmdbd asks for; 26.05 would end itself where two transactions meet.
        "innodb-lock-wait-timeout=900",
        "innodb-snapshot-isolation=0",
    )
)
"""Server variables that make it small and quick to start."""


# slurmdbd makes its database where it is missing, but not with a client library (11.8.9, Debian 14) that forgets its
# settings over the first attempt to connect.
INIT = "CREATE DATABASE IF NOT EXISTS slurm_acct_db;\n"
"""SQL for mariadbd to run before it lets anybody in."""


def install(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv that fills an empty data folder (mariadb-install-db(1)); `account` alone may then connect.

    Its option --user would change the owner of a folder of the package's.
    """
    return [
        *as_account(programs, account),
        programs.path("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={layout.database}",
        # At its start it removes every temporary table from there: also another cluster's, were it /tmp.
        f"--tmpdir={layout.database}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={account}",
        "--skip-test-db",
        "--skip-name-resolve",
        *QUICK,
    ]


def mariadbd(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv of mariadbd in the foreground, listening on no port (mariadbd(8))."""
    return [
        *as_account(programs, account),
        programs.path("mariadbd"),
        "--no-defaults",
        f"--datadir={layout.database}",
        f"--tmpdir={layout.database}",
        f"--socket={layout.database_socket}",
        f"--pid-file={layout.database / 'mariadbd.pid'}",
        "--skip-networking",
        "--skip-log-bin",
        f"--init-file={layout.init_file}",
        # Nobody starts it again on this data.
        "--loose-innodb-fast-shutdown=3",
        *QUICK,
    ]
