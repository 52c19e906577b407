"""Nodes and each queue's CPUs as sinfo prints them. The rows are Slurm 22.05's."""

from datetime import UTC, datetime

import pytest

from slurm import show_node, sinfo
from slurm.command import Reply, SchedulerUnavailableError
from slurm.errors import ParseError
from slurm.sinfo import CpuCounts, Node
from slurm.states import NodeFlag, NodeState, Provisioning

SEPARATOR = "~0123abCD"

# sinfo --noheader --all --noconvert --Node, SLURM_TIME_FORMAT=%s
POWERED_DOWN = {
    "NodeList": "gpu-dy-p4d-1",
    "StateComplete": "idle+cloud+powered_down",
    "StateLong": "idle~",
    "CPUsState": "0/96/0/96",
    "Reason": "none",
    "TimeStamp": "Unknown",
    "PartitionName": "gpu",
    "CPUsLoad": "N/A",
    "Memory": "1120665",
    "AllocMem": "0",
    "FreeMem": "N/A",
    "Gres": "gpu:a100:8",
    "GresUsed": "gpu:a100:0(IDX:N/A)",
    "Features": "dynamic,p4d.24xlarge,p4d,gpu",
    "NodeAddr": "127.0.0.1",
    "Version": "N/A",
}
UP = {
    "NodeList": "queue1-st-small-1",
    "StateComplete": "mixed",
    "StateLong": "mixed",
    "CPUsState": "1/3/0/4",
    "Reason": "none",
    "TimeStamp": "Unknown",
    "PartitionName": "queue1",
    "CPUsLoad": "1.62",
    "Memory": "1945",
    "AllocMem": "100",
    "FreeMem": "20023",
    "Gres": "(null)",
    "GresUsed": "gpu:0",
    "Features": "static,t3.small,small",
    "NodeAddr": "127.0.0.1",
    "Version": "22.05.8",
}


def printed(*rows: dict[str, str]) -> str:
    return "".join("".join(row[column] + SEPARATOR for column in Node.sources()) + "\n" for row in rows)


NOT_RUN = Reply(0)
"""The reply of scontrol show node from 21.08 on."""


def read(*rows: dict[str, str], shown: str = "") -> list[Node]:
    return list(sinfo.read_nodes([Reply(0, printed(*rows)), Reply(0, shown)], SEPARATOR))


def node(row: dict[str, str], **columns: str) -> Node:
    """The node of a row, some of whose columns are others."""
    (found,) = read(row | columns)
    return found


def test_a_node_that_is_up() -> None:
    found = node(UP)
    assert (found.name, found.state, found.flags, found.raw_state) == (
        "queue1-st-small-1",
        NodeState.MIXED,
        [],
        "MIXED",
    )
    assert found.cpu_counts == CpuCounts(allocated=1, idle=3, other=0, total=4)
    assert (found.cpu_load, found.memory_mib, found.allocated_memory_mib, found.free_memory_mib) == (
        1.62,
        1945,
        100,
        20023,
    )
    assert (found.gpu_count, found.allocated_gpu_count, found.gpu_type) == (None, None, None)
    assert (found.reason, found.reason_time, found.slurm_version) == (None, None, "22.05.8")


def test_a_dynamic_node_without_an_instance() -> None:
    found = node(POWERED_DOWN)
    assert (found.state, found.flags) == (NodeState.IDLE, [NodeFlag.CLOUD, NodeFlag.POWERED_DOWN])
    assert (found.cpu_load, found.free_memory_mib, found.slurm_version) == (None, None, None)
    assert (found.gpu_count, found.allocated_gpu_count, found.gpu_type) == (8, 0, "a100")
    assert (found.provisioning, found.instance_type) == (Provisioning.DYNAMIC, "p4d.24xlarge")


def test_a_reason_has_its_time() -> None:
    found = node(UP, StateComplete="idle+drain", Reason="disk|full\n(see log)", TimeStamp="1795372140")
    assert (found.reason, found.reason_time) == ("disk|full\n(see log)", datetime.fromtimestamp(1795372140, UTC))
    assert found.flags == [NodeFlag.DRAIN]


def test_without_the_complete_state_the_long_one_counts() -> None:
    """Slurm 20.11 has no StateComplete and leaves it empty."""
    found = node(POWERED_DOWN, StateComplete="")
    assert (found.state, found.flags, found.raw_state) == (NodeState.IDLE, [NodeFlag.POWERED_DOWN], "IDLE~")


def test_a_node_of_several_queues_is_one_node() -> None:
    rows = [UP, UP | {"PartitionName": "debug"}, POWERED_DOWN, UP | {"PartitionName": "all"}]
    found = read(*rows)
    assert [(each.name, each.queue_names) for each in found] == [
        ("queue1-st-small-1", ["queue1", "debug", "all"]),
        ("gpu-dy-p4d-1", ["gpu"]),
    ]


def test_a_node_without_an_instance_type_among_its_features_has_none() -> None:
    assert node(UP, Features="static,small").instance_type is None
    assert node(UP, Features="(null)").features == []


@pytest.mark.parametrize("text", ["", "1/2/3", "1/2/3/x", "1/2/3/4/5", "-1/2/3/4"])
def test_cpu_counts_are_four_numbers(text: str) -> None:
    with pytest.raises(ParseError):
        sinfo.cpu_counts(text)


def test_each_node_is_requested_as_one_row() -> None:
    command, shown = sinfo.nodes().commands
    assert shown.operation is show_node.SHOW
    assert (command.operation, set(command.options)) == (sinfo.SINFO, {"Node", "Format"})
    asked = [part.split(":")[0] for part in str(command.options["Format"]).split(",")]
    assert asked == Node.sources()


def test_a_node_that_is_not_up_has_no_load_where_slurm_says_zero() -> None:
    """Slurm 24.11 and 26.05."""
    assert node(POWERED_DOWN, CPUsLoad="0.00", FreeMem="N/A").cpu_load is None
    assert node(UP, CPUsLoad="0.00").cpu_load == 0.0


def test_each_queue_has_its_own_cpus() -> None:
    text = f"queue1{SEPARATOR}1/3/12/16{SEPARATOR}\ngpu{SEPARATOR}0/192/0/192{SEPARATOR}\n"
    cpus = sinfo.read_queue_cpu_counts([Reply(0, text)], SEPARATOR)
    assert (cpus.by_name, cpus.lost) == ({"queue1": "1/3/12/16", "gpu": "0/192/0/192"}, ())


def test_a_scheduler_that_does_not_answer_is_unavailable() -> None:
    words = "slurm_load_partitions: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(SchedulerUnavailableError):
        sinfo.read_nodes([Reply(1, "", words), NOT_RUN], SEPARATOR)


def test_a_record_that_is_cut_is_an_error() -> None:
    with pytest.raises(ParseError):
        sinfo.read_nodes([Reply(0, printed(UP)[:-30]), NOT_RUN], SEPARATOR)


def test_where_sinfo_has_no_complete_state_scontrol_s_counts() -> None:
    """Slurm 20.11: drained says neither what the node does nor that it is a cloud instance."""
    (found,) = read(
        POWERED_DOWN | {"StateComplete": "", "StateLong": "drained"},
        shown=f"NodeName={POWERED_DOWN['NodeList']} CoresPerSocket=1 State=IDLE+CLOUD+DRAIN+POWER ThreadsPerCore=1\n",
    )
    assert (found.state, found.raw_state) == (NodeState.IDLE, "IDLE+CLOUD+DRAIN+POWER")
    assert found.flags == [NodeFlag.CLOUD, NodeFlag.DRAIN, NodeFlag.POWERED_DOWN]
