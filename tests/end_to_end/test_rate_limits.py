"""A slurmctld that limits how often an account may ask: SlurmctldParameters=rl_enable, since 23.02.

Before, a limited `scontrol ping` was taken for slurmctld's death: of 40 submissions in a row 21 were refused.
"""

from collections.abc import Iterator

import pytest

from conftest import Api
from headnode.aws import Clients
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from local.cluster import Cluster
from local.stack import Stack
from local.suite import Chroot

LIMITS = "rl_enable,rl_bucket_size=10,rl_refill_rate=2"
SUBMISSIONS = 25
SUBMIT = """mutation { submitJob(input: {cluster: "limited",
  script: {text: "#!/bin/sh\\ntrue\\n"}, hold: true, name: "limited" }) {
  job { id } errors { code message } } }"""
OVERVIEW = """{ cluster(name: "limited") { jobs { totalCount } nodes { totalCount } queues { name }
  reservations { name } licenses { name } statistics { jobsPending } configuration { accountingEnabled } } }"""


@pytest.fixture(scope="module")
def limited(stack: Stack, chroot: Chroot | None) -> Iterator[Cluster]:
    """A third cluster behind the API, `limited`, which answers each account twice a second in the long run."""
    import handler

    cluster = Cluster(stack.directory / "limited", "limited", chroot=chroot, settings={"SlurmctldParameters": LIMITS})
    if cluster.programs.slurm_version() < (23, 2):
        pytest.skip("slurmctld limits nobody before 23.02")
    with Stack(stack.directory / "limits", [cluster]) as third, pytest.MonkeyPatch.context() as patch:
        known = Settings.from_environment(third.environment)
        with pytest.MonkeyPatch.context() as variables:
            for name, value in third.environment.items():
                variables.setenv(name, value)
            clients = Clients()
            assert all((clients.ssm, clients.ec2, clients.s3))
        node = HeadNode(clients, known.clusters["limited"], known)
        patch.setitem(handler.rules.rules, "limited", handler.rules.rules["lab"])
        patch.setitem(handler.clusters, "limited", Snapshots(node, known.ttl))
        yield cluster


def test_a_submission_that_was_made_is_not_an_error(api: Api, limited: Cluster) -> None:
    ids = []
    for _ in range(SUBMISSIONS):
        payload = api.data(SUBMIT)["submitJob"]
        assert payload["errors"] == []
        ids.append(payload["job"]["id"].removeprefix("limited:"))
    listed = limited.run("squeue", "-h", "-t", "all", "-n", "limited", "-o", "%i").stdout.split()
    assert sorted(ids) == sorted(listed)


def test_a_read_succeeds_or_is_throttled_and_never_reports_slurmctld_as_down(api: Api, limited: Cluster) -> None:
    """An overview asks seven times: four of them in a row are more than slurmctld lets through at once."""
    for _ in range(4):
        answer = api.ask(OVERVIEW)
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        assert codes <= {"THROTTLED"}, answer
