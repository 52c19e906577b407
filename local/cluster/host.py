"""The name and address under which the daemons of one machine reach each other."""

import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass


class HostError(Exception):
    """This machine's name does not resolve to an address."""


@dataclass(frozen=True)
class Host:
    """The values of SlurmctldHost and NodeHostname. Slurm listens on the address that its host's name resolves to."""

    name: str
    address: str
    renamed: bool = False
    """Whether the daemons need a UTS namespace in which the machine is called `name`."""


def own_host(progress: Callable[[str], None]) -> Host:
    """This machine under a name that resolves to a loopback address if possible, else under its own name.

    Debian's /etc/hosts maps the name to loopback; on containers and cloud machines it often resolves to an address
    that others can reach. Root can then give the daemons another name (uts_namespaces(7)). Raises HostError.
    """
    name = socket.gethostname()
    address = _address(name)
    if address is not None and address.startswith("127."):
        return Host(name.partition(".")[0], address)
    if _may_rename():
        return Host("localhost", "127.0.0.1", renamed=True)
    if address is None:
        raise HostError(f"this machine's name, {name}, has no address: add `127.0.1.1 {name}` to /etc/hosts")
    progress(f"{name} is {address}: Slurm listens there, not on loopback; its calls are authenticated (munge)")
    return Host(name.partition(".")[0], address)


def _address(name: str) -> str | None:
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def _may_rename() -> bool:
    if os.geteuid() != 0:
        return False
    # A container's root may lack the capability.
    return subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False).returncode == 0
