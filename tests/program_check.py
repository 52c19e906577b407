"""What the program on the head node makes of a command: its own check, called here."""

from headnode.program.operations import Operation
from slurm import operation
from slurm.command import Command
from slurm.operations import OPERATIONS


def as_the_program_has_it(defined: operation.Operation) -> Operation:
    """The operation as the program makes it from the document's data."""
    return Operation(defined.name, **defined.as_data())


def argv(command: Command) -> list[str]:
    """What the head node runs. Raises Refused."""
    asked = command.as_data()
    made = as_the_program_has_it(command.operation)
    made.variables(asked)
    return made.argv(asked, [])


def argv_of(name: str, options: dict[str, str]) -> list[str]:
    """What the head node runs for options that slurm/ may never make. Raises Refused."""
    return argv(Command(named(name), options))


def named(name: str) -> operation.Operation:
    """The operation of that name."""
    return next(each for each in OPERATIONS if each.name == name)
