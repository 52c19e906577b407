"""MariaDB for slurmdbd: a server for this cluster alone, which listens only on a socket."""

from local.cluster.daemons import Programs, as_account
from local.cluster.layout import Layout

# "loose": a MariaDB that does not know a variable ignores it (Debian 11 has 10.5, Debian 13 has 11.8).
QUICK = tuple(
    f"--loose-{variable}"
    for variable in (
        # The data is not needed after the cluster, so nothing waits for a disk.
        "innodb-flush-method=nosync",
        "innodb-flush-log-at-trx-commit=0",
        "innodb-doublewrite=0",
        "innodb-log-file-size=8M",
        "innodb-buffer-pool-size=64M",
        "innodb-data-file-path=ibdata1:4M:autoextend",
        "innodb-autoextend-increment=4",
        "innodb-temp-data-file-path=ibtmp1:4M:autoextend",
        "performance-schema=0",
        # What slurmdbd asks for; without it slurmdbd 26.05 exits when two transactions conflict.
        "innodb-lock-wait-timeout=900",
        "innodb-snapshot-isolation=0",
    )
)
"""Server variables that make it small and fast to start."""


# slurmdbd creates a missing database itself, but not with the client library of Debian 14 (11.8.9), which loses its
# settings when the first attempt to connect fails.
INIT = "CREATE DATABASE IF NOT EXISTS slurm_acct_db;\n"
"""SQL that mariadbd runs before it accepts connections."""


def install(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv that fills an empty data folder (mariadb-install-db(1)); afterwards only `account` may connect.

    It does not use the option --user, which would change the owner of one of the package's folders.
    """
    return [
        *as_account(programs, account),
        programs.path("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={layout.database}",
        # It starts by removing all temporary tables there; in /tmp these could be another cluster's.
        f"--tmpdir={layout.database}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={account}",
        "--skip-test-db",
        "--skip-name-resolve",
        *QUICK,
    ]


def mariadbd(programs: Programs, layout: Layout, account: str) -> list[str]:
    """The argv of mariadbd in the foreground; it does not listen on a port (mariadbd(8))."""
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
        # A slow, clean shutdown would be wasted: nobody starts it again on this data.
        "--loose-innodb-fast-shutdown=3",
        *QUICK,
    ]
