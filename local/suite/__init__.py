"""Other Slurm versions: each a Debian suite in a folder of its own, made once and kept in a cache directory."""

from local.suite.chroot import Chroot, SuiteError
from local.suite.suite import SUITES, entered

__all__ = ["SUITES", "Chroot", "SuiteError", "entered"]
