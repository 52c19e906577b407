"""Which Slurm each Debian suite has, and where the suites' folders are kept."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.suite import chroot, debootstrap
from local.suite.chroot import Chroot
from local.suite.debootstrap import KEYRING
from local.suite.mirror import mirror

SUITES: Mapping[str, str] = {"bullseye": "20.11", "bookworm": "22.05", "trixie": "24.11", "forky": "26.05"}
"""Slurm's release in each suite; Debian keeps updating forky until its release."""
BARE = ("python3", "make")
"""What the README expects of a machine besides Debian's base."""
SIGNED_BY_SUCCESSOR = {"forky": "trixie"}
"""Suites whose key is missing in an older Debian's keyring, and the suite whose keyring has it."""


def entered(name: str, progress: Callable[[str], None]) -> Chroot:
    """Make the suite if it does not exist and enter it with this process (see `chroot.enter`). Raises SuiteError."""
    return chroot.enter(made(name, progress))


def made(name: str, progress: Callable[[str], None]) -> Path:
    """The root folder of the suite, made if it does not exist, in a minute or two. Raises SuiteError."""
    if name not in SUITES:
        raise chroot.SuiteError(f"there is no suite {name}: {', '.join(SUITES)}")
    root = cache() / name
    with _only_one(name):
        _make(name, root, debootstrap.SLURM, progress)
        # Suites that an older version of this program made lack it.
        debootstrap.add(root, "curl", Path("usr/bin/curl"), progress)
    return root


def bare(name: str, progress: Callable[[str], None]) -> Path:
    """A root folder with only Debian's base, python3 and make, made if it does not exist. Raises SuiteError."""
    root = cache() / f"{name}.bare"
    with _only_one(root.name):
        _make(name, root, BARE, progress)
    return root


def _make(name: str, root: Path, packages: Sequence[str], progress: Callable[[str], None]) -> None:
    if root.exists():
        return
    started = time.monotonic()
    debootstrap.make(name, root, mirror(), _keyring(name, progress), progress, packages)
    progress(f"{root}: {_size(root)} MB in {time.monotonic() - started:.0f} s; it is kept")


def cache() -> Path:
    """The folder of the suites: `suites` in SLURMQL_CACHE or, by default, in ~/.cache/slurmql."""
    return Path(os.environ.get("SLURMQL_CACHE") or Path.home() / ".cache" / "slurmql").absolute() / "suites"


def _keyring(name: str, progress: Callable[[str], None]) -> Path:
    signer = SIGNED_BY_SUCCESSOR.get(name)
    return (made(signer, progress) if signer else Path("/")) / KEYRING


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Wait until no other process is making the same suite, and keep others waiting."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _size(root: Path) -> int:
    """Its size on disk in megabytes."""
    answer = subprocess.run(["du", "-sm", "-x", str(root)], capture_output=True, text=True, check=False)
    return int(answer.stdout.split()[0])
