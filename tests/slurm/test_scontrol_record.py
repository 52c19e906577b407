"""Records of `scontrol --oneliner show ...`, cut at the keys that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.scontrol_record import RecordKind, columns

# Printed by 22.05; the groups and accounts are what administrators wrote.
QUEUE1 = (
    "PartitionName=queue1 AllowGroups=domain users AllowAccounts=physics,with space AllowQos=ALL AllocNodes=ALL"
    " Default=YES QoS=N/A DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 LLN=NO"
    " Nodes=queue1-dy-large-[1-4],queue1-st-small-[1-2] PriorityTier=1 State=UP TotalCPUs=16"
    " TRES=cpu=16,mem=19454M,node=6,billing=16"
)
PARTITION = RecordKind(
    "partition",
    "PartitionName",
    keys=("AllocNodes", "DefaultTime", "Nodes", "State"),
    written=("PartitionName", "AllowGroups", "AllowAccounts", "AllowQos", "QoS"),
    repeated=("CoreIDs",),
    needs=("State",),
    last="Comment",
)


def test_values_that_people_write_may_hold_blanks() -> None:
    record = PARTITION.fields(QUEUE1)
    assert record["AllowGroups"] == "domain users"
    assert record["AllowAccounts"] == "physics,with space"
    assert record["Nodes"] == "queue1-dy-large-[1-4],queue1-st-small-[1-2]"
    assert record["TRES"] == "cpu=16,mem=19454M,node=6,billing=16"
    assert list(record)[:3] == ["PartitionName", "AllowGroups", "AllowAccounts"]


def test_keys_of_a_newer_release_stand_by_themselves() -> None:
    record = PARTITION.fields("PartitionName=a AllowQos=b c AllocNodes=ALL Brandnew=1 State=UP Other=x y")
    assert record == {
        "PartitionName": "a",
        "AllowQos": "b c",
        "AllocNodes": "ALL",
        "Brandnew": "1",
        "State": "UP",
        "Other": "x",
    }


def test_the_last_key_takes_all_of_the_rest() -> None:
    record = PARTITION.fields("PartitionName=a State=UP Comment=x State=DOWN\n y=z ")
    assert record == {"PartitionName": "a", "State": "UP", "Comment": "x State=DOWN\n y=z"}


def test_a_repeated_key_counts_once() -> None:
    assert PARTITION.fields("PartitionName=a State=UP CoreIDs=0 CoreIDs=1")["CoreIDs"] == "0"


@pytest.mark.parametrize(
    "text",
    [
        "Partition queue1 not found",
        "PartitionName=a AllowGroups=x State=DOWN QoS=N/A State=UP",  # whose is the state?
        "PartitionName=a",
        "State=UP PartitionName=a",
        "=UP",
        "slurm_load_partitions error: x",
        "",
    ],
)
def test_an_invalid_record_is_an_error(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        PARTITION.fields(text)
    assert caught.value.what == "partition"


def test_a_record_goes_on_until_the_next_begins() -> None:
    printed = "PartitionName=a AllowGroups=x\ny State=UP\nPartitionName=b State=DOWN\n"
    records, lost = PARTITION.records(printed)
    assert columns(records, ["PartitionName", "AllowGroups", "State", "Nodes"]) == {
        "PartitionName": ["a", "b"],
        "AllowGroups": ["x\ny", ""],
        "State": ["UP", "DOWN"],
        "Nodes": ["", ""],
    }
    assert lost == []


def test_an_unreadable_record_affects_no_other_record() -> None:
    records, lost = PARTITION.records("a warning\nPartitionName=a\nPartitionName=b State=DOWN\n")
    assert [record["PartitionName"] for record in records] == ["b"]
    assert [each.text for each in lost] == ["a warning", "PartitionName=a"]


written = st.text("abc019[],:/()*.-_ \n\\$@|", max_size=20).filter(lambda text: text == text.strip())


@given(written, written, written)
def test_peoples_texts_are_parsed_back(groups: str, accounts: str, qos: str) -> None:
    record = {"PartitionName": "a", "AllowGroups": groups, "AllowAccounts": accounts, "State": "UP", "AllowQos": qos}
    assert PARTITION.fields(" ".join(f"{key}={value}" for key, value in record.items())) == record


@given(st.text() | st.text("aB= \n") | st.text("aB= \n").map("PartitionName=a State=UP ".__add__))
def test_records_are_total(printed: str) -> None:
    records, lost = PARTITION.records(printed)
    assert records or lost or not printed.strip()
