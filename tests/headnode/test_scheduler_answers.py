"""Whether slurmctld answers: down, hung, or only limiting how often an account may ask."""

import os
import time

import pytest
from program_node import SCRIPT, SOURCE, Node, node, packed

__all__ = ["node"]

UP, DOWN = "echo 'Slurmctld(primary) at head is UP'", "echo 'Slurmctld(primary) at head is DOWN'; exit 1"
UP_TO_ROOT = f'[ "$(id -u)" = 0 ] && {{ {UP}; exit 0; }}; {DOWN}'
SUBMIT = {"operation": "sbatch", "stdin": SCRIPT}


def test_a_controller_that_hangs_is_reported_soon(node: Node) -> None:
    """It takes the connection and says nothing: no ping ever says DOWN."""
    node.command("scontrol", "exec sleep 60")
    node.command("squeue", "exec sleep 60")
    for operation in ({"operation": "squeue"}, SUBMIT):
        began = time.monotonic()
        (reply,) = node.ask(operation)
        assert time.monotonic() - began < 10
        assert reply == {"refusal": "slurmctld did not answer a ping within 5 s", "code": "unavailable"}


def test_many_reads_that_wait_for_a_controller_that_hangs_ask_for_it_once(node: Node) -> None:
    """Each asked by itself, one after the other: of seven reads the request's time was over before they said why."""
    node.command("scontrol", "exec sleep 60")
    node.command("squeue", "exec sleep 60")
    began = time.monotonic()
    replies = node.ask(*({"operation": "squeue"} for _ in range(7)))
    assert time.monotonic() - began < 10
    assert [reply["code"] for reply in replies] == ["unavailable"] * 7


def test_what_reads_after_a_change_does_not_wait_again_for_a_controller_that_hangs(node: Node) -> None:
    """Before, a cancel and the read of its jobs waited for a ping each: 11 s."""
    node.command("scontrol", "exec sleep 60")
    node.command("squeue", "exec sleep 60")
    began = time.monotonic()
    steps = [[{"operation": "scancel", "arguments": ["7"]}], [{"operation": "squeue"}]]
    replies = node.answer(packed(node.request(steps=steps)))["replies"]
    assert time.monotonic() - began < 10
    assert replies == 2 * [{"refusal": "slurmctld did not answer a ping within 5 s", "code": "unavailable"}]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's program pings as the reader, who is that user")
def test_a_ping_is_ours_as_slurmctld_never_limits_root(node: Node) -> None:
    """Before, a limited reader's ping said DOWN, and changes were refused."""
    node.command("scontrol", UP_TO_ROOT)
    node.command("sbatch", "echo 7")
    (reply,) = node.ask(SUBMIT)
    assert (reply["exit_code"], reply["stdout"].strip()) == (0, "7")
    node.command("squeue", "sleep 2", "echo done")
    (reply,) = node.ask({"operation": "squeue"})
    assert (reply["exit_code"], reply["stdout"]) == (0, "done\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's program pings as the reader, who is that user")
def test_a_read_that_slurmctld_puts_off_too_long_is_throttled(node: Node) -> None:
    impatient = SOURCE.replace("\nSECONDS = 20.0", "\nSECONDS = 2.0")
    assert impatient != SOURCE
    node.command("scontrol", UP_TO_ROOT)
    node.command("squeue", "exec sleep 60")
    (reply,) = node.answer(packed(node.request({"operation": "squeue"})), impatient)["replies"]
    assert reply["code"] == "throttled"
    assert "rl_enable" in reply["refusal"]
    node.command("scontrol", UP)
    (reply,) = node.answer(packed(node.request({"operation": "squeue"})), impatient)["replies"]
    assert reply["code"] == "timed_out"


def test_a_refused_request_carries_the_head_nodes_time(node: Node) -> None:
    """The Lambda sees by it that the clocks differ."""
    for expires in (time.time() - 3600, time.time() + 7200):
        answer = node.answer(packed({"expires": expires, "user": None, "steps": []}))
        assert "error" in answer
        assert abs(answer["started"] - time.time()) < 60
