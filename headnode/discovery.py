"""Which instance is a cluster's head node (EC2 DescribeInstances; tags as ParallelCluster sets them)."""

import time

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.aws_calls import NoTimeLeftError, repeated
from headnode.errors import ClusterUnreachableError, DeadlineError
from headnode.settings import ClusterSettings

_REMEMBERED = 60.0  # seconds: a replaced head node has a new id
_STRETCHED = 10.0  # seconds for which an older id is taken again while EC2 does not answer
_COLD_SECONDS, _WARM_SECONDS = 10.0, 2.0  # that EC2 may take, without and with an older id


class Discovery:
    """The instance id of one cluster's head node, looked up by tags and remembered for a minute."""

    def __init__(self, clients: Clients, cluster: ClusterSettings) -> None:
        self._clients = clients
        self._cluster = cluster
        self._instance: str | None = None
        self._until = 0.0

    def instance(self) -> str:
        """The head node's instance id.

        Raises ClusterUnreachableError if there is none, or more than one; DeadlineError if there is no time to ask EC2.
        """
        if self._cluster.instance is not None:
            return self._cluster.instance
        instance = self._instance  # another thread may forget it in the meantime
        if instance is None or time.monotonic() > self._until:
            instance = self._instance = self._renewed(instance)
        return instance

    def forget(self) -> None:
        """Look it up again next time, because SSM no longer knows the instance."""
        self._instance = None

    def _renewed(self, known: str | None) -> str:
        """The id as EC2 has it now. While EC2 fails, the one known from before is most likely still right."""
        try:
            found, good_for = self._look_up(_COLD_SECONDS if known is None else _WARM_SECONDS), _REMEMBERED
        except (BotoCoreError, ClientError) as error:
            if known is None and isinstance(error, NoTimeLeftError):
                raise DeadlineError("There was no time left to look up the head node: nothing was sent.") from error
            if known is None:
                message = f"The head node of {self._cluster.tag} cannot be looked up in EC2."
                raise ClusterUnreachableError(message) from error
            found, good_for = known, _STRETCHED
        self._until = time.monotonic() + good_for
        return found

    def _look_up(self, seconds: float) -> str:
        tag = self._cluster.tag
        answer = repeated(
            lambda: self._clients.ec2.describe_instances(
                Filters=[
                    {"Name": "tag:parallelcluster:cluster-name", "Values": [tag]},
                    {"Name": "tag:parallelcluster:node-type", "Values": ["HeadNode"]},
                    {"Name": "instance-state-name", "Values": ["running"]},
                ]
            ),
            seconds,
        )
        found = [instance["InstanceId"] for group in answer["Reservations"] for instance in group["Instances"]]
        if len(found) != 1:
            raise ClusterUnreachableError(
                f"EC2 has {len(found) or 'no'} running head node{'s' if len(found) > 1 else ''} of the cluster {tag} "
                "(tags parallelcluster:cluster-name and parallelcluster:node-type=HeadNode)."
            )
        return found[0]
