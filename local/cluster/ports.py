"""Free TCP ports, held against every other cluster that starts at the same time."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Below the range the kernel hands out to outgoing connections (32768 and up), above the well-known services.
RANGE = range(20_000, 32_000)


class NoFreePortsError(Exception):
    """Fewer ports are free in `RANGE` than were asked for."""


@contextmanager
def reserved(count: int) -> Iterator[tuple[int, ...]]:
    """Hold `count` free ports until the block ends; they are ascending, not always adjacent.

    A port is held by a socket name in Linux's abstract namespace (unix(7)): it lies in no file, so it cannot
    go stale, and the port itself stays free for the daemon that is to listen on it.
    """
    holds: list[socket.socket] = []
    ports: list[int] = []
    try:
        start = random.choice(RANGE)  # noqa: S311 - spreads clusters out, guards nothing
        for port in [*range(start, RANGE.stop), *range(RANGE.start, start)]:
            if len(ports) == count:
                break
            hold = _hold(port)
            if hold is not None:
                holds.append(hold)
                ports.append(port)
        if len(ports) < count:
            raise NoFreePortsError(f"{count} free ports wanted in {RANGE.start}-{RANGE.stop - 1}, found {len(ports)}")
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
            # Any address: a service of this machine may listen on another one than ours.
            probe.bind(("", port))
    except OSError:
        hold.close()
        return None
    return hold
