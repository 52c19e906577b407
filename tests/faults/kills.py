"""`make test-kills N=1000`: submissions with keys while handlers, programs and sbatch are killed, replies are lost and
slurmctld crashes. Each key must have one job in the end, and answer with that job.

Eight sandboxes submit at the same time. A request that does not succeed is made again with its key, by a new sandbox
where the old one was killed, as a client with patience does.
"""

import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.cells import SUBMIT
from faults.nursery import Nursery
from faults.sandbox import SandboxGoneError
from faults.world import SCRIPT, World, processes
from local import packages
from local.cluster import Cluster
from local.cluster.relay import SUBMIT_BATCH_JOB, Loss
from local.stack import Stack

SANDBOXES = tuple("12345678")
"""So many, as a lost reply costs one of them seconds of waiting."""
PATIENT = {"SLURMQL_FIRST_LOOK": "0.3", "SLURMQL_LOOK_INTERVAL": "0.3"}
"""As often as on AWS: eight sandboxes that look for their results more often are a load of their own."""
ATTEMPTS = 40
"""After so many a key is given up: that counts as missing."""
SHOWN = 10


class Chaos:
    """What goes wrong while the submissions are made, at random, each kind with its chance at every attempt.

    Not by the clock: a slow machine would have more kills for each submission, and never come to an end.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.made: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311 - a repeatable dice, not a secret
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._attempts = threading.Semaphore(0)
        self._chances: dict[str, tuple[float, Callable[[], bool]]] = {
            "handlers killed": (0.04, self._kill_handler),
            "programs killed": (0.1, lambda: self._kill("python3")),
            "sbatch killed": (0.2, lambda: self._kill("sbatch")),
            "agent's replies lost": (0.04, self._lose_reply),
            "slurmctld's replies lost": (0.1, self._lose_answer),
            "slurmctld killed (-9)": (0.01, self._crash),
            "slurmctld restarted": (0.005, self._restart),
        }

    def __enter__(self) -> "Chaos":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.world.relay.mend()
        self.world.stack.ssm.faults.change({"lose_reply": 0})

    def meet(self) -> None:
        """An attempt begins."""
        self._attempts.release()

    def _run(self) -> None:
        while not self._over.is_set():
            if self._attempts.acquire(timeout=0.1):
                for name, (chance, happen) in self._chances.items():
                    if self._random.random() < chance and happen():
                        self.made[name] += 1

    def _kill_handler(self) -> bool:
        self.world.sandboxes[self._random.choice(SANDBOXES)].kill_process()
        return True

    def _kill(self, program: str) -> bool:
        """Kill one of them; they are short-lived, so it is waited for."""
        give_up = time.monotonic() + 0.5
        while time.monotonic() < give_up:
            if found := processes(program, str(self.world.relay.slurm_conf)):
                time.sleep(self._random.choice([0, 0, 0.01, 0.05]))
                if self.world.kill(self._random.choice(found)):
                    return True
            time.sleep(0.005)  # the endpoint and the relay run in this process, too
        return False

    def _lose_reply(self) -> bool:
        self.world.stack.ssm.faults.change({"lose_reply": 1})
        return True

    def _lose_answer(self) -> bool:
        self.world.relay.only = frozenset({SUBMIT_BATCH_JOB})
        self.world.relay.lose(self._random.choice([Loss.RESET, Loss.EMPTY, Loss.HALF]), times=1)
        return True

    def _crash(self) -> bool:
        self.world.cluster.kill_controller()
        time.sleep(self._random.uniform(0, 1))
        self.world.cluster.start_controller()
        return True

    def _restart(self) -> bool:
        self.world.cluster.stop_controller()
        self.world.cluster.start_controller()
        return True


class Submissions:
    """The keys, and the job that each got."""

    def __init__(self, world: World, nursery: Nursery, count: int) -> None:
        self.world = world
        self.nursery = nursery
        self.begins: Callable[[], None] = lambda: None
        """Called at every attempt."""
        self.keys = [f"kill-{number}" for number in range(count)]
        self.told: dict[str, str] = {}
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._waiting = list(reversed(self.keys))

    def work(self, column: str, seconds: float = 12.0) -> None:
        """Submit one after the other until none is left."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                key = self._waiting.pop()
            for _ in range(ATTEMPTS):
                if job := self.submit(column, key, seconds):
                    self.told[key] = job
                    if len(self.told) % 100 == 0:
                        print(f"{len(self.told)} keys have their job", flush=True)
                    break

    def submit(self, column: str, key: str, seconds: float) -> str | None:
        """One attempt; the job's id if it succeeds."""
        sandbox = self.world.sandboxes[column]
        self.begins()
        try:
            answered = sandbox.ask(SUBMIT, seconds, self.world.user, name=key, key=key, script=SCRIPT)
        except SandboxGoneError:
            sandbox.kill()
            self.world.sandboxes[column] = self.nursery.sandbox()
            with self._lock:
                self.answers["none: the handler was killed"] += 1
            return None
        with self._lock:
            self.answers[", ".join(answered.codes) or "a job"] += 1
        if answered.codes:
            time.sleep(0.3)
            return None
        id: str = answered.body["data"]["submitJob"]["id"]
        return id.partition(":")[2]

    def ask_all_again(self) -> None:
        """The last retry of every key, when nothing fails any more."""
        self._waiting, before = list(reversed(self.keys)), dict(self.told)
        self.told = {}
        with ThreadPoolExecutor(len(SANDBOXES)) as pool:
            list(pool.map(lambda column: self.work(column, 30.0), SANDBOXES))
        self.lost = sum(self.told.get(key) != job for key, job in before.items())


def main(count: int = 1000, seed: int = 1) -> int:
    """Run it and print what came of it; 1 if a key has no job, several, or another's."""
    packages.install(print)
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="slurmql-kills-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        settings = {"MinJobAge": "86400", "MaxJobCount": "100000"}
        cluster = Cluster(directory / "lab", "lab", settings=settings)
        with (
            Stack(directory, [cluster]) as stack,
            World(stack, directory) as world,
            Nursery({**world.variables("submit"), **stack.environment, **PATIENT}, directory) as nursery,
        ):
            world.sandboxes = {name: nursery.sandbox() for name in SANDBOXES}
            submissions = Submissions(world, nursery, count)
            with Chaos(world, seed) as chaos, ThreadPoolExecutor(len(SANDBOXES)) as pool:
                submissions.begins = chaos.meet
                list(pool.map(submissions.work, SANDBOXES))
            submissions.begins = lambda: None
            submissions.ask_all_again()
            listed = cluster.run("squeue", "-h", "-t", "all", "-o", "%i %j").stdout.split("\n")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    jobs: dict[str, list[str]] = {}
    for line in filter(None, listed):
        job, _, name = line.partition(" ")
        jobs.setdefault(name, []).append(job)
    return report(submissions, chaos, jobs, time.monotonic() - began)


def report(submissions: Submissions, chaos: Chaos, jobs: dict[str, list[str]], seconds: float) -> int:
    """Print the figures; the number of the process's end."""
    keys = submissions.keys
    doubled = [key for key in keys if len(jobs.get(key, [])) > 1]
    missing = [key for key in keys if key not in jobs]
    wrong = [key for key in keys if key in submissions.told and submissions.told[key] not in jobs.get(key, [])]
    made = sum(len(jobs.get(key, [])) for key in keys)
    print(f"{len(keys)} keys, {made} jobs; {seconds:.0f} s")
    print(f"doubled: {len(doubled)} {' '.join(f'{key}={jobs[key]}' for key in doubled[:SHOWN])}")
    print(f"missing: {len(missing)} {' '.join(missing[:SHOWN])}")
    print(f"answered with another job: {len(wrong)} {' '.join(wrong[:SHOWN])}")
    print(f"jobs that a crash of slurmctld lost, submitted again by a retry: {submissions.lost}")
    print("; ".join(f"{name}: {number}" for name, number in sorted(chaos.made.items())))
    print("answers: " + "; ".join(f"{name}: {number}" for name, number in submissions.answers.most_common()))
    return int(bool(doubled or missing or wrong))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
