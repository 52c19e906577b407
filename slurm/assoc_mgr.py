"""What counts against the limits of associations and QOS now: `scontrol show assoc_mgr` (scontrol(1))."""

import re
from collections.abc import Mapping

from slurm.command import Reply, require_success
from slurm.errors import ParseError
from slurm.operation import Operation

RAW, JOBS, SUBMITTED, WALL = "use: UsageRaw", "use: GrpJobs", "use: GrpSubmitJobs", "use: GrpWall"
TRES, TRES_MINUTES, TRES_RUN_MINUTES = "use: GrpTRES", "use: GrpTRESMins", "use: GrpTRESRunMins"
SOURCES = (RAW, JOBS, SUBMITTED, WALL, TRES, TRES_MINUTES, TRES_RUN_MINUTES)
"""The columns that `by_id` gives, named so that they are told apart from sacctmgr's limits."""

COUNTED = (JOBS, SUBMITTED, TRES)
"""Those that slurmctld counts only where limits are enforced."""

# What stands in brackets is in use, what stands before it is the limit, N for none.
_GROUP = (
    r" GrpJobs=\w+\((\d+)\) GrpJobsAccrue=\S* GrpSubmitJobs=\w+\((\d+)\) GrpWall=\w+\(([\d.]+)\)"
    r" +GrpTRES=(\S*) GrpTRESMins=(\S*) GrpTRESRunMins=(\S*)"
)
_ASSOCIATION = re.compile(
    r"(?m) ID=(?P<id>\d+) +SharesRaw/Norm/Level/Factor=\S+ +UsageRaw/Norm/Efctv=([\d.]+)/\S+ .*?" + _GROUP
)
_QOS = re.compile(r"(?m)^QOS=.*?\((?P<id>\d+)\) +UsageRaw=([\d.]+)" + _GROUP)


SHOW_ASSOCIATIONS = Operation(
    "scontrol show assoc_mgr associations", words=("scontrol", "--oneliner", "show", "assoc_mgr", "flags=assoc")
)
SHOW_QOS = Operation("scontrol show assoc_mgr qos", words=("scontrol", "--oneliner", "show", "assoc_mgr", "flags=qos"))


def associations(reply: Reply) -> dict[str, Mapping[str, str]]:
    """The use of each association by its id. Raises as `require_success` does."""
    return _by_id(_ASSOCIATION, require_success(reply))


def qos(reply: Reply) -> dict[str, Mapping[str, str]]:
    """The use of each QOS by its id. Raises as `require_success` does."""
    return _by_id(_QOS, require_success(reply))


def _by_id(pattern: re.Pattern[str], printed: str) -> dict[str, Mapping[str, str]]:
    return {match["id"]: dict(zip(SOURCES, match.groups()[1:], strict=True)) for match in pattern.finditer(printed)}


def used(value: str) -> list[str]:
    """Of "cpu=64(2),mem=N(0)" what is in use and how much: ["cpu=2"]. Raises ParseError."""
    found = []
    for entry in value.split(",") if value else ():
        match = re.fullmatch(r"([^=]+)=\w+\((\d+)\)", entry)
        if match is None:
            raise ParseError("use of TRES", value)
        if match[2] != "0":
            found.append(f"{match[1]}={match[2]}")
    return found


def held(value: str) -> list[str] | None:
    """Likewise; None for nothing told."""
    return used(value) if value else None


# What is used up is a float, as it outgrows GraphQL's Int of 32 bits within days.
def minutes_as_seconds(value: str) -> float | None:
    """ "1.50" minutes are 90 seconds, whole ones; None for nothing told. Raises ParseError."""
    return _whole(value, 60)


def whole(value: str) -> float | None:
    """A number without its fraction; None for nothing told. Raises ParseError."""
    return _whole(value, 1)


def _whole(value: str, factor: int) -> float | None:
    if not value:
        return None
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", value):
        raise ParseError("use", value)
    return float(int(float(value) * factor))
