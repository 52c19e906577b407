"""The first process of a command's own namespaces: it mounts what the command must see, runs it, and reaps.

Run as `python first_process.py ROOT DIRECTORY ARGV...`, by `unshare --mount --pid --fork`; it needs nothing but the
standard library. The mounts and every process end with it (pid_namespaces(7)), so nothing can be left mounted in ROOT.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LEFT = "left behind: "
"""Begins a line about each process that outlives the command."""
MOUNTS = (
    ("-t", "proc", "proc", "proc"),
    ("--rbind", "/sys", "sys"),  # for control groups, without which Slurm 22.05 does not start
    # /dev is never bound, because a removal of ROOT could then delete this machine's devices; ROOT has its own nodes.
    ("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5", "devpts", "dev/pts"),
    ("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "dev/shm"),
)
"""Arguments of mount(8); the last one is a folder in ROOT."""


def main(root: Path, directory: str, *argv: str) -> int:
    """Run the command in ROOT and return its exit status; 128 and the signal if a signal ended it."""
    # A machine's root is a mount; programs that make mount namespaces, as the tests do, depend on it.
    subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
    for *options, folder in MOUNTS:
        subprocess.run(["mount", *options, str(root / folder)], check=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # for the command to obey; unlike SIG_IGN it does not inherit this
    command = ["/usr/sbin/chroot", str(root), "/usr/bin/env", f"--chdir={directory}", *argv]
    environment = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}  # Python's own: PEP 538
    status = _wait_for(subprocess.Popen(command, env=environment).pid)
    for command_line in _others(root / "proc"):
        print(f"{LEFT}{command_line}", flush=True)
    return status if status >= 0 else 128 - status


def _wait_for(child: int) -> int:
    """The exit status of the child; the children of processes that have ended are reaped, too."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _others(proc: Path) -> Iterator[str]:
    """The command lines of the processes beside this one; `proc` is the mounted /proc, as ours shows other numbers."""
    for process in proc.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has just ended
        if process.name != "1" and words != [b""]:  # a zombie has no arguments
            yield b" ".join(words).decode(errors="replace").strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
