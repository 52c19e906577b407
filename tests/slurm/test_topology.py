"""What scontrol prints of switches and blocks, on the releases that print it differently, and what it is read as."""

import pytest

from slurm.command import Reply, SchedulerUnavailableError, SlurmError
from slurm.errors import ParseError
from slurm.topology import read

Switches = list[tuple[str, int | None, int | None, list[str], list[str]]]

PRINTED = """\
SwitchName=leaf0 Level=0 LinkSpeed=100 Nodes=queue1-st-small-[1-2]
SwitchName=leaf1 Level=0 LinkSpeed=1 Nodes=queue1-dy-large-[1-4]
SwitchName=spine Level=1 LinkSpeed=1 Nodes=queue1-dy-large-[1-4],queue1-st-small-[1-2] Switches=leaf[0-1]
"""
"""As 20.11, 22.05, 24.11 and 26.05 print it."""
TREE: Switches = [
    ("leaf0", 0, 100, ["queue1-st-small-1", "queue1-st-small-2"], []),
    ("leaf1", 0, 1, [f"queue1-dy-large-{number}" for number in (1, 2, 3, 4)], []),
    (
        "spine",
        1,
        1,
        [f"queue1-dy-large-{number}" for number in (1, 2, 3, 4)] + ["queue1-st-small-1", "queue1-st-small-2"],
        ["leaf0", "leaf1"],
    ),
]
BLOCKS = """\
BlockName=b0 BlockIndex=0 Nodes=queue1-st-small-[1-2] BlockSize=2
AggregatedBlock=b0,b1 BlockIndex=2 Nodes=queue1-dy-large-[1-2],queue1-st-small-[1-2] BlockSize=4
"""


def switches(stdout: str, stderr: str = "", exit_code: int = 0) -> Switches:
    rows = read([Reply(exit_code, stdout, stderr)])
    return [(row.name, row.level, row.link_speed, row.node_names, row.switch_names) for row in rows]


def test_a_tree_of_switches() -> None:
    assert switches(PRINTED) == TREE


def test_blocks_have_no_level_and_no_speed() -> None:
    small, large = ["queue1-st-small-1", "queue1-st-small-2"], ["queue1-dy-large-1", "queue1-dy-large-2"]
    assert switches(BLOCKS) == [("b0", None, None, small, []), ("b0,b1", None, None, large + small, [])]


@pytest.mark.parametrize(
    "stderr", ["scontrol: error: No topology information available\n", ""], ids=["20.11 and 22.05", "24.11 and 26.05"]
)
def test_without_a_plugin_there_are_none(stderr: str) -> None:
    assert switches("", stderr) == []


@pytest.mark.parametrize("line", ["RingName=r0 Nodes=n[1-4]", "Level=0 LinkSpeed=1", "no pairs at all"])
def test_an_unknown_line_is_reported_and_affects_no_switch(line: str) -> None:
    rows = read([Reply(0, f"{line}\n{PRINTED}")])
    assert [(row.name, row.level, row.link_speed, row.node_names, row.switch_names) for row in rows] == TREE
    assert [each.text for each in rows.unreadable] == [line]
    with pytest.raises(ParseError):
        read([Reply(0, f"{line}\n")])


def test_a_failure_is_not_an_empty_topology() -> None:
    with pytest.raises(SchedulerUnavailableError):
        switches("", "slurm_load_topo error: Unable to contact slurm controller (connect failure)\n", 1)
    with pytest.raises(SlurmError):
        switches("", "slurm_load_topo error: Access/permission denied\n", 1)
