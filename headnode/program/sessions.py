"""Sessions of processes: whether an sbatch that nobody waits for still runs (proc(5))."""

import os
import time

from headnode.program.attempt import LATEST


def is_running(session: int, began: float) -> bool:
    """Whether a process that sbatch started in this session still runs. Linux reuses session numbers."""
    booted = time.time() - uptime()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[3]) == session and fields[0] not in (b"Z", b"X"):
            started = booted + int(fields[19]) / float(os.sysconf("SC_CLK_TCK"))
            if began - 5.0 < started < began + LATEST:
                return True
    return False


def uptime() -> float:
    """Seconds since the machine was started."""
    with open("/proc/uptime") as file:
        return float(file.read().split()[0])
