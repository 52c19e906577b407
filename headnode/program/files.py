"""Parts of files, read with a user's own rights."""

import binascii
import errno
import json
import os
import selectors
import signal
import stat
import time
from typing import Any, Dict, Optional, Tuple

from headnode.program.accounts import Account
from headnode.program.operations import matches
from headnode.program.processes import Process, enlarge
from headnode.program.refused import Refused

READ_LIMIT = 1 << 20  # the most bytes of a file that one operation reads


class Reading(Process):
    """Part of a file, read by a forked child that became the user: it cannot open what the user may not read.

    The user cannot trace a process that changed its user and has not executed a program since (proc(5), dumpable), so
    the user cannot see the request in its memory.
    """

    def __init__(self, options: "Dict[str, str]", account: Account) -> None:
        Process.__init__(self, ["read"], account)
        if not matches(r"/[^\0]*", options.get("path")):
            raise Refused("'read' needs an absolute path")
        if not all(matches(r"\d{1,15}", options.get(name, "0")) for name in ("offset", "limit")):
            raise Refused("'read' needs numbers as offset and limit")
        self.options = options

    def start(self, selector: selectors.BaseSelector) -> bool:
        self.started = time.time()
        readable, writable = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(readable)
            os.close(writable)
            self.refusal = Refused("cannot read the file: %s" % error.strerror, "unavailable")
            return False
        if pid == 0:
            self.write_result(writable)
        os.close(writable)
        enlarge(readable)
        self.child = Child(pid)
        self.streams["stdout"] = os.fdopen(readable, "rb", 0)
        selector.register(self.streams["stdout"], selectors.EVENT_READ, (self, "stdout"))
        return True

    def write_result(self, writable: int) -> None:
        """In the child: write a line of JSON, then the bytes in base64, and exit."""
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
    """A forked child, with the part of subprocess.Popen that Process needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: "Optional[int]" = None

    def poll(self) -> "Optional[int]":
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait half a second at most: a child that waits for a dead file server cannot be killed."""
        give_up = time.time() + 0.5
        while self.poll() is None and time.time() < give_up:
            time.sleep(0.01)


def part_of_file(options: "Dict[str, str]") -> "Tuple[Dict[str, Any], bytes]":
    """At most `limit` bytes from `offset` or of the end, with {"size", "modified", "offset"}; otherwise {"error"}.

    It reads only regular files: opening a pipe would wait or take data meant for others, and a device may act.
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
