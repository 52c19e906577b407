"""The AWS clients: made once, whoever is first."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headnode.aws import Clients
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
