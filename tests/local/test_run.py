"""`make run` as a developer sees it: ready with an example that works, and nothing left after the end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TREE = Path(__file__).parents[2]
PROMISED = 30
"""Seconds from start to ready, once the packages are installed."""
PATIENCE = 120
"""Seconds that the tests wait at most: other tests may want the same two cores."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def start(port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", "--port", str(port)],
        cwd=TREE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process says until the text comes. pytest-timeout ends a wait that is in vain."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"it ended without {text!r}:\n{said}")


@contextmanager
def running(port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `make run` and what it has said up to its last word."""
    process = start(port)
    try:
        yield process, read_until(process, "Ctrl-C stops everything")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def folder(port: int) -> Path:
    return TREE / ".run" / str(port)


def places(port: int, said: str) -> list[Path]:
    """The run's folder, and the folder of its cluster if other accounts cannot enter the first, as below /root."""
    return [folder(port), *map(Path, re.findall(r"the cluster uses (\S+) until it stops", said))]


def left_behind(port: int, said: str) -> list[int]:
    """Processes that know a place of the run by their command line, environment or working directory."""
    names = [f"{place}/".encode() for place in places(port, said)]
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(process.name) for process in processes if any(name in mentions(process) for name in names)]


def assert_nothing_is_left(port: int, said: str) -> None:
    assert left_behind(port, said) == []
    assert [place for place in places(port, said) if place.exists()] == []


def mentions(process: Path) -> bytes:
    try:
        texts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        return texts.replace(b"\0", b"/") + os.fsencode((process / "cwd").readlink()) + b"/"
    except OSError:
        return b""  # it has ended


def ask_as_printed(said: str) -> Any:
    """The answer to the curl command that was printed."""
    printed = re.search(r"curl -s (\S+) -H 'Content-Type: application/json' \\\n +-d '(.+)'", said)
    assert printed, said
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(printed[1], printed[2].encode(), headers)  # noqa: S310 - on loopback
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - on loopback
        return json.load(answer)


def test_it_is_ready_soon_answers_what_it_printed_and_leaves_nothing() -> None:
    port = free_port()
    began = time.monotonic()
    with running(port) as (process, said):
        took = time.monotonic() - began
        assert f"ready: http://127.0.0.1:{port}/graphql" in said
        answer = ask_as_printed(said)
        assert "errors" not in answer
        states = {job["state"] for job in answer["data"]["jobs"]["nodes"]}
        assert answer["data"]["jobs"]["totalCount"] >= 10
        assert "PENDING" in states
        assert left_behind(port, said), "this test would not see a process that is left"
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert "stopped: every process that was started is gone" in process.stdout.read()
        assert process.wait(PATIENCE) == 0
    assert_nothing_is_left(port, said)
    assert took < PROMISED, f"ready after {took:.1f} s"


def test_two_run_side_by_side_and_one_outlives_the_other() -> None:
    first, second = free_port(), free_port()
    one, two = start(first), start(second)
    try:
        said = [read_until(process, "Ctrl-C stops everything") for process in (one, two)]
        assert [ask_as_printed(text)["data"]["jobs"]["totalCount"] >= 10 for text in said] == [True, True]
        one.send_signal(signal.SIGINT)
        assert one.wait(PATIENCE) == 0
        assert_nothing_is_left(first, said[0])
        assert ask_as_printed(said[1])["data"]["jobs"]["totalCount"] >= 10
    finally:
        for process in (one, two):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()
    assert_nothing_is_left(second, said[1])


def test_a_taken_port_is_reported_and_its_process_is_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        folder(port).mkdir(parents=True)
        (folder(port) / "precious").touch()
        try:
            process = start(port)
            said = process.communicate(timeout=PATIENCE)[0]
            assert process.returncode == 1
            assert f"port {port} is taken: stop what listens there, or choose another with PORT=" in said
            assert "Traceback" not in said
            assert (folder(port) / "precious").exists()
            assert left_behind(port, said) == []
        finally:
            (folder(port) / "precious").unlink()
            folder(port).rmdir()


@pytest.mark.parametrize("after", ["starting slurmctld", "submitting demo jobs"])
def test_ended_while_it_starts_it_leaves_nothing(after: str) -> None:
    port = free_port()
    process = start(port)
    said = read_until(process, after)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    said += process.stdout.read()
    assert "Traceback" not in said
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
    assert_nothing_is_left(port, said)


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_an_invalid_port_is_refused(port: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "local", f"--port={port}"], cwd=TREE, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr
