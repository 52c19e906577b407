"""The processor and the Python version for which the artefact is built."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PYTHON = "3.13"
"""The Runtime of template.yaml."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""The processor's name in wheels for each of Lambda's architectures."""
_ASK = "import sys; print('%d.%d %s' % (*sys.version_info[:2], sys.version_info.releaselevel))"


@dataclass(frozen=True)
class Target:
    """One of Lambda's architectures (`arm64`) and a minor version of Python (`3.13`)."""

    architecture: str
    python: str = PYTHON

    @classmethod
    def here(cls) -> Self:
        """This machine's target, so that the result can run here."""
        architecture = next(name for name, machine in MACHINES.items() if machine == platform.machine())
        return cls(architecture, f"{sys.version_info.major}.{sys.version_info.minor}")

    @property
    def platforms(self) -> list[str]:
        """The platform tags of wheels that the runtime can load; it is Amazon Linux 2023 with glibc 2.34."""
        machine = MACHINES[self.architecture]
        tags = ["manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, 35))]
        return [f"{tag}_{machine}" for tag in tags]

    @property
    def markers(self) -> dict[str, str]:
        """The runtime's values for conditional requirements."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    def interpreter(self) -> Path | None:
        """A CPython of that minor version on this machine; None if there is none.

        It is the one that RUNTIME_PYTHON names, or the first in PATH and in the folders of pyenv and uv.
        """
        return next((path for path in self._candidates() if _version(path) == f"{self.python} final"), None)

    def _candidates(self) -> Iterator[Path]:
        name = f"python{self.python}"
        if named := os.environ.get("RUNTIME_PYTHON"):
            yield Path(named)
            return
        yield Path(sys.executable)
        if found := shutil.which(name):
            yield Path(found)
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
        yield from sorted(pyenv.glob(f"{self.python}.*/bin/{name}"))
        yield from sorted(uv.glob(f"cpython-{self.python}.*/bin/{name}"))


def _version(python: Path) -> str | None:
    """An interpreter's version and release level; None if it does not run, like some of pyenv's shims."""
    try:
        return subprocess.run(
            [python, "-I", "-S", "-c", _ASK], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
