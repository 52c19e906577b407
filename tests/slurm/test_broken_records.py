"""One record that cannot be read, anywhere in what Slurm prints: all others are answered, and it is told of.

The exception is a record that breaks a frame whose separator others can watch."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm import (
    association,
    configuration,
    fair_share,
    license,
    partition,
    qos,
    reservation,
    sacct,
    sinfo,
    sprio,
    squeue,
    sstat,
    statistics,
    topology,
)
from slurm.column import Record, Rows
from slurm.command import Question, Reply
from slurm.errors import ParseError, SeparatorError, Unreadable
from slurm.framing import separators
from slurm.sacct_search import Search

COUNT = 4
FIRST = 20
"""The number of the first record: no text that is broken on purpose has a 2, and so none ends another's record."""
TEXTS = {
    "AllocTRES": "cpu=1",
    "CPUsState": "1/0/0/1",
    "ExitCode": "0:0",
    "FreeMem": "1",
    "Gres": "gpu:a100:8",
    "GresUsed": "gpu:a100:1",
    "ReqTRES": "cpu=1",
    "State": "RUNNING",
    "StateComplete": "idle",
    "TRESUsageInTot": "cpu=00:00:13,mem=100118528",
    "%T": "cpu=1",
    "exit_code": "0",
    "tres-alloc": "cpu=1",
}


Written = Callable[[str], str]
"""The text of each column of a record."""


def numbered(number: int) -> Written:
    """Texts that tell records apart."""
    return lambda column: TEXTS.get(column, str(number))


@dataclass(frozen=True)
class Table:
    """A dataset: how its records are printed, and how they are read."""

    name: str
    question: Question[Any]
    record: Callable[[Question[Any], Written], str]
    key: str
    reply: int = 0
    others: Sequence[str] = ()

    @property
    def separator(self) -> str:
        """The separator that stands in the arguments of its command, where others can watch it."""
        (separator,) = {
            each for command in self.question.commands for each in separators(str(command.options.values()))
        }
        return separator

    def printed(self) -> list[str]:
        """Several records."""
        return [self.record(self.question, numbered(FIRST + number)) for number in range(COUNT)]

    def read(self, records: Sequence[str]) -> Rows[Any]:
        """What becomes of the printed records."""
        replies = [Reply(0, text) for text in self.others]
        replies.insert(self.reply, Reply(0, "".join(records)))
        answer = self.question.read(replies)
        rows = answer.jobs if isinstance(answer, sacct.History) else answer
        assert isinstance(rows, Rows)
        return rows


def framed(question: Question[Any], written: Written) -> str:
    """A record of squeue or sinfo, as its format says."""
    (command, *_) = question.commands
    asked = str(command.environment.get("SQUEUE_FORMAT2") or command.options["Format"])
    return "".join(written(column) + end for column, end in (item.split(":") for item in asked.split(","))) + "\n"


def of_sprio(question: Question[Any], written: Written) -> str:
    asked = question.commands[0].environment["SPRIO_FORMAT"]
    return "".join(written(column) + end for column, end in re.findall(r"(%\w)(~\w{8})", asked)) + "\n"


def of_sacct(question: Question[Any], written: Written) -> str:
    options = question.commands[0].options
    return "".join(written(column) + str(options["delimiter"]) for column in _columns(question)) + "\n"


def between_bars(question: Question[Any], written: Written) -> str:
    return "|".join(written(column.partition("%")[0]) for column in _columns(question)) + "\n"


def _columns(question: Question[Any]) -> list[str]:
    return str(question.commands[0].options["format"]).split(",")


def of_keys(table: type[Record]) -> Callable[[Question[Any], Written], str]:
    sources = [source for source in table.sources() if source not in ("CPUsState", "Comment")]
    return lambda question, written: " ".join(f"{source}={written(source)}" for source in sources) + "\n"


def of_switches(question: Question[Any], written: Written) -> str:
    return f"SwitchName={written('Name')} Level={written('Level')} LinkSpeed=1 Nodes={written('Nodes')}\n"


CPUS = partition.queues()
TABLES = [
    Table("jobs", squeue.jobs(), framed, "job_id"),
    Table("jobs in brief", squeue.jobs_in_brief(), framed, "job_id"),
    Table("nodes", sinfo.nodes(), framed, "name", others=[""]),
    Table("queues", CPUS, of_keys(partition.Queue), "name", others=[""]),
    Table(
        "queues' CPUs",
        CPUS,
        lambda question, written: framed(Question(question.commands[1:], question.read), written),
        "name",
        reply=1,
        others=["".join(f"PartitionName={n} State=UP Nodes=n{n} MaxTime=1\n" for n in range(FIRST, FIRST + COUNT))],
    ),
    Table("reservations", reservation.reservations(), of_keys(reservation.Reservation), "name"),
    Table("licenses", license.licenses(), of_keys(license.License), "name"),
    Table("switches", topology.topology(), of_switches, "name"),
    Table("factors", sprio.priority_factors(), of_sprio, "raw_id"),
    Table("history", sacct.allocations(Search(ids=("1",))), of_sacct, "job_id"),
    Table("running steps", sstat.running_steps(["1"]), between_bars, "step_id"),
    Table("accounts", association.accounts(), between_bars, "name"),
    Table("associations", association.associations(), between_bars, "account", others=[""]),
    Table("QOS", qos.qos(), between_bars, "name", others=[""]),
    Table("shares", fair_share.fair_shares(), between_bars, "account"),
]

WATCHED = {"nodes", "queues' CPUs", "history"}
"""Whose separator others can watch: a broken record that holds it is a fault of all, since others may be forged."""

broken = st.sampled_from(["", "\n", "|", "||||||", "~", "slurm: error: x", "PartitionName=", "Name=1 x"]) | st.text(
    "ab01|~=, \n", max_size=30
)


def values(rows: Rows[Any], key: str) -> dict[str, tuple[Any, ...]]:
    """Each record's values by its name."""
    columns = [column for column in rows.record.columns() if rows.texts.keys() >= set(column.sources)]
    return {getattr(row, key): tuple(getattr(row, column.name) for column in columns) for row in rows}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_one_broken_record_affects_no_other_record(table: Table, data: st.DataObject) -> None:
    records = table.printed()
    whole = values(table.read(records), table.key)
    assert len(whole) == COUNT
    place = data.draw(st.integers(0, COUNT - 1))
    cut = data.draw(st.integers(1, len(records[place]) - 2))
    damaged = data.draw(st.one_of(broken, st.just(records[place][:cut]), st.just(records[place][cut:].rstrip("\n"))))
    with_it = [*records[:place], damaged.rstrip("\n") + "\n", *records[place + 1 :]]
    try:
        rows = table.read(with_it)
    except SeparatorError:
        assert table.name in WATCHED and table.separator in damaged
        return
    found = values(rows, table.key)
    others = {name: row for name, row in whole.items() if name != str(FIRST + place)}
    assert others.items() <= found.items()
    assert len(found) == COUNT or rows.unreadable or not damaged.strip("\n ")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_one_invalid_value_affects_no_other_record(table: Table, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, COUNT - 1))
    records = table.printed()
    whole = values(table.read(records), table.key)
    columns = list(
        dict.fromkeys(source for column in table.read(records).record.columns() for source in column.sources)
    )
    text = st.text("ab01:/=-._?", min_size=1, max_size=8).filter(lambda text: not text.isdigit())  # no other's name
    odd = {data.draw(st.sampled_from(columns)): data.draw(text)}
    changed = table.record(table.question, lambda column: odd.get(column) or numbered(FIRST + place)(column))
    rows = table.read([*records[:place], changed, *records[place + 1 :]])
    found = values(rows, table.key)
    assert {name: row for name, row in whole.items() if name != str(FIRST + place)}.items() <= found.items()
    assert all(isinstance(each, Unreadable) for each in rows.unreadable)


@given(
    st.lists(st.text("ab01|\n\\$", max_size=8), min_size=2, max_size=2), st.text("ab01|\\$ ", min_size=1, max_size=6)
)
def test_administrators_texts_never_move_to_another_column(texts: list[str], name: str) -> None:
    description, organization = texts
    printed = f"{name}|{name}|{organization}|{name}|{description}|{name}\n"
    other = "physics|physics|science|physics|plasma|physics\n"
    rows = association.read_accounts([Reply(0, other + printed + other.replace("physics", "geology"))])
    found = {row.name: (row.organization or "", row.description or "") for row in rows}
    assert found.pop("physics") == ("science", "plasma")
    assert found.pop("geology") == ("science", "plasma")
    assert found == {name: (organization, description)} or (found == {} and rows.unreadable)


def test_an_account_described_with_a_bar_and_a_newline() -> None:
    rows = association.read_accounts(
        [Reply(0, "root|root|root|root|default|root\nweird|weird|x|y|weird|a|b\nc|weird\nlast|last|o|last|d|last\n")]
    )
    assert [(row.name, row.organization, row.description) for row in rows] == [
        ("root", "root", "default"),
        ("weird", "x|y", "a|b\nc"),
        ("last", "o", "d"),
    ]
    assert rows.unreadable == ()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_where_nothing_can_be_read_that_is_a_fault_and_not_an_empty_list(table: Table) -> None:
    with pytest.raises(ParseError):
        table.read(["slurm: something else\n"])


def test_a_figure_that_is_not_a_number_affects_only_itself() -> None:
    printed = "Jobs submitted: 5\nJobs started: many\nJobs failed: 0\n"
    found = statistics.read([Reply(0, printed)])
    assert (found.jobs_submitted, found.jobs_started, found.jobs_failed) == (5, None, 0)
    assert [(each.field, each.text) for each in found.unreadable] == [("jobs_started", "many")]


def test_an_invalid_line_of_the_configuration_affects_only_itself() -> None:
    found = configuration.read([Reply(0, "MinJobAge = soon\nMaxJobCount = 5\n"), Reply(0, "nobody")])
    assert (found.min_job_age_seconds, found.max_job_count) == (None, 5)
    assert [each.field for each in found.rows.unreadable] == ["min_job_age_seconds"]
