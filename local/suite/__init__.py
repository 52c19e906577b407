"""Other Slurm versions: each is a Debian suite in its own folder, made once and kept in a cache."""

from local.suite.chroot import Chroot, SuiteError
from local.suite.suite import SUITES, entered

__all__ = ["SUITES", "Chroot", "SuiteError", "entered"]
