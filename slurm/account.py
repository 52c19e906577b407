"""Whether the cluster has an account that the API may act as (getpwnam(3) on the head node)."""

from collections.abc import Sequence

from slurm.command import Command, ProgramRefusedError, Question, Reply, require_success
from slurm.operation import Operation, RunsAs

ACCOUNT = Operation("account", argument=r"[^\0]{1,255}", runs_as=RunsAs.CALLER)
"""The program looks the account up itself."""


def account(name: str) -> Question[bool]:
    """Whether the head node has an account of that name, may it log in, and is it no system's."""
    return Question((Command(ACCOUNT, arguments=(name,)),), read)


def read(replies: Sequence[Reply]) -> bool:
    """A refusal is the head node's no."""
    (reply,) = replies
    try:
        require_success(reply)
    except ProgramRefusedError:
        return False
    return True
