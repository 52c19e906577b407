"""Which SSM commands a request sent, for its line in the log."""

from contextvars import ContextVar

_commands: ContextVar[list[str] | None] = ContextVar("commands", default=None)


def collect() -> list[str]:
    """A list that takes the id of every command that is sent from now on in this context, and in copies of it."""
    commands: list[str] = []
    _commands.set(commands)
    return commands


def note(command: str) -> None:
    """A command was sent."""
    commands = _commands.get()
    if commands is not None:
        commands.append(command)
