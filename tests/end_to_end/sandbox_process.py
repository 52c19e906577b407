"""A separate sandbox: a process with the handler in it, which reads one question a line.

stdin:  {"query": ..., "user": ..., "times": 1, "pause": 0.0}
stdout: the answers to it, [{"body": ..., "began": ..., "ended": ...}], with Unix times.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


class SandboxProcess:
    """Such a process, controlled by a test."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **environment, **path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, query: str, user: str = "ada", times: int = 1, pause: float = 0.0) -> list[dict[str, Any]]:
        """The answers to the query, asked so many times with a pause between."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"query": query, "user": user, "times": times, "pause": pause}), file=self._process.stdin)
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answers

    def data(self, query: str, user: str = "ada") -> dict[str, Any]:
        """The data of one answer, which has no errors."""
        (answer,) = self.ask(query, user)
        assert "errors" not in answer["body"], answer["body"]["errors"]
        data: dict[str, Any] = answer["body"]["data"]
        return data

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    from conftest import event
    from handler import handler
    from local.gateway import Context

    for line in sys.stdin:
        asked = json.loads(line)
        answers = []
        for _ in range(asked["times"]):
            began = time.time()
            context: Any = Context()
            response = handler(event(json.dumps({"query": asked["query"]}), asked["user"]), context)
            answers.append({"body": json.loads(response["body"]), "began": began, "ended": time.time()})
            time.sleep(asked["pause"])
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
