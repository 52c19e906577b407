"""Opening and closing queues (Slurm: partitions): scontrol(1), update PartitionName."""

from collections.abc import Sequence
from functools import partial

from slurm import argument
from slurm.command import Command, Question, Reply
from slurm.operation import Operation, RunsAs
from slurm.refusal import Refusal, RefusalCode, refusal
from slurm.states import DescribedEnum


class QueueAction(DescribedEnum):
    """What a queue is to do with jobs."""

    UP = "UP", "Take jobs and start them."
    DOWN = "DOWN", "Take jobs, start none; those that run go on."
    DRAIN = "DRAIN", "Take no new jobs; those that wait are started, those that run go on."
    INACTIVE = "INACTIVE", "Take no new jobs and start none; those that run go on."


UPDATE = Operation(
    "scontrol update partition",
    words=("scontrol", "update"),
    options={"PartitionName": argument.word.pattern, "State": argument.one_of(QueueAction).pattern},
    runs_as=RunsAs.ADMINISTRATOR,
    assigns=True,
    needs=("PartitionName",),
)


def update(queue: str, action: QueueAction) -> Question[Refusal | None]:
    """Open or close the queue; None, or why not. Slurm's operators only.

    Raises InvalidInputError before anything is sent. It lasts until slurmctld reads its configuration again.
    """
    argument.require(argument.checked("name", argument.word, queue))
    command = Command(UPDATE, {"PartitionName": queue, "State": action.value})
    return Question((command,), partial(read, queue=queue))


def read(replies: Sequence[Reply], queue: str) -> Refusal | None:
    """None, or why the queue was not changed. Raises as `refusal` does."""
    (reply,) = replies
    why = refusal(reply)
    if why is None:
        return None
    code = RefusalCode.NOT_FOUND if "Invalid partition name" in why.message else why.code
    return Refusal(code, why.message, why.field, queue)
