"""The demo users: real accounts, created once and then kept, because another cluster may use them."""

import grp
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEMO_USERS = (("ada", "analysts"), ("grace", "compilers"))
"""The name and the extra group of each demo user."""
LOWEST_UID = 1000
"""The lowest uid of a person; lower ones belong to the system (login.defs(5), UID_MIN)."""


class UnusableAccountError(Exception):
    """A demo user's account is a system account or could not be created."""


@dataclass(frozen=True)
class DemoUser:
    """An account that submits jobs."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    """All group ids of the user, including the primary one, as initgroups(3) sets them."""
    home: Path
    shell: str
    workspace: Path
    """The user's folder in the cluster's directory: the working directory of `Cluster.run` and of the jobs."""


def demo_users(workspaces: Path, progress: Callable[[str], None]) -> tuple[DemoUser, ...]:
    """For root the demo users, created if they are missing; else the current user. Raises UnusableAccountError."""
    if os.geteuid() != 0:
        return (_with_workspace(pwd.getpwuid(os.geteuid()).pw_name, workspaces),)
    for name, group in DEMO_USERS:
        _ensure_account(name, group, progress)
    return tuple(_with_workspace(name, workspaces) for name, _ in DEMO_USERS)


def _ensure_account(name: str, group: str, progress: Callable[[str], None]) -> None:
    if not _exists(name):
        progress(f"creating the demo user {name} in the extra group {group}; both stay (userdel -r {name})")
        _make(["groupadd", "--force", group], lambda: True)
        _make(
            ["useradd", "--create-home", "--shell", "/bin/bash", "--groups", group, name],
            lambda: _exists(name),
        )
    if pwd.getpwnam(name).pw_uid < LOWEST_UID:
        raise UnusableAccountError(
            f"{name} is a system account (its uid is below {LOWEST_UID}), so it cannot be a demo user"
        )


def _make(argv: list[str], made: Callable[[], bool]) -> None:
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    # Another cluster that starts at the same time may have created it first.
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
