"""What the program on the head node may run: a command, its options, and the account it runs as.

Each module of slurm/ defines the operations that it uses, beside the parser of what they print. `slurm.operations`
lists them all. The SSM document carries that list as data, and the program checks every request against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

FLAG = ""
"""The pattern of an option that has no value."""


class RunsAs(Enum):
    """The account that an operation runs as."""

    READER = "reader"
    """An account without rights. All callers may share what it reads."""
    CALLER = "caller"
    """The calling user; for an operator also Slurm's administrator, where the user may not."""
    ADMINISTRATOR = "administrator"
    """Slurm's administrator, for operators alone."""


class Task(Enum):
    """What the program does for an operation."""

    RUN = "run"
    """Run the command in `words`."""
    SUBMIT = "submit"
    """Run sbatch and find out whether it made a job."""
    READ_FILE = "read_file"
    """Read part of a file with the calling user's rights alone, for an operator too."""
    NAME_CALLER = "name_caller"
    """Look up the calling user's account."""
    NAME_READER = "name_reader"
    """Name the account that reads run as."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of the program on the head node. Patterns are regular expressions that match a whole text.

    The argument vector is `words`, the options in the order of the request, the arguments and `last_words`.
    """

    name: str
    runs_as: RunsAs
    task: Task = Task.RUN
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    """Option names without dashes, and the pattern of their values; FLAG for an option without a value."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Patterns of variables' names, and the pattern of their values."""
    argument: str | None = None
    """The pattern of each argument; None if the operation takes none. It needs at least one."""
    argument_is_optional: bool = False
    last_words: tuple[str, ...] = ()
    assigns: bool = False
    """Options are written as scontrol's Key=Value, not as --name=value."""
    needs: tuple[str, ...] = ()
    """The options that a request must have."""
    until: tuple[int, int] | None = None
    """The first release that does not need the operation; from that release on its reply is empty."""
    asks_slurmdbd: bool = False
    """It asks slurmdbd, so a slurmctld that is down does not delay it."""
    refusals: tuple[str, ...] = ()
    """The errors with which slurmctld refuses a submission; after any other error there may be a job."""

    def as_data(self) -> dict[str, Any]:
        """All but the name, as the SSM document carries it: what differs from the program's defaults."""
        default = Operation(self.name, RunsAs.READER)
        values = {line.name: getattr(self, line.name) for line in fields(self)}
        return {name: _plain(value) for name, value in values.items() if value != getattr(default, name)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
