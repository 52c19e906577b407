"""A head node that prints what a test says, and requests to the API over it."""

from collections.abc import Callable, Mapping
from typing import Any

from access.caller import Caller
from access.role import JobVisibility, Role
from headnode.deadline import Deadline
from headnode.node import Answer, Bundle, HeadNode
from headnode.settings import ClusterSettings, Settings
from headnode.snapshots import Snapshots
from own_loop import finish
from resolvers.context import RequestContext
from schema import schema
from slurm.command import Command, Reply

CONFIG = (
    "SLURM_VERSION = 22.05.8\nClusterName = lab\nSlurmUser = slurm(64030)\nPrivateData = {}\n"
    "AccountingStorageType = accounting_storage/slurmdbd\n"
)
TEXTS = {"NodeList": "n1", "State": "RUNNING", "tres-alloc": "cpu=1", "exit_code": "0", "CPUsState": "1/0/0/1"}


class Scripted(HeadNode):
    """A head node that prints what the test says, by the operation."""

    def __init__(self, printed: Mapping[str, Callable[[Command], Reply]]) -> None:
        self.printed = printed
        self.asked: list[list[str]] = []

    def answer(self, bundle: Bundle, deadline: Deadline, comment: str) -> Answer:
        commands = [command for step in bundle.steps for command in step]
        self.asked.append([command.operation.name for command in commands])
        return Answer([self.printed[command.operation.name](command) for command in commands])


def says(stdout: str, stderr: str = "", exit_code: int = 0) -> Callable[[Command], Reply]:
    return lambda command: Reply(exit_code, stdout, stderr)


def rows(*texts: Mapping[str, str]) -> Callable[[Command], Reply]:
    """Rows of squeue or sinfo in the requested format."""

    def printed(command: Command) -> Reply:
        asked = str(command.environment.get("SQUEUE_FORMAT2") or command.options["Format"])
        columns = [item.split(":") for item in asked.split(",")]
        return Reply(0, "".join("".join(_text(row, *column) for column in columns) + "\n" for row in texts))

    return printed


def _text(row: Mapping[str, str], column: str, end: str) -> str:
    return row.get(column, TEXTS.get(column, "1")) + end


class SignedInAs:
    """Somebody whom the gateway vouches for."""

    def __init__(self, visibility: JobVisibility, role: Role) -> None:
        self._visibility, self._role = visibility, role
        self.identity = None

    def on(self, cluster: str) -> Caller:
        return Caller("ada", "ada", self._role, self._visibility)


def request(
    node: HeadNode,
    settings: Settings,
    visibility: JobVisibility = JobVisibility.ALL,
    seconds: float = 20,
    role: Role = Role.USER,
) -> RequestContext:
    """A request of a user's to that head node's cluster, which must be answered within those seconds."""
    who: Any = SignedInAs(visibility, role)
    return RequestContext({"lab": Snapshots(node, 60)}, settings, who, Deadline.after(seconds), "test")


def settings(**limits: Any) -> Settings:
    """The deployment's settings, with that `cost_limit`, for example."""
    return Settings({"lab": ClusterSettings("lab", "lab")}, "lab", "slurmql", **limits)


def ask(
    document: str,
    printed: Mapping[str, Callable[[Command], Reply]],
    visibility: JobVisibility = JobVisibility.ALL,
    private: str = "cloud",
    reader: str = "nobody",
    role: Role = Role.USER,
) -> tuple[Any, list[dict[str, Any]], Scripted]:
    """The data, the errors, and the head node."""
    node = Scripted(
        {
            "scontrol show config": says(CONFIG.format(private)),
            "reader": says(reader),
            "account": says("ada"),
            **printed,
        }
    )
    result = finish(schema.execute(document, context_value=request(node, settings(), visibility, role=role)))
    return result.data, [error.formatted for error in result.errors or []], node
