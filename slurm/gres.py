"""Generic resources, of which GPUs: "gpu:a100:8(S:0-1)" (man slurm.conf, Gres; man sinfo, GresUsed)."""

import re

from slurm.errors import ParseError
from slurm.text import NO_WORD
from slurm.tres import Gpus, combined

GPU = "gpu"
# What tres-per-node and its kin put before the name: nothing in 20.11, "gres:" in 21.08 - 23.02, "gres/"
# from 23.11.
REQUEST_PREFIXES = ("gres:", "gres/")
# Flags that stand between type and count in slurm.conf and are neither.
NO_TYPE = frozenset({"", "(null)", "no_consume"})

_ENTRY = re.compile(r"(?:[^,()]|\([^()]*\))+")
_WHERE = re.compile(r"(?<=[^:])\([^()]*\)")
_COUNT = re.compile(r"[0-9]{1,9}")


def gpus(value: str) -> Gpus | None:
    """The GPUs of a node's Gres, or of its GresUsed; None where the node has none.

    "gpu:a100:8(S:0-1)" gives sockets, "gpu:(null):4(IDX:0,2-3)" indices of used ones: both are dropped.
    Several types are summed and have no model. Other resources (shard, mps, bandwidth) are skipped. A
    GresUsed of "gpu:a100:0(IDX:N/A)" is Gpus(0, "a100"): GPUs, none of them in use. Raises ParseError.
    """
    if value in NO_WORD:
        return None
    entries = (_type_and_count(entry, value) for entry in _entries(value))
    return combined(entry for entry in entries if entry is not None)


def requested_gpus(value: str) -> Gpus | None:
    """The GPUs of squeue's tres-per-job, -node, -socket or -task; None where none were asked for.

    Three spellings: "gpu:a100:2" (20.11), "gres:gpu:a100:2" (21.08 - 23.02), "gres/gpu:a100:2" (23.11 on);
    24.11 puts "=" before the count in tres-per-task ("gres/gpu=2"). No count is 1. Other requests in the
    same list ("cpu=1", "license/matlab:1") are skipped. Raises ParseError.
    """
    if value in NO_WORD:
        return None
    entries = (_type_and_count(_without_prefix(entry), value) for entry in _entries(value))
    return combined(entry for entry in entries if entry is not None)


def _entries(value: str) -> list[str]:
    """The list's entries, cut at the commas outside parentheses."""
    entries = _ENTRY.findall(value)
    if ",".join(entries) != value:
        raise ParseError("GRES list", value)
    return entries


def _without_prefix(entry: str) -> str:
    for prefix in REQUEST_PREFIXES:
        if entry.startswith(prefix):
            return entry.removeprefix(prefix)
    return entry


def _type_and_count(entry: str, value: str) -> tuple[str | None, int] | None:
    """Model and count of one entry; None if it is not about GPUs."""
    name, *parts = re.split("[:=]", _WHERE.sub("", entry))
    if name != GPU:
        return None
    count = int(parts.pop()) if parts and _COUNT.fullmatch(parts[-1]) else 1
    models = [part for part in parts if part not in NO_TYPE]
    if len(models) > 1:
        raise ParseError("GRES list", value)
    return (models[0] if models else None), count
