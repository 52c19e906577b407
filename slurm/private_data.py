"""What slurm.conf's PrivateData hides from the account that reads (slurm.conf(5)).

slurmctld shows everything to root and to SlurmUser. For other accounts it silently leaves out other people's jobs and
reservations, and refuses nodes and usage.
"""

from collections.abc import Collection

from slurm.command import SlurmError
from slurm.configuration import Configuration

_HIDES_NOTHING = frozenset({"cloud"})  # it shows powered-down nodes


class HiddenError(SlurmError):
    """PrivateData hides the requested data from the account that reads."""


def hidden_from_reader(configuration: Configuration) -> frozenset[str]:
    """The words of PrivateData that hide something from the account that reads; none if that account is not known."""
    reader = configuration.reader
    if reader is None or reader in ("root", configuration.slurm_user):
        return frozenset()
    return frozenset(word.lower() for word in configuration.private_data) - _HIDES_NOTHING


def how_to_show(words: Collection[str], configuration: Configuration) -> str:
    """What hides it, and what an administrator can do."""
    return (
        f"slurm.conf's PrivateData={','.join(sorted(words))} hides it from the account {configuration.reader}, which "
        f"reads for this API. Set the stack's parameter Reader to {configuration.slurm_user or 'SlurmUser'}, or leave "
        "it out of PrivateData"
    )
