"""Which Debian suite brings which Slurm, and where the folders of the suites are kept."""

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
"""Slurm's release in each suite; Debian updates forky until it is released."""
BARE = ("python3", "make")
"""What the README asks of a machine."""
SIGNED_BY_SUCCESSOR = {"forky": "trixie"}
"""Suites whose key an older Debian's keyring lacks, and the suite whose keyring holds it."""


def entered(name: str, progress: Callable[[str], None]) -> Chroot:
    """The suite of that name, made if need be, entered for this process (see `chroot.enter`). Raises SuiteError."""
    return chroot.enter(made(name, progress))


def made(name: str, progress: Callable[[str], None]) -> Path:
    """The root folder of the suite; made where it is missing, which takes a minute or two. Raises SuiteError."""
    if name not in SUITES:
        raise chroot.SuiteError(f"there is no suite {name}: {', '.join(SUITES)}")
    root = cache() / name
    with _only_one(name):
        _make(name, root, debootstrap.SLURM, progress)
        debootstrap.add(root, "curl", Path("usr/bin/curl"), progress)  # suites that were kept before it was needed
    return root


def bare(name: str, progress: Callable[[str], None]) -> Path:
    """A root folder with Debian's base, python3 and make alone; made if it does not exist yet. Raises SuiteError."""
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
    """Where the suites are kept: SLURMQL_CACHE, or .cache/slurmql in the home folder, and there suites/."""
    return Path(os.environ.get("SLURMQL_CACHE") or Path.home() / ".cache" / "slurmql").absolute() / "suites"


def _keyring(name: str, progress: Callable[[str], None]) -> Path:
    signer = SIGNED_BY_SUCCESSOR.get(name)
    return (made(signer, progress) if signer else Path("/")) / KEYRING


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Let another process that makes the same suite finish first."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _size(root: Path) -> int:
    """Megabytes on disk."""
    answer = subprocess.run(["du", "-sm", "-x", str(root)], capture_output=True, text=True, check=False)
    return int(answer.stdout.split()[0])
