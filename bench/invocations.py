"""The handler in a process of its own, as in a sandbox of Lambda: asked, timed, and weighed.

Run as a program it reads one JSON object a line from standard input and prints one a line.
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
    """Some invocations in turn: seconds of each, the last one's body in bytes, as Lambda gets it, and its status.

    `rss_mib` is the process's largest resident set until then; `answer` the last body, if it was asked for.
    """

    seconds: list[float]
    body_bytes: int
    status: int
    rss_mib: float
    answer: Any

    @property
    def median(self) -> float:
        """Seconds of the middle one."""
        return statistics.median(self.seconds)


class Sandbox:
    """A process that serves invocations; a context manager.

    With `default_execution` lists are executed as Strawberry does it, object by object.
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
        """Ask for some invocations, `pause` seconds apart, without waiting for their end.

        `cold` forgets all snapshots before each, `gzip` takes a compressed answer, `answer` hands over the last one.
        """
        assert self._process.stdin  # noqa: S101 - it is a pipe
        asked = {"times": times, "cold": cold, "gzip": gzip, "pause": pause, "answer": answer}
        request = {"document": document, **asked}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Timing:
        """What the invocations cost that were sent last."""
        assert self._process.stdout  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the handler's process ended with status {self._process.wait()}")
        return Timing(**json.loads(line))

    def invoke(self, document: str, **options: Any) -> Timing:
        """Ask and wait. Raises RuntimeError for an answer that is not 200."""
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
    """An HTTP API event (payload 2.0) of a caller that the gateway's JWT authorizer let in."""
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
        graphql.version = "another"  # our executor stands aside for one that it was not compared with
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
