"""The program on the head node, run against a real Slurm as the agent runs it, and killed in the middle."""

import base64
import gzip
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from headnode import document
from headnode.joining import joined
from local.cluster import Cluster

SCRIPT = "#!/bin/sh\nsleep 1\n"


class Program:
    """The program, which submits jobs of one name as ada. A script may stand in sbatch's place."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.folder = cluster.user("ada").workspace / f"{name}-{secrets.token_hex(4)}"
        self.folder.joinpath("bin").mkdir(parents=True)
        self.folder.chmod(0o777)
        self.script = SCRIPT + f"# {name}\n"
        self.options: Mapping[str, str] = {"hold": ""}
        self.started = self.folder / "sbatch-started"
        self.ready = self.folder / "ready"
        self.state = self.folder / "state"
        self.slurm_conf: Path | None = None
        """Another slurm.conf than the cluster's own: a relay's."""

    def command(self, command: str, *lines: str) -> None:
        """Put a script in a command's place. `$real` is the real one."""
        path = self.folder / "bin" / command
        real = self.cluster.programs.path(command)
        path.write_text("\n".join(["#!/bin/sh", f"real={real}", *lines, ""]))
        path.chmod(0o755)

    def sbatch(self, *lines: str) -> None:
        """Put a script in sbatch's place."""
        self.command("sbatch", f"touch {self.started}", *lines)

    def start(self, key: str | None = "the key") -> subprocess.Popen[str]:
        """Have the program submit a job."""
        operation = {
            "operation": "sbatch",
            "options": {"job-name": self.name, **self.options},
            "environment": {},
            "stdin": self.script,
            "key": key,
        }
        request = {"expires": time.time() + 60, "user": "ada", "put": None, "steps": [[operation]]}
        real = Path(self.cluster.programs.path("sbatch")).parent
        settings = {"state": str(self.state), "path": f"{self.folder}/bin:{real}:/usr/bin:/bin"}
        argv = ["/usr/bin/python3", "-I", "-S", "-c", joined(), document.operations(), json.dumps(settings)]
        slurm = {"SLURM_CONF": str(self.slurm_conf)} if self.slurm_conf else {}
        process = subprocess.Popen(
            self.cluster.programs.command(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **self.cluster.environment, **slurm},
            start_new_session=True,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode())).decode())
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """The reply to the submission."""
        printed, _ = process.communicate(timeout=60)
        (reply,) = json.loads(gzip.decompress(base64.b64decode(printed)))["replies"]
        answer: dict[str, Any] = reply
        return answer

    def submit(self, key: str | None = "the key") -> dict[str, Any]:
        """Submit, and wait for the reply."""
        return self.finish(self.start(key))

    def run(self) -> dict[str, Any]:
        """The reply to a submission that nothing disturbs."""
        self.folder.joinpath("bin", "sbatch").unlink(missing_ok=True)
        return self.submit()

    def jobs(self) -> list[str]:
        """The jobs of the program's name that slurmctld lists, ended ones too; an array is one."""
        listed = self.cluster.run("squeue", "-h", "-t", "all", "-n", self.name, "-O", "ArrayJobID")
        return sorted(set(listed.stdout.split()), key=int)

    def sessions(self) -> list[int]:
        """The processes of sbatch that the program has started, by the last word of their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if f"--job-name={self.name}".encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def kill(process: subprocess.Popen[str]) -> None:
    """End the program alone."""
    process.kill()
    process.communicate()


def kill_all_of(process: subprocess.Popen[str]) -> None:
    """End the program and its sbatch, which has a session of its own, as a reboot would."""
    for pid in [*descendants(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def descendants(pid: int) -> Iterator[int]:
    """The children of a process, theirs before themselves."""
    with suppress(FileNotFoundError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from descendants(int(child))
            yield int(child)
