"""How many tests passed, by dataset, from pytest's JUnit reports (pytest --junitxml), and a table of several runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTCOMES = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}
"""The element that a test case contains if it did not pass, and what that means."""


@dataclass(frozen=True)
class Results:
    """Numbers of tests by dataset and outcome. The dataset is the module's name: `jobs` for tests/.../test_jobs.py."""

    counts: Mapping[str, Counter[str]] = field(default_factory=dict)
    status: int = 0
    """pytest's exit status; also not 0 if the run stopped before its tests."""

    @property
    def passed(self) -> bool:
        """Whether the run was complete and no test failed."""
        return self.status == 0


def read(report: Path, status: int) -> Results:
    """The results in pytest's report; without a report, only the status."""
    if not report.exists():
        return Results(status=status)
    counts: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        outcome = next((OUTCOMES[child.tag] for child in case if child.tag in OUTCOMES), PASSED)
        counts.setdefault(_dataset(case), Counter())[outcome] += 1
    return Results(counts, status)


def _dataset(case: ElementTree.Element) -> str:
    # For a module that cannot be collected, the name is its path and there is no class.
    module = (case.get("classname") or case.get("name") or "").rpartition("test_")[2]
    return module.partition(".")[0].replace("_", " ")


def table(results: Mapping[str, Results]) -> str:
    """A row for each dataset and a column for each version: how many of the tests passed; skipped ones do not count."""
    datasets = sorted({dataset for result in results.values() for dataset in result.counts})
    rows = [["dataset", *results]]
    rows += [[dataset, *(_cell(result.counts.get(dataset)) for result in results.values())] for dataset in datasets]
    rows.append(["all", *(_total(result) for result in results.values())])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cell(counts: Counter[str] | None) -> str:
    if counts is None:
        return "-"
    run = counts[PASSED] + counts[FAILED]
    skipped = f" ({counts[SKIPPED]} skipped)" if counts[SKIPPED] else ""
    return f"{counts[PASSED]}/{run}{skipped}{' FAILED' if counts[FAILED] else ''}"


def _total(result: Results) -> str:
    total = sum(result.counts.values(), Counter[str]())
    return _cell(total) if result.passed or total[FAILED] else f"stopped with status {result.status}"
