"""Where a cluster's files can be: in a folder that all accounts may enter, with a short and simple path."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.cluster.layout import Layout

SAFE_NAME = re.compile(r"[A-Za-z0-9_./+@-]+")
SOCKET_NAME_LIMIT = 107
"""The most bytes that a Unix socket's name may have (unix(7): 108 with the closing zero)."""


@contextmanager
def suitable(directory: Path, longest_node: str, shared: bool, progress: Callable[[str], None]) -> Iterator[Path]:
    """Yield `directory` if it is suitable, else a folder in /tmp, which is removed at the end; its logs are kept.

    `shared` says that several accounts must be able to enter it: slurmctld's and the demo users'.
    """
    obstacle = _obstacle(directory, longest_node, shared)
    if obstacle is None:
        yield directory
        return
    place = Path(tempfile.mkdtemp(prefix="slurmql-", dir="/tmp"))
    progress(f"{directory} {obstacle}: the cluster uses {place} until it stops")
    try:
        place.chmod(0o755)
        yield place
    finally:
        if (place / "log").is_dir():
            shutil.copytree(place / "log", directory / "log", dirs_exist_ok=True)
        shutil.rmtree(place)


def _obstacle(directory: Path, longest_node: str, shared: bool) -> str | None:
    if not SAFE_NAME.fullmatch(str(directory)):
        return "has a name that slurm.conf cannot hold"
    if Layout(directory).longest_socket(longest_node) > SOCKET_NAME_LIMIT:
        return "has too long a name for sockets"
    if shared and not all(folder.stat().st_mode & 0o001 for folder in directory.parents):
        return "lies where other accounts cannot enter"
    return None
