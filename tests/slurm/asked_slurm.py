"""A private Slurm, asked as the API asks it: the program of the head node runs what a question's commands say."""

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from headnode import document
from headnode.joining import joined
from local import packages
from local.cluster import Cluster
from local.cluster.cluster import SYSTEM_PATH
from local.suite import Chroot
from slurm.column import Record
from slurm.command import Question, Reply

T = TypeVar("T")


class AskedSlurm:
    """A cluster, and the questions put to it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def ask(self, question: Question[T], user: str = "ada", operator: bool = False) -> T:
        """The question's value, asked by `user`."""
        return question.read(self.replies(question, user, operator))

    def operate(self, question: Question[T]) -> T:
        """The question's value, asked by an operator without an account of their own."""
        return question.read(self.replies(question, None, True))

    def replies(self, question: Question[Any], user: str | None, operator: bool) -> Sequence[Reply]:
        """What the program answers to the question's commands."""
        commands = [command.as_data() for command in question.commands]
        request = {"expires": time.time() + 60, "user": user, "administer": operator, "put": None, "steps": [commands]}
        settings: dict[str, Any] = {} if os.geteuid() == 0 else {"denied": ["root"]}
        chroot = self.cluster.programs.chroot
        argv = ["-I", "-S", "-c", joined(), document.operations(), json.dumps(settings)]
        result = subprocess.run(
            chroot.command(["python3", *argv]) if chroot else [sys.executable, *argv],
            input=base64.urlsafe_b64encode(gzip.compress(json.dumps(request).encode())).decode(),
            env={"PATH": SYSTEM_PATH, **self.cluster.environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        answer = json.loads(gzip.decompress(base64.b64decode(result.stdout)))
        return [_reply(reply) for reply in answer["replies"]]

    def slurm(self, *argv: str) -> str:
        """What a command of Slurm prints, run by the account that started the cluster."""
        return self.cluster.run(*argv).stdout.strip()

    def submit(self, *options: str, user: str = "ada", script: str = "sleep 300") -> str:
        """The id of a new job."""
        output = "--output=/dev/null"
        answer = self.cluster.run("sbatch", "--parsable", output, *options, user=user, input=f"#!/bin/bash\n{script}\n")
        return answer.stdout.strip()

    def job(self, job: str, column: str) -> str:
        """A column of squeue's, of one job."""
        return self.slurm("squeue", "--noheader", "--states=all", f"--jobs={job}", f"--Format={column}:200")


def _reply(reply: Mapping[str, Any]) -> Reply:
    return Reply(
        exit_code=reply.get("exit_code"),
        stdout=reply.get("stdout", ""),
        stderr=reply.get("stderr", ""),
        refusal=reply.get("refusal"),
        refusal_code=reply.get("code"),
    )


@contextmanager
def asked_slurm(folder: Path, chroot: Chroot | None, accounting: bool = False, **settings: str) -> Iterator[AskedSlurm]:
    """A cluster in an open folder, of the Slurm in the chroot or this machine's, with more lines for its slurm.conf."""
    if chroot is None:
        packages.install(print, packages.ACCOUNTING if accounting else packages.PACKAGES)
    with Cluster(folder, "lab", accounting=accounting, settings=settings, chroot=chroot) as cluster:
        yield AskedSlurm(cluster)


def values(record: Record) -> dict[str, Any]:
    """All columns of a record, parsed."""
    return {column.name: getattr(record, column.name) for column in record.columns()}


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return as soon as the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
