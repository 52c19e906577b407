"""Which instance is a cluster's head node (EC2 DescribeInstances; tags as ParallelCluster sets them)."""

import time

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.errors import ClusterUnreachableError
from headnode.settings import ClusterSettings

_REMEMBERED = 60.0  # seconds: a replaced head node has a new id


class Discovery:
    """The instance id of one cluster's head node, looked up by tags and remembered for a minute."""

    def __init__(self, clients: Clients, cluster: ClusterSettings) -> None:
        self._clients = clients
        self._cluster = cluster
        self._instance: str | None = None
        self._until = 0.0

    def instance(self) -> str:
        """The head node's instance id. Raises ClusterUnreachableError if there is none, or more than one."""
        if self._cluster.instance is not None:
            return self._cluster.instance
        instance = self._instance  # another thread may forget it in the meantime
        if instance is None or time.monotonic() > self._until:
            instance = self._instance = self._look_up()
            self._until = time.monotonic() + _REMEMBERED
        return instance

    def forget(self) -> None:
        """Look it up again next time, because SSM no longer knows the instance."""
        self._instance = None

    def _look_up(self) -> str:
        tag = self._cluster.tag
        try:
            answer = self._clients.ec2.describe_instances(
                Filters=[
                    {"Name": "tag:parallelcluster:cluster-name", "Values": [tag]},
                    {"Name": "tag:parallelcluster:node-type", "Values": ["HeadNode"]},
                    {"Name": "instance-state-name", "Values": ["running"]},
                ]
            )
        except (BotoCoreError, ClientError) as error:
            raise ClusterUnreachableError(f"The head node of {tag} cannot be looked up in EC2.") from error
        found = [instance["InstanceId"] for group in answer["Reservations"] for instance in group["Instances"]]
        if len(found) != 1:
            raise ClusterUnreachableError(
                f"EC2 has {len(found) or 'no'} running head node{'s' if len(found) > 1 else ''} of the cluster {tag} "
                "(tags parallelcluster:cluster-name and parallelcluster:node-type=HeadNode)."
            )
        return found[0]
