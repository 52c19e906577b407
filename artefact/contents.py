"""Adds our code and GraphiQL's files, and removes the parts of the libraries that no request needs."""

import shutil
import tomllib
from pathlib import Path

from transport.trusted import FILE as TRUSTED

# Command-line tools, data of boto3's `resource` interface (we use clients), time zones from before zoneinfo.
_UNUSED = ("bin", "boto3/data", "boto3/examples", "strawberry/cli", "dateutil/zoneinfo")
_UNUSED_FILES = ("*.pyi", "py.typed", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")


def remove_unused(folder: Path) -> None:
    """Remove from the installed libraries what only development needs.

    Licences stay because they demand it, and METADATA stays because a library may look up its version.
    """
    for name in _UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for pattern in _UNUSED_FILES:
        for path in folder.rglob(pattern):
            path.unlink()


def add_ours(tree: Path, folder: Path) -> None:
    """Copy the packages and modules that pyproject.toml names, and GraphiQL's files and trusted documents if any."""
    setuptools = tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["setuptools"]
    for package in sorted({name.partition(".")[0] for name in setuptools["packages"]}):  # with its contents
        shutil.copytree(tree / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.graphql"))
    for module in setuptools["py-modules"]:
        shutil.copyfile(tree / f"{module}.py", folder / f"{module}.py")
    if (tree / TRUSTED.name).is_file():
        shutil.copyfile(tree / TRUSTED.name, folder / TRUSTED.name)
    if has_graphiql(tree):
        shutil.copytree(tree / "web" / "dist", folder / "web" / "dist")


def has_graphiql(tree: Path) -> bool:
    """Whether `make web` has been run."""
    return (tree / "web" / "dist" / "index.html").is_file()
