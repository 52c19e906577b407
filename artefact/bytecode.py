"""Bytecode that Lambda's Python takes as it is.

SAM's zip dates every file 1980, so .pyc files that tell their source's time are never valid there, and Lambda's
/var/task is read-only: without this, each cold start compiles everything. Unchecked-hash .pyc are taken without a look
at the source. They fit one minor version of Python only, so that version has to make them.
"""

import os
import subprocess
from pathlib import Path

TASK = "/var/task"
"""Where Lambda unpacks the artefact; tracebacks name it."""


def compile_all(folder: Path, python: Path) -> None:
    """Compile every module in the folder, by the runtime's own Python, in one process: the same bytes every time."""
    subprocess.run(
        [
            *(python, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
            *("-s", folder, "-p", TASK, folder),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
    )
