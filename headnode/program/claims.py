"""Idempotency keys: one root-owned file for each key of a user."""

import fcntl
import os
import time
from typing import List, Optional, Sequence, Tuple

from headnode.program.attempt import Attempt, from_lines, line
from headnode.program.processes import SECONDS
from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

WEEK = 7 * 86400.0
KEYS_LIMIT = 20000  # idempotency keys of one user
ROOM = 1000  # keys that are forgotten at once when there are more: listing them costs 50 ms
CLAIM_LIMIT = 1 << 16  # bytes of a claim that are read


class Claim:
    """A key's file, open and locked: what its sbatch submits, and the job.

    Only this program writes to it. sbatch does not hold it open: a user's plugins and profile run in sbatch.
    """

    def __init__(self, uid: int, key: str) -> None:
        """Wait for the lock: a submission with the same key may be under way. Raises Refused after some time."""
        import hashlib

        name = hashlib.sha256(key.encode("utf-8")).hexdigest()
        folder = claims_of(uid)
        try:
            self.descriptor = lock_claim(folder, name)
        finally:
            os.close(folder)

    def read(self) -> "Optional[Attempt]":
        """The attempt of the last week that has the key."""
        attempt = from_lines(os.pread(self.descriptor, CLAIM_LIMIT, 0).decode("utf-8", "replace"))
        return attempt if attempt is not None and attempt.began > time.time() - WEEK else None

    def begin(self, attempt: Attempt) -> None:
        """Keep what is submitted. Raises OSError: then sbatch must not run."""
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, attempt.beginning())

    def announce(self, session: int) -> None:
        """Keep the session of sbatch, in the child that becomes sbatch: from now on Slurm can be asked for its job."""
        os.write(self.descriptor, line({"session": session}))
        os.fsync(self.descriptor)

    def keep(self, attempt: Attempt) -> None:
        """Keep the job."""
        try:
            os.write(self.descriptor, attempt.end())
        except OSError:
            pass  # there was room when sbatch was run; this reply at least has the job

    def forget(self) -> None:
        """Free the key."""
        os.ftruncate(self.descriptor, 0)

    def close(self) -> None:
        """Let others have the key."""
        os.close(self.descriptor)


class NoClaim(Claim):
    """In a claim's place, where there is no key."""

    def __init__(self) -> None:
        pass

    def read(self) -> "Optional[Attempt]":
        return None

    def begin(self, attempt: Attempt) -> None:
        pass

    def announce(self, session: int) -> None:
        pass

    def keep(self, attempt: Attempt) -> None:
        pass

    def forget(self) -> None:
        pass

    def close(self) -> None:
        pass


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


def lock_claim(folder: int, name: str) -> int:
    """The descriptor of a key's file, locked. A known key is always there; a new one may take the oldest one's room."""
    give_up = time.time() + SECONDS
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW
    while True:
        try:
            descriptor = os.open(name, flags, dir_fd=folder)
        except FileNotFoundError:
            forget_old_claims(folder, name)
            descriptor = os.open(name, flags | os.O_CREAT, 0o600, dir_fd=folder)
        if locked(descriptor) and os.fstat(descriptor).st_nlink:  # else it was forgotten in between
            return descriptor
        os.close(descriptor)
        if time.time() > give_up:
            raise Refused("a submission with the same key is still under way", "unknown")
        time.sleep(0.05)


def locked(descriptor: int) -> bool:
    """Whether the file is locked by us now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def forget_old_claims(folder: int, new: str) -> None:
    """Remove the keys of more than a week ago, and the oldest ones where there are too many.

    Looking at every key takes time, so one new key in sixteen, which its digest chooses, has that done.
    """
    names = os.listdir(folder)
    if len(names) < KEYS_LIMIT and not new.startswith("0"):
        return
    by_age = sorted(ages(folder, names))
    surplus = len(by_age) - KEYS_LIMIT + ROOM if len(by_age) >= KEYS_LIMIT else 0
    for position, (used_at, name) in enumerate(by_age):
        if position < surplus or used_at < time.time() - WEEK:
            forget_claim(folder, name)


def ages(folder: int, names: "Sequence[str]") -> "List[Tuple[float, str]]":
    """When each key was last used, and its name."""
    found = []
    for name in names:
        try:
            found.append((os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime, name))
        except FileNotFoundError:
            pass  # another submission was quicker
    return found


def forget_claim(folder: int, name: str) -> None:
    """Remove a key's file, unless a submission uses it now."""
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
    except OSError:
        return
    try:
        if locked(descriptor):
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    finally:
        os.close(descriptor)
