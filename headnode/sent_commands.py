"""Which SSM commands a request sent, for its line in the log."""

from contextvars import ContextVar

_commands: ContextVar[list[str] | None] = ContextVar("commands", default=None)


def collect() -> list[str]:
    """A list that receives the id of every command sent from now on in this context and in copies of it."""
    commands: list[str] = []
    _commands.set(commands)
    return commands


def note(command: str) -> None:
    """Note that a command was sent."""
    commands = _commands.get()
    if commands is not None:
        commands.append(command)
