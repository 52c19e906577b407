"""The variables of a job's environment (sbatch(1), --export)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slurm import argument
from slurm.refusal import Refusal
from slurm.states import DescribedEnum

_VALUE_LIMIT = 64 * 1024
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,254}"


@argument.kind(rf"[^\0]{{0,{_VALUE_LIMIT}}}", f"at most {_VALUE_LIMIT} bytes")
def _value(value: str) -> str:
    return argument.bounded(value, _VALUE_LIMIT)


PATTERNS = {rf"(?!SLURM_|SBATCH_|LD_PRELOAD\Z|LD_AUDIT\Z){_NAME}": _value.pattern}
"""The names that variables may have, and their values."""


class Export(DescribedEnum):
    """Which variables the job gets (sbatch(1), --export)."""

    ALL = "ALL", "Those of the user's login environment, and those of `environment`."
    NAMED = "NAMED", "Those of `environment` and what the node's own login sets."
    NONE = "NONE", "Only what the node's own login sets; `environment` must be empty."


# sbatch takes the values from its own environment, so that commas and newlines in them arrive.
exported: argument.Kind[Export] = argument.Kind(lambda export: export.value, argument.listed(_NAME))
"""ALL, NONE, or the names of the variables."""


@dataclass(kw_only=True)
class EnvironmentVariable:
    """A variable for the job's environment."""

    name: str = argument.required(
        "Letters, digits and _; not SLURM_* or SBATCH_*, which are Slurm's own, nor LD_PRELOAD or LD_AUDIT, which "
        "would act on sbatch itself: set those in the script. At most 255 characters."
    )
    value: str = argument.required("Any text; commas, quotes and newlines arrive as they are.", _value)


def _names(variables: Sequence[EnvironmentVariable]) -> str:
    if len(variables) > argument.LIST_LIMIT:
        raise ValueError(f"must have at most {argument.LIST_LIMIT} variables, not {len(variables)}")
    return ",".join(variable.name for variable in variables)


environment: argument.Kind[Sequence[EnvironmentVariable]] = argument.Kind(
    _names, argument.listed(_NAME), f"at most {argument.LIST_LIMIT} variables"
)


def refusals(variables: Sequence[EnvironmentVariable]) -> Iterator[Refusal]:
    """What is wrong with the variables."""
    if wrong := argument.checked("environment", environment, variables):
        yield wrong
        return
    for variable in variables:
        if not re.fullmatch(rf"(?!SLURM_|SBATCH_){_NAME}", variable.name):
            message = f"has {variable.name[:80]!r}, which no variable of a job may be called"
            yield argument.invalid("environment", message)
        elif variable.name in ("LD_PRELOAD", "LD_AUDIT"):
            message = f"has {variable.name}, which would act on sbatch itself: set it in the script"
            yield argument.invalid("environment", message)
        elif wrong := _wrong_value(variable):
            yield wrong


def _wrong_value(variable: EnvironmentVariable) -> Refusal | None:
    try:
        _value(variable.value)
    except ValueError as error:
        return argument.invalid("environment", f"has {variable.name}, whose value {error}")
    return None


def wrong_export(export: Export | None, names: Sequence[str]) -> Refusal | None:
    """Why these variables cannot be given with this `export`; None if they can."""
    if export is Export.NONE and names:
        return argument.invalid("export", "cannot be NONE beside environment; NAMED gives those alone")
    if export is Export.NAMED and not names:
        return argument.invalid("export", "cannot be NAMED without environment; NONE gives none")
    if export is Export.NAMED and {"ALL", "NONE", "NIL"} & set(names):
        return argument.invalid("environment", "has a variable ALL, NONE or NIL, which sbatch takes otherwise")
    return None
