"""`make test-slurm SUITE=bullseye|bookworm|trixie|forky|all`: the end-to-end tests on that Slurm, and what passed."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from local.suite.chroot import SuiteError
from local.suite.results import Results, read, table
from local.suite.suite import SUITES, cache, made

ALL = "all"
TESTS = ("tests/end_to_end", "tests/headnode/test_program.py")
"""The tests that depend on Slurm's version: those that ask a real cluster through the API or run the program there."""
AT_ONCE = ("--numprocesses", "4", "--dist", "loadfile")
NOT_HERE = 3


def main() -> int:
    """Make the suites that are missing, run the tests on each in turn, and print the table.

    The status is 1 if a test failed and 3 if a suite cannot be made here, so that nothing was tested.
    """
    parser = argparse.ArgumentParser(prog="make test-slurm")
    parser.add_argument("suite", choices=[*SUITES, ALL])
    parser.add_argument("pytest", nargs="*", help="arguments for pytest instead of the end-to-end tests")
    arguments = parser.parse_args()
    suites = list(SUITES) if arguments.suite == ALL else [arguments.suite]
    if os.geteuid() != 0:
        print("another Slurm version runs in a chroot, which only root can make and enter: run it as root or with sudo")
        return NOT_HERE
    try:
        for suite in suites:
            made(suite, _say)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return NOT_HERE
    results = {f"{suite} {SUITES[suite]}": _run(suite, arguments.pytest or TESTS) for suite in suites}
    print(f"\n{table(results)}", flush=True)
    return 0 if all(result.passed for result in results.values()) else 1


def _run(suite: str, tests: Sequence[str]) -> Results:
    _say(f"testing on Debian {suite}, Slurm {SUITES[suite]}")
    report = cache() / f"{suite}.{os.getpid()}.xml"
    argv = [sys.executable, "-m", "pytest", "-q", *AT_ONCE, f"--junitxml={report}", *tests]
    try:
        status = subprocess.run(argv, env={**os.environ, "SLURMQL_SUITE": suite}, check=False).returncode
        return read(report, status)
    finally:
        report.unlink(missing_ok=True)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
