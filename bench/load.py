"""Two hundred dashboards poll the local gateway at once, from another process.

As a program it is that other process: it polls the given URL and prints its measurements as JSON.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench import queue
from bench.figures import Figure
from bench.whole_queue import FIELDS
from local.gateway import Gateway

POLLERS = 200
SECONDS = 20.0
JOBS = 10_000
DOCUMENT = f"{{ jobs(first: 50) {{ totalCount nodes {{ {FIELDS} }} }} queues {{ name state }} }}"


def measure(progress: Callable[[str], None]) -> Iterator[Figure]:
    """Requests per second, the 99th percentile, errors and SSM commands."""
    with queue.stack("bookworm", progress) as stack:
        queue.grow(stack.clusters["lab"], 0, JOBS, progress)
        # No table: a single process has nobody to share snapshots with. Dashboards change nothing.
        access = '{"others": {"role": "VIEWER"}}'
        os.environ.update({**stack.environment, "SLURMQL_TABLE": "", "SLURMQL_ACCESS": access})
        from handler import handler  # it reads the variables on import

        with Gateway(handler, stack.demo_user) as gateway:
            before = len(stack.ssm.sends)
            progress(f"{POLLERS} pollers for {SECONDS:.0f} s")
            argv = [sys.executable, "-m", "bench.load", f"{gateway.url}/graphql"]
            printed = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
            commands = len(stack.ssm.sends) - before
    seen = json.loads(printed)
    how = (
        f"{POLLERS} connections ask without a pause for {SECONDS:.0f} s, {JOBS:,} jobs: 50 x 12 fields, a count, queues"
    )
    yield Figure("load_p99_ms", seen["p99"] * 1000, "ms", f"median {seen['median'] * 1000:.0f} ms", None, how)
    yield Figure("load_requests_per_s", seen["requests"] / seen["seconds"], "requests/s", "", None, how)
    yield Figure("load_errors", seen["errors"], "errors", f"of {seen['requests']:,} requests", "<= 0", how)
    periods = seen["seconds"] / 5 + 1
    yield Figure("load_ssm_commands_per_ttl", commands / periods, "SSM commands", f"{commands} in all", "<= 1", how)


@dataclass
class _Seen:
    seconds: list[float] = field(default_factory=list)
    errors: int = 0


async def _poll(url: str, until: float, seen: _Seen) -> None:
    """One keep-alive connection, which sends the next request as soon as it has the answer."""
    parts = urlsplit(url)
    body = json.dumps({"query": DOCUMENT}).encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    while time.monotonic() < until:
        started = time.monotonic()
        writer.write(head + body)
        answer = await _answer(reader)
        seen.seconds.append(time.monotonic() - started)
        seen.errors += answer is None or "errors" in answer or "data" not in answer
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> dict[str, object] | None:
    """The answer's JSON; None for a status other than 200."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    answer: dict[str, object] = json.loads(body)
    return answer if head[0].split()[1] == "200" else None


async def _load(url: str) -> None:
    seen, started = _Seen(), time.monotonic()
    await asyncio.gather(*(_poll(url, started + SECONDS, seen) for _ in range(POLLERS)))
    cuts = statistics.quantiles(seen.seconds, n=100)
    summary = {
        "median": cuts[49],
        "p99": cuts[98],
        "requests": len(seen.seconds),
        "errors": seen.errors,
        "seconds": time.monotonic() - started,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    asyncio.run(_load(sys.argv[1]))
