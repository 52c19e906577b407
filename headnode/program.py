"""The program that the SSM document runs on the head node: standard library only, Python 3.6 or newer.

It reads one request from stdin (base64url of gzip of JSON), runs the operations listed in OPERATIONS and nothing else,
never through a shell, and prints one answer (base64 of gzip of JSON). Reads run as an unprivileged account, everything
else as the calling user. It trusts the Lambda for who is calling, never for what: every option is checked again here.

Request:  {"expires": epoch seconds, "user": name or null, "administer": bool, "put": presigned URL or null,
           "steps": [[operation, ...], ...]}: the operations of a step run together, the steps one after the other;
           or {"get": presigned URL, "sha256": hex} where the request itself lies in S3. URLs of the bucket in SETTINGS
           and no others; a request is good for an hour at the most.
Operation: {"operation": key of OPERATIONS, "options": {name: text}, "arguments": [text], "environment": {name: text},
           "stdin": text, "key": idempotency key}; an option may be {"job_of": n}: the job that reply n tells of.
Answer:   {"started": epoch seconds, "replies": [{"exit_code", "stdout", "stderr", "seconds"} or {"refusal", "code"}]},
           one reply for each operation in order; {"error": text, "expired" or "unread": true} if the request itself is
           refused, and nothing of it run; {"error": text} if the answer is lost;
           {"put": sha256 of the object} if the answer was too large for stdout and went to S3.
           A number in place of what was printed: it is the gzip member of that number behind the JSON's, byte by byte.
It always exits with 0: 194 would reboot the node, 137, 168 and 169 have meanings to the SSM agent.
"""

import binascii
import errno
import fcntl
import json
import os
import pwd
import re
import selectors
import signal
import stat
import subprocess
import sys
import time
import zlib

MYPY = False  # true to type checkers only: importing typing would cost every command some milliseconds
if MYPY:
    from typing import Any, Dict, List, Optional, Tuple

SETTINGS = {
    "reader": "nobody",  # reads run as this account
    "administrator": "slurm",  # an operator's administrative actions run as this account: SlurmUser
    "denied": ["root", "slurm", "munge", "slurmdbd", "pcluster-admin", "nobody"],  # never act as these
    "lowest_uid": 1000,
    "state": "/var/lib/slurmql",  # idempotency keys
    "bucket": [],  # what the URLs of large requests and answers begin with, as https://NAME.s3.REGION.amazonaws.com/
    "path": "/opt/slurm/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}  # type: Dict[str, Any]

STDOUT_LIMIT = 23900  # the agent cuts at 24,000 bytes
READ_LIMIT = 1 << 20  # the most bytes of a file that one operation reads
SECONDS = 20.0  # the longest a single command may take
SCRIPT_LIMIT = 4 << 20  # bytes: slurmctld's default max_script_size
AHEAD = 3600.0  # so far ahead may a request expire at most: no one that was overheard is good for ever
REQUEST_LIMIT = 32 << 20  # bytes of a request's JSON: Slurm takes a script of 4 MiB, and JSON may write a byte as six
STRUCTURE_LIMIT = 1 << 20  # bytes of it that are no text, and quotes: small text can mean a great many objects
OPERATIONS_LIMIT = 10000
PRINTED_LIMIT = 256 << 20  # bytes that a command may print: squeue's records of 100,000 jobs are 60 MB
PRINTED_BY_LOGIN_LIMIT = 1 << 20
KEYS_LIMIT = 20000  # idempotency keys of one user
CLAIM_LIMIT = 1 << 16  # bytes of a claim that are looked at
PATIENCE = 1.0  # so long a read may be silent before slurmctld is asked whether it is there at all
AT_ONCE = 8
PIECE = 1 << 16  # bytes of a long output that are compressed at once
LEVEL = 3  # of compression: 6 takes twice as long for a tenth less
GZIP = 16 + zlib.MAX_WBITS
PIPE = 1 << 18  # bytes that a command may print before we read: few large pieces cost less than many small ones
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which Python has a name for only since 3.10
PLAIN_ENVIRONMENT = {
    "TZ": "UTC",
    "SLURM_TIME_FORMAT": "%s",
    "SLURM_BITSTR_LEN": "0",
    "LC_ALL": "C.UTF-8",
    # Large pages for squeue's records: a sixth of its time goes for page faults else. Ignored before glibc 2.35.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864",
}

SEPARATOR = "~[A-Za-z0-9]{8}"
FORMAT = "[A-Za-z_-]+:~([A-Za-z0-9]{8})?(,[A-Za-z_-]+:~([A-Za-z0-9]{8})?)*"
JOB = r"\d{1,10}(_(\d{1,10}|\[[\d,:-]+\])|\+\d{1,10})?"
WORD = r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*"
NAME = r"(?![-+ ])[^\0-\x1f\x7f,]{1,1024}(?<! )"  # of an account, a QOS, a partition, a reservation or a user
NAMES = NAME + "(," + NAME + ")*"
NUMBER = r"\d{1,10}"
COLUMNS = r"[A-Za-z]+(,[A-Za-z]+)*"
FRAMED = r"[A-Za-z]+(%\d{1,3})?(,[A-Za-z]+(%\d{1,3})?)*"  # a column is printed once for each width
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
LINE = r"[^\0\n]*"
TEXT = r"[^\0]*"
FLAG = ""
UTS = r"uts\d{1,10}"
HOSTS = r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]*"
DEPENDENCY = r"[a-z]+(:[\d_+:*]+)?([,?][a-z]+(:[\d_+:*]+)?)*"
LICENSES = r"[A-Za-z0-9_][A-Za-z0-9_.@/+:,;-]*"
FEATURES = r"[A-Za-z0-9_.=&|*\[\]():,+-]+"
GPUS = r"([A-Za-z0-9][A-Za-z0-9_.-]*:)?" + NUMBER
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
# Variables that are options of sbatch, or put code into it: for the job a script can set them.
NOT_FOR_SBATCH = r"(SLURM_|SBATCH_)\w*|LD_PRELOAD|LD_AUDIT"

SBATCH = {
    "job-name": TEXT,
    "partition": NAMES,
    "account": NAME,
    "qos": NAME,
    "chdir": r"/[^\0]*",
    "nodes": NUMBER + "(-" + NUMBER + ")?",
    "ntasks": NUMBER,
    "ntasks-per-node": NUMBER,
    "cpus-per-task": NUMBER,
    "mem": NUMBER + "M",
    "mem-per-cpu": NUMBER + "M",
    "mem-per-gpu": NUMBER + "M",
    "gpus": GPUS,
    "gpus-per-node": GPUS,
    "gpus-per-task": GPUS,
    "constraint": FEATURES,
    "exclusive": FLAG,
    "nodelist": HOSTS,
    "exclude": HOSTS,
    "licenses": LICENSES,
    "reservation": NAMES,
    "time": r"\d+:\d\d",
    "time-min": r"\d+:\d\d",
    "deadline": UTS,
    "nice": "-?" + NUMBER,
    "array": r"[\d,:-]+(%\d+)?",
    "dependency": DEPENDENCY,
    "requeue": FLAG,
    "no-requeue": FLAG,
    "signal": r"([BR]{1,2}:)?[A-Z0-9]+(@\d{1,5})?",
    "export": "ALL|NONE|" + VARIABLE + "(," + VARIABLE + ")*",
    "container": r"/[^\0]*",
    "output": TEXT,
    "error": TEXT,
    "open-mode": "append|truncate",
    "mail-type": r"[A-Z_0-9]+(,[A-Z_0-9]+)*",
    "mail-user": r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*(,[A-Za-z0-9_][A-Za-z0-9_.+@-]*)*",
    "hold": FLAG,
    "begin": UTS,
    "test-only": FLAG,
    "comment": TEXT,
}


# What follows are words of scontrol, Key=Value; an empty value takes away what was set.
JOB_UPDATE = {
    "JobId": JOB,
    "TimeLimit": r"\d+:\d\d",
    "TimeMin": r"\d+:\d\d",
    "Partition": NAMES,
    "Priority": NUMBER,
    "Nice": "-?" + NUMBER,
    "JobName": TEXT,
    "Comment": TEXT,
    "AdminComment": TEXT,
    "Account": NAME,
    "QOS": NAME,
    "Dependency": "(" + DEPENDENCY + ")?",
    "StartTime": UTS,
    "Deadline": UTS,
    "NumNodes": NUMBER + "(-" + NUMBER + ")?",
    "NumTasks": NUMBER,
    "NumCPUs": NUMBER,
    "CPUsPerTask": NUMBER,
    "MinMemoryNode": NUMBER,
    "Features": "(" + FEATURES + ")?",
    "ReqNodeList": "(" + HOSTS + ")?",
    "ExcNodeList": "(" + HOSTS + ")?",
    "Licenses": "(" + LICENSES + ")?",
    "ReservationName": "(" + NAME + ")?",
    "ArrayTaskThrottle": NUMBER,
    "Requeue": "[01]",
    "StdOut": TEXT,
}
NODE_UPDATE = {
    "NodeName": r"(?![Aa][Ll][Ll]\Z)" + WORD,  # scontrol takes it for every node
    "State": "DRAIN|RESUME|DOWN|POWER_UP|POWER_DOWN|POWER_DOWN_ASAP|POWER_DOWN_FORCE",
    "Reason": LINE,
}
PARTITION_UPDATE = {"PartitionName": NAME, "State": "UP|DOWN|DRAIN|INACTIVE"}
RESERVATION = {
    "ReservationName": NAME,
    "StartTime": UTS + "|now",
    "EndTime": UTS,
    "Duration": NUMBER,
    "Nodes": HOSTS,
    "NodeCnt": NUMBER,
    "PartitionName": NAME,
    "Users": NAMES,
    "Accounts": NAMES,
    "Features": r"[A-Za-z0-9_.&|-]+",
    "Licenses": LICENSES,
    "Flags": r"[A-Z_]+(,[A-Z_]+)*",
}


class Operation:
    """What may be run: the fixed words, the checked options and environment, and as whom.

    Reads run as the reader, with `caller` it is the calling user, with `administrative` Slurm's administrator, and
    then only for a request that says `administer`. With `assign` options are written as scontrol's Key=Value. Without
    the options that it `needs` it is not run, nor without a job where its argument is one. With `until` it is run where
    Slurm is older than that release; elsewhere its reply is empty.
    """

    def __init__(
        self,
        words: "List[str]",
        options: "Optional[Dict[str, str]]" = None,
        environment: "Optional[Dict[str, str]]" = None,
        argument: "Optional[str]" = None,
        last: "Optional[List[str]]" = None,
        caller: bool = False,
        administrative: bool = False,
        assign: bool = False,
        needs: "Tuple[str, ...]" = (),
        until: "Optional[Tuple[int, int]]" = None,
    ) -> None:
        self.words = words
        self.options = options or {}
        self.environment = environment or {}
        self.argument = argument
        self.last = last or []
        self.caller = caller
        self.administrative = administrative
        self.assign = assign
        self.needs = needs
        self.until = until


OPERATIONS = {
    "squeue": Operation(
        ["squeue", "--local", "--noheader", "--all", "--states=all", "--noconvert"],
        options={"jobs": JOB + "(," + JOB + ")*"},
        environment={"SQUEUE_FORMAT2": FORMAT},
    ),
    "sinfo": Operation(
        ["sinfo", "--local", "--noheader", "--all", "--noconvert"], options={"Node": FLAG, "Format": FORMAT}
    ),
    "scontrol show partition": Operation(["scontrol", "--local", "--oneliner", "--all", "show", "partition"]),
    "scontrol show node": Operation(["scontrol", "--local", "--oneliner", "--all", "show", "node"], until=(21, 8)),
    "scontrol show config": Operation(["scontrol", "show", "config"]),
    "scontrol show reservation": Operation(["scontrol", "--local", "--oneliner", "--all", "show", "reservation"]),
    "scontrol show licenses": Operation(["scontrol", "--local", "--oneliner", "show", "licenses"]),
    "scontrol show assoc_mgr associations": Operation(
        ["scontrol", "--local", "--oneliner", "show", "assoc_mgr", "flags=assoc"]
    ),
    "scontrol show assoc_mgr qos": Operation(["scontrol", "--local", "--oneliner", "show", "assoc_mgr", "flags=qos"]),
    "scontrol ping": Operation(["scontrol", "ping"]),
    "sacctmgr show cluster": Operation(["sacctmgr", "--noheader", "--parsable2", "show", "cluster", "format=Cluster"]),
    "sacctmgr show qos": Operation(
        ["sacctmgr", "--noheader", "--parsable2", "show", "qos"], options={"format": FRAMED}, assign=True
    ),
    "sacctmgr show account": Operation(
        ["sacctmgr", "--noheader", "--parsable2", "show", "account"], options={"format": FRAMED}, assign=True
    ),
    "sacctmgr show associations": Operation(
        ["sacctmgr", "--noheader", "--parsable2", "show", "associations"],
        options={"format": FRAMED, "cluster": WORD},
        assign=True,
    ),
    "sshare": Operation(["sshare", "--noheader", "--parsable2", "--all"], options={"format": FRAMED}),
    "sdiag": Operation(["sdiag"]),
    "sprio": Operation(
        ["sprio", "--local", "--noheader"], environment={"SPRIO_FORMAT": "(%[A-Za-z]" + SEPARATOR + ")+"}
    ),
    "sacct": Operation(
        ["sacct", "--local", "--noheader", "--allusers", "--duplicates", "--parsable", "--noconvert"],
        options={
            "format": COLUMNS,
            "delimiter": SEPARATOR,
            "allocations": FLAG,
            "starttime": TIME + "|now",
            "endtime": TIME + "|now",
            "jobs": JOB + "(," + JOB + ")*",
            "user": WORD,
            "accounts": WORD,
            "partition": WORD,
            "nodelist": WORD,
            "name": WORD,
            "state": r"[A-Z_]+(,[A-Z_]+)*",
        },
    ),
    "sstat": Operation(
        ["sstat", "--noheader", "--allsteps", "--parsable2", "--noconvert"],
        options={"format": COLUMNS, "jobs": NUMBER + "(," + NUMBER + ")*"},
        caller=True,
    ),
    "sbatch": Operation(["sbatch", "--parsable"], options=SBATCH, argument="/" + TEXT, caller=True),
    "scancel": Operation(
        ["scancel", "--verbose"],
        options={"signal": r"[A-Z0-9]+", "state": "RUNNING", "batch": FLAG, "full": FLAG},
        argument=JOB,
        caller=True,
    ),
    "scontrol write batch_script": Operation(
        ["scontrol", "write", "batch_script"], argument=JOB, last=["-"], caller=True
    ),
    "read": Operation(  # part of a file, by this program itself
        [],
        options={"path": "/" + TEXT, "offset": r"\d{1,15}", "limit": r"\d{1,7}", "from-end": FLAG},
        needs=("path", "limit"),
    ),
    "scontrol hold": Operation(["scontrol", "hold"], argument=JOB, caller=True),
    "scontrol release": Operation(["scontrol", "release"], argument=JOB, caller=True),
    "scontrol requeue": Operation(["scontrol", "requeue"], argument=JOB, caller=True),
    "scontrol suspend": Operation(["scontrol", "suspend"], argument=JOB, administrative=True),
    "scontrol resume": Operation(["scontrol", "resume"], argument=JOB, administrative=True),
    "scontrol update job": Operation(
        ["scontrol", "update"], options=JOB_UPDATE, caller=True, assign=True, needs=("JobId",)
    ),
    "scontrol update node": Operation(
        ["scontrol", "update"], options=NODE_UPDATE, administrative=True, assign=True, needs=("NodeName",)
    ),
    "scontrol update partition": Operation(
        ["scontrol", "update"], options=PARTITION_UPDATE, administrative=True, assign=True, needs=("PartitionName",)
    ),
    "scontrol create reservation": Operation(
        ["scontrol", "create", "reservation"], options=RESERVATION, administrative=True, assign=True
    ),
    "scontrol delete reservation": Operation(
        ["scontrol", "delete"],
        options={"ReservationName": NAME},
        administrative=True,
        assign=True,
        needs=("ReservationName",),
    ),
}


class RefusedError(Exception):
    """The operation is not run; the message says why. Codes: invalid, forbidden, conflict, timed_out, unknown."""

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code

    def reply(self) -> "Dict[str, Any]":
        return {"refusal": str(self), "code": self.code}


# --- accounts -------------------------------------------------------------------------------------------------------


class Account:
    """Who a command runs as, and where from: an entry of the password file, an environment, a umask, a folder."""

    def __init__(
        self, entry: "pwd.struct_passwd", environment: "Dict[str, str]", umask: int = 0o022, folder: str = "/"
    ) -> None:
        self.entry = entry
        self.environment = environment
        self.umask = umask
        self.folder = folder

    def enter(self) -> None:
        """Become the account. Runs in the child, between fork and exec; the order matters: groups, group, user."""
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if os.getuid() == 0:
            os.initgroups(self.entry.pw_name, self.entry.pw_gid)
            os.setgid(self.entry.pw_gid)
            os.setuid(self.entry.pw_uid)
        os.umask(self.umask)
        os.chdir(self.folder)


class Ourselves(Account):
    """Our own account, with all that is ours: there is nothing to become, and a child takes a third of the time."""

    def __init__(self) -> None:
        Account.__init__(self, own_entry(), dict(os.environ))


def own_entry() -> "pwd.struct_passwd":
    return pwd.getpwuid(os.getuid())


def plain_environment() -> "Dict[str, str]":
    environment = dict(PLAIN_ENVIRONMENT, PATH=SETTINGS["path"])
    if "SLURM_CONF" in os.environ:
        environment["SLURM_CONF"] = os.environ["SLURM_CONF"]
    return environment


def service_account(name: str) -> Account:
    """The reader's or the administrator's account; without root, the account we run as."""
    try:
        entry = pwd.getpwnam(name) if os.getuid() == 0 else own_entry()
    except KeyError:
        raise RefusedError("the head node has no account '%s', which its document names" % name) from None
    return Account(entry, plain_environment())


def caller_entry(name: "Optional[str]") -> "pwd.struct_passwd":
    """The password entry of a calling user, if the program may act as that user."""
    if not name or not re.match(r"[a-z_][a-z0-9_.-]{0,63}\Z", name):
        raise RefusedError("'%s' is not a user name of the cluster" % name, "forbidden")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise RefusedError("the cluster has no account '%s'" % name, "forbidden") from None
    if {entry.pw_name, name_of(entry.pw_uid)} & set(SETTINGS["denied"]) or entry.pw_uid < SETTINGS["lowest_uid"]:
        raise RefusedError("slurmql does not act as the account '%s'" % name, "forbidden")
    if os.path.basename(entry.pw_shell) in ("nologin", "false"):
        raise RefusedError("the account '%s' may not log in" % name, "forbidden")
    if os.getuid() not in (0, entry.pw_uid):
        raise RefusedError("without root slurmql can only act as '%s'" % own_entry().pw_name, "forbidden")
    return entry


def name_of(uid: int) -> "Optional[str]":
    """The first account with that uid: a denied one may have a second name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def login(entry: "pwd.struct_passwd") -> Account:
    """The account with the environment and umask that its login shell sets up, as if the user had logged in.

    Nothing of our own environment goes in but SLURM_CONF. What profile scripts print is told apart by a marker; if the
    shell fails or hangs, the account is left with a bare environment.
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
        seconds=5.0,
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


# --- processes ------------------------------------------------------------------------------------------------------


class Printed:
    """What a command prints on one stream. If it `flows`, nobody here looks at it; most of it is kept compressed."""

    def __init__(self, flows: bool) -> None:
        self.flows = flows
        self.pieces = []  # type: List[bytes]
        self.waiting = 0
        self.compressor = None  # type: Any
        self.packed = []  # type: List[bytes]

    def add(self, data: bytes) -> None:
        self.pieces.append(data)
        self.waiting += len(data)
        if self.flows and self.waiting >= PIECE:
            self.compressor = self.compressor or zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
            self.pack()

    def pack(self) -> None:
        self.packed.append(self.compressor.compress(b"".join(self.pieces)))
        self.pieces = []
        self.waiting = 0

    def told(self) -> "Any":
        """The text; or, because it was long, the gzip member that it was compressed to."""
        if self.compressor is None:
            return b"".join(self.pieces).decode("utf-8", "replace")
        self.pack()
        return b"".join(self.packed) + self.compressor.flush()


class Process:
    """One command: started, read to its end, killed at its time limit and when it prints more than `most` bytes.

    With `flows` only its reply tells what it printed: `stdout` and `stderr` may not be asked. It gets the open file of
    ours that it `passes`.
    """

    def __init__(
        self,
        argv: "List[str]",
        account: Account,
        stdin: "Optional[str]" = None,
        seconds: float = SECONDS,
        most: int = PRINTED_LIMIT,
        argv0: "Optional[str]" = None,
        session: bool = False,
        patience: "Optional[float]" = None,
        flows: bool = False,
        passes: "Optional[int]" = None,
    ) -> None:
        self.argv = argv
        self.argv0 = argv0 or argv[0]
        self.account = account
        self.passes = passes
        self.input = stdin
        self.seconds = seconds
        self.left = most
        self.patience = patience
        self.session = session
        self.target = subprocess.PIPE
        self.output = {"stdout": Printed(flows), "stderr": Printed(flows)}
        self.streams = {}  # type: Dict[str, Any]
        self.started = 0.0
        self.exit_code = None  # type: Optional[int]
        self.ended = None  # type: Optional[float]
        self.refusal = None  # type: Optional[RefusedError]

    def start(self, selector: selectors.BaseSelector) -> bool:
        """Whether the command runs now."""
        self.started = time.time()
        stdin = subprocess.DEVNULL
        try:
            if self.input is not None:
                stdin = spool(self.input.encode("utf-8"))
            self.child = subprocess.Popen(
                [self.argv0] + self.argv[1:],
                executable=find(self.argv[0]),
                stdin=stdin,
                stdout=self.target,
                stderr=subprocess.PIPE,
                env=self.account.environment,
                pass_fds=() if self.passes is None else (self.passes,),
                preexec_fn=None if isinstance(self.account, Ourselves) else self.enter,
            )  # type: Any  # or a Child
        except subprocess.SubprocessError:  # all that Popen tells of a failure in preexec_fn
            name = self.account.entry.pw_name
            self.refusal = RefusedError("the account '%s' cannot enter the folder '%s'" % (name, self.account.folder))
        except OSError as error:
            self.refusal = RefusedError("cannot run %s: %s" % (self.argv[0], error.strerror), "unavailable")
        else:
            for name in ("stdout", "stderr"):
                stream = getattr(self.child, name)
                if stream is not None:
                    enlarge(stream)
                    selector.register(stream, selectors.EVENT_READ, (self, name))
                    self.streams[name] = stream
        finally:
            if stdin != subprocess.DEVNULL:
                os.close(stdin)
        return self.refusal is None

    def enter(self) -> None:
        """In the child: become the account. A claim is told the session: squeue tells a job's (AllocSID)."""
        if self.session:
            os.setsid()
        self.account.enter()
        if self.target != subprocess.PIPE:
            os.write(1, b"session %d\n" % os.getsid(0))

    def read(self, selector: selectors.BaseSelector, name: str) -> None:
        data = os.read(self.streams[name].fileno(), PIPE)
        self.left -= len(data)
        if data and self.left >= 0:
            self.output[name].add(data)
            return
        if data:
            self.refusal = RefusedError("%s printed too much" % self.argv[0], "unavailable")
        selector.unregister(self.streams[name])
        self.streams.pop(name).close()

    def over(self, selector: selectors.BaseSelector) -> bool:
        """Whether the command is over: it exited, and its output is read or held open by a child for too long."""
        now = time.time()
        if self.ended is None and self.child.poll() is not None:
            self.ended = now
        if self.ended is None and self.patience is not None and now >= self.started + self.patience:
            self.patience = None
            self.refusal = scheduler_down()
        if self.ended is None and now >= self.started + self.seconds:
            self.refusal = RefusedError("%s did not end within %.0f s" % (self.argv[0], self.seconds), "timed_out")
        if self.ended is None and self.refusal is not None:
            if self.session:
                os.killpg(self.child.pid, signal.SIGKILL)  # what a profile started, too
            else:
                self.child.kill()
            self.child.wait()
        elif self.ended is None or (self.streams and now < self.ended + 0.5):
            return False
        for name, stream in list(self.streams.items()):
            # A child of the command holds the pipe open. What the command itself has printed is all in it.
            os.set_blocking(stream.fileno(), False)
            try:
                while name in self.streams:
                    self.read(selector, name)
            except BlockingIOError:
                selector.unregister(stream)
                stream.close()
        self.exit_code = self.child.returncode
        return True

    @property
    def stdout(self) -> bytes:
        return b"".join(self.output["stdout"].pieces)

    @property
    def stderr(self) -> bytes:
        return b"".join(self.output["stderr"].pieces)

    def reply(self) -> "Dict[str, Any]":
        if self.refusal is not None:
            return self.refusal.reply()
        return {
            "exit_code": self.exit_code,
            "stdout": self.output["stdout"].told(),
            "stderr": self.output["stderr"].told(),
            "seconds": round((self.ended or self.started) - self.started, 4),
        }


def find(name: str) -> str:
    """The absolute path of a command: on ParallelCluster /opt/slurm/bin, which is on nobody's PATH but a login's."""
    for folder in [""] if os.path.isabs(name) else SETTINGS["path"].split(":"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise OSError(2, "not found in " + SETTINGS["path"])


def enlarge(pipe: "Any") -> None:
    """Let more wait in a pipe; where that is not allowed it is read in smaller pieces."""
    try:
        fcntl.fcntl(pipe, SET_PIPE_SIZE, PIPE)
    except OSError:
        pass


def spool(content: bytes) -> int:
    """A nameless file with the content, for a command to read: a pipe would have to be fed while we read."""
    path = "/tmp/.slurmql-" + binascii.hexlify(os.urandom(16)).decode()  # noqa: S108 - O_EXCL, and gone at once
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def run(processes: "List[Process]") -> None:
    """Run the processes, at most AT_ONCE at a time, each until it ends or its time is up."""
    waiting = list(processes)
    running = []  # type: List[Process]
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                process = waiting.pop(0)
                if process.start(selector):
                    running.append(process)
            reading = any(process.streams for process in running)
            for key, _ in selector.select(0.1) if reading else ():
                process, name = key.data
                process.read(selector, name)
            time.sleep(0.002)  # more is printed, or the exit is due
            running = [process for process in running if not process.over(selector)]


# --- files ----------------------------------------------------------------------------------------------------------


class Reading(Process):
    """Part of a file, read by a forked child that became the user: what the user may not read, it cannot open.

    A process whose user changed and that ran no other program since cannot be traced by that user (proc(5), dumpable),
    so the request in its memory stays ours.
    """

    def __init__(self, options: "Dict[str, str]", account: Account) -> None:
        Process.__init__(self, ["read"], account)
        self.options = options

    def start(self, selector: selectors.BaseSelector) -> bool:
        self.started = time.time()
        readable, writable = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(readable)
            os.close(writable)
            self.refusal = RefusedError("cannot read the file: %s" % error.strerror, "unavailable")
            return False
        if pid == 0:
            self.tell(writable)
        os.close(writable)
        enlarge(readable)
        self.child = Child(pid)
        self.streams["stdout"] = os.fdopen(readable, "rb", 0)
        selector.register(self.streams["stdout"], selectors.EVENT_READ, (self, "stdout"))
        return True

    def tell(self, writable: int) -> None:
        """In the child: write a line of JSON and, in base64, the bytes; and end."""
        exit_code = 1
        try:
            self.account.enter()
            about, data = part_of_file(self.options)
            printed = json.dumps(about).encode("ascii") + b"\n" + binascii.b2a_base64(data)
            while printed:
                printed = printed[os.write(writable, printed) :]
            exit_code = 0
        finally:
            os._exit(exit_code)


class Child:
    """A forked child, with what Process needs of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode = None  # type: Optional[int]

    def poll(self) -> "Optional[int]":
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Not for long: a child that waits for a dead file server cannot be killed."""
        give_up = time.time() + 0.5
        while self.poll() is None and time.time() < give_up:
            time.sleep(0.01)


def part_of_file(options: "Dict[str, str]") -> "Tuple[Dict[str, Any], bytes]":
    """At most `limit` bytes from `offset` on, or the last ones, with {"size", "modified", "offset"}; else {"error"}.

    Only of files that hold data: opening a pipe would wait or take what is meant for others, a device may act.
    """
    path = options["path"].encode("utf-8", "replace")
    limit = min(int(options["limit"]), READ_LIMIT)
    try:
        fault = not_a_file(path, os.stat(path))
        if fault:
            return {"error": fault}, b""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        status = os.fstat(descriptor)
        fault = not_a_file(path, status)
        if fault:
            return {"error": fault}, b""
        offset = max(0, status.st_size - limit) if "from-end" in options else int(options.get("offset", "0"))
        data = b""
        while len(data) < limit:
            more = os.pread(descriptor, limit - len(data), offset + len(data))
            if not more:
                break
            data += more
    except OSError as error:
        return {"error": FILE_ERRORS.get(error.errno or 0, "failed"), "message": error.strerror}, b""
    return {"size": status.st_size, "modified": status.st_mtime, "offset": offset}, data


FILE_ERRORS = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
}


def not_a_file(path: bytes, status: os.stat_result) -> "Optional[str]":
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    kernels = os.path.realpath(path).startswith((b"/proc/", b"/sys/", b"/dev/"))
    return "special" if kernels or not stat.S_ISREG(status.st_mode) else None


# --- operations -----------------------------------------------------------------------------------------------------


def matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.match("(?:" + pattern + r")\Z", value, re.ASCII) is not None


def command_line(operation: "Dict[str, Any]", replies: "List[Dict[str, Any]]") -> "List[str]":
    """The argv of an operation, every word of it checked."""
    allowed = OPERATIONS[operation["operation"]]
    argv = list(allowed.words)
    for name, value in operation.get("options", {}).items():
        if isinstance(value, dict):
            value = submitted_job(replies, value.get("job_of"))
        pattern = allowed.options.get(name)
        if pattern is None or not matches(pattern, value):
            raise RefusedError("option '%s' is not allowed with this value" % name)
        if allowed.assign:
            argv.append("%s=%s" % (name, value))
        else:
            argv.append("--" + name if pattern == FLAG else "--%s=%s" % (name, value))
    missing = [name for name in allowed.needs if name not in operation.get("options", {})]
    if missing or (allowed.argument == JOB and not operation.get("arguments")):
        raise RefusedError("'%s' needs %s" % (operation["operation"], ", ".join(missing) or "a job"))
    for value in operation.get("arguments", []):
        if allowed.argument is None or not matches(allowed.argument, value):
            raise RefusedError("argument '%s' is not allowed" % value)
        argv.append(value)
    return argv + allowed.last


def submitted_job(replies: "List[Dict[str, Any]]", number: "Any") -> str:
    reply = replies[number] if isinstance(number, int) and 0 <= number < len(replies) else {}
    printed = reply.get("stdout")
    match = re.search(r"^(\d+)(;.*)?\Z", printed.strip(), re.MULTILINE) if isinstance(printed, str) else None
    if reply.get("exit_code") != 0 or match is None:
        raise RefusedError("no job was submitted")
    return match.group(1)


def prepare(request: "Dict[str, Any]", replies: "List[Dict[str, Any]]", operation: "Dict[str, Any]") -> Process:
    """The process of an operation: a read as the reader, anything else as the caller or the administrator."""
    allowed = OPERATIONS[operation["operation"]]
    argv = command_line(operation, replies)
    if operation["operation"] == "read":  # the user's own rights, an operator's too
        return Reading(operation.get("options", {}), Account(caller_entry(request.get("user")), {}))
    if allowed.administrative:
        if not request.get("administer"):
            raise RefusedError("only an operator may run '%s'" % operation["operation"], "forbidden")
        return Process(argv, service_account(SETTINGS["administrator"]))
    if allowed.caller:
        return Process(argv, actor(request))
    account = service_account(SETTINGS["reader"])
    for name, value in operation.get("environment", {}).items():
        if name not in allowed.environment or not matches(allowed.environment[name], value):
            raise RefusedError("variable '%s' is not allowed with this value" % name)
        account.environment[name] = value
    # sacct and sacctmgr ask slurmdbd, not slurmctld.
    return Process(argv, account, patience=None if allowed.words[0] in ("sacct", "sacctmgr") else PATIENCE, flows=True)


def changes(operation: "Dict[str, Any]") -> bool:
    allowed = OPERATIONS.get(operation["operation"])
    return allowed is not None and (allowed.caller or allowed.administrative)


def outdated(operation: "Dict[str, Any]") -> bool:
    """Whether this Slurm is too new to need the operation."""
    allowed = OPERATIONS.get(operation["operation"])
    if allowed is None or allowed.until is None:
        return False
    version = Process(["sinfo", "--version"], service_account(SETTINGS["reader"]))
    run([version])
    release = re.search(rb" ([0-9]+)\.([0-9]+)", version.stdout)
    return release is None or (int(release.group(1)), int(release.group(2))) >= allowed.until


def scheduler_down() -> "Optional[RefusedError]":
    """What scontrol says if no slurmctld answers, else None.

    Only its ping says so at once. All other commands go on trying for MessageTimeout, 60 s on ParallelCluster.
    """
    ping = Process(["scontrol", "ping"], service_account(SETTINGS["reader"]), seconds=5.0)
    run([ping])
    said = ping.stdout.decode("utf-8", "replace").split("\n")
    if not any(" is DOWN" in line for line in said) or any(" is UP" in line for line in said):
        return None
    return RefusedError("; ".join(line for line in said if " is DOWN" in line), "unavailable")


def actor(request: "Dict[str, Any]") -> Account:
    """The calling user; an operator without an account acts as Slurm's administrator."""
    try:
        return Account(caller_entry(request.get("user")), plain_environment())
    except RefusedError:
        if not request.get("administer"):
            raise
        return service_account(SETTINGS["administrator"])


def perform(
    request: "Dict[str, Any]", replies: "List[Dict[str, Any]]", operations: "List[Dict[str, Any]]"
) -> "List[Dict[str, Any]]":
    """The replies of operations that run together."""
    answers = {}  # type: Dict[int, Dict[str, Any]]
    processes = {}  # type: Dict[int, Process]
    # What was never started was certainly not done: a change is not left to find out by itself.
    down = scheduler_down() if any(changes(operation) for operation in operations) else None
    for position, operation in enumerate(operations):
        try:
            if down is not None and changes(operation):
                raise down
            if operation["operation"] == "account":
                answers[position] = {
                    "exit_code": 0,
                    "stdout": caller_entry(next(iter(operation["arguments"]), None)).pw_name,
                }
            elif operation["operation"] == "reader":
                answers[position] = {"exit_code": 0, "stdout": service_account(SETTINGS["reader"]).entry.pw_name}
            elif operation["operation"] == "sbatch":
                answers[position] = submit(request, operation)
            elif outdated(operation):
                answers[position] = {"exit_code": 0, "stdout": ""}
            elif operation["operation"] in OPERATIONS:
                processes[position] = prepare(request, replies, operation)
            else:
                raise RefusedError("unknown operation '%s'" % operation["operation"])
        except RefusedError as refusal:
            answers[position] = refusal.reply()
        except OSError as error:  # before anything was done: no room for a claim, no process to be had
            answers[position] = RefusedError("the head node: %s" % error.strerror, "unavailable").reply()
    run(list(processes.values()))
    if request.get("administer"):
        try:
            run_denied_as_administrator(operations, processes)
        except RefusedError:
            pass  # there is no such account: Slurm's no stands
    answers.update((position, process.reply()) for position, process in processes.items())
    return [answers[position] for position in range(len(operations))]


def run_denied_as_administrator(operations: "List[Dict[str, Any]]", processes: "Dict[int, Process]") -> None:
    """What an operator may not do as himself is done once more as Slurm's administrator.

    But for the reader's: what that one is told is shown to other callers, too.
    """
    denied = {
        position: process
        for position, process in processes.items()
        if OPERATIONS[operations[position]["operation"]].caller
        and re.search(b"denied|Invalid user id", process.stderr)  # scontrol hold and release say the latter
    }
    if not denied:
        return
    account = service_account(SETTINGS["administrator"])
    again = {position: Process(process.argv, account) for position, process in denied.items()}
    run(list(again.values()))
    processes.update(again)


# --- submitting -----------------------------------------------------------------------------------------------------


def submit(request: "Dict[str, Any]", operation: "Dict[str, Any]") -> "Dict[str, Any]":
    """sbatch as the calling user, in the user's login environment and home or the given folder.

    The script is a text, or the path of a file that the user may read.
    """
    argv = command_line(operation, [])
    if len(operation["arguments"]) + (operation["stdin"] is not None) != 1:
        raise RefusedError("sbatch needs one script, as a text or as a path")
    account = login(caller_entry(request.get("user")))
    account.folder = operation.get("options", {}).get("chdir", account.folder)
    for path in operation["arguments"]:
        require_script(path, account)
    for name, value in operation.get("environment", {}).items():
        if not matches(VARIABLE, name) or matches(NOT_FOR_SBATCH, name) or not matches(TEXT, value):
            raise RefusedError("'%s' is not an environment variable that may be given" % name)
        account.environment[name] = value
    sbatch = Process(argv, account, stdin=operation["stdin"], session=True)
    if "test-only" in operation["options"]:
        # No job comes of it: no key to claim, and no job's environment that these variables would get into.
        account.environment.update(PLAIN_ENVIRONMENT)
        run([sbatch])
        return sbatch.reply()
    if operation.get("key") is not None:
        return submit_once(sbatch, operation)
    run([sbatch])
    if outcome_unknown(sbatch):
        # A script may ask sbatch to wait for the job's end: its id is printed before.
        job = job_id(sbatch.stdout.decode("ascii", "replace"))
        if job:
            return {"exit_code": 0, "stdout": job, "stderr": "", "seconds": sbatch.seconds}
        raise RefusedError("the scheduler did not say whether it took the job", "unknown")
    return sbatch.reply()


def require_script(path: str, account: Account) -> None:
    """Refuse what sbatch would read without end: it takes all of a file into memory before it looks at it."""
    script = Reading({"path": path, "limit": "0"}, account)
    run([script])
    about = json.loads(script.stdout.partition(b"\n")[0].decode() or "{}")
    if about.get("error") == "special":
        raise RefusedError("the script is not a file, but a device or a pipe")
    if about.get("size", 0) > SCRIPT_LIMIT:
        raise RefusedError("the script has %d bytes, and Slurm takes %d" % (about["size"], SCRIPT_LIMIT))


def submit_once(sbatch: Process, operation: "Dict[str, Any]") -> "Dict[str, Any]":
    """Submit unless the user's key has a job already; then the reply tells of that job.

    The claim is a root-owned file, locked while sbatch runs. sbatch writes the job id into it itself, so the id is kept
    even if this program is killed in between. Only the loss of sbatch or of slurmctld's answer leaves a claim without a
    job; what became of it is then found out from Slurm.
    """
    import hashlib

    content = json.dumps([operation[name] for name in ("options", "arguments", "stdin", "environment")], sort_keys=True)
    digest = hashlib.sha256(content.encode("utf-8")).hexdigest()
    name = hashlib.sha256(operation["key"].encode("utf-8")).hexdigest()
    folder = claims_of(sbatch.account.entry.pw_uid)
    try:
        forget_old_claims(folder)
        claim = Claim(folder, name)
    finally:
        os.close(folder)
    try:
        return submit_claimed(sbatch, claim, digest)
    finally:
        os.close(claim.descriptor)


def submit_claimed(sbatch: Process, claim: "Claim", digest: str) -> "Dict[str, Any]":
    """Submit while the claim is locked, unless it tells of a job already. `digest` tells what is submitted."""
    claim.lock()
    first_claimed_at, claimed_digest, printed = claim.read()
    if claimed_digest is not None:
        if claimed_digest != digest:
            raise RefusedError("the idempotency key was used for another submission", "conflict")
        job = job_id(printed) or find_submitted(sbatch.account, printed, first_claimed_at)
        if job:
            return submitted(claim, job)
    claimed_at = time.time()
    claim.begin(claimed_at, digest)
    sbatch.target = claim.descriptor
    run([sbatch])
    printed = claim.read()[2]
    job = job_id(printed)
    if job is None and outcome_unknown(sbatch):
        job = find_submitted(sbatch.account, printed, claimed_at)
        if job is None:
            raise RefusedError("the scheduler did not say whether it took the job; retry with the same key", "unknown")
    if job:
        return submitted(claim, job)
    claim.forget()  # a clear no: the key is free again
    return sbatch.reply()


class Claim:
    """A key's file: a line with the time and the digest of what is submitted, then what its sbatch printed.

    sbatch has it open as the user, who could make it write anything there: what that spoils is the user's own key.
    """

    def __init__(self, folder: int, name: str) -> None:
        self.descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600, dir_fd=folder)

    def lock(self) -> None:
        """Wait for the lock, which sbatch holds too: a submission with the same key may be under way."""
        give_up = time.time() + SECONDS
        while True:
            try:
                return fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.time() > give_up:
                    raise RefusedError("a submission with the same key is still under way", "unknown") from None
                time.sleep(0.05)

    def read(self) -> "Tuple[float, Optional[str], str]":
        """When it was claimed, the digest, and what sbatch printed; no digest if the claim is new."""
        text = os.pread(self.descriptor, CLAIM_LIMIT, 0).decode("utf-8", "replace")
        head = re.match(r"(\d{1,12}\.\d{6}) ([0-9a-f]{64})\n", text, re.ASCII)
        return (float(head.group(1)), head.group(2), text[head.end() :]) if head else (0.0, None, "")

    def begin(self, claimed_at: float, digest: str) -> None:
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, ("%f %s\n" % (claimed_at, digest)).encode())
        os.fsync(self.descriptor)

    def add(self, job: str) -> None:
        try:
            os.write(self.descriptor, ("%s\n" % job).encode())
        except OSError:
            pass  # there was room when sbatch was run; the job is told this time at least

    def forget(self) -> None:
        os.ftruncate(self.descriptor, 0)


def outcome_unknown(sbatch: Process) -> bool:
    """Whether slurmctld may have taken the job although sbatch did not say so: it ran out of time, or was killed.

    A clear no is an error that sbatch itself prints, or that it has no such option in its release.
    """
    if sbatch.refusal is not None:
        return sbatch.refusal.code == "timed_out"
    told = b"error: " in sbatch.stderr or b"unrecognized option" in sbatch.stderr
    return sbatch.exit_code != 0 and (not told or b"Socket timed out" in sbatch.stderr)


def submitted(claim: Claim, job: str) -> "Dict[str, Any]":
    """The reply that tells of the claim's job, which is kept for the next time."""
    claim.add(job)
    return {"exit_code": 0, "stdout": job, "stderr": "", "seconds": 0.0}


def job_id(printed: str) -> "Optional[str]":
    match = re.search(r"^(\d+)(;.*)?$", printed.strip(), re.MULTILINE)
    return match.group(1) if match else None


def find_submitted(user: Account, printed: str, claimed_at: float) -> "Optional[str]":
    """The job that a lost sbatch submitted: slurmctld knows the session that each job was submitted from."""
    session = re.search(r"^session (\d+)$", printed, re.MULTILINE)
    if session is None:
        return None  # sbatch was never started
    if time.time() - claimed_at > 240:  # slurmctld forgets finished jobs after MinJobAge, 300 s by default
        raise RefusedError(
            "what became of the first submission is no longer known; look for the job, or use a new key", "unknown"
        )
    account = Account(user.entry, plain_environment())
    columns = "ArrayJobID:|,AllocSID:|,SubmitTime:|"
    listing = Process(["squeue", "-h", "-a", "-t", "all", "-u", user.entry.pw_name, "-O", columns], account)
    run([listing])
    if listing.exit_code != 0:
        raise RefusedError("the scheduler cannot be asked what became of the first submission", "unknown")
    # A session's number comes back after millions of processes, so jobs of long before are not meant; slurmctld's clock
    # is a coarse one that may be behind ours.
    rows = re.findall(r"^(\d+)\|(\d+)\|(\d+)\|$", listing.stdout.decode("ascii", "replace"), re.MULTILINE)
    jobs = [int(job) for job, sid, submitted in rows if sid == session.group(1) and int(submitted) > claimed_at - 5]
    return str(min(jobs)) if jobs else None


def claims_of(uid: int) -> int:
    """The open folder of a user's claims, which nobody else can have put there or can write to."""
    path = os.path.join(SETTINGS["state"], str(uid))
    os.makedirs(path, 0o700, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for status in (os.stat(SETTINGS["state"]), os.fstat(folder)):
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            os.close(folder)
            raise RefusedError("%s belongs to somebody else, or others may write there" % path, "unavailable")
    return folder


def forget_old_claims(folder: int) -> None:
    """A key is kept for a week."""
    names = os.listdir(folder)
    for name in names:
        try:
            if time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > 7 * 86400:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            pass  # another submission was quicker
    if len(names) > KEYS_LIMIT:
        raise RefusedError("%d idempotency keys were used within a week: submit without one" % len(names))


# --- the request and its answer -------------------------------------------------------------------------------------


def unpack(text: str) -> "Dict[str, Any]":
    """The request from base64url of gzip of JSON, or from S3 if it says so."""
    request = decoded(binascii.a2b_base64(text.translate({45: "+", 95: "/"})))
    if "get" not in request:
        return request
    import hashlib

    body = transfer(request["get"])
    if hashlib.sha256(body).hexdigest() != request.get("sha256"):
        raise RefusedError("the request in S3 is not the one that was announced")
    return decoded(body)


def decoded(packed: bytes) -> "Dict[str, Any]":
    """The request from gzip of JSON, unless it is made to take all of the node's memory."""
    decompressor = zlib.decompressobj(31)
    body = decompressor.decompress(packed, REQUEST_LIMIT)
    if not decompressor.eof:
        raise RefusedError("it is cut off, or has more than %d bytes" % REQUEST_LIMIT)
    quotes = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if quotes.count(b'"') > STRUCTURE_LIMIT or sum(map(len, quotes.split(b'"')[::2])) > STRUCTURE_LIMIT:
        raise RefusedError("it has too many parts")
    request = json.loads(body.decode("utf-8"), parse_constant=no_number, parse_int=integer)  # type: Dict[str, Any]
    json.dumps(request, ensure_ascii=False).encode("utf-8")  # half a surrogate pair can be no word of a command
    return request


def no_number(name: str) -> None:
    raise ValueError("%s is no number" % name)


def integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number has %d digits" % len(digits))
    return int(digits)


def packed(answer: "Dict[str, Any]") -> bytes:
    """gzip of JSON, and behind it the members of what was compressed already (RFC 1952)."""
    members = []  # type: List[bytes]
    for reply in answer.get("replies", ()):
        for name, value in reply.items():
            if isinstance(value, bytes):
                members.append(value)
                reply[name] = len(members)
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    text = json.dumps(answer, separators=(",", ":")).encode("ascii")
    return b"".join([compressor.compress(text), compressor.flush()] + members)


def pack(answer: "Dict[str, Any]", put: "Optional[str]") -> str:
    """The line for stdout; an answer that is too large for it goes to S3."""
    body = packed(answer)
    size = (len(body) + 2) // 3 * 4
    if size <= STDOUT_LIMIT:
        return binascii.b2a_base64(body, newline=False).decode()
    if not put:
        return pack({"error": "the answer of %d bytes needs a bucket, and none is configured" % size}, None)
    import hashlib

    try:
        transfer(put, body)
    except (OSError, RefusedError) as error:
        return pack({"error": "the head node cannot write to the bucket: %s" % error}, None)
    return pack({"put": hashlib.sha256(body).hexdigest()}, None)


def transfer(url: "Any", body: "Optional[bytes]" = None) -> bytes:
    """GET a presigned URL of the bucket, or PUT the body there: nowhere else, whoever asks, wherever it points to.

    curl(1) does it: Python's own client takes longer to import than all the rest of this program to run. It follows no
    redirection, as the metadata service answers to root; and it is told the URL, a secret, where nobody else can read.
    """
    # No quote and no backslash: in curl's configuration they mean something.
    if not any(matches(re.escape(prefix) + r"[!#-\[\]-~]*", url) for prefix in SETTINGS["bucket"]):
        raise RefusedError("it is not in the bucket that the head node's document names")
    argv = ["curl", "--disable", "--silent", "--show-error", "--globoff", "--path-as-is", "--write-out", "%{http_code}"]
    argv += ["--max-filesize", str(REQUEST_LIMIT), "--config", "-"]
    file = None
    if body is not None:
        file = spool(body)
        argv += ["--header", "Expect:", "--upload-file", "/dev/fd/%d" % file]
    curl = Process(argv, Ourselves(), stdin='url = "%s"\n' % url, most=REQUEST_LIMIT + 3, passes=file)
    run([curl])
    if file is not None:
        os.close(file)
    if curl.left < 0 or curl.exit_code == 63:  # curl(1): maximum file size exceeded
        raise RefusedError("it has more than %d bytes" % REQUEST_LIMIT)
    if curl.refusal is not None:
        raise curl.refusal
    if curl.exit_code != 0:
        raise RefusedError(curl.stderr.decode("utf-8", "replace").strip())
    status = curl.stdout[-3:].decode()
    if status != "200":
        raise RefusedError("it answers with status %s" % status)
    return curl.stdout[:-3]


EMPTY = {"options": {}, "arguments": [], "environment": {}, "stdin": None, "key": None}  # type: Dict[str, Any]


def well_formed(request: "Dict[str, Any]") -> "Dict[str, Any]":
    """The request, every operation with all of its parts. What they ask for is checked when its turn comes."""
    steps = request.get("steps")
    if not isinstance(request.get("expires"), (int, float)) or not isinstance(request.get("user"), (str, type(None))):
        raise RefusedError("it does not say until when it is good, or for whom")
    if not isinstance(request.get("administer", False), bool) or not isinstance(request.get("put"), (str, type(None))):
        raise RefusedError("it does not say for what role, or where to answer")
    if not isinstance(steps, list) or not all(isinstance(step, list) for step in steps):
        raise RefusedError("it has no steps")
    if len(steps) + sum(map(len, steps)) > OPERATIONS_LIMIT:
        raise RefusedError("it has more than %d operations" % OPERATIONS_LIMIT)
    request["steps"] = [[dict(EMPTY, **operation) for operation in step] for step in steps]
    for operation in (operation for step in request["steps"] for operation in step):
        if not isinstance(operation.get("operation"), str):
            raise RefusedError("an operation has no name")
        if not all(isinstance(operation[name], type(EMPTY[name])) for name in ("options", "arguments", "environment")):
            raise RefusedError("an operation's parts are not what they should be")
        if not all(isinstance(value, str) for value in operation["arguments"]):
            raise RefusedError("an operation's arguments are not texts")
        if not all(isinstance(operation[name], (str, type(None))) for name in ("stdin", "key")):
            raise RefusedError("an operation's script or key is not a text")
    return request


def answer(text: str) -> "Tuple[Dict[str, Any], Optional[str]]":
    started = time.time()
    try:
        request = well_formed(unpack(text))
    except (ValueError, TypeError, AttributeError, OSError, zlib.error, RecursionError, RefusedError) as error:
        return {"error": "the request cannot be read: %s" % error, "unread": True}, None
    if started > request["expires"]:
        return {"error": "the request came too late", "expired": True}, None
    if request["expires"] > started + AHEAD:
        return {"error": "the request is good for too long, or the clocks differ by an hour", "unread": True}, None
    replies = []  # type: List[Dict[str, Any]]
    for operations in request["steps"]:
        replies.extend(perform(request, replies, operations))
    return {"started": started, "replies": replies}, request.get("put")


if __name__ == "__main__":
    os.umask(0o077)  # what is made here is root's own; commands have their account's umask
    SETTINGS.update(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
    print(pack(*answer(sys.stdin.read().strip())))
