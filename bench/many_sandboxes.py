"""Twenty sandboxes and one cluster: how often they ask the head node."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bench import queue
from bench.figures import Figure
from bench.invocations import Sandbox

SANDBOXES = 20
REQUESTS = 50
TTL = 5
PAUSE = 0.25
DOCUMENT = "{ jobs { totalCount } queues { name } nodes { totalCount } }"


def measure(progress: Callable[[str], None]) -> Iterator[Figure]:
    """The number of SSM commands per TTL while all of them ask."""
    with queue.stack("bookworm", progress) as stack, ExitStack() as held:
        progress(f"starting {SANDBOXES} processes")
        environment = {**stack.environment, "SLURMQL_TTL": str(TTL)}
        sandboxes = [held.enter_context(Sandbox(environment)) for _ in range(SANDBOXES)]
        for sandbox in sandboxes:
            sandbox.send("{ __typename }")
        for sandbox in sandboxes:
            sandbox.receive()
        progress(f"each asks {REQUESTS} times")
        before, started = len(stack.ssm.sends), time.monotonic()
        for sandbox in sandboxes:
            sandbox.send(DOCUMENT, times=REQUESTS, pause=PAUSE)
        answers = [sandbox.receive() for sandbox in sandboxes]
        elapsed = time.monotonic() - started
        commands = len(stack.ssm.sends) - before
    if any(answer.status != 200 for answer in answers):
        raise RuntimeError("a sandbox did not answer")
    periods = math.ceil(elapsed / TTL)
    yield Figure(
        "ssm_commands_of_20_sandboxes_per_ttl",
        commands / periods,
        "SSM commands",
        f"{commands} in {elapsed:.1f} s",
        "<= 1",
        f"{SANDBOXES} processes x {REQUESTS} requests for jobs, queues and nodes; TTL {TTL} s",
    )
