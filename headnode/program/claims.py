"""Idempotency keys: one root-owned file for each key of a user."""

import fcntl
import os
import re
import time
from typing import Optional, Tuple

from headnode.program.processes import SECONDS
from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

KEYS_LIMIT = 20000  # idempotency keys of one user
CLAIM_LIMIT = 1 << 16  # bytes of a claim that are read


class Claim:
    """A key's file: a line with the time and the digest of what is submitted, then what its sbatch printed.

    sbatch holds the file open as the user, who could make it write anything there: at worst this breaks the user's own
    key.
    """

    def __init__(self, folder: int, name: str) -> None:
        self.descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600, dir_fd=folder)

    def lock(self) -> None:
        """Wait for the lock, which sbatch holds too: a submission with the same key may be under way."""
        give_up = time.time() + SECONDS
        while True:
            try:
                return fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.time() > give_up:
                    raise Refused("a submission with the same key is still under way", "unknown") from None
                time.sleep(0.05)

    def read(self) -> "Tuple[float, Optional[str], str]":
        """When it was claimed, the digest, and what sbatch printed; no digest if the claim is new."""
        text = os.pread(self.descriptor, CLAIM_LIMIT, 0).decode("utf-8", "replace")
        head = re.match(r"(\d{1,12}\.\d{6}) ([0-9a-f]{64})\n", text, re.ASCII)
        return (float(head.group(1)), head.group(2), text[head.end() :]) if head else (0.0, None, "")

    def begin(self, claimed_at: float, digest: str) -> None:
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, ("%f %s\n" % (claimed_at, digest)).encode())
        os.fsync(self.descriptor)

    def add(self, job: str) -> None:
        try:
            os.write(self.descriptor, ("%s\n" % job).encode())
        except OSError:
            pass  # there was room when sbatch was run; this reply at least has the job

    def forget(self) -> None:
        os.ftruncate(self.descriptor, 0)


def claims_of(uid: int) -> int:
    """The open folder of a user's claims, which nobody else can have put there or can write to."""
    path = os.path.join(SETTINGS["state"], str(uid))
    os.makedirs(path, 0o700, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for status in (os.stat(SETTINGS["state"]), os.fstat(folder)):
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            os.close(folder)
            raise Refused("%s belongs to somebody else, or others may write there" % path, "unavailable")
    return folder


def forget_old_claims(folder: int) -> None:
    """A key is kept for a week."""
    names = os.listdir(folder)
    for name in names:
        try:
            if time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > 7 * 86400:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            pass  # another submission was quicker
    if len(names) > KEYS_LIMIT:
        raise Refused("%d idempotency keys were used within a week: submit without one" % len(names))
