"""What slurmdbd's database contains: the cluster, its accounts, its QOS and the demo users."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An account that jobs are charged to."""

    name: str
    description: str
    organization: str
    limits: str
    """In the notation of sacctmgr(1)'s flat files."""


ACCOUNTS = (
    # ParallelCluster creates this account wherever a Database section is configured.
    Account("pcdefault", "created by ParallelCluster", "pcdefault", "Fairshare=1"),
    Account("genomics", "sequencing runs", "biology", "Fairshare=40:GrpTRES=cpu=64"),
    Account("physics", "plasma in a torus", "physics", "Fairshare=20"),
    Account("climate", "ocean models", "physics", "Fairshare=10:GrpJobs=50:MaxWallDurationPerJob=2880"),
)
"""Every demo user belongs to each account; the first one is everybody's default."""
QOS = "urgent"
"""The QOS that exists besides Slurm's own `normal`."""
ADD_QOS = (
    *("add", "qos", QOS),
    "Description=before all others, for a day at most",
    *("Priority=1000", "MaxWall=1-00:00:00", "MaxJobsPerUser=8"),
)
"""The sacctmgr command that adds the QOS, which a flat file cannot do."""


def open_to(cluster: str, user: str) -> tuple[tuple[str, ...], ...]:
    """The sacctmgr commands that let an ordinary user load a file: only a user in the database may."""
    return (
        ("add", "cluster", cluster),
        ("add", "user", user, f"Cluster={cluster}", "Account=root", "AdminLevel=Admin"),
    )


def flat_file(cluster: str, users: Sequence[str]) -> str:
    """Text for `sacctmgr load` (sacctmgr(1), FLAT FILE DUMP AND LOAD): the cluster, accounts, and users in each.

    Everything is in one file because each sacctmgr command takes half a second: slurmdbd's answers wait for
    TCP's delayed acknowledgements.
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
