"""Installs the libraries that the Lambda needs: wheels for its platform in the pinned versions."""

import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artefact.target import Target


class DependenciesError(Exception):
    """A library cannot be installed for the target; the text is pip's or names what is missing."""


def install(tree: Path, into: Path, target: Target) -> None:
    """Install the project's dependencies into the folder with pip, only from wheels. Raises DependenciesError.

    pip evaluates conditional requirements (`; python_version < "3.13"`) for the Python that runs it, so the runtime's
    Python runs it if this machine has one. In any case it is an error if a requirement is missing in the end.
    """
    python = target.interpreter()
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check"),
        *(["--python", str(python)] if python else []),
        *("install", "--quiet", "--no-compile", "--only-binary=:all:", "--target", str(into)),
        *("--implementation", "cp", "--python-version", target.python),
        *(f"--platform={platform}" for platform in target.platforms),
        *("--constraint", str(tree / "constraints.txt")),
        *project["dependencies"],
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DependenciesError(result.stderr.strip())
    if missing := unmet(into, target, project["dependencies"]):
        raise DependenciesError(f"pip did not install what the runtime needs: {', '.join(missing)}")


def unmet(folder: Path, target: Target, wanted: list[str]) -> list[str]:
    """The target's requirements that nothing in the folder meets, as `library: requirement`."""
    installed: dict[str, Distribution] = {
        canonicalize_name(library.name): library for library in distributions(path=[str(folder)])
    }
    missing: list[str] = []
    seen: set[tuple[str, str]] = set()
    pending = [("slurmql", Requirement(text), "") for text in wanted]
    while pending:
        parent, requirement, extra = pending.pop()
        if requirement.marker and not requirement.marker.evaluate({**target.markers, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        library = installed.get(name)
        if library is None or not requirement.specifier.contains(library.version, prereleases=True):
            missing.append(f"{parent}: {requirement}")
            continue
        for wish in {"", *requirement.extras} - {extra for done, extra in seen if done == name}:
            seen.add((name, wish))
            pending += [(name, Requirement(text), wish) for text in library.requires or []]
    return missing
