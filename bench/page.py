"""Makes the table and the plot of docs/benchmarks.md from bench/results.json."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.figures import RESULTS, Figure

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PLOT = PAGE.with_name("benchmarks.svg")
BEGIN, END = "<!-- make bench writes what follows -->\n", "<!-- until here -->\n"
CURVES = {
    "slurmrestd_ms": "slurmrestd 22.05, GET of all jobs",
    "squeue_json_ms": "squeue --json 22.05",
    "strawberry_ms": "Strawberry's default execution, warm",
    "cold_ms": "slurmql, cold: one SSM command",
    "warm_ms": "slurmql, warm: from the snapshot",
}


def write() -> None:
    """Renew the page's table and the plot."""
    results = json.loads(RESULTS.read_text())
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    plot = "![Time against the number of jobs](benchmarks.svg)\n\n" if _plot(results) else ""
    PAGE.write_text(f"{before}{BEGIN}{plot}{_table(results)}{END}{after}")


def _table(results: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| figure | value | goal | beside it | how |", "|---|---|---|---|---|"]
    for name, entry in results.items():
        figure = Figure(name=name, **entry)
        goal = "" if figure.goal is None else f"{figure.goal}{'' if figure.reached else ' (missed)'}"
        lines.append(f"| {name} | {figure.value:,.4g} {figure.unit} | {goal} | {figure.baseline} | {figure.how} |")
    return "\n".join(lines) + "\n"


def _plot(results: Mapping[str, Mapping[str, Any]]) -> bool:
    """Draw the curves; return False if there are no figures for them."""
    if not any(re.fullmatch(r"warm_ms_\d+", name) for name in results):
        return False
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "slurmql"  # the same figures always give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5.5))
    for prefix, label in CURVES.items():
        points = sorted(
            (int(match[1]), entry["value"])
            for name, entry in results.items()
            if (match := re.fullmatch(rf"{prefix}_(\d+)", name))
        )
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="jobs in the queue", ylabel="milliseconds for all of them, 12 fields")
    axes.grid(alpha=0.3, which="both")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, frameon=False)
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})
    return True
