"""Nodes' states where sinfo does not tell all of them: Slurm before 21.08 (scontrol(1), show node).

That sinfo has no StateComplete, and its StateLong hides much: "drained" says neither what the node does nor that it is
a cloud instance. From 21.08 on the head node runs nothing for this, and the answer is empty.
"""

import re
from collections.abc import Sequence

from slurm.command import Command, Question, Reply, require_success
from slurm.errors import ParseError
from slurm.operation import Operation

# Before State stand only words of the configuration and of the node's system; what people write comes behind it.
_NODE = re.compile(r"NodeName=(\S+) .*? State=(\S+) ")


SHOW = Operation("scontrol show node", words=("scontrol", "--oneliner", "--all", "show", "node"), until=(21, 8))


def states() -> Question[dict[str, str]]:
    """The complete state of each node by its name, as "IDLE#+CLOUD" or "DOWN*+DRAIN"; {} from 21.08 on."""
    return Question((Command(SHOW),), read)


def read(replies: Sequence[Reply]) -> dict[str, str]:
    """From one line a node. Raises ParseError for a line that is none."""
    (reply,) = replies
    # A reason may hold what str.splitlines takes for the end of a line; scontrol makes blanks of newlines alone.
    return dict(_state(line) for line in require_success(reply).split("\n") if line.strip())


def _state(line: str) -> tuple[str, str]:
    match = _NODE.match(line)
    if match is None:
        raise ParseError("node record", line)
    return match[1], match[2]
