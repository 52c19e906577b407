"""A bare Debian in its own folder, and how commands run in it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.fresh import registries
from local.suite import SuiteError, debootstrap
from local.suite.suite import bare

FIRST_PROCESS = Path(__file__).with_name("first_process.py")
BARE_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
INTERVAL = 0.5
"""Seconds between two looks at a command's output."""


class Running:
    """A command that runs in the machine, its output in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def output(self) -> str:
        """Its output so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float, show: Callable[[str], None]) -> bool:
        """Wait until its output matches the pattern; False if it ends first or the time is over.

        `show` gets the output at each look.
        """
        return self._wait(lambda: re.search(pattern, self.output(), re.MULTILINE) is not None, seconds, show)

    def wait(self, seconds: float, show: Callable[[str], None] = lambda output: None) -> int | None:
        """Wait for its end; return the exit status, or None if it still runs when the time is over."""
        self._wait(lambda: False, seconds, show)
        return self.process.poll()

    def interrupt(self) -> None:
        """Send what Ctrl-C sends: SIGINT to every process of the terminal's group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Kill it with all its processes if it still runs; return when none is left.

        The first process of its namespace is unshare's only child: when that is killed, unshare ends after all others.
        """
        if self.process.poll() is None:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for pid in map(int, children or [str(self.process.pid)]):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def _wait(self, condition: Callable[[], bool], seconds: float, show: Callable[[str], None]) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None  # checked first, so that the output is complete if it has ended
            if condition():
                return True
            if ended or time.monotonic() > deadline:
                return False
            show(self.output())
            time.sleep(INTERVAL)


@dataclass(frozen=True)
class Machine:
    """A root folder and the variables that its commands have."""

    root: Path
    environment: Mapping[str, str]

    @contextmanager
    def running(self, argv: Sequence[str], directory: str, log: Path) -> Iterator[Running]:
        """Run a command as root in its own namespaces; its processes that still run at the end of the block are killed.

        They are also killed if this program ends in any way (prctl(2), PR_SET_PDEATHSIG).
        """
        command = [
            *("setpriv", "--pdeathsig=KILL"),
            *("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child=KILL"),
            *(sys.executable, "-I", "-S", str(FIRST_PROCESS), str(self.root), directory, *argv),
        ]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                start_new_session=True,
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            running.end()

    def clone(self, tree: Path, directory: str) -> None:
        """Clone the committed state of a work tree into a directory of the machine. Raises SuiteError."""
        if shutil.which("git") is None:
            raise SuiteError("git, which clones the tree into the bare machine, is missing: install it")
        _run("git", "clone", "--quiet", "--no-hardlinks", str(tree), f"{self.root}{directory}")


@contextmanager
def bare_machine(suite: str, progress: Callable[[str], None]) -> Iterator[Machine]:
    """A machine with that suite's base, python3 and make, removed at the end of the block. Raises SuiteError."""
    base = bare(suite, progress)
    root = Path(tempfile.mkdtemp(prefix=f"{suite}.fresh.", dir=base.parent))
    try:
        _run("cp", "--archive", "--reflink=auto", f"{base}/.", str(root))
        for name in ("resolv.conf", "hosts", "hostname"):
            if Path(f"/etc/{name}").exists():
                (root / "etc" / name).unlink(missing_ok=True)
                shutil.copy(f"/etc/{name}", root / "etc" / name)
        yield Machine(root, {**BARE_ENVIRONMENT, **registries.carry(root)})
    finally:
        debootstrap.remove(root)


def _run(*argv: str) -> None:
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SuiteError(f"{' '.join(argv)}: {result.stderr.strip()}")
