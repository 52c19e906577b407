"""Taking nodes out of service and back: scontrol(1), update NodeName."""

from collections.abc import Sequence
from functools import partial

from slurm import argument
from slurm.argument import LEFT, Updated
from slurm.command import Command, Question, Reply
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, each_refusal
from slurm.states import DescribedEnum


class NodeAction(DescribedEnum):
    """What to do with nodes."""

    DRAIN = "DRAIN", "Start no more jobs there; those that run go on. Needs a reason."
    RESUME = "RESUME", "Take jobs again, after DRAIN or DOWN."
    DOWN = "DOWN", "Take it for broken: its jobs end now, and are requeued if they allow it. Needs a reason."
    POWER_UP = "POWER_UP", "Start its instance now, without a job that asks for it."
    POWER_DOWN = "POWER_DOWN", "Stop its instance as soon as no job runs there."
    POWER_DOWN_ASAP = (
        "POWER_DOWN_ASAP",
        "Drain it, and stop its instance as soon as no job runs there. Slurm 21.08 or newer.",
    )
    POWER_DOWN_FORCE = "POWER_DOWN_FORCE", "End its jobs and stop its instance now. Slurm 21.08 or newer."


UPDATE = Operation(
    "scontrol update node",
    words=("scontrol", "update"),
    options={
        "NodeName": argument.node.pattern,
        "State": argument.one_of(NodeAction).pattern,
        "Reason": argument.line.pattern,
    },
    runs_as=RunsAs.ADMINISTRATOR,
    assigns=True,
    needs=("NodeName",),
)
NEEDS_REASON = frozenset({NodeAction.DRAIN, NodeAction.DOWN})


def update(nodes: Sequence[str], action: NodeAction, reason: Updated[str] = LEFT) -> Question[list[Refusal | None]]:
    """Do it to each node; for each None, or why not. Slurm's operators only.

    One command a node: of a list with one unknown name slurmctld changes those before it and reports none. Raises
    InvalidInputError before anything is sent: for a wrong name, for DRAIN and DOWN without a reason, and for None as a
    reason with another action than RESUME, which clears the reason.
    """
    argument.require(_wrong_names(nodes), _wrong_reason(action, reason))
    options = {"State": action.value, **({"Reason": reason} if isinstance(reason, str) else {})}
    commands = tuple(Command(UPDATE, {"NodeName": node, **options}) for node in nodes)
    return Question(commands, partial(read, nodes=nodes))


def read(replies: Sequence[Reply], nodes: Sequence[str]) -> list[Refusal | None]:
    """For each node None, or why it was not changed. Raises as `each_refusal` does."""
    return [_about(why, node) if why else None for why, node in zip(each_refusal(replies), nodes, strict=True)]


def _about(why: Refusal, node: str) -> Refusal:
    code = RefusalCode.NOT_FOUND if "Invalid node name" in why.message else why.code
    return Refusal(code, why.message, why.field, node)


def _wrong_names(nodes: Sequence[str]) -> Refusal | None:
    try:
        for node in nodes:
            argument.node(node)
    except ValueError as error:
        return argument.invalid("names", f"hold {node[:80]!r}, which {error}")
    return None


def _wrong_reason(action: NodeAction, reason: Updated[str]) -> Refusal | None:
    if isinstance(reason, str):
        return argument.checked("reason", argument.line, reason)
    if action in NEEDS_REASON:
        return argument.invalid("reason", f"is missing: say why, for {action.name}")
    if reason is None and action is not NodeAction.RESUME:
        return argument.invalid("reason", "cannot be null: the action RESUME clears it")
    return None
