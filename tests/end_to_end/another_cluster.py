"""Another cluster behind the API, beside the two of the session: for tests that need one of their own making."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import Api
from headnode.aws import Clients
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from local.cluster import Cluster
from local.gateway import Handler
from local.ssm import Endpoint, Instance
from local.stack import Stack
from local.suite import Chroot

INSTANCE = "mi-0123456789abcdef1"


@contextmanager
def started(name: str, chroot: Chroot | None, **options: Any) -> Iterator[Cluster]:
    """A cluster of that name, with `Cluster`'s options."""
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        with ExitStack() as held:
            if chroot:
                held.enter_context(chroot.shown(directory))
            yield held.enter_context(Cluster(directory, name, chroot=chroot, **options))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def endpoint(cluster: Cluster, stack: Stack, chroot: Chroot | None) -> Iterator[Endpoint]:
    """An SSM endpoint with the cluster's head node and the document."""
    head = Instance(INSTANCE, environment=cluster.environment, chroot=chroot)
    with Endpoint([head], s3_endpoint=stack.aws.url, directory=stack.directory / cluster.name) as made:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL_SSM", made.url)
            content = json.dumps(stack.document)
            Clients().ssm.create_document(Name="slurmql", Content=content, DocumentType="Command")
        yield made


@contextmanager
def reachable(cluster: Cluster, stack: Stack, made: Endpoint, entry: Handler) -> Iterator[Api]:
    """The API with that cluster behind it, too; the same rights hold there as in the lab."""
    import handler

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SSM", made.url)
        environment: Mapping[str, str] = {
            **stack.environment,
            "SLURMQL_CLUSTERS": json.dumps({cluster.name: {"instance": INSTANCE}}),
            "SLURMQL_DEFAULT_CLUSTER": "",
        }
        settings = Settings.from_environment(environment)
        node = HeadNode(Clients(), settings.clusters[cluster.name], settings)
        patch.setitem(handler.rules.rules, cluster.name, handler.rules.rules["lab"])
        patch.setitem(handler.clusters, cluster.name, Snapshots(node, settings.ttl))
        yield Api(entry, made)


def conf(cluster: Cluster) -> Path:
    """The cluster's slurm.conf."""
    return Path(cluster.environment["SLURM_CONF"])


@contextmanager
def purging(cluster: Cluster) -> Iterator[None]:
    """slurmctld forgets ended jobs after two seconds; it looks for such jobs every ten."""
    before = conf(cluster).read_text()
    changed = re.sub(r"(?m)^MinJobAge=.*$", "MinJobAge=2", before)
    assert changed != before
    conf(cluster).write_text(changed)
    cluster.run("scontrol", "reconfigure")
    try:
        yield
    finally:
        conf(cluster).write_text(before)
        cluster.run("scontrol", "reconfigure")
