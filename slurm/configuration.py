"""Facts of the cluster's configuration, from `scontrol show config` (scontrol(1))."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slurm.command import Command, Question, Reply, require_success

_LINE = re.compile(r"^(\w+)\s+= (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Configuration:
    """What the API tells of the configuration."""

    slurm_version: str | None


def configuration() -> Question[Configuration]:
    """The running slurmctld's configuration."""
    return Question((Command("scontrol show config"),), read)


def read(replies: Sequence[Reply]) -> Configuration:
    """From lines of `Key = value`."""
    (reply,) = replies
    values = dict(_LINE.findall(require_success(reply)))
    return Configuration(slurm_version=values.get("SLURM_VERSION"))
