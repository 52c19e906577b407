"""One line of `scontrol -o show partition`: Key=Value pairs between blanks (man scontrol, --oneliner)."""

from slurm.errors import ParseError


def fields(line: str) -> dict[str, str]:
    """Values by key, in scontrol's order; {} for a blank line.

    A value may hold "=" (TRES=cpu=4,mem=1M) but no blank, which is so for partitions and not for jobs or
    nodes: a job's name can forge keys. Raises ParseError for text without "=", and for a key that comes
    twice.
    """
    values: dict[str, str] = {}
    for pair in line.split():
        key, equals, value = pair.partition("=")
        if not (key and equals) or key in values:
            raise ParseError("scontrol record", line)
        values[key] = value
    return values
