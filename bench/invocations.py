"""Runs the handler in its own process, like a sandbox of Lambda, and measures its time and memory.

As a program it reads one JSON object per line from standard input and prints one per line.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import graphql

DEFAULT_EXECUTION = "--default-execution"


@dataclass(frozen=True)
class Timing:
    """Some invocations in turn: the seconds of each, and the status and the bytes of the last body, as Lambda gets it.

    `rss_mib` is the process's largest resident set so far; `answer` is the last body if it was requested.
    """

    seconds: list[float]
    body_bytes: int
    status: int
    rss_mib: float
    answer: Any

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)


class Sandbox:
    """A process that serves invocations; a context manager.

    With `default_execution` lists are executed as in Strawberry, object by object.
    """

    def __init__(self, environment: Mapping[str, str], default_execution: bool = False) -> None:
        self._environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), **environment}
        self._options = [DEFAULT_EXECUTION] if default_execution else []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.invocations", *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def send(
        self,
        document: str,
        *,
        times: int = 1,
        cold: bool = False,
        gzip: bool = False,
        pause: float = 0.0,
        answer: bool = False,
    ) -> None:
        """Request some invocations, `pause` seconds apart, without waiting for them.

        `cold` drops all snapshots before each, as a change does: what it outlives (the configuration) stays.
        `gzip` accepts a compressed answer, `answer` requests the last body.
        """
        assert self._process.stdin  # noqa: S101 - it is a pipe
        asked = {"times": times, "cold": cold, "gzip": gzip, "pause": pause, "answer": answer}
        request = {"document": document, **asked}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Timing:
        """The timing of the invocations that were requested last."""
        assert self._process.stdout  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the handler's process ended with status {self._process.wait()}")
        return Timing(**json.loads(line))

    def invoke(self, document: str, **options: Any) -> Timing:
        """Request invocations and wait for them. Raises RuntimeError for a status other than 200."""
        self.send(document, **options)
        timing = self.receive()
        if timing.status != 200:
            raise RuntimeError(f"the handler answered {timing.status}")
        return timing

    def answer(self, document: str) -> Any:
        """The data of an answer. Raises RuntimeError if it has errors."""
        answer = self.invoke(document, answer=True).answer
        if "errors" in answer:
            raise RuntimeError(answer["errors"][0]["message"])
        return answer["data"]


def event(document: str, gzip: bool) -> dict[str, Any]:
    """An HTTP API event (payload 2.0) of a caller whom the gateway's JWT authorizer has accepted."""
    accepted = {"accept-encoding": "gzip"} if gzip else {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/graphql",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **accepted},
        "requestContext": {
            "requestId": "bench",
            "stage": "$default",
            "http": {"method": "POST", "path": "/graphql", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "authorizer": {"jwt": {"claims": {"username": "ada"}}},
        },
        "body": json.dumps({"query": document}),
        "isBase64Encoded": False,
    }


def _serve(default_execution: bool) -> None:
    if default_execution:
        graphql.version = "another"  # our executor compiles nothing for a graphql-core that it was not tested with
    from handler import clusters
    from handler import handler as mangum
    from local.gateway import Context, Handler

    handler: Handler = mangum

    for line in sys.stdin:
        request = json.loads(line)
        asked = event(request["document"], request["gzip"])
        seconds, response = [], {}
        for _ in range(request["times"]):
            if request["cold"]:
                for snapshots in clusters.values():
                    snapshots.drop()
            started = time.perf_counter()
            response = handler(asked, Context())
            seconds.append(time.perf_counter() - started)
            time.sleep(request["pause"])
        body = response["body"]
        answer = json.loads(body) if request["answer"] else None
        timing = Timing(seconds, len(body.encode()), response["statusCode"], _rss_mib(), answer)
        print(json.dumps(vars(timing)), flush=True)


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _serve(DEFAULT_EXECUTION in sys.argv)
