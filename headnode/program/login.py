"""The environment of a user's login."""

import binascii
import os
import pwd
import re

from headnode.program.accounts import Account
from headnode.program.processes import Process, run
from headnode.program.settings import SETTINGS

LOGIN_SECONDS = 5.0
PRINTED_BY_LOGIN_LIMIT = 1 << 20


def login(entry: "pwd.struct_passwd") -> Account:
    """The account with the environment and umask that its login shell sets up, as if the user had logged in.

    Of our own environment the shell gets only SLURM_CONF. A marker separates the variables from what profile scripts
    print. If the shell fails or hangs, the account keeps a bare environment.
    """
    environment = {
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LOGNAME": entry.pw_name,
        "SHELL": entry.pw_shell,
    }
    environment["PATH"] = SETTINGS["path"]
    if "SLURM_CONF" in os.environ:
        environment["SLURM_CONF"] = os.environ["SLURM_CONF"]
    account = Account(entry, environment, folder=entry.pw_dir if os.path.isdir(entry.pw_dir) else "/")
    marker = binascii.hexlify(os.urandom(16)).decode()
    script = "echo %s; umask; exec /usr/bin/env -0" % marker
    shell = Process(
        [entry.pw_shell, "-c", script],
        account,
        seconds=LOGIN_SECONDS,
        most=PRINTED_BY_LOGIN_LIMIT,
        argv0="-" + os.path.basename(entry.pw_shell),
        session=True,
    )
    run([shell])
    _, found, printed = shell.stdout.partition(marker.encode() + b"\n")
    umask, _, variables = printed.partition(b"\n")
    if shell.refusal is None and shell.exit_code == 0 and found and re.match(rb"[0-7]{1,4}\Z", umask):
        pairs = (variable.split(b"=", 1) for variable in variables.split(b"\0") if b"=" in variable)
        account.environment = {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}
        for name in ("_", "SHLVL", "PWD", "OLDPWD"):  # the shell's own, not the profile's
            account.environment.pop(name, None)
        account.umask = int(umask, 8)
    return account
