"""Shares and use of accounts and users, as they count for priorities: sshare(1)."""

from collections.abc import Sequence

from slurm import accounting
from slurm.accounting import Frame
from slurm.assoc_mgr import whole
from slurm.column import Column, Record, Rows
from slurm.command import Command, NotShownError, Question, Reply, require_success
from slurm.operation import Operation, RunsAs
from slurm.text import BigInt, big_integer, decimal, text_or_none


class FairShareDisabledError(NotShownError):
    """The cluster does not rank jobs by fair share: slurm.conf's PriorityType is priority/basic."""


def _account(value: str) -> str:
    # Blanks before it show how deep in the tree the account stands.
    return value.lstrip(" ")


def _shares(value: str) -> BigInt | None:
    return None if value == "parent" else big_integer(value)


def _fraction(value: str) -> float | None:
    return None if value in ("inf", "nan", "-nan") else decimal(value)


class FairShare(Record):
    """An account, or a user in an account: what share it has, what it has used."""

    id_number = Column(
        big_integer, "ID", about="The number of its association in accounting, as Association.idNumber. sshare: ID."
    )
    account = Column(_account, "Account", about="The account. sshare: Account.")
    user = Column(text_or_none, "User", about="The user in the account; null for the account itself. sshare: User.")
    queue_name = Column(
        text_or_none, "Partition", about="The only queue that it is for; null for all. sshare: Partition."
    )
    shares = Column(
        _shares,
        "RawShares",
        about="Its shares, relative to its siblings; null if it uses its parent's, and for the topmost account. "
        "sshare: RawShares.",
    )
    normalized_shares = Column(
        _fraction, "NormShares", about="Its part of all shares, from 0 to 1. sshare: NormShares."
    )
    raw_usage = Column(
        whole,
        "RawUsage",
        about="What it has used, in seconds times billing, with the cluster's decay. sshare: RawUsage.",
    )
    normalized_usage = Column(_fraction, "NormUsage", about="Its part of all use, from 0 to 1. sshare: NormUsage.")
    effective_usage = Column(
        _fraction,
        "EffectvUsage",
        about="Its share of use, relative to its siblings. sshare: EffectvUsage.",
    )
    fair_share = Column(
        _fraction,
        "FairShare",
        about="What counts for priority, from 0 to 1; higher starts first. Null for accounts under Slurm's default "
        "algorithm, which ranks users. sshare: FairShare.",
    )
    level_fair_share = Column(
        _fraction,
        "LevelFS",
        about="Its shares divided by its use, both relative to its siblings; null for unlimited (nothing used). "
        "sshare: LevelFS.",
    )


_FRAME = Frame.of("ID", FairShare.sources(), written=("Account", "User", "Partition"))
HOW_TO_SWITCH_ON = (
    "The cluster does not rank jobs by fair share. Set PriorityType=priority/multifactor in "
    "slurm.conf, with accounting."
)


SSHARE = Operation(
    "sshare",
    words=("sshare", "--noheader", "--parsable2", "--all"),
    options={"format": accounting.FORMAT},
    runs_as=RunsAs.READER,
)


def fair_shares() -> Question[Rows[FairShare]]:
    """All accounts and users, in the order of their tree. Reading raises FairShareDisabledError where there is none."""
    return Question((Command(SSHARE, {"format": _FRAME.format}),), read)


def read(replies: Sequence[Reply]) -> Rows[FairShare]:
    """One line an association; there is one for the topmost account at least. Raises SlurmError.

    Without priority/multifactor sshare prints nothing, and exits with 0 (22.05).
    """
    (reply,) = replies
    printed = require_success(reply)
    if not printed.strip():
        raise FairShareDisabledError(HOW_TO_SWITCH_ON)
    return Rows.readable(FairShare, *_FRAME.split(printed))
