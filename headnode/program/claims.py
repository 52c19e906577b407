"""Idempotency keys: one root-owned file for each key of a user."""

import fcntl
import os
import time
from typing import List, Optional, Sequence, Tuple

from headnode.program.attempt import UNDER_WAY, Attempt, from_lines, line
from headnode.program.processes import SECONDS
from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

WEEK = 7 * 86400.0
KEYS_LIMIT = 20000  # idempotency keys of one user
ROOM = 1000  # keys to forget at once when there are too many: listing them costs 50 ms
CLAIM_LIMIT = 1 << 16  # bytes to read of a claim


class Claim:
    """A key's file, open and locked: it records what sbatch submits, and the job.

    Only this program writes to it. sbatch does not inherit the descriptor, because a user's plugins run in sbatch.
    """

    def __init__(self, uid: int, key: str) -> None:
        """Wait for the lock: a submission with the same key may be under way. Raises Refused after SECONDS."""
        import hashlib

        name = hashlib.sha256(key.encode("utf-8")).hexdigest()
        folder = claims_of(uid)
        try:
            self.descriptor = lock_claim(folder, name)
        finally:
            os.close(folder)

    def read(self) -> "Optional[Attempt]":
        """The attempt with this key, if it is at most a week old."""
        attempt = from_lines(os.pread(self.descriptor, CLAIM_LIMIT, 0).decode("utf-8", "replace"))
        return attempt if attempt is not None and attempt.began > time.time() - WEEK else None

    def begin(self, attempt: Attempt) -> None:
        """Record what is submitted. If this raises OSError, sbatch must not run."""
        os.ftruncate(self.descriptor, 0)
        try:
            os.write(self.descriptor, attempt.beginning())
        except OSError as error:
            raise OSError(error.errno, "%s: %s" % (SETTINGS["state"], error.strerror)) from error

    def announce(self, session: int) -> None:
        """Record sbatch's session, in the child that becomes sbatch: from now on we can find its job."""
        os.write(self.descriptor, line({"session": session}))
        os.fsync(self.descriptor)

    def keep(self, attempt: Attempt) -> None:
        """Record the job."""
        try:
            os.write(self.descriptor, attempt.end())
        except OSError:
            pass  # the disk filled up while sbatch ran; at least this reply has the job

    def forget(self) -> None:
        """Free the key."""
        os.ftruncate(self.descriptor, 0)

    def close(self) -> None:
        """Unlock the key for others."""
        os.close(self.descriptor)


class NoClaim(Claim):
    """Stands in for a claim if there is no key."""

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
    """The open folder of a user's claims. Raises Refused if another account owns it or can write to it."""
    path = os.path.join(SETTINGS["state"], str(uid))
    os.makedirs(path, 0o700, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for status in (os.stat(SETTINGS["state"]), os.fstat(folder)):
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            os.close(folder)
            raise Refused("%s belongs to somebody else, or others may write there" % path, "unavailable")
    return folder


def lock_claim(folder: int, name: str) -> int:
    """The descriptor of a key's file, locked. Creating a key may remove the oldest ones."""
    give_up = time.time() + SECONDS
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW
    while True:
        try:
            descriptor = os.open(name, flags, dir_fd=folder)
        except FileNotFoundError:
            forget_old_claims(folder, name)
            descriptor = os.open(name, flags | os.O_CREAT, 0o600, dir_fd=folder)
        if locked(descriptor) and os.fstat(descriptor).st_nlink:  # otherwise another submission removed it meanwhile
            return descriptor
        os.close(descriptor)
        if time.time() > give_up:
            raise Refused(UNDER_WAY, "unknown")
        time.sleep(0.05)


def locked(descriptor: int) -> bool:
    """Try to lock the file; return whether we have it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def forget_old_claims(folder: int, new: str) -> None:
    """Remove keys older than a week, and the oldest keys if there are too many.

    Looking at every key takes time, so only one new key in sixteen does it, chosen by its digest.
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
            pass  # another submission removed it first
    return found


def forget_claim(folder: int, name: str) -> None:
    """Remove a key's file, unless a submission is using it."""
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
