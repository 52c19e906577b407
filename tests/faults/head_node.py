"""What can be wrong with the head node itself: full disks, too many keys, another machine in its place."""

import copy
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.world import World
from local.aws import head_node_tags
from local.ssm import Instance

KEYS = 20_000
DISK = "64m"
TMP = Path("/tmp")  # noqa: S108 - the head node's, as it is
_FULL_TMP = """\
[ "$SLURMQL_FULL_TMP" ] || exec env SLURMQL_FULL_TMP=1 unshare --mount sh -c '
for each in {kept}; do mkdir -p {aside}/$each && mount --bind $each {aside}/$each || exit; done
mount -t tmpfs -o size=16k tmpfs /tmp || exit
for each in {kept}; do mkdir -p $each && mount --move {aside}/$each $each || exit; done
head -c 1M /dev/zero >/tmp/full
exec sh "$0"' "$0"
"""


@contextmanager
def full(folder: Path, keep: bool = True) -> Iterator[None]:
    """A small disk of its own in the folder's place, without room; with what the folder holds if `keep`."""
    folder.mkdir(parents=True, exist_ok=True)
    status = folder.stat()
    side = Path(tempfile.mkdtemp(prefix="slurmql-full-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", side], check=True)
    try:
        os.chown(side, status.st_uid, status.st_gid)
        side.chmod(status.st_mode & 0o7777)
        if keep:  # a daemon may remove a file of its own meanwhile
            subprocess.run(["cp", "-a", f"{folder}/.", side], check=False, stderr=subprocess.DEVNULL)
        _fill(side / "full")
        subprocess.run(["mount", "--bind", side, folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        subprocess.run(["umount", "--lazy", side], check=True)
        side.rmdir()


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filling:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filling.write(b"\0" * size)
            except OSError:
                continue


@contextmanager
def full_tmp(world: World) -> Iterator[None]:
    """What the agent starts finds a full /tmp, in a mount namespace."""
    needed = (world.stack.directory, Path(world.cluster.environment["SLURM_CONF"]))
    below = {str(TMP / path.relative_to(TMP).parts[0]) for path in needed if path.is_relative_to(TMP)}
    aside = tempfile.mkdtemp(prefix="slurmql-full-", dir="/run")
    document = copy.deepcopy(world.stack.document)
    lines = document["mainSteps"][0]["inputs"]["runCommand"]
    lines[1:1] = _FULL_TMP.format(kept=" ".join(below), aside=aside).splitlines()
    try:
        with world.document(document):
            yield
    finally:
        shutil.rmtree(aside)


@contextmanager
def many_keys(world: World) -> Iterator[None]:
    """The user has as many keys as are kept, all of them older than those of the matrix. The oldest expire first."""
    folder = world.stack.directory / "state" / str(world.cluster.user(world.user).uid)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [hashlib.sha256(b"filler %d" % number).hexdigest() for number in range(KEYS)]
    now = time.time()
    for number, name in enumerate(names):  # the oldest first
        began = now - 3600 - KEYS + number
        (folder / name).write_text(json.dumps({"digest": "0", "began": began, "tag": "0", "session": 1, "job": "1"}))
        os.utime(folder / name, (began, began))
    try:
        yield
        left = [(folder / name).exists() for name in names]
        first = left.index(True)
        assert 0 < first <= KEYS // 10, f"{first} of {KEYS} keys expired"
        assert all(left[first:]), "a key expired before an older one"
    finally:
        for name in names:
            (folder / name).unlink(missing_ok=True)


@contextmanager
def replaced(world: World) -> Iterator[None]:
    """The head node is another instance with the same disks; the old one is off."""
    old, ec2 = world.head_node, world.stack.aws.client("ec2")
    new = Instance(
        world.stack.aws.head_node(world.cluster.name),
        environment=old.environment,
        tags=head_node_tags(world.cluster.name),
        chroot=old.chroot,
    )
    world.stack.ssm.add(new)
    ec2.stop_instances(InstanceIds=[old.id])
    old.stopped = True
    try:
        yield
    finally:
        ec2.stop_instances(InstanceIds=[new.id])
        new.stopped = True
        ec2.start_instances(InstanceIds=[old.id])
        old.stopped = False
