"""`make test-faults`: every fault x (read, submit with key, submit, cancel), as a table.

FAULT=words,words chooses rows by what their names contain, PART=1/3 the first third of them.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from faults.catalogue import FAULTS
from faults.matrix import print_matrix
from faults.world import World
from local import packages
from local.cluster import Cluster
from local.stack import Stack


def main(words: str = "", part: str = "") -> int:
    """The number of the process's end: 1 if a cell is wrong."""
    packages.install(print, packages.ACCOUNTING)
    chosen = [fault for fault in FAULTS if any(word in fault.name for word in words.split(","))]
    number, _, parts = (part or "1/1").partition("/")
    size = -(-len(chosen) // int(parts))
    chosen = chosen[(int(number) - 1) * size : int(number) * size]
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="slurmql-faults-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        clusters = [Cluster(directory / "lab", "lab", accounting=True), Cluster(directory / "annex", "annex")]
        with Stack(directory, clusters) as stack:
            wrong = 0
            for name, accounting in (("lab", True), ("annex", False)):
                if faults := [fault for fault in chosen if fault.accounting is accounting]:
                    with World(stack, directory, name) as world:
                        wrong += print_matrix(world, faults)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"\n{len(chosen)} faults, {4 * len(chosen)} cells, {wrong} wrong, {time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
