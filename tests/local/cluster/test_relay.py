"""The relay in front of slurmctld, before a stand-in that answers messages of Slurm's framing."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cluster.relay import SUBMIT_BATCH_JOB, Loss, Relay

PING = 1008
REPLY = b"slurmctld's reply, of some length"


def message(kind: int) -> bytes:
    body = struct.pack(">HHHH", 0x2600, 0, 0, kind) + b"body"
    return struct.pack(">I", len(body)) + body


@pytest.fixture
def asked() -> list[bytes]:
    """What the controller was sent."""
    return []


@pytest.fixture
def relay(asked: list[bytes], tmp_path: Path) -> Iterator[Relay]:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                asked.append(client.recv(1000))
                client.sendall(struct.pack(">I", len(REPLY)) + REPLY)

    threading.Thread(target=answer, daemon=True).start()
    conf = tmp_path / "slurm.conf"
    conf.write_text(f"ClusterName=x\nSlurmctldPort={listener.getsockname()[1]}\n")
    with Relay(conf, tmp_path / "relayed.conf") as running:
        yield running
    listener.close()


def ask(relay: Relay, kind: int) -> bytes:
    """All that comes back."""
    port = int(relay.slurm_conf.read_text().split("SlurmctldPort=")[1])
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(message(kind))
        received = b""
        while piece := connection.recv(1000):
            received += piece
        return received


def test_other_replies_come_back(relay: Relay) -> None:
    relay.lose(Loss.EMPTY)
    assert ask(relay, PING)[4:] == REPLY


@pytest.mark.parametrize(("loss", "left"), [(Loss.EMPTY, 0), (Loss.HALF, (4 + len(REPLY)) // 2)])
def test_a_reply_is_lost_after_the_work(loss: Loss, left: int, relay: Relay, asked: list[bytes]) -> None:
    relay.lose(loss, times=1)
    assert len(ask(relay, SUBMIT_BATCH_JOB)) == left
    assert asked == [message(SUBMIT_BATCH_JOB)]
    assert ask(relay, SUBMIT_BATCH_JOB)[4:] == REPLY
    assert relay.lost == 1


def test_a_connection_is_reset_after_the_work(relay: Relay, asked: list[bytes]) -> None:
    relay.lose(Loss.RESET, times=1)
    with pytest.raises(ConnectionResetError):
        ask(relay, SUBMIT_BATCH_JOB)
    assert asked == [message(SUBMIT_BATCH_JOB)]
