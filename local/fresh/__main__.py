"""`make fresh SUITE=bookworm|trixie|all QUICK=1`: runs the README's commands on a bare machine."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.fresh import newcomer
from local.fresh.machine import bare_machine
from local.fresh.newcomer import Step
from local.fresh.progress import Progress
from local.gateway import PortTakenError, require_free
from local.suite import SuiteError
from local.suite.suite import cache

ALL = "all"
SUITES = ("bookworm", "trixie")
"""The releases of Debian that the README names."""
TREE = Path(__file__).parents[2]
DEFAULT_PORT = 8000
SHOWN_LINES = 15
NOT_HERE, INTERRUPTED = 3, 130


def main() -> int:
    """Take the steps on each suite in turn and print a table of them.

    The status is 1 if a step failed, 3 if no bare machine can be made here, and 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="make fresh")
    parser.add_argument("suite", choices=[*SUITES, ALL])
    parser.add_argument("--quick", action="store_true", help="run a part of the tests")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("a bare machine is a chroot, which only root can make and enter: run it as root or with sudo")
        return NOT_HERE
    if _changed():
        print("note: the clone does not have what is not committed", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # so that the machine is removed
    suites = SUITES if arguments.suite == ALL else (arguments.suite,)
    results: dict[str, list[Step]] = {}
    try:
        for suite in suites:
            results[suite] = _visit(suite, arguments.quick)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return NOT_HERE
    except KeyboardInterrupt:
        print("\nstopped; the bare machine is removed", flush=True)
        return INTERRUPTED
    print(f"\n{table(results)}", flush=True)
    return 0 if all(step.passed for steps in results.values() for step in steps) else 1


def _visit(suite: str, quick: bool) -> list[Step]:
    progress = Progress(suite)
    logs = cache().with_name("fresh") / suite
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    readme = (TREE / "README.md").read_text()
    steps = []
    with bare_machine(suite, progress.say) as machine:
        machine.clone(TREE, newcomer.TREE)
        for step in newcomer.steps(machine, readme, _port(), quick, logs, progress.show):
            steps.append(step)
            progress.say(f"{step.title}: {'' if step.passed else 'FAILED, '}{step.finding}")
            if not step.passed:
                print(excerpt((logs / step.log).read_text(errors="replace"), logs / step.log), flush=True)
    return steps


def table(results: Mapping[str, Sequence[Step]]) -> str:
    """A row for each step of each suite, with its seconds and its result."""
    rows = [["suite", "step", "seconds", "result"]]
    for suite, steps in results.items():
        for step in steps:
            finding = step.finding if step.passed else f"FAILED: {step.finding}"
            rows.append([suite, step.title, f"{step.seconds:.0f}", finding])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def excerpt(output: str, log: Path) -> str:
    """The part of a failed step's output to read first: the failed tests if it names any, else its last lines."""
    lines = newcomer.failures(output) or output.splitlines()
    return "\n".join([*(f"    {line}" for line in lines[-SHOWN_LINES:]), f"    (all of it: {log})"])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _port() -> int | None:
    """The first free port from the default one on; None if that is the default itself."""
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        try:
            require_free(port)
        except PortTakenError:
            continue
        return None if port == DEFAULT_PORT else port
    return None


def _changed() -> bool:
    argv = ["git", "-C", str(TREE), "status", "--porcelain"]
    return shutil.which("git") is not None and bool(subprocess.run(argv, capture_output=True, check=False).stdout)


if __name__ == "__main__":
    sys.exit(main())
