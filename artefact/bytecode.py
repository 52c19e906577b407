"""Compiles bytecode that Lambda's Python uses as it is.

SAM's zip dates every file 1980, so .pyc files that record their source's time are never valid, and Lambda's /var/task
is read-only. Without this module each cold start would compile everything. Python uses .pyc files with an unchecked
hash without looking at the source. They fit only one minor version of Python, so that version must make them.
"""

import os
import subprocess
from pathlib import Path

TASK = "/var/task"
"""Where Lambda unpacks the artefact; tracebacks show it."""


def compile_all(folder: Path, python: Path) -> None:
    """Compile every module in the folder with the runtime's Python, in one process, with the same bytes every time."""
    subprocess.run(
        [
            *(python, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
            *("-s", folder, "-p", TASK, folder),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
    )
