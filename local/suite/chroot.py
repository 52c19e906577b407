"""A suite's root folder: how programs run in it and how it sees folders of this machine (chroot(8), mount(8))."""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS = 0x20000
"""unshare(2): a new mount namespace. os.unshare exists only from Python 3.12 on."""
SHARED = ("passwd", "group", "shadow", "hosts")
"""Files of this machine's /etc that replace the suite's, so that it has the same accounts and host names."""
SHARED_FOLDERS = ("home", "etc/profile.d", "sys")
"""Folders of this machine that the suite sees. Slurm 22.05 starts only if it finds control groups in /sys."""
MACHINE = Path("machine")
"""Where the suite sees this machine's /etc. The shared files are links to it: useradd(8) replaces the files, and a
mount of a file would still show the old one."""


class SuiteError(Exception):
    """The suite cannot be made or entered; the text says why and what to do."""


@dataclass(frozen=True)
class Chroot:
    """The root folder of a suite that shares this machine's accounts, homes, host names and processes (see `enter`)."""

    root: Path

    def command(
        self,
        argv: Sequence[str],
        directory: str | Path = "/",
        ids: tuple[int, int, Sequence[int]] | None = None,
    ) -> list[str]:
        """The argv that runs `argv` inside, in `directory`, as `ids` (uid, gid, all groups) or as root.

        chroot(8) and env(1) replace themselves by the program (execve(2)), so the process keeps its id.
        """
        who = []
        if ids is not None:
            uid, gid, groups = ids
            who = [f"--userspec={uid}:{gid}", f"--groups={','.join(map(str, groups))}"]
        return ["/usr/sbin/chroot", *who, str(self.root), "/usr/bin/env", f"--chdir={directory}", *argv]

    def has(self, path: Path) -> bool:
        """Whether the absolute `path` exists inside; a link counts, because its target is inside, too."""
        return os.path.lexists(self._outside(path))

    @contextmanager
    def shown(self, directory: Path) -> Iterator[None]:
        """Let the suite see a folder of this machine under the same name, until the block ends. Raises SuiteError."""
        inside = self._outside(directory)
        inside.mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(directory), str(inside))
        try:
            yield
        finally:
            # Lazily, because a process that is about to end may still use it.
            _run("umount", "--lazy", str(inside))
            with suppress(OSError):  # others may use it, or it existed before
                inside.rmdir()

    def _outside(self, path: Path) -> Path:
        return self.root / path.relative_to("/")


def enter(root: Path) -> Chroot:
    """The suite in `root`, ready for use by this thread, those it starts later, and their processes.

    All mounts are made in a mount namespace that ends with the last of these processes (mount_namespaces(7)). Nobody
    else sees them, and not even a crash leaves a mount behind through which a later removal could delete this machine's
    files. Still, never mount /dev: the suite has its own device nodes. Raises SuiteError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise SuiteError(f"cannot make a mount namespace, which needs root: {os.strerror(ctypes.get_errno())}")
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-t", "proc", "proc", str(root / "proc"))
    for folder in SHARED_FOLDERS:
        _run("mount", "--rbind", f"/{folder}", str(root / folder))
    _share(root)
    return Chroot(root)


def _share(root: Path) -> None:
    etc = root / MACHINE / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    _run("mount", "--bind", "/etc", str(etc))
    _run("mount", "-o", "remount,bind,ro", str(etc))
    for name in SHARED:
        link = root / f"etc/{name}.{os.getpid()}"
        link.symlink_to(Path("/") / MACHINE / "etc" / name)
        link.rename(root / "etc" / name)  # atomically, because others may be using the suite


def _run(*argv: str) -> None:
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SuiteError(f"{' '.join(argv)}: {result.stderr.strip()}")
