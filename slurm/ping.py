"""Whether the scheduler and accounting answer: `scontrol ping`, and a query to slurmdbd (scontrol(1), sacctmgr(1))."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slurm import accounting
from slurm.command import AccountingDisabledError, Command, Question, Reply, SlurmError
from slurm.errors import ParseError
from slurm.operation import Operation, RunsAs

ABOUT_ROLE = "primary, or backup (backup1, backup2 ...). scontrol: ping."
ABOUT_HOST = "The host that slurmctld runs on. scontrol: ping."
ABOUT_IS_UP = "Whether it answers. scontrol: ping."


@dataclass(frozen=True)
class Controller:
    """One slurmctld, and whether it answers."""

    role: str
    host: str
    is_up: bool


@dataclass(frozen=True)
class Ping:
    """The slurmctlds; whether slurmdbd answers (None where the cluster keeps no accounts), and why it does not."""

    controllers: Sequence[Controller]
    accounting_is_up: bool | None
    accounting_message: str | None


PING = Operation("scontrol ping", words=("scontrol", "ping"), runs_as=RunsAs.READER)
SHOW_CLUSTER = Operation(
    "sacctmgr show cluster",
    words=("sacctmgr", "--noheader", "--parsable2", "show", "cluster", "format=Cluster"),
    asks_slurmdbd=True,
    runs_as=RunsAs.READER,
)


def ping() -> Question[Ping]:
    """Ask each slurmctld and slurmdbd whether it answers."""
    return Question((Command(PING), Command(SHOW_CLUSTER)), read)


def read(replies: Sequence[Reply]) -> Ping:
    """A daemon that is down is an answer, not an error. Raises ParseError if scontrol names no slurmctld."""
    controllers, clusters = replies
    is_up, message = _accounting(clusters)
    return Ping(_controllers(controllers), is_up, message)


_LINE = re.compile(r"(?m)^Slurmctld\((?P<role>[^)]*)\) at (?P<host>\S+) is (?P<state>\w+)")


def _controllers(reply: Reply) -> list[Controller]:
    """One line a slurmctld; with a single one down scontrol adds a frame of stars (exit code 1).

    None if slurmctld hangs: the head node ends the ping, which would wait for a minute.
    """
    if reply.refusal_code in ("unavailable", "timed_out"):
        return []
    found = [Controller(match["role"], match["host"], match["state"] == "UP") for match in _LINE.finditer(reply.stdout)]
    if not found:
        raise ParseError("ping", reply.stdout or reply.stderr or reply.refusal or "")
    return found


def _accounting(reply: Reply) -> tuple[bool | None, str | None]:
    """`sacctmgr ping` exists only since 23.11, so any answer from the database counts."""
    try:
        accounting.require(reply)
    except AccountingDisabledError:
        return None, None
    except SlurmError as error:
        return False, str(error)
    return True, None
