"""One line of `scontrol -o show partition`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.scontrol_record import fields


def test_a_partition() -> None:
    record = fields(
        "PartitionName=queue1 AllowGroups=ALL Default=YES MaxTime=UNLIMITED "
        "Nodes=queue1-dy-large-[1-10],q-st-[1,3] State=UP TotalCPUs=40 "
        "TRES=cpu=40,mem=160000M,node=10,billing=40,gres/gpu=8 Alternate= "
    )
    assert record["PartitionName"] == "queue1"
    assert record["Nodes"] == "queue1-dy-large-[1-10],q-st-[1,3]"
    assert record["TRES"] == "cpu=40,mem=160000M,node=10,billing=40,gres/gpu=8"
    assert record["Alternate"] == ""
    assert list(record)[:3] == ["PartitionName", "AllowGroups", "Default"]


def test_a_blank_line_has_no_fields() -> None:
    assert fields(" \n") == {}


@pytest.mark.parametrize(
    "line", ["Partition queue1 not found", "State=UP State=DOWN", "=UP", "slurm_load_partitions error: x"]
)
def test_what_is_no_record_is_an_error(line: str) -> None:
    with pytest.raises(ParseError) as caught:
        fields(line)
    assert caught.value.what == "scontrol record"


names = st.from_regex(r"[A-Z][A-Za-z/]{0,12}", fullmatch=True)
values = st.text("abc019[],=:/()*.-_", max_size=20)


@given(st.dictionaries(names, values, min_size=1))
def test_what_scontrol_joins_reads_back(record: dict[str, str]) -> None:
    assert fields(" ".join(f"{key}={value}" for key, value in record.items())) == record


@given(st.text() | st.text("aB= \n"))
def test_fields_are_total(line: str) -> None:
    try:
        record = fields(line)
    except ParseError:
        return
    assert all(key and not key.isspace() for key in record)
