"""`make build`: makes the folder that becomes /var/task, and its zip."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from artefact import archive, botocore_data, bytecode, contents, dependencies
from artefact.target import MACHINES, PYTHON, Target

TREE = Path(__file__).parents[1]
_LARGEST = 8
"""How many parts are listed with their size."""


def main(argv: list[str]) -> int:
    """Build and print the sizes; return 1, with a sentence on standard error, if it cannot be built."""
    parser = argparse.ArgumentParser(prog="make build", description=__doc__)
    parser.add_argument("--architecture", choices=MACHINES, default="arm64")
    parser.add_argument("--python", default=PYTHON, help="the runtime's minor version")
    parser.add_argument("--into", type=Path, help="the folder; build/lambda-ARCHITECTURE by default")
    arguments = parser.parse_args(argv)
    target = Target(arguments.architecture, arguments.python)
    folder = arguments.into or TREE / "build" / f"lambda-{target.architecture}"
    try:
        build(folder.absolute(), target)
    except dependencies.DependenciesError as error:
        print(f"the libraries for {target.architecture} cannot be installed: {error}", file=sys.stderr)
        return 1
    return 0


def build(folder: Path, target: Target) -> None:
    """Empty the folder, fill it, and write its zip beside it. Raises DependenciesError."""
    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {line}", flush=True)

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    progress(f"installing the libraries for Python {target.python} on {target.architecture}")
    dependencies.install(TREE, folder, target)
    contents.remove_unused(folder)
    kept = botocore_data.cut(folder / "botocore" / "data", TREE / "headnode")
    kept_counts = ", ".join(f"{service} {len(operations)}" for service, operations in kept.items())
    progress(f"cut botocore's data to the operations that we call: {kept_counts}")
    contents.add_ours(TREE, folder)
    if not contents.has_graphiql(TREE):
        progress("without GraphiQL, because `make web` has not been run")
    if python := target.interpreter():
        progress(f"compiling with {python}")
        bytecode.compile_all(folder, python)
    else:
        progress(
            f"WARNING: found no Python {target.python} (PATH, pyenv, uv, RUNTIME_PYTHON) to make .pyc files: every cold"
            " start compiles all modules and takes more than twice as long"
        )
    zipped = folder.with_name(f"{folder.name}.zip")
    archive.pack(folder, zipped)
    _print_sizes(folder, zipped)
    progress(f"built {folder}")


def _print_sizes(folder: Path, zipped: Path) -> None:
    sizes = archive.sizes(folder)
    for name, size in list(sizes.items())[:_LARGEST]:
        print(f"{size / 1e6:8.2f} MB  {name}")
    rest = list(sizes.values())[_LARGEST:]
    print(f"{sum(rest) / 1e6:8.2f} MB  {len(rest)} others")
    print(f"{sum(sizes.values()) / 1e6:8.2f} MB  in total; Lambda accepts 250")
    print(f"{zipped.stat().st_size / 1e6:8.2f} MB  {zipped}; Lambda accepts 50")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
