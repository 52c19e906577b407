"""Whether the cluster has an account that the API may act as (getpwnam(3) on the head node)."""

from collections.abc import Sequence

from slurm.command import Command, ProgramRefusedError, Question, Reply, require_success
from slurm.operation import Operation, RunsAs, Task

ACCOUNT = Operation("account", argument=r"[^\0]{1,255}", runs_as=RunsAs.CALLER, task=Task.NAME_CALLER)


def account(name: str) -> Question[bool]:
    """Whether the head node has an account of that name that may log in and is not a system account."""
    return Question((Command(ACCOUNT, arguments=(name,)),), read)


def read(replies: Sequence[Reply]) -> bool:
    """False if the head node refuses the account."""
    (reply,) = replies
    try:
        require_success(reply)
    except ProgramRefusedError:
        return False
    return True
