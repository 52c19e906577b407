"""The people of the demo cluster: real accounts, made once and kept, as another cluster may be using them."""

import grp
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEMO_USERS = (("ada", "analysts"), ("grace", "compilers"))
"""Name and extra group of each demo user."""
LOWEST_UID = 1000
"""First uid of a person; those below belong to the system (login.defs(5), UID_MIN)."""


class UnusableAccountError(Exception):
    """An account of a demo user's name exists but is no person's, or could not be made."""


@dataclass(frozen=True)
class DemoUser:
    """An account that submits jobs."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    """Every group id of the user, the primary one included, as initgroups(3) sets them."""
    home: Path
    shell: str
    workspace: Path
    """A folder of the user's inside the cluster's directory: where `Cluster.run` starts and output lands."""


def demo_users(workspaces: Path, progress: Callable[[str], None]) -> tuple[DemoUser, ...]:
    """As root the demo users, made where missing; else the current user. Raises UnusableAccountError."""
    if os.geteuid() != 0:
        return (_with_workspace(pwd.getpwuid(os.geteuid()).pw_name, workspaces),)
    for name, group in DEMO_USERS:
        _ensure_account(name, group, progress)
    return tuple(_with_workspace(name, workspaces) for name, _ in DEMO_USERS)


def _ensure_account(name: str, group: str, progress: Callable[[str], None]) -> None:
    if not _exists(name):
        progress(f"making the demo user {name}, in the extra group {group} (both stay: userdel -r {name})")
        _make(["groupadd", "--force", group], lambda: True)
        _make(
            ["useradd", "--create-home", "--shell", "/bin/bash", "--groups", group, name],
            lambda: _exists(name),
        )
    if pwd.getpwnam(name).pw_uid < LOWEST_UID:
        raise UnusableAccountError(
            f"{name} is an account of the system (uid below {LOWEST_UID}): it cannot be a demo user"
        )


def _make(argv: list[str], made: Callable[[], bool]) -> None:
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    # Another cluster that starts at the same time may have made it first.
    if result.returncode != 0 and not made():
        raise UnusableAccountError(f"{' '.join(argv)}: {result.stderr.strip()}")


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _with_workspace(name: str, workspaces: Path) -> DemoUser:
    account = pwd.getpwnam(name)
    workspace = workspaces / name
    workspace.mkdir(parents=True, exist_ok=True)
    os.chown(workspace, account.pw_uid, account.pw_gid)
    return DemoUser(
        name=name,
        uid=account.pw_uid,
        gid=account.pw_gid,
        groups=tuple(sorted(os.getgrouplist(name, account.pw_gid))),
        home=Path(account.pw_dir),
        shell=account.pw_shell,
        workspace=workspace,
    )


def group_names(user: DemoUser) -> tuple[str, ...]:
    """The names of the user's groups, in the order of their ids."""
    return tuple(grp.getgrgid(gid).gr_name for gid in user.groups)
