"""`make bench`: runs the benchmarks, or one with BENCH=name, prints a table and writes bench/results.json."""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

from bench import page
from bench.benchmarks import BENCHMARKS
from bench.figures import Figure, table, write


def main() -> int:
    """Run each benchmark in its own process; return 1 if one cannot be measured or misses its goal."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("benchmark", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all of them if none is named")
    parser.add_argument("--measure", choices=BENCHMARKS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        return _measure(arguments.measure)
    if unknown := set(arguments.benchmark) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(unknown)}: {', '.join(BENCHMARKS)}")
    if os.geteuid() != 0:
        print("the peers run in chroots with other Slurm versions, which only root can make and enter")
        return 1
    figures: list[Figure] = []
    failed = []
    for name in arguments.benchmark or BENCHMARKS:
        print(f"{name}: {BENCHMARKS[name].about}", flush=True)
        measured = _run(name)
        figures += measured
        if not measured:
            failed.append(name)
        write(measured)
    page.write()
    print(f"\n{table(figures)}")
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return 0 if not failed and all(figure.reached for figure in figures) else 1


def _run(name: str) -> list[Figure]:
    """The benchmark's figures; none if it stopped early."""
    argv = [sys.executable, "-m", "bench", "--measure", name]
    process = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode != 0:
        return []
    return [Figure(**json.loads(line)) for line in process.stdout.splitlines()]


def _measure(name: str) -> int:
    """Measure in this process, which may enter a chroot and never leave it. Progress goes to standard error."""
    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {line}", file=sys.stderr, flush=True)

    for figure in BENCHMARKS[name].measure(progress):
        print(json.dumps(asdict(figure)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
