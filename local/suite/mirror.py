"""The Debian mirror that this machine's apt is configured to use (apt-get(8), indextargets)."""

import os
import shutil
import subprocess

from local.suite.chroot import SuiteError

OVERRIDE = "SLURMQL_DEBIAN_MIRROR"


def mirror() -> str:
    """The URL of Debian's main archive: SLURMQL_DEBIAN_MIRROR or what this machine's apt uses. Raises SuiteError."""
    if configured := os.environ.get(OVERRIDE):
        return configured
    if shutil.which("apt-get") is None:
        raise SuiteError(f"there is no apt-get: set {OVERRIDE} to the URL of a Debian mirror")
    # The label selects Debian's main archive, not its security updates or anybody else's archive.
    argv = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    found = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split()
    if not found:
        raise SuiteError(
            f"apt knows no Debian archive: run apt-get update, or set {OVERRIDE} to the URL of a Debian mirror"
        )
    return found[0]
