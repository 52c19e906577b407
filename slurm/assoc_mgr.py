"""What counts against the limits of associations and QOS now: `scontrol show assoc_mgr` (scontrol(1))."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from slurm.column import Column
from slurm.command import PermissionDeniedError, Reply, require_success, words
from slurm.errors import ParseError, Unreadable
from slurm.operation import Operation, RunsAs
from slurm.text import BigInt, integer

RAW, JOBS, SUBMITTED, WALL = "use: UsageRaw", "use: GrpJobs", "use: GrpSubmitJobs", "use: GrpWall"
TRES, TRES_MINUTES, TRES_RUN_MINUTES = "use: GrpTRES", "use: GrpTRESMins", "use: GrpTRESRunMins"
SOURCES = (RAW, JOBS, SUBMITTED, WALL, TRES, TRES_MINUTES, TRES_RUN_MINUTES)
"""The columns that `by_id` gives, named so that they differ from sacctmgr's limits."""

COUNTED = (JOBS, SUBMITTED, TRES)
"""Those that slurmctld counts only where limits are enforced."""

# The number in brackets is the usage, the number before it the limit (N for none).
_GROUP = (
    r" GrpJobs=\w+\((\d+)\) GrpJobsAccrue=\S* GrpSubmitJobs=\w+\((\d+)\) GrpWall=\w+\(([\d.]+)\)"
    r" +GrpTRES=(\S*) GrpTRESMins=(\S*) GrpTRESRunMins=(\S*)"
)
_ASSOCIATION = re.compile(
    r" ID=(?P<id>\d+) +SharesRaw/Norm/Level/Factor=\S+ +UsageRaw/Norm/Efctv=([\d.]+)/\S+ .*?" + _GROUP, re.DOTALL
)
_QOS = re.compile(r"QOS=.*?\((?P<id>\d+)\) +UsageRaw=([\d.]+)" + _GROUP, re.DOTALL)


SHOW_ASSOCIATIONS = Operation(
    "scontrol show assoc_mgr associations",
    words=("scontrol", "--local", "--oneliner", "show", "assoc_mgr", "flags=assoc"),
    runs_as=RunsAs.READER,
)
SHOW_QOS = Operation(
    "scontrol show assoc_mgr qos",
    words=("scontrol", "--local", "--oneliner", "show", "assoc_mgr", "flags=qos"),
    runs_as=RunsAs.READER,
)


@dataclass(frozen=True)
class Use:
    """What is in use, by id and column, and what cannot be read."""

    by_id: Mapping[str, Mapping[str, str]]
    lost: Sequence[Unreadable]


def associations(reply: Reply) -> Use:
    """The use of each association by its id. Raises as `require_success` does."""
    return _by_id(_ASSOCIATION, "ClusterName=", _printed(reply))


def qos(reply: Reply) -> Use:
    """The use of each QOS by its id. Raises as `require_success` does."""
    return _by_id(_QOS, "QOS=", _printed(reply))


def _printed(reply: Reply) -> str:
    """The output. With PrivateData only administrators get it, and scontrol up to 22.05 cannot read the refusal."""
    if re.search("Invalid user id|Malformed RPC of type RESPONSE_ASSOC_MGR_INFO", reply.stderr):
        raise PermissionDeniedError(words(reply))
    return require_success(reply)


def _by_id(pattern: re.Pattern[str], first: str, printed: str) -> Use:
    """A record goes on until the next line that starts one: a name may hold newlines."""
    _, *chunks = re.split(rf"(?m)^(?={first})", printed)
    found: dict[str, Mapping[str, str]] = {}
    lost = []
    for chunk in chunks:
        match = pattern.search(chunk)
        if match:
            found[match["id"]] = dict(zip(SOURCES, match.groups()[1:], strict=True))
        else:
            lost.append(Unreadable("record of use", chunk.strip(), "used_tres", record_lost=False))
    return Use(found, lost)


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
    """As `used`; None where Slurm prints nothing."""
    return used(value) if value else None


def minutes_as_seconds(value: str) -> BigInt | None:
    """ "1.50" minutes are 90 seconds, whole ones; None where Slurm prints none. Raises ParseError."""
    return _whole(value, 60)


def whole(value: str) -> BigInt | None:
    """A number without its fraction; None where Slurm prints nothing. Raises ParseError."""
    return _whole(value, 1)


def _whole(value: str, factor: int) -> int | None:
    if not value:
        return None
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", value):
        raise ParseError("use", value)
    return int(Decimal(value) * factor)


# The columns of use, which associations and QOS have in common.
RUNNING_JOB_COUNT = Column(
    integer,
    JOBS,
    about="How many of its jobs run now; null where AccountingStorageEnforce has no limits: Slurm counts none "
    "then. scontrol show assoc_mgr: GrpJobs.",
)
SUBMITTED_JOB_COUNT = Column(
    integer,
    SUBMITTED,
    about="How many of its jobs wait or run now; null where AccountingStorageEnforce has no limits. "
    "scontrol show assoc_mgr: GrpSubmitJobs.",
)
USED_TRES = Column(
    held,
    TRES,
    about="What its running jobs hold now, as `cpu=2`, memory in MiB; null where AccountingStorageEnforce has no "
    "limits. scontrol show assoc_mgr: GrpTRES.",
)
USED_TRES_MINUTES = Column(
    used,
    TRES_MINUTES,
    about="What its jobs have used up, in minutes times what they held, as it counts against maxTresMinutes. "
    "scontrol show assoc_mgr: GrpTRESMins.",
)
USED_WALL_SECONDS = Column(
    minutes_as_seconds,
    WALL,
    about="The run time its jobs have used up, in seconds, as it counts against maxWallSeconds. scontrol show "
    "assoc_mgr: GrpWall.",
)
RAW_USAGE = Column(
    whole,
    RAW,
    about="What its jobs have used up, in seconds times billing, with the cluster's decay. scontrol show "
    "assoc_mgr: UsageRaw.",
)
