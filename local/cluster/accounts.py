"""Who is in the books of slurmdbd: the cluster, its accounts, its QOS and the demo users."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An account that jobs are charged to."""

    name: str
    description: str
    organization: str
    limits: str
    """As sacctmgr(1) writes them in a flat file."""


ACCOUNTS = (
    # ParallelCluster makes this one wherever a Database section is configured.
    Account("pcdefault", "created by ParallelCluster", "pcdefault", "Fairshare=1"),
    Account("genomics", "sequencing runs", "biology", "Fairshare=40:GrpTRES=cpu=64"),
    Account("physics", "plasma in a torus", "physics", "Fairshare=20"),
    Account("climate", "ocean models", "physics", "Fairshare=10:GrpJobs=50:MaxWallDurationPerJob=2880"),
)
"""Every demo user is in each of them; the first is everybody's default."""
QOS = "urgent"
"""The QOS beside Slurm's own `normal`."""
ADD_QOS = (
    *("add", "qos", QOS),
    "Description=before all others, for a day at most",
    *("Priority=1000", "MaxWall=1-00:00:00", "MaxJobsPerUser=8"),
)
"""What sacctmgr is told to add the QOS, which a flat file cannot."""


def open_to(cluster: str, user: str) -> tuple[tuple[str, ...], ...]:
    """What sacctmgr is told so that an ordinary user may load a file: it does so for none that the books lack."""
    return (
        ("add", "cluster", cluster),
        ("add", "user", user, f"Cluster={cluster}", "Account=root", "AdminLevel=Admin"),
    )


def flat_file(cluster: str, users: Sequence[str]) -> str:
    """Text for `sacctmgr load` (sacctmgr(1), FLAT FILE DUMP AND LOAD): the cluster, accounts, and users in each.

    One file, as each command of sacctmgr's takes half a second: slurmdbd's answers wait for delayed
    acknowledgements of TCP.
    """
    lines = [f"Cluster - '{cluster}':Fairshare=1", "Parent - 'root'"]
    lines += [
        f"Account - '{account.name}':Description='{account.description}'"
        f":Organization='{account.organization}':{account.limits}"
        for account in ACCOUNTS
    ]
    for account in ACCOUNTS:
        lines.append(f"Parent - '{account.name}'")
        lines += [
            f"User - '{user}':DefaultAccount='{ACCOUNTS[0].name}':DefaultQOS='normal':QOS='normal,{QOS}'"
            for user in users
        ]
    return "\n".join(lines) + "\n"
