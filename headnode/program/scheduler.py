"""Whether slurmctld answers, and which release it is."""

import re
from typing import List, Optional, Sequence

from headnode.program.accounts import Account, own_entry, plain_environment, service_account
from headnode.program.processes import Process, run
from headnode.program.refused import Refused

PING_SECONDS = 5.0  # a slurmctld that is busy answers a ping within a second or two


def scheduler_down() -> "Optional[Refused]":
    """What scontrol says if no slurmctld answers, else None.

    Only `scontrol ping` reports that at once. All other commands retry for MessageTimeout, 60 s on ParallelCluster. We
    ping with our own account: slurmctld may limit how often other accounts ask (rl_enable, since 23.02), and then says
    DOWN to their pings. It never limits root and SlurmUser.
    """
    ping = pinged(Account(own_entry(), plain_environment()))
    if ping.refusal is not None and ping.refusal.code == "timed_out":
        return Refused("slurmctld did not answer a ping within %.0f s" % PING_SECONDS, "unavailable")
    return Refused("; ".join(down_in(ping)), "unavailable") if down_in(ping) else None


def reader_limited() -> "Optional[Refused]":
    """The refusal if slurmctld answers us but not the reader: it limits how often each account may ask."""
    if scheduler_down() is None and down_in(pinged(service_account("reader"))):
        return Refused("slurmctld limits how often an account may ask (SlurmctldParameters=rl_enable)", "throttled")
    return None


def pinged(account: Account) -> Process:
    ping = Process(["scontrol", "ping"], account, seconds=PING_SECONDS)
    run([ping])
    return ping


def down_in(ping: Process) -> "List[str]":
    """The lines about controllers that are down; empty if any controller is up."""
    lines = ping.stdout.decode("utf-8", "replace").split("\n")
    return [] if any(" is UP" in line for line in lines) else [line for line in lines if " is DOWN" in line]


def is_older_than(release: "Sequence[int]") -> bool:
    """Whether this Slurm is older than a release such as (21, 8)."""
    version = Process(["sinfo", "--version"], service_account("reader"))
    run([version])
    found = re.search(rb" ([0-9]+)\.([0-9]+)", version.stdout)
    return found is not None and [int(found.group(1)), int(found.group(2))] < list(release)
