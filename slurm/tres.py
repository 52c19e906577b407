"""Trackable resources: "cpu=4,mem=4G,node=1,gres/gpu:a100=2" (man slurm.conf, AccountingStorageTRES)."""

from collections.abc import Iterable
from dataclasses import dataclass

from slurm.errors import ParseError
from slurm.text import NO_WORD, integer

GPU = "gres/gpu"


@dataclass(frozen=True, slots=True)
class Gpus:
    """A number of GPUs and their model in the cluster's own spelling; None where unnamed or mixed."""

    count: int
    model: str | None


def tres(value: str) -> dict[str, str]:
    """Counts by resource name, as printed: {"cpu": "4", "mem": "4G"}; {} for a placeholder.

    The order differs between commands and is kept. Names may hold ":" and "/", as "gres/gpu:a100". Raises
    ParseError for an entry without "=" or without a name, and for a name that comes twice.
    """
    if value in NO_WORD:
        return {}
    counts: dict[str, str] = {}
    for entry in value.split(","):
        name, equals, count = entry.partition("=")
        if not (name and equals) or name in counts:
            raise ParseError("TRES list", value)
        counts[name] = count
    return counts


def gpus_allocated(tres_text: str) -> Gpus | None:
    """The GPUs in a TRES text; None where it names none.

    "gres/gpu" is the total, "gres/gpu:MODEL" a part of it; which of them appear depends on
    AccountingStorageTRES, which ParallelCluster does not set. Raises ParseError.
    """
    counts = tres(tres_text)
    models = {
        name.removeprefix(GPU + ":"): _count(count, tres_text)
        for name, count in counts.items()
        if name.startswith(GPU + ":")
    }
    if GPU not in counts:
        return combined(models.items())
    total = _count(counts[GPU], tres_text)
    known = combined(models.items())
    # A model speaks for all only if it accounts for all.
    return Gpus(total, known.model if known and known.count == total else None)


def combined(parts: Iterable[tuple[str | None, int]]) -> Gpus | None:
    """One sum over several (model, count) pairs; the model is None if they differ. None for no pairs."""
    pairs = list(parts)
    if not pairs:
        return None
    models = {model for model, _ in pairs}
    return Gpus(sum(count for _, count in pairs), models.pop() if len(models) == 1 else None)


def _count(count: str, tres_text: str) -> int:
    try:
        number = integer(count)
    except ParseError:
        number = None
    if number is None or number < 0:
        raise ParseError("TRES list", tres_text)
    return number
