"""Accounts that commands run as."""

import os
import pwd
import re
import signal
from typing import Dict, Optional

from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

PLAIN_ENVIRONMENT = {
    "TZ": "UTC",
    "SLURM_TIME_FORMAT": "%s",
    "SLURM_BITSTR_LEN": "0",
    "LC_ALL": "C.UTF-8",
    # Large pages for squeue's records: without them a sixth of its time goes to page faults. glibc < 2.35 ignores this.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864",
}


class Account:
    """The account that a command runs as: its password entry, and the environment, umask and folder to use."""

    def __init__(
        self, entry: "pwd.struct_passwd", environment: "Dict[str, str]", umask: int = 0o022, folder: str = "/"
    ) -> None:
        self.entry = entry
        self.environment = environment
        self.umask = umask
        self.folder = folder

    def enter(self) -> None:
        """Become the account. Runs in the child, between fork and exec, in this order: groups, group, user."""
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if os.getuid() == 0:
            os.initgroups(self.entry.pw_name, self.entry.pw_gid)
            os.setgid(self.entry.pw_gid)
            os.setuid(self.entry.pw_uid)
        os.umask(self.umask)
        os.chdir(self.folder)


class Ourselves(Account):
    """Our own account and environment. The child changes no user, and so starts three times as fast."""

    def __init__(self) -> None:
        Account.__init__(self, own_entry(), dict(os.environ))


def own_entry() -> "pwd.struct_passwd":
    return pwd.getpwuid(os.getuid())


def plain_environment() -> "Dict[str, str]":
    environment = dict(PLAIN_ENVIRONMENT, PATH=SETTINGS["path"])
    if "SLURM_CONF" in os.environ:
        environment["SLURM_CONF"] = os.environ["SLURM_CONF"]
    return environment


def service_account(setting: str) -> Account:
    """The `reader` or the `administrator` of the settings; without root, the account we run as."""
    name = SETTINGS[setting]
    try:
        entry = pwd.getpwnam(name) if os.getuid() == 0 else own_entry()
    except KeyError:
        raise Refused("the head node has no account '%s', which its document names" % name) from None
    if entry.pw_uid == 0:
        raise Refused("the document names root as the %s: Slurm's commands do not run as root" % setting)
    return Account(entry, plain_environment())


def caller_entry(name: "Optional[str]") -> "pwd.struct_passwd":
    """The password entry of a calling user, if the program may act as that user."""
    if not name or not re.match(r"[a-z_][a-z0-9_.-]{0,63}\Z", name):
        raise Refused("'%s' is not a user name of the cluster" % name, "forbidden")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Refused("the cluster has no account '%s'" % name, "forbidden") from None
    if {entry.pw_name, name_of(entry.pw_uid)} & set(SETTINGS["denied"]) or entry.pw_uid < SETTINGS["lowest_uid"]:
        raise Refused("slurmql does not act as the account '%s'" % name, "forbidden")
    if os.path.basename(entry.pw_shell) in ("nologin", "false"):
        raise Refused("the account '%s' may not log in" % name, "forbidden")
    if os.getuid() not in (0, entry.pw_uid):
        raise Refused("without root slurmql can only act as '%s'" % own_entry().pw_name, "forbidden")
    return entry


def name_of(uid: int) -> "Optional[str]":
    """The first account with that uid: a denied account may have a second name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
