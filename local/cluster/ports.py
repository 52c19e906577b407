"""Free TCP ports, reserved so that no cluster that starts at the same time takes them."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Below the ports that the kernel gives to outgoing connections (32768 and up), above the well-known services.
RANGE = range(20_000, 32_000)


class NoFreePortsError(Exception):
    """`RANGE` has fewer free ports than requested."""


@contextmanager
def reserved(count: int) -> Iterator[tuple[int, ...]]:
    """Reserve `count` free ports until the block ends; they are ascending, but not always adjacent.

    A port is reserved by a socket name in Linux's abstract namespace (unix(7)). It is not a file, so it cannot
    become stale, and the port itself stays free for the daemon that will listen on it.
    """
    holds: list[socket.socket] = []
    ports: list[int] = []
    try:
        start = random.choice(RANGE)  # noqa: S311 - it only spreads clusters out; nothing depends on it
        for port in [*range(start, RANGE.stop), *range(RANGE.start, start)]:
            if len(ports) == count:
                break
            hold = _hold(port)
            if hold is not None:
                holds.append(hold)
                ports.append(port)
        if len(ports) < count:
            raise NoFreePortsError(f"only {len(ports)} of {count} ports are free in {RANGE.start}-{RANGE.stop - 1}")
        yield tuple(sorted(ports))
    finally:
        for hold in holds:
            hold.close()


def _hold(port: int) -> socket.socket | None:
    hold = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        hold.bind(f"\0slurmql-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # On all addresses: a service of this machine may listen on another address than ours.
            probe.bind(("", port))
    except OSError:
        hold.close()
        return None
    return hold
