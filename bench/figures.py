"""Measured figures, their table, and bench/results.json."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Figure:
    """One figure: its `name`, `value` and `unit`; `baseline` is the peer's figure, `goal` what the value must reach.

    A goal is like `<= 1.5` or `>= 20`, or None if there is no promise. `how` says how it was measured.
    """

    name: str
    value: float
    unit: str
    baseline: str
    goal: str | None
    how: str

    @property
    def reached(self) -> bool:
        """Whether the value meets the goal."""
        if self.goal is None:
            return True
        sign, bound = self.goal.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)


def write(figures: Iterable[Figure], path: Path = RESULTS) -> None:
    """Write the figures by name; earlier figures that were not measured again stay."""
    known = json.loads(path.read_text()) if path.exists() else {}
    for figure in figures:
        entry = asdict(figure)
        known[entry.pop("name")] = entry
    path.write_text(json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n")


def table(figures: Iterable[Figure]) -> str:
    """One line for each figure; those that miss their goal are marked."""
    lines = [("figure", "value", "goal", "baseline")]
    for figure in figures:
        goal = "" if figure.goal is None else figure.goal + ("" if figure.reached else "  MISSED")
        lines.append((figure.name, f"{figure.value:,.4g} {figure.unit}", goal, figure.baseline))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in lines
    )
