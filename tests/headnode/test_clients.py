"""The AWS clients: each is made once, and those that are always needed at the start."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from headnode.aws import Clients
from headnode.settings import ClusterSettings, Settings
from local.aws import CREDENTIALS


def test_the_first_requests_of_two_clusters_make_each_client_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    clients, together = Clients(), threading.Barrier(8)

    def first(number: int) -> object:
        together.wait(30)
        return clients.ssm if number % 2 else clients.ec2

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(first, range(8)))
    assert len({id(client) for client in made}) == 2
    assert made[0] is clients.ec2 and made[1] is clients.ssm


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services whose client was made, in that order."""
    services: list[str] = []

    def client(self: boto3.Session, service: str, **_: Any) -> object:
        services.append(service)
        return object()

    monkeypatch.setattr(boto3.Session, "client", client)
    return services


def settings(**changes: str) -> Settings:
    return Settings({"lab": ClusterSettings("lab", "lab")}, "lab", "slurmql", **changes)  # type: ignore[arg-type]


def test_clients_that_are_always_needed_are_made_at_the_start(made: list[str]) -> None:
    Clients().make(settings())
    assert made == ["ssm", "ec2"]


def test_clients_for_the_bucket_and_the_table_are_made_if_configured(made: list[str]) -> None:
    Clients().make(settings(bucket="answers", table="snapshots"))
    assert made == ["ssm", "ec2", "s3", "dynamodb"]
