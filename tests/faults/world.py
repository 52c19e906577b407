"""What the matrix is run on: a real cluster, a sandbox for each column, and everything between them that can fail."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from faults.sandbox import Sandbox
from local.aws import BUCKET, TABLE
from local.cluster import Cluster
from local.cluster.relay import Relay
from local.line import Kind, Line
from local.ssm import Faults
from local.stack import DOCUMENT, Stack

COLUMNS = ("read", "submit with key", "submit", "cancel")
TTL = "0.2"
"""Seconds: what a fault is about must not be answered from memory."""
SCRIPT = "#!/bin/sh\nsleep 300\n"


class World:
    """A context manager. The head node's commands reach slurmctld through the relay."""

    def __init__(self, stack: Stack, directory: Path, cluster: str = "lab") -> None:
        self.stack = stack
        self.cluster: Cluster = stack.clusters[cluster]
        self.head_node = stack.ssm.instances[list(stack.clusters).index(cluster)]
        self.directory = directory
        self.user = self.cluster.users[0].name
        self.lines: dict[str, Line] = {}
        self.sandboxes: dict[str, Sandbox] = {}
        self.witness = ""
        """A job that every reader must see."""
        self.large_witness = ""
        """A job whose script fits into no answer of SSM's."""
        self._environments: Mapping[str, Mapping[str, str]] = {}
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.callback(self._end_sandboxes)
            self.lines = {
                column: held.enter_context(Line(self.stack.ssm.url, self.stack.aws.url)) for column in COLUMNS
            }
            conf = Path(self.cluster.environment["SLURM_CONF"])
            self.relay = held.enter_context(Relay(conf, conf.with_name("relayed.conf")))
            held.enter_context(self._relayed())
            held.enter_context(self._document(self._with_our_bucket(self.stack.document)))
            self.require_witness()
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.run("scancel", f"--user={self.user}", check=False)
        self._held.close()

    # --- sandboxes ---------------------------------------------------------------------------------------------------

    def begin(self, environments: Mapping[str, Mapping[str, str]] | None = None, anew: bool = False) -> None:
        """Have a warm sandbox for each column; new ones where their variables are others, or if asked for."""
        wanted = environments or {column: {} for column in COLUMNS}
        if anew or wanted != self._environments or not self.sandboxes:
            self._end_sandboxes()
            self._environments = wanted
            self.sandboxes = {column: self.sandbox(column, variables) for column, variables in wanted.items()}
            for sandbox in self.sandboxes.values():
                sandbox.ask("{ __typename }")

    def sandbox(self, column: str, environment: Mapping[str, str]) -> Sandbox:
        """A sandbox with the column's variables and these."""
        return Sandbox({**self.variables(column), **environment}, self.directory / f"{column}.log".replace(" ", "-"))

    def variables(self, column: str) -> dict[str, str]:
        """The variables of a sandbox that reaches AWS by the column's line."""
        services = ("SSM", "EC2", "S3", "DYNAMODB")
        return {
            **self.stack.environment,
            "SLURMQL_TTL": TTL,
            "SLURMQL_CLUSTERS": json.dumps({self.cluster.name: {}}),
            "SLURMQL_DEFAULT_CLUSTER": self.cluster.name,
            **{f"AWS_ENDPOINT_URL_{service}": self.lines[column].url for service in services},
        }

    def _end_sandboxes(self) -> None:
        for sandbox in self.sandboxes.values():
            sandbox.kill()
        self.sandboxes = {}

    # --- the cluster, by no path of the API's ------------------------------------------------------------------------

    def submit(self, name: str, script: str = SCRIPT) -> str:
        """A held job; its id."""
        argv = ("sbatch", "--parsable", "--hold", f"--job-name={name}")
        return self.cluster.run(*argv, user=self.user, input=script).stdout.strip()

    def jobs_named(self, name: str) -> dict[str, str]:
        """State by id of every job of that name, ended ones too."""
        listed = self.cluster.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i %T").stdout
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def jobs(self) -> dict[str, str]:
        """Name by id of every job that slurmctld knows."""
        listed = self.cluster.run("squeue", "-h", "-t", "all", "-o", "%i %j").stdout
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def require_witness(self) -> None:
        """Make the jobs that readers must see, if there are none: a crash of slurmctld may have lost them."""
        if "PENDING" not in self.jobs_named("witness").values():
            self.witness = self.submit("witness")
        if "PENDING" not in self.jobs_named("large-witness").values():
            noise = os.urandom(40_000).hex()
            self.large_witness = self.submit("large-witness", f"#!/bin/sh\n# {noise}\n")

    # --- what can fail -----------------------------------------------------------------------------------------------

    @contextmanager
    def trouble(self, kind: Kind, *operations: str, times: int | None = None, seconds: float = 1.0) -> Iterator[None]:
        """Trouble on every line."""
        for line in self.lines.values():
            line.break_down(kind, *operations, times=times, seconds=seconds)
        try:
            yield
        finally:
            for line in self.lines.values():
                line.mend()

    @contextmanager
    def knobs(self, **knobs: Any) -> Iterator[None]:
        """The SSM endpoint with other knobs."""
        self.stack.ssm.faults.change(knobs)
        try:
            yield
        finally:
            self.stack.ssm.faults.change(Faults().as_json())

    @contextmanager
    def document(self, content: Mapping[str, Any] | None) -> Iterator[None]:
        """Another document in the place of ours, or none."""
        with self._document(content):
            yield

    @contextmanager
    def stopped(self, daemon: str, seconds: float | None = None) -> Iterator[None]:
        """A daemon that hangs (SIGSTOP), for so long or to the end."""
        self.cluster.signal(daemon, signal.SIGSTOP)
        timer = threading.Timer(seconds or 3600, self.cluster.signal, (daemon, signal.SIGCONT))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.cluster.signal(daemon, signal.SIGCONT)

    @contextmanager
    def item(self, **changed: Any) -> Iterator[None]:
        """The cluster's item in the table, with what `changed` makes of each lease and snapshot."""
        table = self.stack.aws.client("dynamodb")
        where: dict[str, Any] = {"TableName": TABLE, "Key": {"key": {"S": f"snapshots {self.cluster.name}"}}}
        item = table.get_item(**where).get("Item", {})
        for name, value in list(item.items()):
            kind = name.partition(" ")[0]
            if kind in changed:
                item[name] = changed[kind](value)
        table.put_item(TableName=TABLE, Item={**where["Key"], **item})
        try:
            yield
        finally:
            table.delete_item(**where)

    @contextmanager
    def killing(self, program: str, times: int | None = None, after: float = 0.0) -> Iterator[None]:
        """Whatever the head node runs of that name is killed (SIGKILL) as soon as it is `after` seconds old."""
        over = threading.Event()
        thread = threading.Thread(target=self._kill, args=(program, times, after, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _kill(self, program: str, times: int | None, after: float, over: threading.Event) -> None:
        left = times if times is not None else 1 << 30
        while left > 0 and not over.wait(0.002):
            for pid in processes(program, str(self.relay.slurm_conf)):
                if over.wait(after):
                    return
                left -= self.kill(pid)

    @staticmethod
    def kill(pid: int) -> bool:
        """End a process (SIGKILL); False if it has ended."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    @contextmanager
    def _relayed(self) -> Iterator[None]:
        before = self.head_node.environment
        self.head_node.environment = {**before, "SLURM_CONF": str(self.relay.slurm_conf)}
        try:
            yield
        finally:
            self.head_node.environment = before

    def _with_our_bucket(self, content: dict[str, Any]) -> dict[str, Any]:
        """The document, whose program may go to the bucket over our lines, too."""
        prefix = f"{self.stack.aws.url}/{BUCKET}/"
        ours = [prefix, *(f"{line.url}/{BUCKET}/" for line in self.lines.values())]
        text = json.dumps(content)
        assert text.count(json.dumps(prefix)[1:-1]) == 1
        quoted = json.dumps(json.dumps(ours)[2:-2])[1:-1]
        changed: dict[str, Any] = json.loads(text.replace(json.dumps(prefix)[1:-1], quoted))
        return changed

    @contextmanager
    def _document(self, content: Mapping[str, Any] | None) -> Iterator[None]:
        documents = self.stack.ssm.documents
        before = documents.find(DOCUMENT).text
        documents.replace(DOCUMENT, json.dumps(content) if content is not None else None)
        try:
            yield
        finally:
            documents.replace(DOCUMENT, before)


def processes(program: str, slurm_conf: str) -> list[int]:
    """Processes of that name that the head node's agent has started, by the slurm.conf in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "comm").read_text().strip() == program:
                variables = (entry / "environ").read_bytes().split(b"\0")
                if f"SLURM_CONF={slurm_conf}".encode() in variables:
                    found.append(int(entry.name))
    return found
