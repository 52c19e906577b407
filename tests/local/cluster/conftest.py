"""A folder for a module's clusters, and an ordinary user who starts one."""

import os
import pwd
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import packages
from local.cluster.users import demo_users

from .slurm_waiting import CHECKOUT, open_folder

Program = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder for the module's clusters, on a machine that has the packages for them."""
    packages.install(print, packages.ACCOUNTING)
    with open_folder() as folder:
        yield folder


@pytest.fixture
def as_grace(room: Path) -> Program:
    """Run a Python program as the demo user grace, who imports a copy of `local` in `room/grace`; needs root."""
    demo_users(room / "users", lambda line: None)  # makes the account where it is missing
    grace = pwd.getpwnam("grace")
    shutil.copytree(CHECKOUT / "local", room / "grace" / "local")
    os.chown(room / "grace", grace.pw_uid, grace.pw_gid)

    def run(program: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/usr/bin/python3", "-c", textwrap.dedent(program)],
            cwd=room / "grace",
            env={"PATH": "/usr/bin:/bin"},
            user=grace.pw_uid,
            group=grace.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )

    return run
