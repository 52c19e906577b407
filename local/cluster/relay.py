"""A relay in front of slurmctld that can lose its replies, like a network that fails between request and reply.

Slurm's clients use it because of a slurm.conf with the relay's port; slurmd and slurmctld do not notice it.
"""

import contextlib
import re
import socket
import struct
import threading
from enum import Enum
from pathlib import Path
from typing import Self

SUBMIT_BATCH_JOB = 4003
"""The type of sbatch's message (slurm_protocol_defs.h: REQUEST_SUBMIT_BATCH_JOB)."""
_ADDRESS = "127.0.0.1"
_PIECE = 1 << 16
_HEADER = 16  # bytes, with the length before it; every release has the message's type in them


class Loss(Enum):
    """What happens to slurmctld's reply."""

    NONE = "none"
    RESET = "reset"  # the connection is reset
    EMPTY = "empty"  # it ends without a byte
    HALF = "half"  # it ends in the middle of the reply
    SILENT = "silent"  # no reply comes, and the connection stays open


class Relay:
    """Passes connections on to slurmctld's port; a context manager. It loses replies to sbatch, or to all clients."""

    def __init__(self, slurm_conf: Path, copy: Path) -> None:
        text = slurm_conf.read_text()
        found = re.search(r"(?m)^SlurmctldPort=(\d+)$", text)
        if found is None:
            raise ValueError(f"{slurm_conf} has no SlurmctldPort")
        self._controller = (_ADDRESS, int(found[1]))
        self._listener = socket.create_server((_ADDRESS, 0), backlog=128)
        self.loss = Loss.NONE
        self.only = frozenset({SUBMIT_BATCH_JOB})
        """The types of the messages whose replies are lost; empty: all."""
        self.lost = 0
        self.left: int | None = None
        """How many more replies are lost; None: all."""
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.slurm_conf = copy
        copy.write_text(text.replace(found[0], f"SlurmctldPort={self._listener.getsockname()[1]}"))

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="relay", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.mend()

    def lose(self, loss: Loss, times: int | None = None) -> None:
        """Lose the next replies in that way."""
        with self._lock:
            self.loss, self.left = loss, times

    def _befalls(self, message: bytes) -> Loss:
        """What happens to the reply to a message."""
        with self._lock:
            if self.loss is Loss.NONE or (self.only and not self.only & _types(message)):
                return Loss.NONE
            if self.left is not None:
                if self.left == 0:
                    return Loss.NONE
                self.left -= 1
            self.lost += 1
            return self.loss

    def mend(self) -> None:
        """Lose no more replies and close connections that hang."""
        self.lose(Loss.NONE)
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self._controller, 5) as controller:
            controller.settimeout(None)
            asked = _message(client)
            loss = self._befalls(asked)
            controller.sendall(asked)
            if loss is Loss.NONE:
                while piece := controller.recv(_PIECE):
                    client.sendall(piece)
                return
            answered = _message(controller)
            if loss is Loss.HALF:
                client.sendall(answered[: len(answered) // 2])
            if loss is Loss.RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if loss is Loss.SILENT:
                self._open.add(client)
                client.recv(1)
                self._open.discard(client)


def _message(source: socket.socket) -> bytes:
    """Read one message: four bytes with its length, and its bytes."""
    length = _exactly(source, 4)
    return length + _exactly(source, struct.unpack(">I", length)[0])


def _exactly(source: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        piece = source.recv(min(_PIECE, count - len(received)))
        if not piece:
            raise ConnectionError("the message was cut off")
        received += piece
    return received


def _types(message: bytes) -> set[int]:
    """The 16-bit numbers of the header, one of which is the message's type; the layout differs between releases."""
    header = message[4:_HEADER].ljust(_HEADER - 4, b"\0")
    return set(struct.unpack(f">{(_HEADER - 4) // 2}H", header))
