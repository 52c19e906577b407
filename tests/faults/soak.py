"""`make test-soak SECONDS=600`: what `make run` holds under a steady load: memory, descriptors, threads, files.

Prints a line twice a minute, and in the end what grows: from the first third of the time to the last.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = 8764
REQUESTS = 4.0
"""A second."""
PAUSE = 20.0
"""Seconds between two lines."""
READS = (
    "{ jobs(first: 100) { totalCount nodes { id name state reason } } }",
    "{ queues { name } nodes(first: 100) { nodes { name state } } }",
    "{ jobs(first: 50) { nodes { id workDir timeLimitSeconds cpuCount } } }",
)
SUBMIT = """mutation { submitJob(input: { script: {text: "#!/bin/sh\\ntrue\\n"}, name: "soak", hold: true }) {
  job { id } errors { code message } } }"""
CANCEL = "mutation ($id: ID!) { cancelJobs(input: {jobs: {ids: [$id]} }) { jobs { id } errors { code message } } }"
ALLOWED = {"memory, MB": 6.0, "descriptors": 4, "threads": 3, "temporary files": 2}
"""How much more there may be in the last third than in the first."""


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    memory: float
    descriptors: Counter[str]
    threads: int

    @classmethod
    def of(cls, pid: int) -> "Held":
        """What it holds now (proc(5))."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        descriptors: Counter[str] = Counter()
        for each in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(each.readlink())
            except OSError:
                continue
            descriptors[target.split(":")[0] if ":" in target else "file"] += 1
        return cls(int(status["VmRSS"].split()[0]) / 1024, descriptors, int(status["Threads"]))


class Load:
    """Dashboards that poll, and somebody who submits and cancels."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: Counter[str] = Counter()
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._poll, args=(each,), daemon=True) for each in READS]
        self._threads.append(threading.Thread(target=self._change, daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when there are no more requests."""
        self.over.set()
        for thread in self._threads:
            thread.join()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """One answer, over a connection of its own."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - ours
            answer: dict[str, Any] = json.load(response)
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        self.answers[", ".join(codes) or "right"] += 1
        return answer

    def _poll(self, query: str) -> None:
        while not self.over.wait(len(READS) / REQUESTS):
            self.ask(query)

    def _change(self) -> None:
        while not self.over.wait(2.0):
            job = self.ask(SUBMIT)["data"]["submitJob"]["job"]
            if job:
                self.ask(CANCEL, id=job["id"])


def temporary_files() -> int:
    """How many files of the head node's program lie in the temporary folder: it leaves none."""
    return sum(1 for _ in Path(tempfile.gettempdir()).glob(".slurmql-*"))


def main(seconds: float = 600.0) -> int:
    """Run it and say what grows; 1 if something does."""
    with subprocess.Popen(
        [sys.executable, "-m", "local", "--port", str(PORT)], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            assert process.stdout
            url = next(line.split()[1] for line in process.stdout if line.startswith("ready:"))
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return _watch(process.pid, Load(url), seconds)
        finally:
            process.send_signal(signal.SIGINT)


def _watch(pid: int, load: Load, seconds: float) -> int:
    began, rows = time.monotonic(), []
    load.start()
    print(f"| s | {' | '.join(ALLOWED)} | files of the run | requests |")
    print("|---" * (len(ALLOWED) + 3) + "|")
    while time.monotonic() - began < seconds:
        time.sleep(PAUSE)
        held = Held.of(pid)
        files = sum(len(names) for _, _, names in os.walk(f".run/{PORT}/ssm"))
        row = (round(held.memory, 1), held.descriptors.total(), held.threads, temporary_files())
        rows.append(row)
        shown = [round(time.monotonic() - began), *row, files, load.answers.total()]
        print(f"| {' | '.join(map(str, shown))} |", flush=True)
    load.stop()
    print(f"\nanswers: {dict(load.answers)}")
    print(f"descriptors at the end: {dict(held.descriptors)}")
    third = max(1, len(rows) // 3)
    grew = False
    for number, (name, allowed) in enumerate(ALLOWED.items()):
        early, late = (sum(row[number] for row in part) / third for part in (rows[:third], rows[-third:]))
        more = late - early
        grew = grew or more > allowed
        print(f"{name}: {early:.1f} in the first third, {late:.1f} in the last{'  GROWS' if more > allowed else ''}")
    return int(grew or set(load.answers) != {"right"})


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
