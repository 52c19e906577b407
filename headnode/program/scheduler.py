"""slurmctld: whether it answers, and which release it is."""

import re
from typing import Optional, Sequence

from headnode.program.accounts import service_account
from headnode.program.processes import Process, run
from headnode.program.refused import Refused


def scheduler_down() -> "Optional[Refused]":
    """What scontrol says if no slurmctld answers, else None.

    Only its ping says so at once. All other commands go on trying for MessageTimeout, 60 s on ParallelCluster.
    """
    ping = Process(["scontrol", "ping"], service_account("reader"), seconds=5.0)
    run([ping])
    lines = ping.stdout.decode("utf-8", "replace").split("\n")
    if not any(" is DOWN" in line for line in lines) or any(" is UP" in line for line in lines):
        return None
    return Refused("; ".join(line for line in lines if " is DOWN" in line), "unavailable")


def is_older_than(release: "Sequence[int]") -> bool:
    """Whether this Slurm is older than the release, as (21, 8)."""
    version = Process(["sinfo", "--version"], service_account("reader"))
    run([version])
    found = re.search(rb" ([0-9]+)\.([0-9]+)", version.stdout)
    return found is not None and [int(found.group(1)), int(found.group(2))] < list(release)
