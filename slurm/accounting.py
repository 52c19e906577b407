"""What sacctmgr prints, and how it says that there are no books (sacctmgr(1), --parsable2).

sacctmgr has no option for another separator than "|", in no release, and Slurm does refuse neither "|" nor a newline in
the names that administrators give. A record with another number of fields than were asked for is therefore an error:
nothing is dropped, nothing guessed.
"""

from collections.abc import Mapping, Sequence

from slurm import assoc_mgr, framing
from slurm.command import AccountingDisabledError, Reply, SchedulerUnavailableError, require_success
from slurm.errors import ParseError
from slurm.operation import Operation

_DISABLED = "not running a supported accounting_storage plugin"
_NO_ANSWER = ("Problem talking to the database", "Unable to contact slurmdbd", "persist_conn", "DBD_")
HOW_TO_SWITCH_ON = (
    "The cluster keeps no accounts. Run slurmdbd and set AccountingStorageType=accounting_storage/slurmdbd in "
    "slurm.conf; on ParallelCluster configure Scheduling/SlurmSettings/Database."
)


def show(entity: str, **options: str) -> Operation:
    """`sacctmgr show`, with the columns as `format` and the further options."""
    return Operation(
        f"sacctmgr show {entity}",
        words=("sacctmgr", "--noheader", "--parsable2", "show", entity),
        options={"format": framing.COLUMNS, **options},
        assigns=True,
        asks_slurmdbd=True,
    )


def require(reply: Reply) -> str:
    """The output of a sacctmgr that succeeded.

    Raises AccountingDisabledError, which says what to switch on, SchedulerUnavailableError if slurmdbd does not answer,
    and what `require_success` raises.
    """
    if _DISABLED in reply.stderr:
        raise AccountingDisabledError(HOW_TO_SWITCH_ON)
    if any(text in reply.stderr for text in _NO_ANSWER):
        raise SchedulerUnavailableError(f"slurmdbd does not answer: {reply.stderr.strip()[:2000]}")
    return require_success(reply)


def split(printed: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """The text of every column, row by row. Raises ParseError for a record that has another number of fields."""
    records = [line.split("|") for line in printed.split("\n") if line]
    for record in records:
        if len(record) != len(columns):
            raise ParseError("record of sacctmgr", "|".join(record))
    return {column: [record[position] for record in records] for position, column in enumerate(columns)}


def with_use(texts: dict[str, list[str]], use: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The columns of sacctmgr and beside them those of assoc_mgr, joined by ID; "" where slurmctld knows no use."""
    joined = {source: [use.get(id, {}).get(source, "") for id in texts["ID"]] for source in assoc_mgr.SOURCES}
    return {**texts, **joined}
