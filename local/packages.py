"""Installs the Debian packages that are missing, Slurm's and curl: `python -m local.packages [--accounting]`."""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

PACKAGES: Mapping[str, str] = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "munged": "munge",
    "curl": "curl",  # headnode/program/transfer.py uploads large answers with it; real head nodes have it
}
"""The packages that we need, each with a program or a library that shows whether it is installed."""
# Only the core: mariadb-server would set up and start a server that the machine's owner did not ask for.
ACCOUNTING: Mapping[str, str] = {
    **PACKAGES,
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",  # mariadb-install-db calls it, and no package depends on it
}
"""The packages for a cluster with accounting."""
BROWSER: Mapping[str, str] = {
    "chromium": "chromium",
    "libatomic.so.1": "libatomic1",  # the Node.js that comes with Playwright needs it
}
"""The packages for the tests of GraphiQL's page."""
# An ordinary user's PATH lacks the daemons' folders.
FOLDERS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


class PackagesError(Exception):
    """A package cannot be installed; the text says why and what to do."""


def missing(packages: Mapping[str, str] = PACKAGES) -> list[str]:
    """The packages whose program or library is not on this machine."""
    return [package for name, package in packages.items() if not _is_there(name)]


def _is_there(name: str) -> bool:
    if ".so." not in name:
        return shutil.which(name, path=FOLDERS) is not None
    try:
        return bool(ctypes.CDLL(name))
    except OSError:
        return False


def install(progress: Callable[[str], None], wanted: Mapping[str, str] = PACKAGES) -> None:
    """Install those of the wanted packages that are missing, with apt-get. Raises PackagesError.

    It enables and configures nothing. If systemd starts the packages' services, they exit because there is no
    slurm.conf; this project's clusters neither need nor touch them.
    """
    packages = missing(wanted)
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise PackagesError(f"{', '.join(packages)} missing, and there is no apt-get: install them by other means")
    become_root = _become_root(packages)
    argv = [*become_root, "apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    progress(f"installing {', '.join(packages)}: {' '.join(argv)}")
    if _apt(argv).returncode == 0:
        return
    progress("apt-get does not find the packages: updating its lists once")
    for command in ([*become_root, "apt-get", "update", "--quiet"], argv):
        result = _apt(command)
        if result.returncode != 0:
            raise PackagesError(f"{' '.join(command)} failed: {_last_line(result.stderr)}")


def _become_root(packages: Sequence[str]) -> list[str]:
    """The words that make a command run as root. Raises PackagesError."""
    if os.geteuid() == 0:
        return []
    by_hand = f"run as root: apt-get install {' '.join(packages)}"
    if shutil.which("sudo") is None:
        raise PackagesError(f"{', '.join(packages)} missing, you are not root, and there is no sudo; {by_hand}")
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    if sys.stdin.isatty():
        return ["sudo"]
    raise PackagesError(f"{', '.join(packages)} missing, and sudo wants a password; {by_hand}")


def _apt(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # With env(1), because sudo does not pass the environment on.
    at = argv.index("apt-get")
    command = [*argv[:at], "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", *argv[at:]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def main(argv: Sequence[str] = ()) -> int:
    """Install what is missing; return 1, with a sentence on standard error, if that fails."""
    parser = argparse.ArgumentParser(prog="python -m local.packages", description=__doc__)
    parser.add_argument("--accounting", action="store_true", help="slurmdbd and MariaDB too")
    wanted = ACCOUNTING if parser.parse_args(argv).accounting else PACKAGES
    try:
        install(lambda line: print(line, flush=True), wanted)
    except PackagesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
