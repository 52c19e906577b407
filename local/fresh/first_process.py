"""The first process of a command's own namespaces: it mounts what the command needs, runs it, and reaps processes.

`unshare --mount --pid --fork` runs it as `python first_process.py ROOT DIRECTORY ARGV...`; it needs only the standard
library. All mounts and processes end with it (pid_namespaces(7)), so nothing stays mounted in ROOT.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LEFT = "left behind: "
"""The beginning of a line about a process that outlives the command."""
MOUNTS = (
    ("-t", "proc", "proc", "proc"),
    ("--rbind", "/sys", "sys"),  # for control groups, without which Slurm 22.05 does not start
    # /dev is never bound, because a removal of ROOT could then delete this machine's devices; ROOT has its own nodes.
    ("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5", "devpts", "dev/pts"),
    ("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "dev/shm"),
)
"""Arguments for mount(8); the last of each is a folder in ROOT."""


def main(root: Path, directory: str, *argv: str) -> int:
    """Run the command in ROOT and return its exit status; 128 and the signal if a signal ended it."""
    # A real machine's root is a mount, and programs that make mount namespaces, like the tests, depend on that.
    subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
    for *options, folder in MOUNTS:
        subprocess.run(["mount", *options, str(root / folder)], check=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # only the command obeys; unlike SIG_IGN a handler is not inherited
    command = ["/usr/sbin/chroot", str(root), "/usr/bin/env", f"--chdir={directory}", *argv]
    environment = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}  # Python sets it (PEP 538)
    status = _wait_for(subprocess.Popen(command, env=environment).pid)
    for command_line in _others(root / "proc"):
        print(f"{LEFT}{command_line}", flush=True)
    return status if status >= 0 else 128 - status


def _wait_for(child: int) -> int:
    """The exit status of the child. Orphaned processes are reaped in the meantime."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _others(proc: Path) -> Iterator[str]:
    """The command lines of the other processes in this namespace; `proc` is its /proc, which only ROOT has."""
    for process in proc.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has just ended
        if process.name != "1" and words != [b""]:  # a zombie has no arguments
            yield b" ".join(words).decode(errors="replace").strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
