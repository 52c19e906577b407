"""The head node, as AWS knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headnode.instances import Agent, Instance
from resolvers import datasets
from resolvers.reads import reads

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

__all__ = ["Agent", "HeadInstance", "Instance"]


class HeadInstance:
    """The head node of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def instance_id(self) -> str:
        """Its instance id."""
        return self._cluster.read(datasets.HEAD).value

    @property
    @reads(datasets.AGENT)
    def agent(self) -> Agent:
        """Its SSM agent."""
        return self._cluster.read(datasets.AGENT).value

    @property
    @reads(datasets.INSTANCES)
    def instance(self) -> Instance | None:
        """Its EC2 instance; None for a hybrid node."""
        instances = self._cluster.read(datasets.INSTANCES).value
        return next((each for each in instances.values() if each.id == self.instance_id), None)
