"""The steps of a newcomer, the README's two commands and its query, and the result of each."""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local.fresh.first_process import LEFT
from local.fresh.machine import Machine, Running

TREE = "/root/slurmql"
"""Where the newcomer clones the tree: in root's home, which other accounts cannot enter."""
RUN = ("make", "run", "ACCOUNTING=1")
TEST = ("make", "test")
PART = "tests/local tests/headnode/test_program.py tests/end_to_end/test_job_values.py tests/web"
"""A part of the tests: those of the local stack, which depend most on the machine, and a few with the real Slurm."""
READY = r"^ready: (http://\S+)/graphql$"
STOPPED = "stopped: every process that was started is gone"
NO_PAGE = "going on without GraphiQL"
RUN_LOG, QUERY_LOG, TEST_LOG = "run.log", "query.log", "test.log"
READY_WITHIN, ANSWERED_WITHIN, STOPPED_WITHIN, TESTED_WITHIN = 900, 60, 60, 3000
"""Seconds."""

Show = Callable[[str], None]
"""Displays what a step is doing now."""


@dataclass(frozen=True)
class Step:
    """The result of a step in a few words, how long it took, and the name of the file with its output."""

    title: str
    passed: bool
    finding: str
    seconds: float
    log: str


def steps(machine: Machine, readme: str, port: int | None, part: bool, logs: Path, show: Show) -> Iterator[Step]:
    """Take the steps one after the other, each when the iterator is advanced.

    `port` is for `make run`; None: the default. With `part` only a part of the tests is run. `logs` is a folder.
    """
    argv = [*RUN, *([f"PORT={port}"] if port else [])]
    with machine.running(argv, TREE, logs / RUN_LOG) as run:
        started = _ready(" ".join(argv), run, show)
        yield started
        if started.passed:
            yield _query(machine, readme, run, logs / QUERY_LOG, show)
            yield _stopped(run, show)
    yield _tests(machine, part, logs / TEST_LOG, show)


def _ready(title: str, run: Running, show: Show) -> Step:
    began = time.monotonic()
    ready = run.wait_for(READY, READY_WITHIN, lambda output: show(f"{title}: {last_line(output)}"))
    seconds = time.monotonic() - began
    if not ready:
        return Step(title, False, f"not ready: {last_line(run.output())}", seconds, RUN_LOG)
    if NO_PAGE in run.output():
        return Step(title, False, "ready, but GraphiQL could not be built", seconds, RUN_LOG)
    return Step(title, True, f"ready after {seconds:.0f} s", seconds, RUN_LOG)


def _query(machine: Machine, readme: str, run: Running, log: Path, show: Show) -> Step:
    """Ask as the README says, again for some seconds, because the demo's jobs need them to start."""
    began = time.monotonic()
    url = re.search(READY, run.output(), re.MULTILINE)
    command = readme_query(readme, url[1] if url else "")
    finding = ""
    while (seconds := time.monotonic() - began) < ANSWERED_WITHIN:
        show("the README's query")
        log.unlink(missing_ok=True)
        with machine.running(["sh", "-c", command], "/", log) as curl:
            curl.wait(ANSWERED_WITHIN)
            passed, finding = judge(curl.output())
        if passed:
            return Step("query", True, finding, time.monotonic() - began, QUERY_LOG)
        time.sleep(1)
    return Step("query", False, finding, seconds, QUERY_LOG)


def _stopped(run: Running, show: Show) -> Step:
    began = time.monotonic()
    run.interrupt()
    status = run.wait(STOPPED_WITHIN, lambda output: show("Ctrl-C"))
    seconds = time.monotonic() - began
    if status is None:
        return Step("Ctrl-C", False, f"still running after {seconds:.0f} s", seconds, RUN_LOG)
    if left := [line for line in run.output().splitlines() if line.startswith(LEFT)]:
        return Step("Ctrl-C", False, f"{len(left)} processes left behind", seconds, RUN_LOG)
    passed = STOPPED in run.output()
    return Step("Ctrl-C", passed, "stopped" if passed else last_line(run.output()), seconds, RUN_LOG)


def _tests(machine: Machine, part: bool, log: Path, show: Show) -> Step:
    argv = [*TEST, *([f"TESTS={PART}"] if part else [])]
    title = shlex.join(TEST) + (" (a part)" if part else "")
    began = time.monotonic()
    with machine.running(argv, TREE, log) as tests:
        status = tests.wait(TESTED_WITHIN, lambda output: show(f"{title}: {percentage(output) or last_line(output)}"))
        seconds = time.monotonic() - began
        counts = closing_counts(tests.output())
    if status is None:
        return Step(title, False, f"not done after {seconds:.0f} s", seconds, TEST_LOG)
    return Step(title, status == 0 and counts is not None, counts or f"status {status}: no test ran", seconds, TEST_LOG)


def readme_query(readme: str, url: str) -> str:
    """The README's first curl command, a query of jobs, sent to the API that listens at `url`."""
    block = re.search(r"^    curl (?:.*\n)(?:    .*\n)*", readme, re.MULTILINE)
    if block is None:
        raise ValueError("README.md has no curl command")
    return block[0].replace("http://127.0.0.1:8000", url).strip()


def judge(answer: str) -> tuple[bool, str]:
    """Whether an answer to the README's query has jobs, and how many or what it says instead."""
    try:
        answered = json.loads(answer)
        jobs = answered["data"]["jobs"]
        passed = jobs["totalCount"] > 0 and len(jobs["nodes"]) > 0 and "errors" not in answered
    except (ValueError, KeyError, TypeError):
        return False, f"no jobs: {answer.strip()[:200] or 'no answer'}"
    return passed, f"{jobs['totalCount']} jobs" if passed else f"no jobs: {answer.strip()[:200]}"


def closing_counts(output: str) -> str | None:
    """The counts of pytest's closing line, such as `2 failed, 2786 passed`; None if it printed none."""
    found = re.findall(r"^=+ ((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))? =+$", output, re.MULTILINE)
    return found[-1] if found else None


def failures(output: str) -> list[str]:
    """The lines of pytest's short summary: `FAILED tests/...` and `ERROR tests/...`."""
    return [line for line in output.splitlines() if re.match(r"(FAILED|ERROR) ", line)]


def percentage(output: str) -> str | None:
    """The last percentage of done tests that pytest printed; None if there is none yet."""
    found = re.findall(r"\[ *(\d+%)\]$", output, re.MULTILINE)
    return found[-1] if found else None


def last_line(output: str) -> str:
    """The last line that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output yet"
