"""Makes the root folder of a Debian suite, by default with Slurm, its database and Python (debootstrap(8))."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from local.suite.chroot import SuiteError

SLURM = ("slurmctld", "slurmd", "slurm-client", "munge", "python3", "curl", "slurmdbd", "mariadb-server")
KEYRING = Path("usr/share/keyrings/debian-archive-keyring.gpg")
SCRIPTS = Path("/usr/share/debootstrap/scripts")
COMMON_SCRIPT = SCRIPTS / "sid"
"""The script that debootstrap uses for all recent suites; an older debootstrap lacks the links for newer suites."""
SHOWN_LINES = 3


def make(
    suite: str,
    root: Path,
    mirror: str,
    keyring: Path,
    progress: Callable[[str], None],
    packages: Sequence[str] = SLURM,
) -> None:
    """Make `root`, which must not exist yet, with Debian's base and `packages`. Raises SuiteError.

    After an error `root` does not exist. `keyring` contains the key that signs the suite.
    """
    if os.geteuid() != 0:
        raise SuiteError("another Slurm version runs in a chroot, which only root can make and enter")
    root.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{suite}.", dir=root.parent))
    try:
        building.chmod(0o755)  # every account of the suite must be able to enter it
        log = building.with_name(f"{building.name}.log")
        if shutil.which("debootstrap") is None:
            progress("installing debootstrap")
            _run(["sh", "-ec", "apt-get update; apt-get install --yes --no-install-recommends debootstrap"], log)
        progress(f"making Debian {suite} in {root}; the log is {log}")
        _run(_debootstrap(suite, building, mirror, keyring), log)
        progress(f"installing {', '.join(packages)}")
        _install(building, packages, log)
        building.rename(root)
        log.unlink()
    finally:
        remove(building)


def add(root: Path, package: str, program: Path, progress: Callable[[str], None]) -> None:
    """Install a package into an existing suite unless its `program` is there. Raises SuiteError."""
    if (root / program).exists():
        return
    progress(f"installing {package} in {root}")
    log = root.with_name(f"{root.name}.{package}.log")
    _install(root, [package], log)
    log.unlink()


def _debootstrap(suite: str, root: Path, mirror: str, keyring: Path) -> list[str]:
    script = [] if (SCRIPTS / suite).exists() else [str(COMMON_SCRIPT)]
    return ["debootstrap", "--variant=minbase", f"--keyring={keyring}", suite, str(root), mirror, *script]


def _install(root: Path, packages: Sequence[str], log: Path) -> None:
    # The packages' services must not start: nobody needs them.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    # In a mount namespace of its own, so that proc is unmounted when the command ends.
    install = (
        'mount -t proc proc "$1/proc"; root=$1; shift;'
        # Signatures are checked, but a frozen mirror of a testing suite may be older than its Valid-Until.
        ' chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update;'
        ' chroot "$root" apt-get install --yes --no-install-recommends "$@";'
        ' chroot "$root" apt-get clean'
    )
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", install, "sh", str(root), *packages]
    _run(argv, log)
    shutil.rmtree(root / "var/lib/apt/lists")


def _run(argv: Sequence[str], log: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("a") as output:
        status = subprocess.run(argv, stdout=output, stderr=output, env=environment, check=False).returncode
    if status != 0:
        last = [line for line in log.read_text(errors="replace").splitlines() if line][-SHOWN_LINES:]
        raise SuiteError(f"{argv[0]} failed with status {status}: {' / '.join(last)} (all of it: {log})")


def remove(root: Path) -> None:
    """Remove a root folder if it exists and nothing is mounted below it."""
    mounts = Path("/proc/self/mounts").read_text()
    if root.exists() and f" {root}/" not in mounts:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=False)
