"""Licenses that the scheduler counts: `scontrol show licenses` (scontrol(1); slurm.conf(5), Licenses)."""

from collections.abc import Sequence

from slurm.column import Column, Record, Rows
from slurm.command import Command, Question, Reply, require_success
from slurm.operation import Operation, RunsAs
from slurm.scontrol_record import RecordKind, columns
from slurm.text import integer, verbatim


def _yes(value: str) -> bool:
    return value == "yes"


class License(Record):
    """A license, as many as jobs may hold at once."""

    name = Column(
        verbatim,
        "LicenseName",
        about="The license's name; with `@` the server's behind it, if accounting keeps it. scontrol: LicenseName.",
    )
    total_count = Column(integer, "Total", about="How many there are. scontrol: Total.")
    used_count = Column(integer, "Used", about="How many jobs hold. scontrol: Used.")
    free_count = Column(integer, "Free", about="How many jobs may still take. scontrol: Free.")
    reserved_count = Column(integer, "Reserved", about="How many reservations keep. scontrol: Reserved.")
    is_remote = Column(
        _yes, "Remote", about="Whether accounting keeps it (sacctmgr resource), not slurm.conf. scontrol: Remote."
    )


SHOW = Operation(
    "scontrol show licenses", words=("scontrol", "--local", "--oneliner", "show", "licenses"), runs_as=RunsAs.READER
)


def licenses() -> Question[Rows[License]]:
    """All licenses, by name."""
    return Question((Command(SHOW),), read)


_NONE = "No licenses configured in Slurm."
_LICENSE = RecordKind(
    "license", "LicenseName", keys=("Total", "Used", "Free"), written=("LicenseName",), needs=("Total", "Used", "Free")
)


def read(replies: Sequence[Reply]) -> Rows[License]:
    """One line a license, or a sentence that there is none."""
    (reply,) = replies
    printed = require_success(reply)
    records, lost = _LICENSE.records("" if printed.strip() == _NONE else printed)
    return Rows.readable(License, columns(records, License.sources()), lost)
