"""What can be wrong with Slurm's daemons: down, restarted, crashed, cut off, forgetful."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from faults.cells import PREFIX
from faults.world import World
from local.cluster.relay import Loss

PURGED_WITHIN = 120.0


@contextmanager
def down(world: World) -> Iterator[None]:
    world.cluster.stop_controller()
    try:
        yield
    finally:
        world.cluster.start_controller()
        world.require_witness()


@contextmanager
def restarts(world: World) -> Iterator[None]:
    def restart() -> None:
        world.cluster.stop_controller()
        world.cluster.start_controller()

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def crashes(world: World) -> Iterator[None]:
    def crash() -> None:
        world.cluster.kill_controller()
        world.cluster.start_controller()

    timer = threading.Timer(0.3, crash)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        world.require_witness()


@contextmanager
def replies_lost(world: World, loss: Loss, types: Sequence[int]) -> Iterator[None]:
    world.relay.only = frozenset(types)
    world.relay.lose(loss)
    try:
        yield
    finally:
        world.relay.mend()


@contextmanager
def books_closed(world: World) -> Iterator[None]:
    """slurmdbd is dead (SIGKILL)."""
    world.cluster.kill_accounting()
    try:
        yield
    finally:
        world.cluster.start_accounting()


@contextmanager
def purges(world: World) -> Iterator[None]:
    """slurmctld forgets jobs two seconds after their end (it looks for such jobs every ten); in the end it has.

    Not the witnesses, which wait.
    """
    conf = Path(world.cluster.environment["SLURM_CONF"])
    before = conf.read_text()
    conf.write_text(re.sub(r"(?m)^MinJobAge=.*$", "MinJobAge=2", before))
    world.cluster.run("scontrol", "reconfigure")
    try:
        yield
        give_up = time.monotonic() + PURGED_WITHIN
        while jobs := [id for id, name in world.jobs().items() if name.startswith(PREFIX)]:
            assert time.monotonic() < give_up, "slurmctld forgets no job"
            world.cluster.run("scancel", *jobs, check=False)
            time.sleep(1)
    finally:
        conf.write_text(before)
        world.cluster.run("scontrol", "reconfigure")
