"""Node records as 20.11's `scontrol --oneliner show node` prints them."""

import pytest

from slurm import show_node
from slurm.command import Reply, SchedulerUnavailableError

# Captured from 20.11.4; the second was drained by an administrator who wrote what looks like a state.
CLOUD = (
    "NodeName=queue1-dy-large-1 CoresPerSocket=1  CPUAlloc=0 CPUTot=2 CPULoad=N/A"
    " AvailableFeatures=dynamic,c5.large,large ActiveFeatures=dynamic,c5.large,large Gres=(null) NodeAddr=127.0.0.1"
    " NodeHostName=vm Port=27212  RealMemory=3891 AllocMem=0 FreeMem=N/A Sockets=2 Boards=1 State=IDLE+CLOUD+POWER"
    " ThreadsPerCore=1 TmpDisk=0 Weight=1000 Owner=N/A MCS_label=N/A Partitions=queue1  BootTime=None Comment=(null)"
)
DRAINED = (
    "NodeName=queue1-st-small-2 Arch=x86_64 CoresPerSocket=1  CPUAlloc=0 CPUTot=4 CPULoad=7.26 NodeAddr=127.0.0.1"
    " NodeHostName=vm Port=27211 Version=20.11.4 OS=Linux 6.18.44 #1 SMP PREEMPT_DYNAMIC @0  RealMemory=1945"
    " Sockets=4 Boards=1 State=IDLE+DRAIN ThreadsPerCore=1 TmpDisk=0 Weight=1 BootTime=2026-11-22T18:43:39"
    " Reason=a State=DOWN\x1e b\u2028 [root@2026-11-22T18:43:41] Comment=(null)"
)


def test_each_node_has_its_complete_state() -> None:
    assert show_node.read([Reply(0, f"{CLOUD}\n{DRAINED}\n")]).by_name == {
        "queue1-dy-large-1": "IDLE+CLOUD+POWER",
        "queue1-st-small-2": "IDLE+DRAIN",
    }


def test_later_releases_run_nothing_and_give_nothing() -> None:
    assert show_node.read([Reply(0, "")]) == show_node.States({}, [])


@pytest.mark.parametrize("line", ["No nodes in the system", "NodeName=a", CLOUD.partition(" State=")[0]])
def test_a_line_without_a_state_is_reported_and_affects_no_other_node(line: str) -> None:
    states = show_node.read([Reply(0, f"{line}\n{CLOUD}\n")])
    assert states.by_name == {"queue1-dy-large-1": "IDLE+CLOUD+POWER"}
    assert [(lost.what, lost.text, lost.record_lost) for lost in states.lost] == [("node", line, False)]


def test_a_scheduler_that_does_not_answer_is_unavailable() -> None:
    words = "slurm_load_node error: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(SchedulerUnavailableError):
        show_node.read([Reply(1, "", words)])
